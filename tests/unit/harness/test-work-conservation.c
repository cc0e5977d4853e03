// SPDX-License-Identifier: GPL-2.0-only
/* Counters as a guest would send them, tick by tick, and what can be proven from them. */
#include "harness/check.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/cell.h"
#include "harness/telemetry.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <string.h>

enum { CPUS = 4, WORKERS = 4, TICKS = 11 };
static const uint64_t begin_ns = 5 * NSEC_PER_SEC, tick_ns = 100 * NSEC_PER_MSEC;

#define HOGS(n, cpus)                                                                              \
	{                                                                                          \
		.work = "spin", .count = (n), .affinity = (cpus)                                   \
	}
#define SCENE(...)                                                                                 \
	.topology = "1n1l4c1t", .hold = "1s", .checks = CHECKS("work_conservation gap=500ms"),     \
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS(__VA_ARGS__) })

static const struct ktstr_scenario four = { SCENE(HOGS("4", NULL)) };
static const struct ktstr_scenario two_of_four = { SCENE(HOGS("2", NULL)) };
static const struct ktstr_scenario four_ext = { SCENE(
	{ .work = "spin", .count = "4", .policy = "ext" }) };
static const struct ktstr_scenario two_of_two = { SCENE(HOGS("2", "cpu 0-1")) };
static const struct ktstr_scenario pinned_and_free = { SCENE(
	HOGS("1", "cpu 0"), { .name = "free", .work = "spin", .affinity = "cpu 0-1" }) };
static const struct ktstr_scenario behind_realtime = { SCENE(
	{ .name = "rt", .work = "spin", .policy = "fifo 10", .affinity = "cpu 0" },
	{ .name = "free", .work = "spin", .affinity = "cpu 0-1" }) };

/* What each CPU and worker does between two ticks, in permille of the time. */
struct script {
	const struct ktstr_scenario *scenario;
	unsigned idle[CPUS];
	unsigned ran[WORKERS];
	unsigned stopped; /* bit w: worker w is not runnable at tick 5 */
	unsigned offline; /* bit c: CPU c is */
	unsigned ticks;	  /* how many have this; then all CPUs are busy, all workers run */
	unsigned late_ns; /* how long a tick takes to read */
	unsigned own;	  /* what the guest's own processes run */
};

struct play {
	struct cell cell;
	struct telemetry telemetry;
	struct finding finding;
};

static void set_tick(struct play *p, const struct script *s, unsigned i)
{
	struct tick *tick = &p->telemetry.windows[0].ticks[i];
	uint64_t held = MIN(i, s->ticks ? s->ticks : TICKS) * tick_ns, rest = i * tick_ns - held;

	tick->ns = begin_ns + i * tick_ns;
	tick->ns_end = tick->ns + s->late_ns;
	tick->own_ns = 77 * NSEC_PER_MSEC + held / 1000 * s->own;
	tick->cpus = calloc(CPUS, sizeof(*tick->cpus));
	tick->tasks = calloc(WORKERS, sizeof(*tick->tasks));
	for (unsigned c = 0; c < CPUS; c++)
		tick->cpus[c] = (struct cpu_sample){
			true,
			{ .cpu = c,
			  .is_online = !(s->offline >> c & 1),
			  .idle_ns = NSEC_PER_SEC + held / 1000 * s->idle[c] },
		};
	for (unsigned w = 0; w < p->telemetry.worker_count; w++)
		tick->tasks[w] = (struct task_sample){
			true,
			{ .worker = w,
			  .cpu_ns = held / 1000 * s->ran[w] + rest,
			  .is_runnable = !(i == 5 && s->stopped >> w & 1) },
		};
}

static void play(struct play *p, const struct script *s)
{
	static struct ktstr_record record = { .name = "x", .file = "x.c" };
	static const struct cell_options options = { 0 };
	struct window_data *data;

	*p = (struct play){ 0 };
	record.scenario = s->scenario;
	assert_int_equal(cell_compile(&record, &options, &p->cell), 0);
	assert_int_equal(p->cell.plan.header.sample_ns, tick_ns);
	assert_null(p->cell.least_kernel);
	assert_int_equal(telemetry_init(&p->telemetry, &p->cell), 0);
	data = p->telemetry.windows;
	data->begin_ns = begin_ns;
	data->end_ns = begin_ns + NSEC_PER_SEC;
	for (unsigned i = 0; i < TICKS; i++)
		set_tick(p, s, i);
	data->cpu_ticks = data->task_ticks = TICKS;
	p->finding.claim = &p->cell.claims[0];
	p->finding.window = &p->cell.windows[0];
	assert_int_equal(p->finding.claim->check->evaluate(p->finding.claim, &p->cell,
							   p->finding.window, &p->telemetry,
							   &p->finding),
			 0);
}

static void play_deinit(struct play *p)
{
	buf_deinit(&p->finding.figures);
	buf_deinit(&p->finding.evidence);
	telemetry_deinit(&p->telemetry);
	cell_deinit(&p->cell);
}

