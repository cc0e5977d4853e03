// SPDX-License-Identifier: GPL-2.0-only
/* Checks that are one figure over all workers in scope, made of the counters of their reports:
 * throughput, migration_ratio, locality, deadline_misses. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/held.h"
#include "harness/noise.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

enum { PARAM_BOUND, PARAM_NOISE };

/* The reports of all workers in scope, added up. */
struct counters {
	uint64_t iterations, checkpoints, migrations, pages_local, pages_remote;
	uint64_t window_ns;
};

static struct counters add_up(const struct claim *claim, const struct cell *cell,
			      const struct cell_window *window, const struct telemetry *t)
{
	const struct window_data *data = telemetry_window(t, window);
	struct counters sum = { .window_ns = data->end_ns - data->begin_ns };

	for (uint32_t w = 0; w < t->worker_count; w++) {
		const struct wire_report *r = &data->reports[w].report;

		if (!claim_covers(claim, cell, cell->plan.workers[w].group))
			continue;
		sum.iterations += r->iterations;
		sum.checkpoints += r->checkpoints;
		sum.migrations += r->migrations;
		sum.pages_local += r->pages_local;
		sum.pages_remote += r->pages_remote;
	}
	return sum;
}

/* Rounded towards the bound's far side, so that no broken bound reads as one that held. */
static uint64_t permille_at_most(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)ceil((double)part * 1000 / (double)whole) : 0;
}

static uint64_t permille_at_least(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)part * 1000 / (double)whole) : 0;
}

static int throughput_evaluate(const struct claim *claim, const struct cell *cell,
			       const struct cell_window *window, const struct telemetry *t,
			       struct finding *ret)
{
	struct counters sum = add_up(claim, cell, window, t);
	double seconds = (double)sum.window_ns / NSEC_PER_SEC;

	ret->unit = "Hz";
	ret->bound = claim->values[PARAM_BOUND];
	ret->observed = seconds > 0 ? (uint64_t)((double)sum.iterations / seconds) : 0;
	ret->samples = sum.iterations;
	buf_printf(&ret->figures, "%" PRIu64 " iterations in a second", ret->observed);
	noise_judge_least(ret, t, claim->values[PARAM_NOISE]);
	return 0;
}

static int migration_evaluate(const struct claim *claim, const struct cell *cell,
			      const struct cell_window *window, const struct telemetry *t,
			      struct finding *ret)
{
	struct counters sum = add_up(claim, cell, window, t);

	ret->unit = "permille";
	ret->bound = claim->values[PARAM_BOUND];
	ret->observed = permille_at_most(sum.migrations, sum.checkpoints);
	ret->samples = sum.checkpoints;
	buf_printf(&ret->figures, "%" PRIu64 " of %" PRIu64 " looks found a worker on another CPU",
		   sum.migrations, sum.checkpoints);
	noise_judge(ret, t, claim->values[PARAM_NOISE]);
	return 0;
}

/* No page was looked at: nothing speaks against the claim, and nothing for it. */
static int locality_evaluate(const struct claim *claim, const struct cell *cell,
			     const struct cell_window *window, const struct telemetry *t,
			     struct finding *ret)
{
	struct counters sum = add_up(claim, cell, window, t);

	ret->unit = "permille";
	ret->bound = claim->values[PARAM_BOUND];
	ret->samples = sum.pages_local + sum.pages_remote;
	ret->observed = permille_at_least(sum.pages_local, ret->samples);
	buf_printf(&ret->figures, "%" PRIu64 " of %" PRIu64 " pages were local", sum.pages_local,
		   ret->samples);
	ret->verdict = ret->observed >= ret->bound ? VERDICT_PASS : VERDICT_FAIL;
	if (!ret->samples)
		ret->verdict = VERDICT_UNDECIDED;
	return 0;
}

/* The longest period of a sequence's timers; 0: it has none. */
static uint64_t timer_ns(const struct plan *p, const struct plan_group *g)
{
	uint64_t longest_ns = 0;

	for (uint32_t i = g->first_phase; i < g->first_phase + g->phase_count; i++) {
		if (p->phases[i].kind == PHASE_TIMER)
			longest_ns = MAX(longest_ns, p->phases[i].value);
	}
	return longest_ns;
}

