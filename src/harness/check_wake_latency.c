// SPDX-License-Identifier: GPL-2.0-only
/* wake_latency: from a wake-up (a partner's write, a timer's deadline) to running, over all workers
 * in scope together.
 *
 * Together, so a worker that never woke would be covered by its peers. Where its work wakes by time that
 * is known to be wrong, and the claim is not PASS. Of who waits for partners nothing is known: a woken
 * one that runs before its waker sleeps has answered when the waker looks, who then never waits. */
#include "harness/check.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/held.h"
#include "harness/noise.h"

enum { PARAM_P50, PARAM_P99, PARAM_LATENCY_MAX, PARAM_NOISE, BOUNDS = PARAM_NOISE };

static const unsigned permilles[BOUNDS] = { 500, 990, 1000 };
static const char *const names[BOUNDS] = { "p50", "p99", "max" };

/* Its slowest wake-up was due before the window, while the scenario held it back. Any before it can only
 * have been that one: it waits for one at a time. */
static bool is_slowest_held(const struct cell *cell, const struct cell_window *window,
			    const struct window_data *data, uint32_t worker)
{
	const struct worker_report *r = &data->reports[worker];

	return r->wakes && r->report.wake_max_at_ns < data->begin_ns &&
	       window->scene.groups[cell->plan.workers[worker].group].was_held;
}

static void merge_wakes(const struct cell *cell, const struct cell_window *window,
			const struct window_data *data, uint32_t worker, struct hist *ret)
{
	struct hist own = *data->reports[worker].wakes;

	if (is_slowest_held(cell, window, data, worker))
		hist_drop_max(&own);
	hist_merge(ret, &own);
}

static void merge(const struct claim *claim, const struct cell *cell,
		  const struct cell_window *window, const struct window_data *data,
		  struct hist *ret)
{
	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		const struct worker_report *r = &data->reports[w];

		if (!claim_judges(claim, cell, window, w))
			continue;
		if (r->wakes)
			merge_wakes(cell, window, data, w, ret);
		/* One that was due and had not run when the window ended waited at least so long. */
		if (r->report.open_wake_ns)
			hist_add(ret, r->report.open_wake_ns);
	}
}

/* ---- who never woke ---- */

/* One turn of a sequence, with its loops; 0: more than @limit_ns, or it waits for no time, or for what
 * takes as long as it takes. */
static uint64_t sequence_cycle_ns(const struct plan *plan, const struct plan_group *g,
				  uint64_t limit_ns)
{
	enum { PHASES_DONE_MAX = 100000 };
	uint64_t turns[PLAN_PHASES_MAX] = { 0 }, sum_ns = 0;
	uint32_t i = 0, kinds = 0;

	for (unsigned n = 0; i < g->phase_count && sum_ns <= limit_ns && n < PHASES_DONE_MAX; n++) {
		const struct plan_phase *phase = &plan->phases[g->first_phase + i];

		kinds |= UINT32_C(1) << phase->kind;
		if (phase->kind == PHASE_LOOP && turns[i] < phase->value) {
			turns[i]++;
			i = phase->to;
			continue;
		}
		if (phase->kind == PHASE_RUN || phase->kind == PHASE_SLEEP ||
		    phase->kind == PHASE_TIMER)
			sum_ns += phase->value;
		turns[i++] = 0;
	}
	if (i < g->phase_count || kinds >> PHASE_IO & 1)
		return 0;
	return kinds & (1 << PHASE_SLEEP | 1 << PHASE_TIMER) ? sum_ns : 0;
}

/* From one wake-up of the worker to its next if nobody is in its way; 0: nobody knows, or more than
 * @limit_ns. */
static uint64_t cycle_ns(const struct cell *cell, uint32_t worker, uint64_t limit_ns)
{
	const struct plan_group *g = &cell->plan.groups[cell->plan.workers[worker].group];
	const struct workload *work = workload_by_id(g->workload);
	uint32_t member = (worker - g->first_worker) % workload_ensemble(work, g->params);
	uint64_t sum_ns = 0;

	if (work->flags & WORKLOAD_HAS_PHASES)
		return sequence_cycle_ns(&cell->plan, g, limit_ns);
	if (!(work->flags & WORKLOAD_TIMED) && (member || !(work->flags & WORKLOAD_TIMED_FIRST)))
		return 0;
	for (unsigned i = 0; i < work->param_count; i++)
		sum_ns += work->params[i].unit == PARAM_NS ? g->params[i] : 0;
	return sum_ns <= limit_ns ? sum_ns : 0;
}

/* Was it there for two of its cycles and more, in one life, and did not wake once? Who had missed a
 * deadline was late with its work, and has not slept for that. */
