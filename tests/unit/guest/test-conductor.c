// SPDX-License-Identifier: GPL-2.0-only
#include "guest/conductor.h"

#include "base/util.h"
#include "rehearsal.h"

#include "test.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_no_failure(const struct rehearsal *r)
{
	char text[512];

	assert_string_equal(rehearsal_failure(r, text), "");
	assert_true(WIFEXITED(r->status));
	assert_int_equal(WEXITSTATUS(r->status), CONDUCTOR_OK);
}

TEST(a_spinner_is_reported_for_its_window_and_its_life)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 2, 5000);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_no_failure(&r);
	assert_int_equal(rehearsal_count(&r, FRAME_REPORT), 4);
	for (uint32_t i = 0; i < 2; i++) {
		struct wire_report window = rehearsal_report(&r, i, 0);
		struct wire_report whole = rehearsal_report(&r, i, REPORT_WHOLE);

		assert_int_equal(window.end, WORKER_RUNNING);
		assert_int_equal(whole.end, WORKER_STOPPED);
		assert_true(whole.iterations >= window.iterations);
		assert_true(whole.iterations > 0);
		assert_true(whole.cpu_ns > 0);
		assert_true(whole.cpu_ns <= (whole.end_ns - whole.start_ns) + NSEC_PER_MSEC);
		assert_true(mask_count(&whole.cpus_used) >= 1);
		assert_true(whole.gap.length_ns > 0);
		assert_true(whole.gap.start_ns >= whole.start_ns);
		assert_int_equal(whole.outside_count, 0);
		assert_int_equal(whole.wakes, 0);
		assert_true(whole.start_ns < whole.end_ns);
	}
}

TEST(samples_and_events_frame_the_hold)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 100);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	static const uint32_t codes[] = { EVENT_PLAN_BEGIN, EVENT_OP,	    EVENT_HOLD_BEGIN,
					  EVENT_GATE,	    EVENT_HOLD_END, EVENT_PLAN_END };
	uint64_t last_ns = 0;

	assert_no_failure(&r);
	assert_int_equal(rehearsal_count(&r, FRAME_CPUSTAT), 2);
	assert_int_equal(rehearsal_count(&r, FRAME_TASKSTAT), 2);
	assert_int_equal(rehearsal_count(&r, FRAME_CGROUPSTAT), 2);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		struct wire_event e;
		size_t len;
		const void *payload = rehearsal_frame(&r, FRAME_EVENT, i, &len);

		assert_non_null(payload);
		assert_int_equal(event_decode(payload, len, &r.limits, &e), 0);
		assert_int_equal(e.code, codes[i]);
		assert_true(e.ns >= last_ns);
		last_ns = e.ns;
	}
}

static bool is_tick(const struct frame *f)
{
	struct wire_sample head = { 0 };

	if (f->type != FRAME_TASKSTAT && f->type != FRAME_CPUSTAT && f->type != FRAME_CGROUPSTAT)
		return false;
	memcpy(&head, f->payload, sizeof(head));
	return head.reason == SAMPLE_TICK;
}

/* A write inside a hold wakes init and goes through the channel: that takes the CPU from who is judged. */
TEST(ticks_wait_for_the_frame_after_them)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 20000);
	p.header.sample_ns = NSEC_PER_MSEC;
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	size_t at = 0, write = 0, ticks = 0;

	assert_no_failure(&r);
	for (uint32_t seq = 0; at < r.stream.len; seq++) {
		struct buf rest = { .data = r.stream.data + at, .len = r.stream.len - at };
		struct frame f;
		size_t write_end;

		assert_int_equal(frame_peek(&rest, seq, &f), 0);
		at += FRAME_HEADER_BYTES + f.len;
		memcpy(&write_end, r.write_ends.data + write * sizeof(write_end),
		       sizeof(write_end));
		ticks += is_tick(&f);
		assert_false(is_tick(&f) && at == write_end);
		write += at == write_end;
	}
	assert_true(ticks > 0);
}

