// SPDX-License-Identifier: GPL-2.0-only
/* What must not pass. A run in which every claim held is told to the judge with one thing spoilt, or
 * a scenario is compiled whose claim nothing could break. */
#include "harness/judge.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/telemetry.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <string.h>

static const uint64_t begin_ns = 5 * NSEC_PER_SEC, end_ns = 6 * NSEC_PER_SEC;

static const struct ktstr_scenario scenario = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .count = "2" }) },
			   { .name = "b",
			     .workers = WORKERS({ .work = "periodic run=1ms period=10ms" },
						{ .work = "timer_latency" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=100ms", "isolation", "throughput min=1",
			 "spread max=50permille of=a", "migration_ratio max=10permille",
			 "deadline_misses max=2", "wake_latency max=10ms", "throttling max=0"),
};

enum { SPIN_A, SPIN_B, PERIODIC, TIMER, WORKERS_COUNT };

struct stage {
	struct result result;
	struct telemetry t;
};

static const struct ktstr_record record = { .name = "x", .scenario = &scenario };

static struct wire_report report_of(uint32_t worker)
{
	return (struct wire_report){ .worker = worker,
				     .end = WORKER_STOPPED,
				     .start_ns = begin_ns,
				     .end_ns = end_ns,
				     .iterations = 100,
				     .checkpoints = 1000,
				     .cpu_ns = 250 * NSEC_PER_MSEC };
}

static void fill_window(struct stage *s, uint32_t workers)
{
	struct window_data *d = &s->t.windows[0];

	d->has_begun = d->has_ended = true;
	d->begin_ns = begin_ns;
	d->end_ns = end_ns;
	d->begin[0] = d->end[0] = (struct cpu_sample){ .is_there = true };
	for (uint32_t c = 0; c < s->result.cell.plan.header.cgroup_count; c++)
		d->cgroups_begin[c].is_there = d->cgroups_end[c].is_there = true;
	for (uint32_t w = 0; w < workers; w++) {
		d->reports[w] = (struct worker_report){ .is_there = true, .report = report_of(w) };
		s->t.whole[w] = d->reports[w];
	}
	for (uint32_t w = PERIODIC; w < workers; w++) {
		d->reports[w].wakes = calloc(1, sizeof(struct hist));
		assert_non_null(d->reports[w].wakes);
		*d->reports[w].wakes = HIST_EMPTY;
		hist_add(d->reports[w].wakes, NSEC_PER_MSEC);
	}
}

static void lose_wakes(struct stage *s)
{
	for (uint32_t w = PERIODIC; w < WORKERS_COUNT; w++) {
		free(s->t.windows[0].reports[w].wakes);
		s->t.windows[0].reports[w].wakes = NULL;
	}
}

static void set_up(struct stage *s, const struct ktstr_record *of, uint32_t workers)
{
	static const struct cell_options options = { 0 };

	*s = (struct stage){ .result = { .record = of } };
	assert_int_equal(cell_compile(of, &options, &s->result.cell), 0);
	assert_int_equal(telemetry_init(&s->t, &s->result.cell), 0);
	fill_window(s, workers);
	s->t.is_done = true;
}

static void set(struct stage *s)
{
	set_up(s, &record, WORKERS_COUNT);
}

static void stage_deinit(struct stage *s)
{
	telemetry_deinit(&s->t);
	result_deinit(&s->result);
}

static enum verdict verdict_of(struct stage *s)
{
	assert_int_equal(judge_trial(&s->result, &s->t), 0);
	return s->result.verdict;
}

static const struct finding *finding_of(const struct stage *s, const char *check)
{
	for (uint32_t i = 0; i < s->result.finding_count; i++) {
		if (strcmp(s->result.findings[i].claim->check->name, check) == 0)
			return &s->result.findings[i];
	}
	fail_msg("no finding of %s", check);
	return NULL;
}

static struct window_data *window(struct stage *s)
{
	return &s->t.windows[0];
}

static struct wire_report *seen(struct stage *s, uint32_t worker)
{
	return &window(s)->reports[worker].report;
}

TEST(unspoilt_it_is_a_pass)
{
	cleanup(stage_deinit) struct stage s;

	set(&s);
	assert_int_equal(verdict_of(&s), VERDICT_PASS);
	assert_int_equal(s.result.reason.len, 0);
}

/* ---- what did not arrive ---- */

static void lose_begin(struct stage *s)
{
	window(s)->has_begun = false;
}

static void lose_end(struct stage *s)
{
	window(s)->has_ended = false;
}

static void end_before_begin(struct stage *s)
{
	window(s)->end_ns = window(s)->begin_ns - 1;
}

static void cut_short(struct stage *s)
{
	window(s)->end_ns = begin_ns + 300 * NSEC_PER_MSEC;
}

static void lose_cpu_at_begin(struct stage *s)
{
	window(s)->begin[0].is_there = false;
}

static void lose_cpu_at_end(struct stage *s)
{
	window(s)->end[0].is_there = false;
}

static void lose_report(struct stage *s)
{
	window(s)->reports[SPIN_B].is_there = false;
}

static void lose_last_report(struct stage *s)
{
	s->t.whole[PERIODIC].is_there = false;
}

static void crash_a_worker(struct stage *s)
{
	s->t.whole[SPIN_A].report.end = WORKER_CRASHED;
}

static void kill_a_worker(struct stage *s)
{
	s->t.whole[SPIN_A].report.end = WORKER_KILLED;
}

static void finish_early(struct stage *s)
{
	s->t.whole[SPIN_A].report.end = WORKER_FINISHED;
}

static void get_stuck(struct stage *s)
{
	s->t.whole[SPIN_A].report.end = WORKER_STUCK;
}

static void fail_without_a_broken_worker(struct stage *s)
{
	s->t.has_failed = true;
	s->t.failed.kind = FAILED_WORKER;
	strcpy(s->t.failed_text, "worker 1 was killed");
}

static void fail_the_plan(struct stage *s)
{
	s->t.has_failed = true;
	s->t.failed.kind = FAILED_PLAN;
}

static void end_early(struct stage *s)
{
	s->t.done.status = 2;
}

TEST(what_did_not_arrive_is_infra)
{
	static void (*const spoilers[])(struct stage * s) = {
		lose_begin,    lose_end,	  end_before_begin,
		cut_short,     lose_cpu_at_begin, lose_cpu_at_end,
		lose_report,   lose_last_report,  crash_a_worker,
		kill_a_worker, finish_early,	  get_stuck,
		fail_the_plan, end_early,	  fail_without_a_broken_worker,
	};

	for (size_t i = 0; i < ARRAY_SIZE(spoilers); i++) {
		cleanup(stage_deinit) struct stage s;

		set(&s);
		spoilers[i](&s);
		if (verdict_of(&s) != VERDICT_INFRA)
			fail_msg("case %zu: %s", i, verdict_name(s.result.verdict));
		assert_true(s.result.reason.len > 0);
	}
}

/* ---- what nobody saw ---- */

static void never_look(struct stage *s)
{
	for (uint32_t w = 0; w < WORKERS_COUNT; w++)
		seen(s, w)->checkpoints = 0;
}

static void never_run_the_equals(struct stage *s)
{
	seen(s, SPIN_A)->cpu_ns = seen(s, SPIN_B)->cpu_ns = 0;
}

static void lose_cgroups(struct stage *s)
{
	for (uint32_t c = 0; c < s->result.cell.plan.header.cgroup_count; c++)
		window(s)->cgroups_end[c].is_there = false;
}

struct unseen_case {
	void (*spoil)(struct stage *s);
	const char *check;
};

TEST(what_nobody_saw_is_undecided)
{
	static const struct unseen_case cases[] = {
		{ never_look, "starvation" },	   { never_look, "isolation" },
		{ never_look, "migration_ratio" }, { never_run_the_equals, "spread" },
		{ lose_cgroups, "throttling" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(stage_deinit) struct stage s;

		set(&s);
		cases[i].spoil(&s);
		assert_int_equal(verdict_of(&s), VERDICT_UNDECIDED);
		assert_int_equal(finding_of(&s, cases[i].check)->verdict, VERDICT_UNDECIDED);
		assert_false(finding_of(&s, cases[i].check)->holds);
	}
}

TEST(no_wakeup_under_noise_is_undecided)
{
	cleanup(stage_deinit) struct stage s;

	set(&s);
	lose_wakes(&s);
	window(&s)->is_host_silent = true;
	assert_int_equal(verdict_of(&s), VERDICT_UNDECIDED);
}

/* A vCPU thread whose figures the host does not tell may have been kept waiting all the time. */
TEST(unknown_noise_is_the_worst_noise)
{
	cleanup(stage_deinit) struct stage s;

	set(&s);
	window(&s)->is_host_silent = true;
	assert_int_equal(verdict_of(&s), VERDICT_UNDECIDED);
	assert_int_equal(finding_of(&s, "starvation")->verdict, VERDICT_UNDECIDED);
	assert_int_equal(finding_of(&s, "isolation")->verdict, VERDICT_PASS);
}

/* A vCPU that waits loses nothing more when its carrier waits, too. */
TEST(what_a_carrier_loses_counts_while_the_vcpu_runs)
{
	static const struct {
		uint64_t delay_ms, taken_ms;
		unsigned permille;
	} cases[] = { { 0, 400, 400 }, { 500, 0, 500 }, { 500, 400, 700 }, { 900, 5000, 1000 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(stage_deinit) struct stage s;

		set(&s);
		window(&s)->host_delay_end_ns[0] = cases[i].delay_ms * NSEC_PER_MSEC;
		window(&s)->taken = (struct taken){ 7, 7 + cases[i].taken_ms * NSEC_PER_MSEC };
		assert_int_equal(telemetry_cpu_noise_permille(window(&s), 0), cases[i].permille);
	}
}

/* ---- who had not run by the end ---- */

TEST(periods_of_a_worker_that_never_ran_are_missed)
{
	cleanup(stage_deinit) struct stage s;

	set(&s);
	seen(&s, PERIODIC)->iterations = 0;
	assert_int_equal(verdict_of(&s), VERDICT_FAIL);
	assert_int_equal(finding_of(&s, "deadline_misses")->verdict, VERDICT_FAIL);
	assert_int_equal(finding_of(&s, "deadline_misses")->observed, 99);
}

TEST(periods_after_a_worker_stopped_running_are_missed)
{
	cleanup(stage_deinit) struct stage s;

	set(&s);
	seen(&s, PERIODIC)->iterations = 60;
	assert_int_equal(verdict_of(&s), VERDICT_FAIL);
	assert_int_equal(finding_of(&s, "deadline_misses")->observed, 39);
}

static const struct ktstr_scenario queue = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "q",
			     .workers = WORKERS({ .work = "producer_consumer producers=1 rate=100",
						  .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("deadline_misses max=2"),
};

/* Of the consumer nothing is expected: what was not produced it cannot consume. */
TEST(items_of_a_producer_that_never_ran_are_missed)
{
	static const struct ktstr_record queue_record = { .name = "x", .scenario = &queue };
	static const struct {
		uint32_t worker;
		uint64_t missed;
	} cases[] = { { 0, 99 }, { 1, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(stage_deinit) struct stage s;

		set_up(&s, &queue_record, 2);
		seen(&s, cases[i].worker)->iterations = 0;
		verdict_of(&s);
		assert_int_equal(finding_of(&s, "deadline_misses")->observed, cases[i].missed);
	}
}

TEST(a_wakeup_that_has_not_ended_counts)
{
	cleanup(stage_deinit) struct stage s;

	set(&s);
	seen(&s, TIMER)->open_wake_ns = 50 * NSEC_PER_MSEC;
	assert_int_equal(verdict_of(&s), VERDICT_FAIL);
	assert_int_equal(finding_of(&s, "wake_latency")->verdict, VERDICT_FAIL);
	assert_int_equal(finding_of(&s, "wake_latency")->samples, 3);
}

/* ---- shares of one ---- */

static const struct ktstr_scenario alone = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=50permille"),
};

static const struct ktstr_scenario alone_under_quota = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "a", .max = "20ms/100ms", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=50permille"),
};

static const struct ktstr_record alone_record = { .name = "x", .scenario = &alone };
static const struct ktstr_record quota_record = { .name = "x", .scenario = &alone_under_quota };

/* The verdict about a worker that had @cpu_ms of one second. */
static enum verdict verdict_of_one(const struct ktstr_record *of, uint64_t cpu_ms)
{
	cleanup(stage_deinit) struct stage s;

	set_up(&s, of, 1);
	seen(&s, 0)->cpu_ns = cpu_ms * NSEC_PER_MSEC;
	return verdict_of(&s);
}

TEST(the_part_of_one_alone_is_no_claim_that_held)
{
	assert_int_equal(verdict_of_one(&alone_record, 1000), VERDICT_UNDECIDED);
}

TEST(more_than_a_quota_allows_is_a_fail_also_of_one_alone)
{
	assert_int_equal(verdict_of_one(&quota_record, 200), VERDICT_PASS);
	assert_int_equal(verdict_of_one(&quota_record, 250), VERDICT_PASS);
	assert_int_equal(verdict_of_one(&quota_record, 400), VERDICT_FAIL);
	assert_int_equal(verdict_of_one(&quota_record, 1000), VERDICT_FAIL);
}

TEST(a_condition_that_did_not_come_is_no_pass)
{
	static const struct {
		uint64_t host_ns;
		bool is_met;
		enum verdict verdict;
	} cases[] = {
		{ 0, true, VERDICT_PASS },
		{ 0, false, VERDICT_TIMEOUT },
		{ 300 * NSEC_PER_MSEC, false, VERDICT_UNDECIDED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(stage_deinit) struct stage s;

		set(&s);
		strcpy(s.result.cell.windows[0].condition, "until a/spin exit max=1s");
		window(&s)->is_condition_met = cases[i].is_met;
		window(&s)->host_delay_end_ns[0] = cases[i].host_ns;
		assert_int_equal(verdict_of(&s), cases[i].verdict);
		if (!cases[i].is_met)
			assert_non_null(strstr(buf_text(&s.result.reason),
					       "\"until a/spin exit max=1s\": it did not come"));
	}
}

/* ---- shares on a host that takes unevenly ---- */

static const struct ktstr_scenario a_cpu_each = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "b", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=50permille"),
};

static const struct ktstr_record each_record = { .name = "x", .scenario = &a_cpu_each };

/* One has @left_ms, the other @right_ms, and the host took @taken_ms from CPU 0. */
static enum verdict verdict_of_two(uint64_t left_ms, uint64_t right_ms, uint64_t taken_ms)
{
	cleanup(stage_deinit) struct stage s;

	set_up(&s, &each_record, 2);
	window(&s)->begin[1] = window(&s)->end[1] = (struct cpu_sample){ .is_there = true };
	window(&s)->host_delay_end_ns[0] = taken_ms * NSEC_PER_MSEC;
	seen(&s, 0)->cpu_ns = left_ms * NSEC_PER_MSEC;
	seen(&s, 1)->cpu_ns = right_ms * NSEC_PER_MSEC;
	return verdict_of(&s);
}

TEST(parts_that_an_uneven_host_explains_are_undecided)
{
	assert_int_equal(verdict_of_two(1000, 1000, 0), VERDICT_PASS);
	assert_int_equal(verdict_of_two(700, 1000, 0), VERDICT_FAIL);
	assert_int_equal(verdict_of_two(700, 1000, 300), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_two(400, 1000, 300), VERDICT_FAIL);
	assert_int_equal(verdict_of_two(850, 850, 300), VERDICT_PASS);
}

/* Both CPUs lose @lost_ms with the carrier, which the run delays say as well. */
static enum verdict verdict_of_stop(uint64_t left_ms, uint64_t right_ms, uint64_t lost_ms)
{
	cleanup(stage_deinit) struct stage s;

	set_up(&s, &each_record, 2);
	window(&s)->begin[1] = window(&s)->end[1] = (struct cpu_sample){ .is_there = true };
	for (unsigned cpu = 0; cpu < 2; cpu++)
		window(&s)->host_delay_end_ns[cpu] = lost_ms * NSEC_PER_MSEC;
	window(&s)->lost_ns = lost_ms * NSEC_PER_MSEC;
	seen(&s, 0)->cpu_ns = left_ms * NSEC_PER_MSEC;
	seen(&s, 1)->cpu_ns = right_ms * NSEC_PER_MSEC;
	return verdict_of(&s);
}

TEST(parts_that_a_stop_of_the_carrier_explains_are_undecided)
{
	assert_int_equal(verdict_of_stop(700, 1000, 0), VERDICT_FAIL);
	assert_int_equal(verdict_of_stop(700, 1000, 300), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_stop(200, 1000, 100), VERDICT_FAIL);
	assert_int_equal(verdict_of_stop(0, 0, 0), VERDICT_FAIL);
	assert_int_equal(verdict_of_stop(0, 0, 1000), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_stop(850, 850, 300), VERDICT_PASS);
}

TESTS(T(unspoilt_it_is_a_pass), T(what_did_not_arrive_is_infra), T(what_nobody_saw_is_undecided),
      T(no_wakeup_under_noise_is_undecided), T(unknown_noise_is_the_worst_noise),
      T(what_a_carrier_loses_counts_while_the_vcpu_runs),
      T(periods_of_a_worker_that_never_ran_are_missed),
      T(items_of_a_producer_that_never_ran_are_missed),
      T(periods_after_a_worker_stopped_running_are_missed), T(a_wakeup_that_has_not_ended_counts),
      T(the_part_of_one_alone_is_no_claim_that_held),
      T(more_than_a_quota_allows_is_a_fail_also_of_one_alone),
      T(a_condition_that_did_not_come_is_no_pass),
      T(parts_that_an_uneven_host_explains_are_undecided),
      T(parts_that_a_stop_of_the_carrier_explains_are_undecided))