static bool is_silent(const struct claim *claim, const struct cell *cell,
		      const struct cell_window *window, const struct worker_report *r,
		      uint32_t worker)
{
	uint32_t group = cell->plan.workers[worker].group;
	uint64_t there_ns = r->report.end_ns - MIN(r->report.start_ns, r->report.end_ns);

	if (!r->is_there || (r->wakes && r->wakes->count) || r->report.deadline_misses ||
	    r->report.end == WORKER_FINISHED)
		return false;
	return claim_covers(claim, cell, group) && !cell_group_respawns(cell, group) &&
	       held_in_window(cell, window, group) == HELD_NEVER &&
	       cycle_ns(cell, worker, there_ns / 2) > 0;
}

struct silence {
	unsigned count;
	uint64_t longest_ns; /* since a wake-up of one of them was due */
	struct buf names;    /* lines */
};

static void silence_deinit(struct silence *s)
{
	buf_deinit(&s->names);
}

static void find_silent(const struct claim *claim, const struct cell *cell,
			const struct cell_window *window, const struct window_data *data,
			struct silence *ret)
{
	char name[CELL_NAME_BYTES];

	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		const struct wire_report *r = &data->reports[w].report;

		if (!is_silent(claim, cell, window, &data->reports[w], w))
			continue;
		ret->count++;
		buf_printf(&ret->names, "%s did not wake once in the %.0f ms that it was there",
			   cell_worker_name(cell, w, name),
			   (double)(r->end_ns - r->start_ns) / 1e6);
		if (r->open_wake_ns) {
			ret->longest_ns = MAX(ret->longest_ns, r->open_wake_ns);
			buf_printf(&ret->names, ", and was due for %.3f ms when they ended",
				   (double)r->open_wake_ns / 1e6);
		}
		buf_str(&ret->names, ": no other's wake-ups speak for it\n");
	}
}

/* Its one wake-up may be lost among those of the others: a wait beyond all bounds counts by itself. */
static void judge_silent(const struct claim *claim, const struct silence *s, struct finding *ret)
{
	uint64_t bound_ns = 0;

	for (unsigned i = 0; i < BOUNDS; i++)
		bound_ns = MAX(bound_ns, claim->is_given[i] ? claim->values[i] : 0);
	if (s->longest_ns <= bound_ns || ret->observed > ret->bound)
		return;
	ret->observed = s->longest_ns;
	ret->bound = bound_ns;
}

/* ---- the claim ---- */

/* The bound that was exceeded most, by factor, decides what the finding shows. */
static void choose_worst(const struct claim *claim, const struct hist *h, struct finding *ret)
{
	double worst = -1;

	for (unsigned i = 0; i < BOUNDS; i++) {
		uint64_t seen_ns = hist_quantile_ns(h, permilles[i]);
		double factor;

		buf_printf(&ret->figures, "%s%s %.3f ms", i ? ", " : "", names[i],
			   (double)seen_ns / 1e6);
		if (!claim->is_given[i])
			continue;
		if (seen_ns > claim->values[i])
			buf_printf(&ret->evidence,
				   "%s is %.3f ms, bound %.3f ms, of %llu wake-ups\n", names[i],
				   (double)seen_ns / 1e6, (double)claim->values[i] / 1e6,
				   (unsigned long long)h->count);
		factor = (double)seen_ns / (double)MAX(claim->values[i], UINT64_C(1));
		if (factor > worst) {
			worst = factor;
			ret->observed = seen_ns;
			ret->bound = claim->values[i];
		}
	}
}

/* Who had the longest one. */
static void name_slowest(const struct claim *claim, const struct cell *cell,
			 const struct cell_window *window, const struct window_data *data,
			 struct buf *out)
{
	const struct wire_report *slowest = NULL;
	char name[CELL_NAME_BYTES];

	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		const struct worker_report *r = &data->reports[w];

		if (!r->wakes || !claim_judges(claim, cell, window, w) ||
		    is_slowest_held(cell, window, data, w))
			continue;
		if (!slowest || r->report.wake_max_ns > slowest->wake_max_ns)
			slowest = &r->report;
	}
	if (!slowest)
		return;
	buf_printf(out, "slowest: %s, %.3f ms, %.1f ms into the window\n",
		   cell_worker_name(cell, slowest->worker, name),
		   (double)slowest->wake_max_ns / 1e6,
		   slowest->wake_max_at_ns > data->begin_ns
			   ? (double)(slowest->wake_max_at_ns - data->begin_ns) / 1e6
			   : 0.0);
}