TEST(threads_do_the_same_as_processes)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_FUTEX_PINGPONG, 4, 200);

	p.groups[0].flags = GROUP_THREADS;
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	uint64_t iterations = 0;

	assert_no_failure(&r);
	/* Of two pairs on a busy host one may do it all. */
	for (uint32_t i = 0; i < 4; i++) {
		struct wire_report whole = rehearsal_report(&r, i, REPORT_WHOLE);

		assert_int_equal(whole.end, WORKER_STOPPED);
		iterations += whole.iterations;
	}
	assert_true(iterations >= 200);
}

TEST(wake_latencies_of_partners_and_timers_are_measured)
{
	static const uint32_t workloads[] = { WORK_PIPE_PINGPONG, WORK_FUTEX_PINGPONG };

	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		cleanup(plan_deinit) struct plan p = rehearsal_plan(workloads[i], 2, 300);
		cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
		struct wire_report whole = rehearsal_report(&r, 1, REPORT_WHOLE);

		assert_no_failure(&r);
		assert_true(whole.wakes > 10);
		assert_true(whole.wake_min_ns <= whole.wake_max_ns);
		assert_true(whole.wake_max_ns <= whole.wake_sum_ns);
		assert_true(whole.bucket_count > 0);
	}
}

TEST(a_set_up_that_fails_is_the_plans_failure_in_words)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 100);
	char text[512];

	mask_set(&p.workers[0].affinity, 511);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_non_null(strstr(rehearsal_failure(&r, text), "sched_setaffinity to 511"));
	assert_int_equal(WEXITSTATUS(r.status), CONDUCTOR_FAILED);
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).end, WORKER_ERROR);
}

/* Add an op to run before the hold, behind SPAWN. */
static void add_op(struct plan *p, const struct plan_op *op)
{
	assert_int_equal(plan_add_op(p, op, NULL), 0);
	p->steps[0].op_count++;
}

TEST(a_crash_is_told_with_its_signal)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 2, UINT64_MAX);
	char text[512];

	add_op(&p, &(struct plan_op){ .code = OP_SIGNAL, .args = { SIGUSR1 } });
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	rehearsal_failure(&r, text);
	assert_non_null(strstr(text, "killed by signal 10"));
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).end, WORKER_CRASHED);
}

TEST(workers_that_the_plan_kills_have_not_crashed)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 2, UINT64_MAX);
	char text[512];

	add_op(&p, &(struct plan_op){ .code = OP_SIGNAL, .args = { SIGKILL } });
	p.steps[0].hold = HOLD_TIME;
	p.steps[0].hold_ns = 10 * NSEC_PER_MSEC;
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_string_equal(rehearsal_failure(&r, text), "");
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).end, WORKER_KILLED);
	assert_int_equal(rehearsal_report(&r, 1, REPORT_WHOLE).end, WORKER_KILLED);
}

TEST(workers_end_by_themselves_when_their_iterations_are_done)
{
	static const uint32_t flags[] = { 0, GROUP_THREADS };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 2, 1);

		p.groups[0].iterations = 300;
		p.groups[0].flags = flags[i];
		p.steps[0].hold = HOLD_EXITS;
		p.steps[0].hold_ns = 20 * NSEC_PER_SEC;
		cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
		struct wire_report whole = rehearsal_report(&r, 1, REPORT_WHOLE);

		assert_no_failure(&r);
		assert_int_equal(whole.end, WORKER_FINISHED);
		assert_int_equal(whole.iterations, 300);
	}
}

TEST(a_worker_that_does_not_run_shows_as_a_gap_over_the_whole_window)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, UINT64_MAX);

	p.steps[0].hold = HOLD_TIME;
	p.steps[0].hold_ns = 30 * NSEC_PER_MSEC;
	add_op(&p, &(struct plan_op){ .code = OP_SIGNAL, .args = { SIGSTOP } });
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	struct wire_report window = rehearsal_report(&r, 0, 0);

	assert_no_failure(&r);
	assert_int_equal(window.iterations, 0);
	assert_int_equal(window.gap.is_open, 1);
	assert_int_equal(window.gap.cpu_before, REPORT_NO_CPU);
	assert_true(window.gap.length_ns >= 30 * NSEC_PER_MSEC);
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).end, WORKER_STOPPED);
}