/* The period of a worker that has deadlines; 0: it has none. */
static uint64_t period_ns(const struct plan *p, const struct plan_group *g)
{
	const struct workload *w = workload_by_id(g->workload);

	if (g->workload == WORK_SEQUENCE)
		return timer_ns(p, g);

	if (g->workload == WORK_PERIODIC)
		return g->params[workload_param_index(w, "period")];
	if (g->workload == WORK_PRODUCER_CONSUMER)
		return NSEC_PER_SEC / g->params[workload_param_index(w, "rate")];
	return 0;
}

static bool has_deadlines(const struct cell *cell, uint32_t group)
{
	return period_ns(&cell->plan, &cell->plan.groups[group]) > 0;
}

static int misses_bind(const struct claim *claim, const struct cell *cell)
{
	for (uint32_t g = 0; g < cell->plan.header.group_count; g++) {
		if (claim_covers(claim, cell, g) && has_deadlines(cell, g))
			return 0;
	}
	return err_new(-EINVAL, "none of the workers has deadlines (periodic, producer_consumer, a "
				"sequence with a timer)");
}

/* Is it by the scenario's own will that workers of the group do not run all the time? */
static bool is_held_back(const struct cell *cell, const struct cell_window *window, uint32_t group)
{
	return held_in_window(cell, window, group) != HELD_NEVER ||
	       cell_group_respawns(cell, group);
}

/* Of a queue only the producers have periods: the first members of each ensemble. */
static bool is_consumer(const struct plan *p, uint32_t worker)
{
	const struct plan_group *g = &p->groups[p->workers[worker].group];
	const struct workload *w = workload_by_id(g->workload);

	return g->workload == WORK_PRODUCER_CONSUMER &&
	       (worker - g->first_worker) % g->ensemble >=
		       g->params[workload_param_index(w, "producers")];
}

/* A worker counts a miss when it comes to run again. Of one that never did, the periods are missed
 * that began and ended in its time, and of which neither work nor a miss is known. What a sequence
 * counts as iterations are phases: of one that came to any, no more can be said. */
static uint64_t unseen_misses(const struct cell *cell, const struct cell_window *window,
			      const struct wire_report *r, uint32_t worker)
{
	uint32_t group = cell->plan.workers[worker].group;
	const struct plan_group *g = &cell->plan.groups[group];
	uint64_t periods, known = r->iterations + r->deadline_misses;

	if (is_consumer(&cell->plan, worker) || r->end_ns <= r->start_ns ||
	    (g->workload == WORK_SEQUENCE && r->checkpoints) || is_held_back(cell, window, group))
		return 0;
	periods = (r->end_ns - r->start_ns) / period_ns(&cell->plan, g);
	return periods > known + 1 ? periods - known - 1 : 0;
}

/* How many periods may have been missed while the scenario itself held the worker back. It counts them when
 * it comes to run again: those of before the window in it. Each time one more has begun, and one not ended. */
static uint64_t held_misses(const struct cell *cell, const struct cell_window *window,
			    const struct telemetry *t, uint32_t group)
{
	const struct window_data *data = telemetry_window(t, window);
	uint64_t turn_ns = cell->plan.steps[window->step].loop_interval_ns;
	uint64_t inside_ns = held_in_window_ns(cell, window, t, group);
	uint64_t before_ns = held_before_window_ns(cell, window, t, group);
	uint64_t each_ns = period_ns(&cell->plan, &cell->plan.groups[group]), times = 0;

	if (inside_ns)
		times = 1 + (data->end_ns - data->begin_ns) / MAX(turn_ns, UINT64_C(1));
	times += before_ns > 0;
	return (inside_ns + before_ns) / each_ns + 2 * times;
}

