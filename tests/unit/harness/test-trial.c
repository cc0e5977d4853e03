// SPDX-License-Identifier: GPL-2.0-only
/* A trial against a guest that is a script: all its frames lie in the socket before the trial begins.
 * What the judge makes of them is compared with what must be said. */
#include "harness/judge.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/trial.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WINDOW_STEP = 1, WORKERS_MAX = 2 };
static const uint64_t begin_ns = 5 * NSEC_PER_SEC, end_ns = 6 * NSEC_PER_SEC;

static const struct ktstr_scenario scenario = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "b", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.timeout = "50ms",
	.checks = CHECKS("share distance=30permille", "starvation gap=100ms", "isolation"),
};

static const struct ktstr_scenario expected_to_fail = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "b", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=30permille"),
	.expected_reason = "a known bug",
};

static const struct ktstr_scenario stubborn = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=100ms noise=1000permille"),
};

static const struct ktstr_scenario counted = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a",
			     .max = "300ms/100ms",
			     .workers = WORKERS({ .work = "periodic period=1s", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=1000", "spread max=50permille",
			 "migration_ratio max=10permille", "deadline_misses max=2",
			 "throttling min=1 max=9"),
};

static const struct ktstr_scenario local = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "a", .workers = WORKERS({ .work = "numa_working_set", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("locality min=900permille"),
};

static const struct ktstr_scenario capped = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a",
			     .max = "20ms/100ms",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("throttling max=9"),
};

/* What the scripted guest says. */
struct script {
	const struct ktstr_scenario *scenario;
	uint64_t cpu_ns[WORKERS_MAX];
	uint64_t gap_ns[WORKERS_MAX];
	uint64_t outside_count[WORKERS_MAX];
	uint64_t iterations[WORKERS_MAX];
	uint64_t migrations[WORKERS_MAX];
	uint64_t deadline_misses[WORKERS_MAX];
	uint64_t pages_local[WORKERS_MAX], pages_remote[WORKERS_MAX];
	uint16_t ends[WORKERS_MAX]; /* enum worker_end */
	uint64_t steal_ns;
	uint64_t throttled, periods;
	const char *failed;
	bool has_ticks; /* ten; the CPU is idle in the fourth tenth only */
	bool has_no_second_report;
	bool has_no_done;
	bool has_garbage;
};

struct play {
	struct result result;
	struct telemetry telemetry;
	enum trial_end end;
	int fds[2];
	struct session session;
	uint32_t seq;
};

static void say(struct play *p, enum frame_type type, const void *payload, size_t len)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(frame_put(&out, &p->seq, type, payload, len), 0);
	assert_int_equal(write_all(p->fds[1], out.data, out.len), 0);
}

static void say_event(struct play *p, uint32_t code, uint64_t ns)
{
	const struct wire_event e = { .ns = ns, .code = code, .index = WINDOW_STEP };

	say(p, FRAME_EVENT, &e, sizeof(e));
}

static void say_cpustat(struct play *p, uint32_t reason, uint64_t steal_ns)
{
	struct {
		struct wire_sample head;
		struct wire_cpustat cpu;
	} sample = { .head = { .step = WINDOW_STEP, .reason = reason, .count = 1 },
		     .cpu = { .is_online = 1, .steal_ns = steal_ns } };

	say(p, FRAME_CPUSTAT, &sample, sizeof(sample));
}

static void say_cgroupstat(struct play *p, uint32_t reason, uint64_t throttled, uint64_t periods)
{
	struct {
		struct wire_sample head;
		struct wire_cgroupstat cgroup;
	} sample = { .head = { .step = WINDOW_STEP, .reason = reason, .count = 1 },
		     .cgroup = { .periods = 90 + periods, .throttled = throttled } };

	say(p, FRAME_CGROUPSTAT, &sample, sizeof(sample));
}

static void say_tick(struct play *p, unsigned i, uint32_t reason)
{
	uint64_t at_ns = begin_ns + i * 100 * NSEC_PER_MSEC;
	struct {
		struct wire_sample head;
		struct wire_cpustat cpu;
	} cpus = { .head = { .ns = at_ns,
			     .ns_end = at_ns + 1000,
			     .step = WINDOW_STEP,
			     .reason = reason,
			     .count = 1 },
		   .cpu = { .is_online = 1, .idle_ns = i > 3 ? 90 * NSEC_PER_MSEC : 0 } };
	const struct wire_sample tasks = {
		.ns = at_ns, .ns_end = at_ns + 2000, .step = WINDOW_STEP, .reason = reason
	};

	say(p, FRAME_CPUSTAT, &cpus, sizeof(cpus));
	say(p, FRAME_TASKSTAT, &tasks, sizeof(tasks));
}

