// SPDX-License-Identifier: GPL-2.0-only
/* What each worker should get: closed forms, what it did obtain given. */
#include "harness/share_model.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum { WORKERS_MAX = 8, ANY = 9999 };

#define ONE_CPU .topology = "1n1l1c1t", .hold = "1s", .checks = CHECKS("isolation")
#define TWO_CPUS .topology = "1n1l2c1t", .hold = "1s", .checks = CHECKS("isolation")
#define HOG                                                                                        \
	{                                                                                          \
		.work = "spin"                                                                     \
	}
#define HOG_PER_CPU                                                                                \
	{                                                                                          \
		.work = "spin", .count = "per-cpu"                                                 \
	}

static const struct ktstr_scenario one_two_three = {
	TWO_CPUS,
	.cgroups = CGROUPS({ .name = "a", .weight = 50, .workers = WORKERS(HOG_PER_CPU) },
			   { .name = "b", .weight = 100, .workers = WORKERS(HOG_PER_CPU) },
			   { .name = "c", .weight = 150, .workers = WORKERS(HOG_PER_CPU) })
};
static const struct ktstr_scenario inert = {
	TWO_CPUS, .cgroups = CGROUPS({ .name = "a", .weight = 50, .workers = WORKERS(HOG) },
				     { .name = "b", .weight = 150, .workers = WORKERS(HOG) })
};
static const struct ktstr_scenario by_nice = {
	ONE_CPU, .workers = WORKERS({ .work = "spin" }, { .name = "b", .work = "spin", .nice = 5 })
};
static const struct ktstr_scenario by_policy = {
	ONE_CPU, .workers = WORKERS(HOG, { .name = "b", .work = "spin", .policy = "idle" })
};
static const struct ktstr_scenario quota = {
	ONE_CPU, .cgroups = CGROUPS({ .name = "a", .max = "20ms/100ms", .workers = WORKERS(HOG) },
				    { .name = "b", .workers = WORKERS(HOG) })
};
static const struct ktstr_scenario tiny_quota = {
	ONE_CPU, .cgroups = CGROUPS({ .name = "a", .max = "1ms/100ms", .workers = WORKERS(HOG) })
};
static const struct ktstr_scenario realtime = {
	ONE_CPU,
	.cgroups = CGROUPS(
		{ .name = "a",
		  .weight = 10000,
		  .workers = WORKERS(HOG, { .name = "rt", .work = "spin", .policy = "fifo 1" }) })
};
static const struct ktstr_scenario realtime_alone = {
	ONE_CPU, .workers = WORKERS({ .work = "spin", .policy = "fifo 1" })
};
static const struct ktstr_scenario by_ext = {
	ONE_CPU, .workers = WORKERS({ .name = "a", .work = "spin", .policy = "ext" },
				    { .name = "b", .work = "spin", .policy = "ext", .nice = 5 })
};
static const struct ktstr_scenario turns = {
	ONE_CPU, .workers = WORKERS({ .work = "spin", .policy = "rr 1", .count = "2" })
};
static const struct ktstr_scenario deadline = {
	ONE_CPU,
	.cgroups = CGROUPS(
		{ .name = "a",
		  .workers = WORKERS(
			  { .name = "dl", .work = "spin", .policy = "deadline 20ms/100ms/100ms" },
			  { .name = "rt", .work = "spin", .policy = "fifo 1" }, HOG) })
};
static const struct ktstr_scenario frozen = {
	.topology = "1n1l1c1t",
	.checks = CHECKS("isolation"),
	.cgroups =
		CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .policy = "rr 1" }) },
			{ .name = "b", .workers = WORKERS(HOG) }),
	.steps = STEPS({ .ops = OPS("freeze a"), .hold = "1s" })
};
/* In the first hold neither the step's cgroup nor what is spawned later is there. */
static const struct ktstr_scenario later = {
	.topology = "1n1l1c1t",
	.checks = CHECKS("isolation"),
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS(HOG) }),
	.workers = WORKERS({ .name = "late", .work = "spin" }),
	.steps = STEPS({ .hold = "1s" },
		       { .cgroups = CGROUPS({ .name = "b", .workers = WORKERS(HOG) }),
			 .ops = OPS("spawn late"),
			 .hold = "1s" })
};
static const struct ktstr_scenario paused = {
	.topology = "1n1l1c1t",
	.checks = CHECKS("isolation"),
	.workers = WORKERS({ .name = "a", .work = "spin" }, { .name = "b", .work = "spin" }),
	.steps = STEPS({ .ops = OPS("signal a STOP"), .hold = "1s" })
};
static const struct ktstr_scenario counted = {
	ONE_CPU, .workers = WORKERS({ .work = "spin", .iterations = 1000000 }, HOG)
};
static const struct ktstr_scenario reserved = {
	ONE_CPU,
	.workers = WORKERS({ .name = "dl", .work = "spin", .policy = "deadline 40ms/100ms/100ms" },
			   HOG)
};
/* 10 of 30 ms beside a hog. */
static const struct ktstr_scenario dozing = {
	ONE_CPU, .workers = WORKERS({ .work = "bursty burst=10ms sleep=20ms" }, HOG)
};
/* A burst of 60 ms beside a hog: served at half, 60 of 60 / 0.5 + 60 ms, a third, less the allowance
 * of a tenth twice and a millisecond: 0.9 * 60 / (120 + 66 + 1). */