static void doubt_held(uint64_t times, struct finding *ret)
{
	if (ret->verdict != VERDICT_FAIL || grown(times, ret->observed) > ret->bound)
		return;
	ret->verdict = VERDICT_UNDECIDED;
	buf_printf(&ret->evidence,
		   "the scenario itself held workers back, in the window or before: up to %" PRIu64
		   " of their periods may be missed by that\n",
		   times);
}

/* How many periods of a worker what the host took can have swallowed, in one piece: those that end in it. */
static uint64_t taken_misses(const struct cell *cell, const struct telemetry *t, uint32_t worker,
			     const struct finding *f)
{
	const struct plan_group *g = &cell->plan.groups[cell->plan.workers[worker].group];
	uint64_t taken_ns = noise_of_worker(f, t, worker).most_ns;

	return taken_ns ? taken_ns / period_ns(&cell->plan, g) + 1 : 0;
}

static int misses_evaluate(const struct claim *claim, const struct cell *cell,
			   const struct cell_window *window, const struct telemetry *t,
			   struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	uint64_t held = 0, taken = 0;

	ret->unit = "times";
	ret->bound = claim->values[PARAM_BOUND];
	for (uint32_t w = 0; w < t->worker_count; w++) {
		uint32_t group = cell->plan.workers[w].group;
		const struct wire_report *r = &data->reports[w].report;
		uint64_t missed;

		if (!claim_covers(claim, cell, group) ||
		    !period_ns(&cell->plan, &cell->plan.groups[group]) ||
		    held_in_window(cell, window, group) == HELD_THROUGHOUT)
			continue;
		held += MIN(held_misses(cell, window, t, group), r->deadline_misses);
		missed = r->deadline_misses + unseen_misses(cell, window, r, w);
		taken += MIN(missed, taken_misses(cell, t, w, ret));
		ret->observed += missed;
		ret->samples += r->iterations + missed;
	}
	buf_printf(&ret->figures, "%" PRIu64 " deadlines missed", ret->observed);
	noise_judge(ret, t, claim->values[PARAM_NOISE]);
	noise_forgive(ret, t, grown(taken, ret->observed) <= ret->bound);
	doubt_held(held, ret);
	return 0;
}

static int locality_bind(const struct claim *claim, const struct cell *cell)
{
	for (uint32_t g = 0; g < cell->plan.header.group_count; g++) {
		if (claim_covers(claim, cell, g) &&
		    cell->plan.groups[g].workload == WORK_NUMA_WORKING_SET)
			return 0;
	}
	return err_new(-EINVAL, "none of the workers looks where its pages are (numa_working_set)");
}

const struct check check_throughput = {
	.name = "throughput",
	.summary = "the workers together did enough iterations",
	.param_count = 2,
	.params = { [PARAM_BOUND] = { .name = "min",
				      .unit = PARAM_HZ,
				      .is_bound = true,
				      .help = "least iterations in a second" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.evaluate = throughput_evaluate,
};

const struct check check_migration_ratio = {
	.name = "migration_ratio",
	.summary = "workers did not change their CPU too often",
	.param_count = 2,
	.params = { [PARAM_BOUND] = { .name = "max",
				      .unit = PARAM_PERMILLE,
				      .is_bound = true,
				      .help = "most looks at another CPU than the look before" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.evaluate = migration_evaluate,
};

const struct check check_locality = {
	.name = "locality",
	.summary = "pages were on the node of the CPU that used them",
	.param_count = 1,
	.params = { [PARAM_BOUND] = { .name = "min",
				      .unit = PARAM_PERMILLE,
				      .is_bound = true,
				      .help = "least part of local pages" } },
	.bind = locality_bind,
	.evaluate = locality_evaluate,
};

const struct check check_deadline_misses = {
	.name = "deadline_misses",
	.summary = "periodic work was done before its next period",
	.param_count = 2,
	.params = { [PARAM_BOUND] = { .name = "max",
				      .unit = PARAM_COUNT,
				      .is_bound = true,
				      .help = "most misses" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.is_about = has_deadlines,
	.bind = misses_bind,
	.evaluate = misses_evaluate,
};