static void say_ticks(struct play *p)
{
	for (unsigned i = 0; i <= 10; i++)
		say_tick(p, i, !i ? SAMPLE_HOLD_BEGIN : i < 10 ? SAMPLE_TICK : SAMPLE_HOLD_END);
}

static void say_report(struct play *p, const struct script *s, uint32_t worker, uint16_t window)
{
	const struct wire_report r = {
		.worker = worker,
		.window = window,
		.end = window == REPORT_WHOLE ? s->ends[worker] : WORKER_RUNNING,
		.start_ns = begin_ns,
		.end_ns = end_ns,
		.cpu_ns = s->cpu_ns[worker],
		.checkpoints = 1000,
		.iterations = s->iterations[worker],
		.migrations = s->migrations[worker],
		.deadline_misses = s->deadline_misses[worker],
		.pages_local = s->pages_local[worker],
		.pages_remote = s->pages_remote[worker],
		.gap = { .length_ns = s->gap_ns[worker],
			 .start_ns = begin_ns + (s->has_ticks ? 350 : 1) * NSEC_PER_MSEC,
			 .cpu_after = worker ? REPORT_NO_CPU : 0 },
		.outside_count = s->outside_count[worker],
		.outside_ns = begin_ns + 2000000,
		.text = "it broke",
	};

	say(p, FRAME_REPORT, &r, sizeof(r));
}

static void say_failed(struct play *p, const char *text)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const struct wire_failed f = { .plan_id = 7, .kind = FAILED_PLAN };

	buf_add(&out, &f, sizeof(f));
	buf_str(&out, text);
	say(p, FRAME_FAILED, out.data, out.len);
}

static void say_all(struct play *p, const struct script *s)
{
	const struct wire_done done = { .plan_id = 7 };

	say_event(p, EVENT_HOLD_BEGIN, begin_ns);
	if (s->has_ticks)
		say_ticks(p);
	else
		say_cpustat(p, SAMPLE_HOLD_BEGIN, 0);
	say_cgroupstat(p, SAMPLE_HOLD_BEGIN, 0, 0);
	if (!s->has_ticks)
		say_cpustat(p, SAMPLE_HOLD_END, s->steal_ns);
	say_cgroupstat(p, SAMPLE_HOLD_END, s->throttled, s->throttled ? 10 : s->periods);
	say_event(p, EVENT_HOLD_END, end_ns);
	for (uint32_t w = 0; w < WORKERS_MAX; w++) {
		if (w == 0 || !s->has_no_second_report)
			say_report(p, s, w, WINDOW_STEP);
		say_report(p, s, w, REPORT_WHOLE);
	}
	if (s->failed)
		say_failed(p, s->failed);
	if (s->has_garbage)
		assert_int_equal(write(p->fds[1], "garbage garbage garbage", 23), 23);
	if (!s->has_no_done)
		say(p, FRAME_DONE, &done, sizeof(done));
}

/* Run the script to its verdict. */
static void play(struct play *p, const struct script *s)
{
	static struct ktstr_record record = { .name = "x", .file = "x.c" };
	static const struct cell_options options = { 0 };

	*p = (struct play){ .result = { .record = &record } };
	record.scenario = s->scenario ? s->scenario : &scenario;
	assert_int_equal(cell_compile(&record, &options, &p->result.cell), 0);
	p->result.cell.plan.header.id = 7;
	assert_int_equal(telemetry_init(&p->telemetry, &p->result.cell), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->fds), 0);
	assert_int_equal(session_init(&p->session, p->fds[0]), 0);
	say_all(p, s);
	assert_int_equal(trial_run(&p->session, NULL, &p->result.cell, &p->telemetry, &p->end), 0);
	if (p->end == TRIAL_DONE)
		assert_int_equal(judge_trial(&p->result, &p->telemetry), 0);
}

