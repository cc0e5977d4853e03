// SPDX-License-Identifier: GPL-2.0-only
/* starvation: the longest stretch in which a worker wanted to run and made no progress. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/noise.h"

enum { PARAM_GAP, PARAM_NOISE };

static void describe_cpu(struct buf *out, const char *word, uint32_t cpu)
{
	if (cpu == REPORT_NO_CPU)
		buf_printf(out, ", %s it had not run", word);
	else
		buf_printf(out, ", %s on CPU %u", word, cpu);
}

/* Who waited, when, and what the CPU did in that window. */
static void describe(const struct cell *cell, const struct window_data *data, uint32_t worker,
		     struct buf *out)
{
	const struct wire_gap *gap = &data->reports[worker].report.gap;
	uint64_t into_ns = gap->start_ns > data->begin_ns ? gap->start_ns - data->begin_ns : 0;
	char name[CELL_NAME_BYTES];

	buf_printf(out, "%s waited %.1f ms, %.1f ms into the window",
		   cell_worker_name(cell, worker, name), (double)gap->length_ns / 1e6,
		   (double)into_ns / 1e6);
	describe_cpu(out, "before", gap->cpu_before);
	if (gap->is_open)
		buf_str(out, ", and it had not ended when the window did");
	else
		describe_cpu(out, "after", gap->cpu_after);
	buf_str(out, gap->is_wake ? ", after a wake-up\n" : "\n");
}

static void describe_cpus(const struct telemetry *t, const struct window_data *data,
			  struct buf *out)
{
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		const struct wire_cpustat *a = &data->begin[cpu].stat, *b = &data->end[cpu].stat;

		if (!data->begin[cpu].is_there || !data->end[cpu].is_there)
			continue;
		buf_printf(
			out,
			"CPU %u in the window: %.0f ms busy, %.0f ms idle, %.0f ms stolen, tasks "
			"waited %.0f ms\n",
			cpu, (double)(b->run_ns - a->run_ns) / 1e6,
			(double)(b->idle_ns - a->idle_ns) / 1e6,
			(double)(b->steal_ns - a->steal_ns) / 1e6,
			(double)(b->run_delay_ns - a->run_delay_ns) / 1e6);
	}
}

static int starvation_evaluate(const struct claim *claim, const struct cell *cell,
			       const struct cell_window *window, const struct telemetry *t,
			       struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	uint32_t worst = 0;
	char name[CELL_NAME_BYTES];

	ret->unit = "ns";
	ret->bound = claim->values[PARAM_GAP];
	for (uint32_t w = 0; w < t->worker_count; w++) {
		uint64_t gap_ns = data->reports[w].report.gap.length_ns;

		if (!claim_covers(claim, cell, cell->plan.workers[w].group))
			continue;
		ret->samples += data->reports[w].report.checkpoints;
		if (gap_ns > ret->observed) {
			ret->observed = gap_ns;
			worst = w;
		}
		if (gap_ns > ret->bound)
			describe(cell, data, w, &ret->evidence);
	}
	buf_printf(&ret->figures, "longest wait %.1f ms", (double)ret->observed / 1e6);
	if (ret->observed > 0)
		buf_printf(&ret->figures, " (%s)", cell_worker_name(cell, worst, name));
	noise_judge(ret, t, claim->values[PARAM_NOISE]);
	if (ret->verdict != VERDICT_PASS)
		describe_cpus(t, data, &ret->evidence);
	return 0;
}

const struct check check_starvation = {
	.name = "starvation",
	.summary = "nobody who wanted to run waited longer than the bound",
	.param_count = 2,
	.params = { [PARAM_GAP] = { .name = "gap",
				    .unit = PARAM_NS,
				    .is_bound = true,
				    .help = "longest wait" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.evaluate = starvation_evaluate,
};
