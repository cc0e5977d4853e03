// SPDX-License-Identifier: GPL-2.0-only
/* wake_latency: from a wake-up (a partner's write, a timer's deadline) to running, over all workers
 * in scope together. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/noise.h"

enum { PARAM_P50, PARAM_P99, PARAM_LATENCY_MAX, PARAM_NOISE, BOUNDS = PARAM_NOISE };

static const unsigned permilles[BOUNDS] = { 500, 990, 1000 };
static const char *const names[BOUNDS] = { "p50", "p99", "max" };

static void merge(const struct claim *claim, const struct cell *cell,
		  const struct window_data *data, struct hist *ret)
{
	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		const struct worker_report *r = &data->reports[w];

		if (!claim_covers(claim, cell, cell->plan.workers[w].group))
			continue;
		if (r->wakes)
			hist_merge(ret, r->wakes);
		/* One that was due and had not run when the window ended waited at least so long. */
		if (r->report.gap.is_open && r->report.gap.is_wake)
			hist_add(ret, r->report.gap.length_ns);
	}
}

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
			 const struct window_data *data, struct buf *out)
{
	const struct wire_report *slowest = NULL;
	char name[CELL_NAME_BYTES];

	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		const struct worker_report *r = &data->reports[w];

		if (!r->wakes || !claim_covers(claim, cell, cell->plan.workers[w].group))
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

static int wake_latency_evaluate(const struct claim *claim, const struct cell *cell,
				 const struct cell_window *window, const struct telemetry *t,
				 struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	struct hist all = HIST_EMPTY;

	ret->unit = "ns";
	merge(claim, cell, data, &all);
	ret->samples = all.count;
	if (!all.count) {
		noise_judge(ret, t, claim->values[PARAM_NOISE]);
		buf_str(&ret->figures, "no wake-up was measured");
		if (ret->verdict == VERDICT_UNDECIDED)
			return 0;
		ret->verdict = VERDICT_INFRA;
		buf_str(&ret->figures, ": the workload has none");
		return 0;
	}
	choose_worst(claim, &all, ret);
	/* One stop of the host makes the slowest ones; not half of them. */
	if (claim->is_given[PARAM_P50] &&
	    hist_quantile_ns(&all, permilles[PARAM_P50]) > claim->values[PARAM_P50])
		noise_judge(ret, t, claim->values[PARAM_NOISE]);
	else
		noise_judge_wait(ret, t, claim->values[PARAM_NOISE]);
	if (ret->verdict != VERDICT_PASS)
		name_slowest(claim, cell, data, &ret->evidence);
	return 0;
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
	.evaluate = wake_latency_evaluate,
};