static void play_deinit(struct play *p)
{
	telemetry_deinit(&p->telemetry);
	result_deinit(&p->result);
	session_deinit(&p->session);
	close(p->fds[0]);
	close(p->fds[1]);
}

#define FAIR .cpu_ns = { 500000000, 500000000 }
#define STOPPED .ends = { WORKER_STOPPED, WORKER_STOPPED }

static const struct finding *finding_of(const struct play *p, const char *check)
{
	for (uint32_t i = 0; i < p->result.finding_count; i++) {
		if (strcmp(p->result.findings[i].claim->check->name, check) == 0)
			return &p->result.findings[i];
	}
	return NULL;
}

TEST(claims_that_hold_are_a_pass)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .gap_ns = { 20000000, 30000000 } });
	assert_int_equal(p.end, TRIAL_DONE);
	assert_int_equal(p.result.verdict, VERDICT_PASS);
	assert_int_equal(p.result.finding_count, 3);
	assert_string_equal(buf_text(&finding_of(&p, "share")->figures), "a 50.0%, b 50.0%");
	assert_int_equal(finding_of(&p, "starvation")->observed, 30000000);
	assert_string_equal(buf_text(&finding_of(&p, "starvation")->figures),
			    "longest wait 30.0 ms (b/spin)");
}

TEST(an_unfair_part_is_a_fail_with_the_distance)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ .cpu_ns = { 600000000, 400000000 }, STOPPED });
	assert_int_equal(p.result.verdict, VERDICT_FAIL);
	assert_int_equal(finding_of(&p, "share")->observed, 100);
	assert_non_null(strstr(buf_text(&finding_of(&p, "share")->evidence),
			       "a: 60.0% of the CPU time (600 ms), ideal 50.0%"));
}

TEST(shares_stand_under_steal)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){
			 .cpu_ns = { 250000000, 250000000 }, STOPPED, .steal_ns = 500000000 });
	assert_int_equal(finding_of(&p, "share")->verdict, VERDICT_PASS);
	assert_int_equal(finding_of(&p, "isolation")->verdict, VERDICT_PASS);
	assert_int_equal(finding_of(&p, "starvation")->verdict, VERDICT_UNDECIDED);
}

TEST(shares_of_next_to_nothing_are_undecided)
{
	cleanup(play_deinit) struct play p = { 0 };
	const struct finding *f;

	play(&p,
	     &(struct script){ .cpu_ns = { 10000000, 40000000 }, STOPPED, .steal_ns = 950000000 });
	f = finding_of(&p, "share");
	assert_int_equal(f->verdict, VERDICT_UNDECIDED);
	assert_false(f->holds);
	assert_int_equal(f->noise_permille, 950);
	assert_non_null(strstr(buf_text(&f->evidence), "which leaves 50 ms"));
}

TEST(a_long_wait_is_a_fail_on_a_quiet_host)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .gap_ns = { 250000000 } });
	assert_int_equal(p.result.verdict, VERDICT_FAIL);
	assert_non_null(strstr(buf_text(&finding_of(&p, "starvation")->evidence),
			       "a/spin waited 250.0 ms, 1.0 ms into the window"));
}

TEST(the_longest_wait_of_each_worker_is_kept_with_what_the_cpus_did_around_it)
{
	cleanup(play_deinit) struct play p;
	const struct finding *f;

	play(&p, &(struct script){ FAIR, STOPPED, .gap_ns = { 120000000, 30000000 },
				   .has_ticks = true });
	f = finding_of(&p, "starvation");
	assert_int_equal(f->verdict, VERDICT_FAIL);
	assert_string_equal(
		buf_text(&f->evidence),
		"a/spin waited 120.0 ms, 350.0 ms into the window, before on CPU 0, after on CPU "
		"0\n"
		"CPU 0 in the 200 ms around it: 90 ms idle, 0 ms stolen, tasks waited 0 ms\n"
		"the bound was broken; noise: the host took 0 permille of the window from CPU 0, "
		"limit 100 permille\n");
	assert_string_equal(
		buf_text(&f->details),
		"[{\"worker\":\"a/spin\",\"wait_ns\":120000000,\"into_window_ns\":350000000,"
		"\"cpu_before\":0,\"cpu_after\":0,\"is_open\":false,\"is_wake\":false,"
		"\"around_ns\":200002000,\"cpus\":[{\"idle_ns\":90000000,\"steal_ns\":0,"
		"\"busy_ns\":0,\"waited_ns\":0}]},"
		"{\"worker\":\"b/spin\",\"wait_ns\":30000000,\"into_window_ns\":350000000,"
		"\"cpu_before\":0,\"cpu_after\":null,\"is_open\":false,\"is_wake\":false}]");
}