TEST(the_hosts_stop_ends_the_plan_early_with_reports)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, UINT64_MAX);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse_stopped(&p);
	char text[512];

	assert_string_equal(rehearsal_failure(&r, text), "");
	assert_int_equal(WEXITSTATUS(r.status), CONDUCTOR_STOPPED);
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).end, WORKER_STOPPED);
}

TEST(a_snapshot_sends_every_figure_and_its_name)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 2, 100);
	struct plan_op snapshot = { .code = OP_SNAPSHOT };
	struct wire_sample head;
	struct wire_taskstat task;
	size_t len;

	assert_int_equal(plan_add_string(&p, "now", &snapshot.text), 0);
	add_op(&p, &snapshot);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	/* Operations come before the hold, whose two samples follow. */
	const void *payload = rehearsal_frame(&r, FRAME_TASKSTAT, 0, &len);

	assert_no_failure(&r);
	assert_int_equal(rehearsal_count(&r, FRAME_TASKSTAT), 3);
	assert_int_equal(rehearsal_count(&r, FRAME_CPUSTAT), 3);
	assert_int_equal(rehearsal_count(&r, FRAME_CGROUPSTAT), 3);
	assert_int_equal(sample_decode(payload, len, sizeof(task), &r.limits, &head), 0);
	assert_int_equal(head.reason, SAMPLE_SNAPSHOT);
	assert_int_equal(head.op, p.header.op_count - 1);
	assert_int_equal(head.count, 2);
	assert_int_equal(taskstat_at(payload, 1, &r.limits, &task), 0);
	assert_int_equal(task.worker, 1);
	assert_true(task.queue_cpu < WIRE_CPUS);
}

static struct wire_failed failed_head(const struct rehearsal *r)
{
	size_t len = 0, text_len;
	const void *payload = rehearsal_frame(r, FRAME_FAILED, 0, &len);
	struct wire_failed head = { 0 };
	const char *text;

	assert_int_equal(failed_decode(payload, len, &head, &text, &text_len), 0);
	return head;
}

TEST(an_operation_that_fails_is_named)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 100);
	struct plan_op write = { .code = OP_WRITE };
	char text[512];

	assert_int_equal(plan_add_string(&p, "/proc/self", &write.text), 0);
	add_op(&p, &write);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_non_null(strstr(rehearsal_failure(&r, text), "/proc/self: Is a directory"));
	assert_int_equal(failed_head(&r).kind, FAILED_OP);
	assert_int_equal(failed_head(&r).index, 1);
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).end, WORKER_STOPPED);
}

TEST(a_file_that_is_not_there_to_write_is_told_apart)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 100);
	struct plan_op write = { .code = OP_WRITE };

	assert_int_equal(plan_add_string(&p, "/no/such/file", &write.text), 0);
	add_op(&p, &write);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_int_equal(failed_head(&r).kind, FAILED_NO_FILE);
	assert_int_equal(failed_head(&r).index, 1);
}

TEST(an_allowed_failure_is_an_event)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 100);
	struct plan_op write = { .code = OP_WRITE, .flags = OP_ALLOW_FAILURE };
	struct wire_event e;
	size_t len;

	assert_int_equal(plan_add_string(&p, "/no/such/file", &write.text), 0);
	add_op(&p, &write);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	const void *payload = rehearsal_frame(&r, FRAME_EVENT, 2, &len);

	assert_no_failure(&r);
	assert_int_equal(event_decode(payload, len, &r.limits, &e), 0);
	assert_int_equal(e.code, EVENT_OP_FAILED);
	assert_int_equal(e.args[3], 2);
	assert_non_null(strstr(e.text, "/no/such/file"));
}

TEST(a_written_file_gets_its_old_value_back)
{
	char path[] = "/tmp/ktstr-test-XXXXXX", now[16] = "";
	cleanup(fd_closep) int fd = mkstemp(path);
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 10);
	struct plan_op write = { .code = OP_WRITE };

	assert_int_equal(pwrite(fd, "old", 3, 0), 3);
	assert_int_equal(plan_add_string(&p, path, &write.text), 0);
	assert_int_equal(plan_add_string(&p, "new", &write.text2), 0);
	add_op(&p, &write);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_no_failure(&r);
	assert_int_equal(pread(fd, now, sizeof(now) - 1, 0), 3);
	assert_string_equal(now, "old");
	unlink(path);
}