static const struct ktstr_scenario bursty = {
	ONE_CPU, .workers = WORKERS({ .work = "bursty burst=60ms sleep=60ms" }, HOG)
};
/* 40 of 100 ms beside a hog: less than its half. */
static const struct ktstr_scenario rhythm = {
	ONE_CPU, .workers = WORKERS({ .work = "periodic run=40ms period=100ms" }, HOG)
};
static const struct ktstr_scenario pingpong = { ONE_CPU,
						.workers =
							WORKERS({ .work = "pipe_pingpong" }, HOG) };

struct model_case {
	const char *what;
	const struct ktstr_scenario *scenario;
	unsigned got[WORKERS_MAX];   /* in permille of a CPU */
	unsigned steal;		     /* of each CPU, the same */
	unsigned ideal[WORKERS_MAX]; /* the same; ANY */
	unsigned idle;		     /* of each CPU; what is left is the kernel's own */
	enum worker_end end;	     /* of the first worker */
};

static const struct model_case cases[] = {
	{ "weights 1:2:3",
	  &one_two_three,
	  { 166, 166, 333, 333, 500, 500 },
	  0,
	  .ideal = { 167, 167, 333, 333, 500, 500 } },
	{ "weights are inert without contention",
	  &inert,
	  { 1000, 1000 },
	  0,
	  .ideal = { 1000, 1000 } },
	{ "nice 0 and 5", &by_nice, { 754, 246 }, 0, .ideal = { 754, 246 } },
	{ "what was obtained moves no ideal of hogs",
	  &by_nice,
	  { 246, 754 },
	  0,
	  .ideal = { 754, 246 } },
	{ "SCHED_IDLE weighs 3", &by_policy, { 997, 3 }, 0, .ideal = { 997, 3 } },
	{ "ext without a scheduler of its own is fair",
	  &by_ext,
	  { 754, 246 },
	  0,
	  .ideal = { 754, 246 } },
	{ "a quota", &quota, { 200, 800 }, 0, .ideal = { 200, 800 } },
	{ "a quota not kept", &quota, { 500, 500 }, 0, .ideal = { 200, 800 } },
	{ "a quota is more of what a noisy host leaves",
	  &quota,
	  { 200, 300 },
	  500,
	  .ideal = { 400, 600 } },
	{ "1 ms of 100 is a hundredth", &tiny_quota, { 10 }, 0, .ideal = { ANY } },
	{ "a FIFO hog leaves 5 %, whatever the weights",
	  &realtime,
	  { 50, 950 },
	  0,
	  .ideal = { 50, 950 } },
	{ "a FIFO hog alone", &realtime_alone, { 1000 }, 0, .ideal = { 1000 } },
	{ "SCHED_RR takes turns", &turns, { 500, 500 }, 0, .ideal = { 500, 500 } },
	{ "deadline, real-time, fair", &deadline, { 200, 800, 0 }, 0, .ideal = { 200, 800, 0 } },
	{ "a frozen one gets nothing, real-time or not",
	  &frozen,
	  { 0, 1000 },
	  0,
	  .ideal = { 0, 1000 } },
	{ "who is not there gets nothing", &later, { 1000 }, 0, .ideal = { 1000 } },
	{ "a sleeper that got its part", &bursty, { 333, 667 }, 0, .ideal = { 333, 667 } },
	{ "a starved sleeper of declared work", &bursty, { 50, 950 }, 0, .ideal = { 289, 711 } },
	{ "a starved rhythm", &rhythm, { 100, 900 }, 0, .ideal = { 360, 640 } },
	{ "the same, and a host that explains it",
	  &rhythm,
	  { 100, 400 },
	  500,
	  .ideal = { 200, 800 } },
	{ "a sleeper that declares nothing is believed",
	  &pingpong,
	  { 50, 50, 900 },
	  0,
	  .ideal = { 50, 50, 900 } },
	{ "interrupts make a quota a larger part", &quota, { 200, 700 }, 0, .ideal = { 222, 778 } },
	/* A tick at both ends may have been idle or not: 2 % of a second. */
	{ "a quota beside who was kept from an idle CPU",
	  &quota,
	  { 200, 400 },
	  0,
	  .ideal = { 204, 796 },
	  .idle = 400 },
	{ "a sleeper beside such a one",
	  &dozing,
	  { 300, 370 },
	  0,
	  .ideal = { 306, 694 },
	  .idle = 330 },
	{ "a reservation beside such a one",
	  &reserved,
	  { 400, 270 },
	  0,
	  .ideal = { 408, 592 },
	  .idle = 330 },
	{ "an idle CPU and a noisy host",
	  &quota,
	  { 200, 300 },
	  300,
	  .ideal = { 293, 707 },
	  .idle = 200 },
	{ "one that is stopped by a signal gets nothing",
	  &paused,
	  { 0, 1000 },
	  0,
	  .ideal = { 0, 1000 } },
	{ "iterations not done are a hog's", &counted, { 30, 970 }, 0, .ideal = { 500, 500 } },
	{ "iterations that were done are enough",
	  &counted,
	  { 30, 970 },
	  0,
	  .ideal = { 30, 970 },
	  .end = WORKER_FINISHED },
};