TEST(a_long_wait_is_undecided_on_a_noisy_host)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .gap_ns = { 250000000 }, .steal_ns = 200000000 });
	assert_int_equal(p.result.verdict, VERDICT_UNDECIDED);
	assert_non_null(strstr(buf_text(&finding_of(&p, "starvation")->evidence),
			       "took 200 permille of the window from CPU 0"));
}

TEST(a_short_wait_on_a_noisy_host_is_undecided_and_said_to_hold)
{
	cleanup(play_deinit) struct play p;
	const struct finding *f;

	play(&p, &(struct script){ FAIR, STOPPED, .gap_ns = { 50000000 }, .steal_ns = 200000000 });
	f = finding_of(&p, "starvation");
	assert_int_equal(p.result.verdict, VERDICT_UNDECIDED);
	assert_int_equal(f->verdict, VERDICT_UNDECIDED);
	assert_true(f->holds);
	assert_int_equal(f->noise_permille, 200);
	assert_int_equal(f->noise_limit_permille, 100);
	assert_non_null(strstr(buf_text(&f->evidence), "the bound held; noise: the host took 200"));
}

TEST(a_wait_that_one_stop_of_the_host_explains_is_undecided)
{
	cleanup(play_deinit) struct play explained, not ;

	play(&explained,
	     &(struct script){ FAIR, STOPPED, .gap_ns = { 150000000 }, .steal_ns = 50000000 });
	assert_int_equal(explained.result.verdict, VERDICT_UNDECIDED);
	assert_non_null(strstr(buf_text(&finding_of(&explained, "starvation")->evidence),
			       "the host took up to 51 ms"));
	play(&not,
	     &(struct script){ FAIR, STOPPED, .gap_ns = { 152000000 }, .steal_ns = 50000000 });
	assert_int_equal(not .result.verdict, VERDICT_FAIL);
}

TEST(noise_up_to_the_limit_leaves_the_verdict)
{
	cleanup(play_deinit) struct play holds, broken;

	play(&holds,
	     &(struct script){ FAIR, STOPPED, .gap_ns = { 50000000 }, .steal_ns = 100000000 });
	assert_int_equal(holds.result.verdict, VERDICT_PASS);
	assert_non_null(strstr(buf_text(&finding_of(&holds, "starvation")->evidence),
			       "the bound held; noise: the host took 100 permille"));
	play(&broken,
	     &(struct script){ FAIR, STOPPED, .gap_ns = { 250000000 }, .steal_ns = 100000000 });
	assert_int_equal(broken.result.verdict, VERDICT_FAIL);
	assert_false(finding_of(&broken, "starvation")->holds);
}

TEST(a_claim_that_takes_any_noise_is_always_decided)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ .scenario = &stubborn,
				   FAIR,
				   STOPPED,
				   .gap_ns = { 250000000 },
				   .steal_ns = 2000000000 });
	assert_int_equal(p.result.verdict, VERDICT_FAIL);
	assert_int_equal(finding_of(&p, "starvation")->noise_permille, 1000);
}

TEST(the_record_keeps_held_noise_and_its_limit_of_every_claim)
{
	cleanup(play_deinit) struct play p;
	cleanup(buf_deinit) struct buf json = BUF_NULL;

	play(&p, &(struct script){ FAIR, STOPPED, .gap_ns = { 50000000 }, .steal_ns = 20000000 });
	result_json(&p.result, &json);
	assert_non_null(strstr(buf_text(&json),
			       "\"window_ns\":1000000000,\"held\":true,\"noise\":{\"permille\":20,"
			       "\"limit_permille\":100,\"cpu\":0}"));
	assert_non_null(strstr(buf_text(&json), "\"noise_permille\":20}"));
}