TEST(a_loop_spawns_and_stops_again_and_again)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, UINT64_MAX);
	uint32_t first = 0;

	p.steps[0].op_count = 0;
	p.steps[0].hold = HOLD_TIME;
	p.steps[0].hold_ns = 60 * NSEC_PER_MSEC;
	p.steps[0].loop_interval_ns = 10 * NSEC_PER_MSEC;
	p.steps[0].loop_op_count = 2;
	assert_int_equal(plan_add_op(&p, &(struct plan_op){ .code = OP_STOP }, &first), 0);
	assert_int_equal(plan_add_op(&p, &(struct plan_op){ .code = OP_SPAWN }, NULL), 0);
	p.steps[0].loop_first_op = first;
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_no_failure(&r);
	assert_true(rehearsal_count(&r, FRAME_REPORT) >= 2);
}

/* The CPU this test is bound to from now on. */
static struct cpu_mask bind_here(void)
{
	struct cpu_mask here = { 0 };

	mask_set(&here, (unsigned)sched_getcpu());
	assert_int_equal(task_set_affinity(0, &here), 0);
	return here;
}

TEST(who_is_outside_its_set_is_counted_also_when_spawned_later)
{
	struct cpu_mask here = bind_here(), elsewhere = { 0 };
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 3000);
	struct plan_op allowed = { .code = OP_ALLOWED, .args = { 1 } };

	mask_set(&elsewhere, 511);
	p.workers[0].allowed = here;
	allowed.mask = elsewhere;
	add_op(&p, &allowed);
	add_op(&p, &(struct plan_op){ .code = OP_STOP });
	add_op(&p, &(struct plan_op){ .code = OP_SPAWN });
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	struct wire_report window = rehearsal_report(&r, 0, 0);

	assert_no_failure(&r);
	assert_true(window.outside_count > 0);
	assert_int_equal(window.outside_cpu, mask_next(&here, 0));
}

TEST(who_stays_in_its_set_is_not_counted)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 3000);

	p.workers[0].affinity = p.workers[0].allowed = bind_here();
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_no_failure(&r);
	assert_int_equal(rehearsal_report(&r, 0, REPORT_WHOLE).outside_count, 0);
	assert_true(rehearsal_report(&r, 0, REPORT_WHOLE).iterations > 0);
}

TEST(two_holds_are_two_windows)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 500);
	struct plan_step second = p.steps[0];

	second.op_count = 0;
	/* Counted from the worker's birth, as the first hold's: far beyond where that one can end. */
	second.value = 500000;
	assert_int_equal(plan_add_step(&p, &second, NULL), 0);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	struct wire_report a = rehearsal_report(&r, 0, 0), b = rehearsal_report(&r, 0, 1);

	assert_no_failure(&r);
	assert_true(a.iterations > 0);
	assert_true(b.iterations > 0);
	assert_true(b.start_ns >= a.end_ns);
	assert_true(a.iterations + b.iterations <=
		    rehearsal_report(&r, 0, REPORT_WHOLE).iterations);
	assert_true(a.gap.start_ns >= a.start_ns);
	assert_true(b.gap.start_ns >= b.start_ns);
}