static void proves(const struct script *s, uint64_t least_ms, uint64_t most_ms)
{
	cleanup(play_deinit) struct play p;

	play(&p, s);
	assert_in_range(p.finding.observed / NSEC_PER_MSEC, least_ms, most_ms);
	assert_int_equal(p.finding.verdict, least_ms > 500 ? VERDICT_FAIL : VERDICT_PASS);
	assert_int_equal(p.finding.samples, TICKS - 1);
}

TEST(as_many_hogs_as_cpus_and_one_idle_is_a_violation_all_the_time)
{
	proves(&(struct script){ &four, .idle = { [3] = 1000 }, .ran = { 750, 750, 750, 750 } },
	       900, 1000);
}

TEST(ext_workers_are_hogs_as_normal_ones)
{
	proves(&(struct script){ &four_ext, .idle = { [3] = 1000 }, .ran = { 750, 750, 750, 750 } },
	       900, 1000);
}

TEST(busy_cpus_are_no_violation)
{
	proves(&(struct script){ &four, .ran = { 1000, 1000, 1000, 1000 } }, 0, 0);
}

TEST(idle_cpus_are_no_violation_where_nobody_waits)
{
	proves(&(struct script){ &two_of_four, .idle = { 0, 0, 1000, 1000 },
				 .ran = { 1000, 1000 } },
	       0, 0);
}

TEST(two_hogs_on_one_of_two_cpus_are_a_violation)
{
	proves(&(struct script){ &two_of_two, .idle = { 0, 1000 }, .ran = { 500, 500 } }, 900,
	       1000);
}

TEST(two_hogs_on_one_of_four_cpus_are_a_violation_less_the_steps_of_the_idle)
{
	proves(&(struct script){ &two_of_four, .idle = { 0, 1000, 1000, 1000 },
				 .ran = { 500, 500 } },
	       900, 950);
}

TEST(cpus_outside_the_allowed_set_may_idle)
{
	proves(&(struct script){ &two_of_two, .idle = { 0, 0, 1000, 1000 }, .ran = { 1000, 1000 } },
	       0, 0);
	proves(&(struct script){ &behind_realtime, .idle = { 0, 0, 1000 }, .ran = { 900, 50 } }, 0,
	       0);
}

TEST(a_free_hog_beside_a_pinned_one_is_a_violation)
{
	proves(&(struct script){ &pinned_and_free, .idle = { 0, 1000 }, .ran = { 500, 500 } }, 900,
	       1000);
	proves(&(struct script){ &pinned_and_free, .ran = { 1000, 1000 } }, 0, 0);
}

TEST(a_hog_behind_a_real_time_one_is_a_violation_by_its_own_waiting)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ &behind_realtime, .idle = { 0, 1000 }, .ran = { 980, 20 } });
	assert_int_equal(p.finding.verdict, VERDICT_FAIL);
	assert_non_null(strstr(buf_text(&p.finding.evidence),
			       "CPU 1 was idle for 1000 of 1000 ms, 0 ms into the window, while "
			       "a/free, allowed there, wanted to run and waited for 980 ms"));
}

TEST(half_of_the_time_idle_proves_nothing)
{
	proves(&(struct script){ &four, .idle = { 500, 500, 500, 500 },
				 .ran = { 500, 500, 500, 500 } },
	       0, 100);
}

TEST(a_violation_that_ended_counts_as_long_as_it_lasted)
{
	proves(&(struct script){ &two_of_two, .idle = { 0, 1000 }, .ran = { 500, 500 },
				 .ticks = 3 },
	       200, 300);
	proves(&(struct script){ &two_of_two, .idle = { 0, 1000 }, .ran = { 500, 500 },
				 .ticks = 8 },
	       700, 800);
}

TEST(a_worker_that_was_stopped_wants_nothing)
{
	/* At tick 5 one is not runnable: what is left are the stretches before and after it. */
	proves(&(struct script){ &two_of_two, .idle = { 0, 1000 }, .ran = { 500, 500 },
				 .stopped = 1 },
	       300, 400);
}

TEST(an_offline_cpu_is_not_idle)
{
	proves(&(struct script){ &two_of_two, .idle = { 0, 1000 }, .ran = { 500, 500 },
				 .offline = 2 },
	       0, 0);
}

TEST(ticks_that_took_long_to_read_prove_less)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ &behind_realtime, .idle = { 0, 1000 }, .ran = { 980, 20 },
				   .late_ns = 10000000 });
	assert_in_range(p.finding.observed / NSEC_PER_MSEC, 900, 940);
}

TEST(the_time_of_our_own_processes_does_not_end_a_violation)
{
	proves(&(struct script){ &two_of_two, .idle = { 0, 700 }, .ran = { 500, 500 } }, 0, 200);
	proves(&(struct script){ &two_of_two, .idle = { 0, 700 }, .ran = { 500, 500 }, .own = 250 },
	       600, 700);
	/* Nor does it make one. */
	proves(&(struct script){ &two_of_two, .idle = { 0, 0 }, .ran = { 500, 500 }, .own = 400 },
	       0, 0);
}