TEST(a_look_from_outside_the_cpuset_is_a_fail_under_any_noise)
{
	cleanup(play_deinit) struct play p;

	play(&p,
	     &(struct script){ FAIR, STOPPED, .outside_count = { 0, 3 }, .steal_ns = 900000000 });
	assert_int_equal(p.result.verdict, VERDICT_FAIL);
	assert_int_equal(finding_of(&p, "isolation")->observed, 3);
}

TEST(a_fail_that_is_expected_is_an_xfail_with_its_reason)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ .scenario = &expected_to_fail,
				   .cpu_ns = { 900000000, 100000000 },
				   STOPPED });
	assert_int_equal(p.result.verdict, VERDICT_XFAIL);
	assert_string_equal(buf_text(&p.result.reason), "expected: a known bug");
}

TEST(a_missing_report_is_infra_not_fail)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .has_no_second_report = true });
	assert_int_equal(p.result.verdict, VERDICT_INFRA);
	assert_string_equal(buf_text(&p.result.reason), "window hold: no report from b/spin");
}

TEST(a_crashed_worker_is_infra_with_its_words)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, .ends = { WORKER_STOPPED, WORKER_CRASHED } });
	assert_int_equal(p.result.verdict, VERDICT_INFRA);
	assert_string_equal(buf_text(&p.result.reason), "b/spin crashed: it broke");
}

TEST(a_stuck_worker_is_infra_only_if_no_claim_catches_it)
{
	cleanup(play_deinit) struct play quiet, caught;

	play(&quiet, &(struct script){ FAIR, .ends = { WORKER_STOPPED, WORKER_STUCK } });
	assert_int_equal(quiet.result.verdict, VERDICT_INFRA);
	play(&caught, &(struct script){ FAIR, .gap_ns = { 0, 900000000 },
					.ends = { WORKER_STOPPED, WORKER_STUCK } });
	assert_int_equal(caught.result.verdict, VERDICT_FAIL);
}

TEST(a_plan_that_could_not_be_done_is_infra)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .failed = "op 3: no such file" });
	assert_int_equal(p.result.verdict, VERDICT_INFRA);
	assert_string_equal(buf_text(&p.result.reason), "the guest: op 3: no such file");
}

struct counted_case {
	const char *check;
	struct script script;
	enum verdict verdict;
	uint64_t observed;
	const char *figures;
};

#define COUNTED .scenario = &counted, STOPPED
#define LOCAL .scenario = &local, STOPPED
#define CAPPED .scenario = &capped, STOPPED