TEST(a_payload_runs_and_its_output_and_end_arrive)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 10);
	struct plan_payload echo = { .name = "echo", .cgroup = PLAN_NONE, .argc = 3 };
	struct wire_payload_exit e;
	struct wire_payload_out head;
	uint32_t offset;
	const void *payload, *data;
	size_t len, data_len;

	assert_int_equal(plan_add_string(&p, "/bin/sh", &echo.argv), 0);
	assert_int_equal(plan_add_string(&p, "-c", &offset), 0);
	assert_int_equal(plan_add_string(&p, "echo hello; exit 3", &offset), 0);
	assert_int_equal(plan_add_payload(&p, &echo, NULL), 0);
	add_op(&p, &(struct plan_op){ .code = OP_PAYLOAD_RUN });
	add_op(&p, &(struct plan_op){ .code = OP_PAYLOAD_WAIT });
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_no_failure(&r);
	payload = rehearsal_frame(&r, FRAME_PAYLOAD_OUT, 0, &len);
	assert_non_null(payload);
	assert_int_equal(payload_out_decode(payload, len, &r.limits, &head, &data, &data_len), 0);
	assert_int_equal(head.stream, 1);
	assert_int_equal(data_len, 6);
	assert_memory_equal(data, "hello\n", 6);
	payload = rehearsal_frame(&r, FRAME_PAYLOAD_EXIT, 0, &len);
	assert_non_null(payload);
	assert_int_equal(payload_exit_decode(payload, len, &r.limits, &e), 0);
	assert_int_equal(e.status, 3);
	assert_int_equal(e.end, PAYLOAD_EXITED);
}

TEST(a_payload_over_its_time_is_killed)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 10);
	struct plan_payload sleeper = {
		.name = "sleeper", .cgroup = PLAN_NONE, .argc = 2, .timeout_ns = 20 * NSEC_PER_MSEC
	};
	struct wire_payload_exit e;
	uint32_t offset;
	const void *payload;
	size_t len;

	assert_int_equal(plan_add_string(&p, "/bin/sleep", &sleeper.argv), 0);
	assert_int_equal(plan_add_string(&p, "100", &offset), 0);
	assert_int_equal(plan_add_payload(&p, &sleeper, NULL), 0);
	add_op(&p, &(struct plan_op){ .code = OP_PAYLOAD_RUN });
	p.steps[0].hold = HOLD_PAYLOAD;
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_no_failure(&r);
	payload = rehearsal_frame(&r, FRAME_PAYLOAD_EXIT, 0, &len);
	assert_non_null(payload);
	assert_int_equal(payload_exit_decode(payload, len, &r.limits, &e), 0);
	assert_int_equal(e.signal, SIGKILL);
	assert_int_equal(e.end, PAYLOAD_TIMED_OUT);
}

/* The end of the only payload of a plan that runs the shell's @script, started as @is_gated says. */
static struct wire_payload_exit run_script(struct plan *p, const char *program, const char *script,
					   bool is_gated, struct rehearsal *r)
{
	struct plan_payload shell = { .name = "shell", .cgroup = PLAN_NONE, .argc = 3 };
	struct wire_payload_exit e = { 0 };
	uint32_t offset;
	const void *payload;
	size_t len;

	assert_int_equal(plan_add_string(p, program, &shell.argv), 0);
	assert_int_equal(plan_add_string(p, "-c", &offset), 0);
	assert_int_equal(plan_add_string(p, script, &offset), 0);
	assert_int_equal(plan_add_string(p, "/tmp/ktstr-test-payload", &shell.file), 0);
	assert_int_equal(plan_add_payload(p, &shell, NULL), 0);
	add_op(p, &(struct plan_op){ .code = OP_PAYLOAD_RUN, .args = { is_gated } });
	*r = rehearse(p);
	assert_no_failure(r);
	payload = rehearsal_frame(r, FRAME_PAYLOAD_EXIT, 0, &len);
	assert_non_null(payload);
	assert_int_equal(payload_exit_decode(payload, len, &r->limits, &e), 0);
	return e;
}

/* The time of the first event of that code. */
static uint64_t event_ns(struct rehearsal *r, uint32_t code)
{
	struct wire_event e;
	const void *payload;
	size_t len;

	for (uint32_t i = 0; (payload = rehearsal_frame(r, FRAME_EVENT, i, &len)); i++) {
		assert_int_equal(event_decode(payload, len, &r->limits, &e), 0);
		if (e.code == code)
			return e.ns;
	}
	return 0;
}