static void compile(const struct ktstr_scenario *scenario, struct cell *ret)
{
	static struct ktstr_record record = { .name = "x" };
	static const struct cell_options options = { 0 };

	record.scenario = scenario;
	assert_int_equal(cell_compile(&record, &options, ret), 0);
}

static void fill(const struct model_case *c, struct telemetry *t)
{
	struct window_data *d = &t->windows[0];

	d->begin_ns = NSEC_PER_SEC;
	d->end_ns = 2 * NSEC_PER_SEC;
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		d->host_delay_end_ns[cpu] = c->steal * NSEC_PER_MSEC;
		d->begin[cpu].is_there = d->end[cpu].is_there = true;
		d->end[cpu].stat.idle_ns = c->idle * NSEC_PER_MSEC;
	}
	for (uint32_t w = 0; w < t->worker_count; w++) {
		d->reports[w].is_there = true;
		d->reports[w].report.cpu_ns = c->got[w] * NSEC_PER_MSEC;
	}
	d->reports[0].report.end = (uint16_t)c->end;
}

TEST(ideals_are_those_of_closed_forms)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct model_case *c = &cases[i];
		cleanup(telemetry_deinit) struct telemetry t = TELEMETRY_NULL;
		cleanup(cell_deinit) struct cell cell = CELL_NULL;
		double rates[WORKERS_MAX];

		compile(c->scenario, &cell);
		assert_int_equal(telemetry_init(&t, &cell), 0);
		fill(c, &t);
		assert_int_equal(share_model_solve(&cell, &cell.windows[0], &t, rates), 0);
		for (uint32_t w = 0; w < t.worker_count; w++) {
			if (c->ideal[w] == ANY || fabs(rates[w] * 1000 - c->ideal[w]) < 4)
				continue;
			print_message("%s: worker %u: %.0f, not %u\n", c->what, w, rates[w] * 1000,
				      c->ideal[w]);
			fail();
		}
	}
}

struct refusal {
	struct ktstr_scenario scenario;
	const char *words; /* NULL: none */
};

#define SHARED .hold = "1s", .checks = CHECKS("share distance=50permille")
#define FIFO(n)                                                                                    \
	{                                                                                          \
		.name = "f" #n, .work = "spin", .policy = "fifo " #n                               \
	}

#define CLAIMED .topology = "1n1l1c1t", .checks = CHECKS("share distance=50permille")
#define UNLIMITED "write /proc/sys/kernel/sched_rt_runtime_us=-1"
#define SERVED "write /sys/kernel/debug/sched/fair_server/cpu0/runtime=100000000"