/* @is_known: that they have wake-ups. */
static void judge_none(const struct claim *claim, const struct telemetry *t, bool is_known,
		       struct finding *ret)
{
	noise_judge(ret, t, claim->values[PARAM_NOISE]);
	buf_str(&ret->figures, "no wake-up was measured");
	if (ret->verdict == VERDICT_UNDECIDED || is_known)
		return;
	ret->holds = false;
	ret->verdict = VERDICT_INFRA;
	buf_str(&ret->figures, ": the workload has none");
}

/* How much of the host's noise it takes to break the bounds. One stop makes the slowest wake-ups, be they
 * one or many at a time; the median it makes only as often as it comes. */
static uint64_t excess_of_bounds(const struct claim *claim, const struct hist *h)
{
	uint64_t excess_ns = 0;

	for (unsigned i = 0; i < BOUNDS; i++) {
		uint64_t seen_ns = hist_quantile_ns(h, permilles[i]), bound_ns = claim->values[i];

		if (claim->is_given[i])
			excess_ns = MAX(excess_ns,
					i == PARAM_P50 ? hist_excess_ns(h, permilles[i], bound_ns)
						       : grown(bound_ns, seen_ns));
	}
	return excess_ns;
}

/* By how much in sum the scenario itself may have made wake-ups slower: by what its loop held them back,
 * and by what the next slowest is not known to, where the slowest was left out. */
static uint64_t held_ns(const struct claim *claim, const struct cell *cell,
			const struct cell_window *window, const struct telemetry *t)
{
	const struct window_data *data = telemetry_window(t, window);
	uint64_t sum_ns = 0;

	for (uint32_t w = 0; w < t->worker_count; w++) {
		if (!claim_judges(claim, cell, window, w))
			continue;
		sum_ns += held_in_window_ns(cell, window, t, cell->plan.workers[w].group);
		if (is_slowest_held(cell, window, data, w))
			sum_ns += data->reports[w].wakes->max_ns / HIST_SUB;
	}
	return sum_ns;
}

static void doubt_held(uint64_t held, uint64_t excess_ns, struct finding *ret)
{
	if (ret->verdict != VERDICT_FAIL || !held || excess_ns > held)
		return;
	ret->verdict = VERDICT_UNDECIDED;
	buf_printf(
		&ret->evidence,
		"the scenario itself held workers back: up to %.1f ms of their wake-ups' time may "
		"be that\n",
		(double)held / 1e6);
}

static void judge_wakes(const struct claim *claim, const struct hist *all, const struct silence *s,
			const struct telemetry *t, struct finding *ret)
{
	uint64_t excess_ns;

	choose_worst(claim, all, ret);
	judge_silent(claim, s, ret);
	excess_ns = MAX(excess_of_bounds(claim, all), grown(ret->bound, ret->observed));
	noise_judge_excess(ret, t, claim->values[PARAM_NOISE], excess_ns);
	doubt_held(held_ns(claim, t->cell, ret->window, t), excess_ns, ret);
}

static int wake_latency_evaluate(const struct claim *claim, const struct cell *cell,
				 const struct cell_window *window, const struct telemetry *t,
				 struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	cleanup(silence_deinit) struct silence silence = { .names = BUF_NULL };
	struct hist all = HIST_EMPTY;

	ret->unit = "ns";
	merge(claim, cell, window, data, &all);
	find_silent(claim, cell, window, data, &silence);
	ret->samples = all.count;
	if (all.count)
		judge_wakes(claim, &all, &silence, t, ret);
	else
		judge_none(claim, t, silence.count || held_ns(claim, cell, window, t), ret);
	if (all.count && ret->verdict != VERDICT_PASS)
		name_slowest(claim, cell, window, data, &ret->evidence);
	if (!silence.count)
		return 0;
	buf_str(&ret->evidence, buf_text(&silence.names));
	ret->holds = false;
	if (ret->verdict == VERDICT_PASS)
		ret->verdict = VERDICT_UNDECIDED;
	return buf_ok(&silence.names);
}

static bool has_wakes(const struct cell *cell, uint32_t group)
{
	return !(workload_by_id(cell->plan.groups[group].workload)->flags & WORKLOAD_HOG);
}

const struct check check_wake_latency = {
	.name = "wake_latency",
	.summary = "from wake-up to running takes no longer than the bounds",
	.param_count = 4,
	.params = { [PARAM_P50] = { .name = "p50",
				    .unit = PARAM_NS,
				    .is_bound = true,
				    .help = "the median" },
		    [PARAM_P99] = { .name = "p99",
				    .unit = PARAM_NS,
				    .is_bound = true,
				    .help = "99 of 100 are not slower" },
		    [PARAM_LATENCY_MAX] = { .name = "max",
					    .unit = PARAM_NS,
					    .is_bound = true,
					    .help = "the slowest one" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.is_about = has_wakes,
	.evaluate = wake_latency_evaluate,
};