TEST(a_gated_payload_starts_when_the_workers_do)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 20);
	cleanup(rehearsal_deinit) struct rehearsal r;
	struct wire_payload_exit e;

	p.steps[0].hold = HOLD_PAYLOAD;
	p.steps[0].hold_ns = 20 * NSEC_PER_SEC;
	e = run_script(&p, "/bin/sh", "exit 0", true, &r);

	assert_int_equal(e.end, PAYLOAD_EXITED);
	assert_int_equal(e.start_ns, event_ns(&r, EVENT_GATE));
	assert_int_equal(e.start_ns, event_ns(&r, EVENT_PAYLOAD_START));
	assert_true(e.end_ns > e.start_ns);
}

TEST(the_plans_end_kills_a_payload_and_says_so)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 20);
	cleanup(rehearsal_deinit) struct rehearsal r;
	struct wire_payload_exit e = run_script(&p, "/bin/sh", "sleep 100", true, &r);

	assert_int_equal(e.end, PAYLOAD_KILLED);
	assert_int_equal(e.signal, SIGKILL);
}

TEST(a_program_that_is_not_there_is_not_a_program_that_failed)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 20);
	cleanup(rehearsal_deinit) struct rehearsal r;
	struct wire_payload_exit e;

	/* Not a hold of a fixed time: at its end what has not failed yet is killed. */
	p.steps[0].hold = HOLD_PAYLOAD;
	p.steps[0].hold_ns = 20 * NSEC_PER_SEC;
	e = run_script(&p, "/nonexistent/sh", "", false, &r);

	assert_int_equal(e.end, PAYLOAD_NOT_STARTED);
	assert_int_equal(e.status, 127);
}

TEST(a_file_arrives_behind_the_streams_and_a_flood_is_cut)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SPIN, 1, 20);
	cleanup(rehearsal_deinit) struct rehearsal r;
	uint64_t bytes[4] = { 0 };
	const void *payload, *data;
	size_t len, data_len;

	p.steps[0].hold = HOLD_PAYLOAD;
	p.steps[0].hold_ns = 20 * NSEC_PER_SEC;
	run_script(&p, "/bin/sh",
		   "head -c 5000000 /dev/zero; echo seen > /tmp/ktstr-test-payload; exit 1", true,
		   &r);
	for (uint32_t i = 0; (payload = rehearsal_frame(&r, FRAME_PAYLOAD_OUT, i, &len)); i++) {
		struct wire_payload_out head;

		assert_int_equal(
			payload_out_decode(payload, len, &r.limits, &head, &data, &data_len), 0);
		bytes[head.stream] += data_len;
	}
	assert_true(bytes[1] > PAYLOAD_OUT_MAX && bytes[1] <= PAYLOAD_OUT_MAX + 65536);
	assert_int_equal(bytes[2], 0);
	assert_int_equal(bytes[3], 5);
	unlink("/tmp/ktstr-test-payload");
}

TESTS(T(a_spinner_is_reported_for_its_window_and_its_life), T(samples_and_events_frame_the_hold),
      T(ticks_wait_for_the_frame_after_them), T(threads_do_the_same_as_processes),
      T(wake_latencies_of_partners_and_timers_are_measured),
      T(a_set_up_that_fails_is_the_plans_failure_in_words), T(a_crash_is_told_with_its_signal),
      T(workers_that_the_plan_kills_have_not_crashed),
      T(workers_end_by_themselves_when_their_iterations_are_done),
      T(a_worker_that_does_not_run_shows_as_a_gap_over_the_whole_window),
      T(the_hosts_stop_ends_the_plan_early_with_reports),
      T(a_snapshot_sends_every_figure_and_its_name), T(an_operation_that_fails_is_named),
      T(a_file_that_is_not_there_to_write_is_told_apart), T(an_allowed_failure_is_an_event),
      T(a_written_file_gets_its_old_value_back), T(a_loop_spawns_and_stops_again_and_again),
      T(who_is_outside_its_set_is_counted_also_when_spawned_later),
      T(who_stays_in_its_set_is_not_counted), T(two_holds_are_two_windows),
      T(a_payload_runs_and_its_output_and_end_arrive), T(a_payload_over_its_time_is_killed),
      T(a_gated_payload_starts_when_the_workers_do), T(the_plans_end_kills_a_payload_and_says_so),
      T(a_program_that_is_not_there_is_not_a_program_that_failed),
      T(a_file_arrives_behind_the_streams_and_a_flood_is_cut))