static const struct refusal refusals[] = {
	{ { SHARED, .workers = WORKERS({ .work = "policy_churn" }, HOG) },
	  "make themselves real-time" },
	{ { SHARED, .workers = WORKERS({ .work = "rt_starvation" }) },
	  "make themselves real-time" },
	{ { SHARED, .workers = WORKERS({ .work = "nice_sweep" }, HOG) },
	  "set their own nice values" },
	{ { SHARED,
	    .cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "nice_sweep" }) },
			       { .name = "b", .workers = WORKERS(HOG) }) },
	  NULL },
	{ { SHARED, .workers = WORKERS({ .work = "spin", .is_session = true, .nice = 3 }) },
	  "autogroups" },
	{ { SHARED, .workers = WORKERS({ .work = "spin", .is_session = true }) }, NULL },
	{ { SHARED, .topology = "1n1l1c1t", .workers = WORKERS(FIFO(1), FIFO(2)) },
	  "compete for a CPU" },
	{ { SHARED, .topology = "1n1l2c1t", .workers = WORKERS(FIFO(1), FIFO(2)) }, NULL },
	{ { SHARED, .topology = "1n1l1c1t",
	    .workers = WORKERS({ .work = "spin", .policy = "fifo 1", .count = "2" }) },
	  "compete for a CPU" },
	{ { SHARED, .topology = "1n1l1c1t",
	    .workers = WORKERS({ .work = "spin", .policy = "rr 1", .count = "2" }) },
	  NULL },
	{ { CLAIMED, .workers = WORKERS(FIFO(1), HOG),
	    .steps = STEPS({ .ops = OPS(UNLIMITED), .hold = "1s" }) },
	  "workers f1 are real-time, and \"" UNLIMITED "\" changes what is kept" },
	{ { CLAIMED, .workers = WORKERS(FIFO(1), HOG),
	    .steps = STEPS({ .ops = OPS("write /proc/sys/kernel/sched_rt_period_us=500000") },
			   { .hold = "1s" }) },
	  "sched_rt_period_us=500000" },
	{ { CLAIMED, .workers = WORKERS(FIFO(1), HOG),
	    .steps = STEPS({ .hold = "1s", .loop = OPS(SERVED), .every = "100ms" }) },
	  "fair_server" },
	{ { CLAIMED, .workers = WORKERS(HOG, { .name = "b", .work = "spin" }),
	    .steps = STEPS({ .ops = OPS(UNLIMITED),
			     .hold = "1s",
			     .loop = OPS("policy b fifo 1", "policy b normal"),
			     .every = "100ms" }) },
	  "workers b are real-time" },
	{ { CLAIMED, .workers = WORKERS(FIFO(1), HOG),
	    .steps = STEPS({ .ops = OPS(UNLIMITED, "stop f1"), .hold = "1s" }) },
	  NULL },
	{ { CLAIMED, .workers = WORKERS(FIFO(1), HOG),
	    .steps = STEPS({ .hold = "1s" }, { .ops = OPS("stop f1", UNLIMITED), .hold = "1s" }) },
	  NULL },
	{ { CLAIMED, .workers = WORKERS(FIFO(1), HOG),
	    .steps = STEPS({ .ops = OPS("write /proc/sys/kernel/sched_rr_timeslice_ms=10"),
			     .hold = "1s" }) },
	  NULL },
	{ { CLAIMED, .workers = WORKERS(HOG),
	    .steps = STEPS({ .ops = OPS(UNLIMITED), .hold = "1s" }) },
	  NULL },
};

TEST(what_has_no_ideal_is_refused_before_boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct ktstr_record record = { .name = "x",
						     .scenario = &refusals[i].scenario };
		const struct cell_options options = { 0 };
		cleanup(cell_deinit) struct cell cell = CELL_NULL;
		int r = cell_compile(&record, &options, &cell);

		if (r != (refusals[i].words ? -EINVAL : 0))
			fail_msg("refusal %zu: %s", i, err_text());
		if (refusals[i].words)
			assert_non_null(strstr(err_text(), refusals[i].words));
		err_clear();
	}
}

TESTS(T(ideals_are_those_of_closed_forms), T(what_has_no_ideal_is_refused_before_boot))