static const struct counted_case counted_cases[] = {
	{ "throttling",
	  { COUNTED, .throttled = 9 },
	  VERDICT_PASS,
	  9,
	  "throttled 9 times in 10 periods" },
	{ "throttling",
	  { COUNTED, .throttled = 10 },
	  VERDICT_FAIL,
	  10,
	  "throttled 10 times in 10 periods" },
	{ "throttling", { COUNTED }, VERDICT_FAIL, 0, "throttled 0 times in 0 periods" },
	{ "throttling",
	  { COUNTED, .steal_ns = 200000000 },
	  VERDICT_FAIL,
	  0,
	  "throttled 0 times in 0 periods" },
	{ "throttling",
	  { COUNTED, .steal_ns = 200000000, .periods = 10 },
	  VERDICT_UNDECIDED,
	  0,
	  "throttled 0 times in 10 periods" },
	/* Noise of less than a quota throttles nobody; else each quota that was taken explains one. */
	{ "throttling",
	  { COUNTED, .steal_ns = 200000000, .throttled = 10 },
	  VERDICT_FAIL,
	  10,
	  "throttled 10 times in 10 periods" },
	{ "throttling",
	  { CAPPED, .steal_ns = 60000000, .throttled = 12 },
	  VERDICT_UNDECIDED,
	  12,
	  "throttled 12 times in 10 periods" },
	{ "throttling",
	  { CAPPED, .steal_ns = 60000000, .throttled = 13 },
	  VERDICT_FAIL,
	  13,
	  "throttled 13 times in 10 periods" },
	{ "throughput",
	  { COUNTED, .iterations = { 600, 400 } },
	  VERDICT_PASS,
	  1000,
	  "1000 iterations in a second" },
	{ "throughput",
	  { COUNTED, .iterations = { 600, 399 } },
	  VERDICT_FAIL,
	  999,
	  "999 iterations in a second" },
	{ "throughput",
	  { COUNTED, .iterations = { 1 }, .steal_ns = 200000000 },
	  VERDICT_UNDECIDED,
	  1,
	  "1 iterations in a second" },
	{ "spread",
	  { COUNTED, .cpu_ns = { 500000000, 475000000 } },
	  VERDICT_PASS,
	  50,
	  "equal workers were 5.0% apart" },
	{ "spread",
	  { COUNTED, .cpu_ns = { 400000000, 500000000 } },
	  VERDICT_FAIL,
	  200,
	  "equal workers were 20.0% apart" },
	{ "spread",
	  { COUNTED, .cpu_ns = { 1, 500000000 }, .steal_ns = 200000000 },
	  VERDICT_UNDECIDED,
	  1000,
	  "equal workers were 100.0% apart" },
	{ "migration_ratio",
	  { COUNTED, .migrations = { 15, 5 } },
	  VERDICT_PASS,
	  10,
	  "20 of 2000 looks found a worker on another CPU" },
	{ "migration_ratio",
	  { COUNTED, .migrations = { 15, 7 } },
	  VERDICT_FAIL,
	  11,
	  "22 of 2000 looks found a worker on another CPU" },
	{ "locality",
	  { LOCAL, .pages_local = { 95 }, .pages_remote = { 0, 5 } },
	  VERDICT_PASS,
	  950,
	  "95 of 100 pages were local" },
	{ "locality",
	  { LOCAL, .pages_local = { 8 }, .pages_remote = { 2 } },
	  VERDICT_FAIL,
	  800,
	  "8 of 10 pages were local" },
	{ "locality", { LOCAL }, VERDICT_UNDECIDED, 0, "0 of 0 pages were local" },
	{ "deadline_misses",
	  { COUNTED, .deadline_misses = { 1, 1 } },
	  VERDICT_PASS,
	  2,
	  "2 deadlines missed" },
	{ "deadline_misses",
	  { COUNTED, .deadline_misses = { 0, 3 } },
	  VERDICT_FAIL,
	  3,
	  "3 deadlines missed" },
};

TEST(counters_are_judged_against_their_bounds)
{
	for (size_t i = 0; i < ARRAY_SIZE(counted_cases); i++) {
		const struct counted_case *c = &counted_cases[i];
		cleanup(play_deinit) struct play p;
		const struct finding *f;

		play(&p, &c->script);
		f = finding_of(&p, c->check);
		assert_int_equal(f->verdict, c->verdict);
		assert_int_equal(f->observed, c->observed);
		assert_string_equal(buf_text(&f->figures), c->figures);
	}
}

TEST(silence_is_a_timeout)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .has_no_done = true });
	assert_int_equal(p.end, TRIAL_TIMEOUT);
}

TEST(garbage_is_garbled)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ FAIR, STOPPED, .has_garbage = true });
	assert_int_equal(p.end, TRIAL_GARBLED);
}

TESTS(T(claims_that_hold_are_a_pass), T(an_unfair_part_is_a_fail_with_the_distance),
      T(shares_stand_under_steal), T(shares_of_next_to_nothing_are_undecided),
      T(a_long_wait_is_a_fail_on_a_quiet_host),
      T(the_longest_wait_of_each_worker_is_kept_with_what_the_cpus_did_around_it),
      T(a_long_wait_is_undecided_on_a_noisy_host),
      T(a_short_wait_on_a_noisy_host_is_undecided_and_said_to_hold),
      T(a_wait_that_one_stop_of_the_host_explains_is_undecided),
      T(noise_up_to_the_limit_leaves_the_verdict),
      T(a_claim_that_takes_any_noise_is_always_decided),
      T(the_record_keeps_held_noise_and_its_limit_of_every_claim),
      T(a_look_from_outside_the_cpuset_is_a_fail_under_any_noise),
      T(a_fail_that_is_expected_is_an_xfail_with_its_reason), T(a_missing_report_is_infra_not_fail),
      T(a_crashed_worker_is_infra_with_its_words),
      T(a_stuck_worker_is_infra_only_if_no_claim_catches_it),
      T(a_plan_that_could_not_be_done_is_infra), T(counters_are_judged_against_their_bounds),
      T(silence_is_a_timeout), T(garbage_is_garbled))