TEST(our_own_processes_may_hide_a_violation)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ &two_of_two, .ran = { 500, 500 }, .own = 600 });
	assert_int_equal(p.finding.verdict, VERDICT_UNDECIDED);
	assert_non_null(strstr(buf_text(&p.finding.evidence),
			       "our own processes ran for 600 ms of the window"));
}

TEST(a_guest_without_ticks_is_infra)
{
	cleanup(play_deinit) struct play p;

	play(&p, &(struct script){ .scenario = &four });
	p.telemetry.windows[0].task_ticks = 1;
	buf_reset(&p.finding.figures);
	assert_int_equal(check_work_conservation.evaluate(p.finding.claim, &p.cell,
							  p.finding.window, &p.telemetry,
							  &p.finding),
			 0);
	assert_int_equal(p.finding.verdict, VERDICT_INFRA);
}

struct refusal {
	struct ktstr_scenario scenario;
	const char *words;
};

#define CHECKED .hold = "1s", .checks = CHECKS("work_conservation gap=500ms")

static const struct refusal refusals[] = {
	{ { CHECKED, .workers = WORKERS({ .work = "bursty" }) }, "no worker wants a CPU" },
	{ { CHECKED, .workers = WORKERS({ .work = "spin", .policy = "fifo 1" }) },
	  "no worker wants a CPU" },
	{ { CHECKED,
	    .cgroups = CGROUPS(
		    { .name = "a", .max = "50ms/100ms", .workers = WORKERS({ .work = "spin" }) }) },
	  "no worker wants a CPU" },
	{ { .hold = "1s",
	    .checks = CHECKS("work_conservation gap=100ms"),
	    .workers = WORKERS({ .work = "spin" }) },
	  "below two ticks, 200ms" },
	{ { .hold = "1s",
	    .checks = CHECKS("work_conservation gap=1s"),
	    .workers = WORKERS({ .work = "spin" }) },
	  "no hold is longer than the bound" },
	{ { .checks = CHECKS("work_conservation gap=500ms"),
	    .workers = WORKERS({ .work = "spin" }),
	    .steps = STEPS({ .hold = "1s",
			     .loop = OPS("nice spin 1", "nice spin 0"),
			     .every = "100ms" }) },
	  "its loop does sched" },
};

TEST(what_cannot_be_judged_is_refused_before_boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct ktstr_record record = { .name = "x",
						     .scenario = &refusals[i].scenario };
		const struct cell_options options = { 0 };
		struct cell cell;

		assert_int_equal(cell_compile(&record, &options, &cell), -EINVAL);
		assert_non_null(strstr(err_text(), refusals[i].words));
		err_clear();
	}
}

TEST(ticks_are_fewer_on_large_machines_and_as_many_as_the_bound_needs)
{
	static const struct {
		const char *topology, *claim;
		uint64_t sample_ms;
	} table[] = {
		{ "1n1l4c1t", "starvation gap=300ms", 100 },
		{ "1n1l80c1t", "starvation gap=300ms", 160 },
		{ "1n1l160c1t", "starvation gap=300ms", 320 },
		{ "1n1l160c1t", "work_conservation gap=500ms", 250 },
		{ "1n1l160c1t", "isolation", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *const checks[] = { table[i].claim, NULL };
		const struct ktstr_scenario s = { .topology = table[i].topology,
						  .workers = WORKERS(
							  { .work = "spin", .count = "per-cpu" }),
						  .hold = "2s",
						  .checks = checks };
		const struct ktstr_record record = { .name = "x", .scenario = &s };
		const struct cell_options options = { 0 };
		cleanup(cell_deinit) struct cell cell = CELL_NULL;

		assert_int_equal(cell_compile(&record, &options, &cell), 0);
		assert_int_equal(cell.plan.header.sample_ns / NSEC_PER_MSEC, table[i].sample_ms);
	}
}

TESTS(T(as_many_hogs_as_cpus_and_one_idle_is_a_violation_all_the_time),
      T(ext_workers_are_hogs_as_normal_ones), T(busy_cpus_are_no_violation),
      T(idle_cpus_are_no_violation_where_nobody_waits),
      T(two_hogs_on_one_of_two_cpus_are_a_violation),
      T(two_hogs_on_one_of_four_cpus_are_a_violation_less_the_steps_of_the_idle),
      T(cpus_outside_the_allowed_set_may_idle), T(a_free_hog_beside_a_pinned_one_is_a_violation),
      T(a_hog_behind_a_real_time_one_is_a_violation_by_its_own_waiting),
      T(half_of_the_time_idle_proves_nothing),
      T(a_violation_that_ended_counts_as_long_as_it_lasted),
      T(a_worker_that_was_stopped_wants_nothing), T(an_offline_cpu_is_not_idle),
      T(ticks_that_took_long_to_read_prove_less),
      T(the_time_of_our_own_processes_does_not_end_a_violation),
      T(our_own_processes_may_hide_a_violation), T(a_guest_without_ticks_is_infra),
      T(what_cannot_be_judged_is_refused_before_boot),
      T(ticks_are_fewer_on_large_machines_and_as_many_as_the_bound_needs))
