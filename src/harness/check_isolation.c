// SPDX-License-Identifier: GPL-2.0-only
/* isolation: nobody was seen on a CPU that its cpuset and affinity forbid, from the moment on at
 * which the write that forbade it had returned; nor, with within=, on one outside that set. Not about time: noise changes nothing. */
#include "harness/check.h"

#include "harness/telemetry.h"

static void describe(const struct cell *cell, const struct cell_window *window,
		     const struct window_data *data, uint32_t worker, struct buf *out)
{
	const struct wire_report *r = &data->reports[worker].report;
	char name[CELL_NAME_BYTES], allowed[MASK_TEXT_BYTES];

	buf_printf(out,
		   "%s was seen %llu times outside CPUs %s, first on CPU %u, %.1f ms into the "
		   "window\n",
		   cell_worker_name(cell, worker, name), (unsigned long long)r->outside_count,
		   mask_format(&window->scene.allowed[worker], allowed), r->outside_cpu,
		   r->outside_ns > data->begin_ns ? (double)(r->outside_ns - data->begin_ns) / 1e6
						  : 0.0);
}

/* CPUs that it was seen on, outside the claim's own set: how often, nobody has counted. */
static void judge_within(const struct claim *claim, const struct cell *cell,
			 const struct window_data *data, uint32_t worker, struct cpu_mask *all,
			 struct finding *ret)
{
	struct cpu_mask beyond = data->reports[worker].report.cpus_used;
	char name[CELL_NAME_BYTES], cpus[MASK_TEXT_BYTES];

	for (size_t i = 0; i < WIRE_MASK_WORDS; i++)
		beyond.bits[i] &= ~claim->within_cpus.bits[i];
	if (!claim->within || mask_is_empty(&beyond))
		return;
	mask_or(all, &beyond);
	buf_printf(&ret->evidence, "%s was seen on CPUs %s, outside \"%s\"\n",
		   cell_worker_name(cell, worker, name), mask_format(&beyond, cpus), claim->within);
}

/* Looks outside a worker's own CPUs are counted; without any, the CPUs outside of within=. */
static void conclude(const struct claim *claim, uint64_t looks, const struct cpu_mask *beyond,
		     struct finding *ret)
{
	char cpus[MASK_TEXT_BYTES];

	ret->unit = looks || mask_is_empty(beyond) ? "times" : "CPUs";
	ret->observed = looks ? looks : mask_count(beyond);
	ret->verdict = ret->observed ? VERDICT_FAIL : VERDICT_PASS;
	buf_printf(&ret->figures, "%llu of %llu looks found a worker outside its CPUs",
		   (unsigned long long)looks, (unsigned long long)ret->samples);
	if (!mask_is_empty(beyond))
		buf_printf(&ret->figures, ", some found one on CPUs %s, outside \"%s\"",
			   mask_format(beyond, cpus), claim->within);
}

static int isolation_evaluate(const struct claim *claim, const struct cell *cell,
			      const struct cell_window *window, const struct telemetry *t,
			      struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	struct cpu_mask beyond = { 0 };
	uint64_t looks = 0;

	for (uint32_t w = 0; w < t->worker_count; w++) {
		const struct wire_report *r = &data->reports[w].report;

		if (!claim_covers(claim, cell, cell->plan.workers[w].group))
			continue;
		ret->samples += r->checkpoints;
		looks += r->outside_count;
		if (r->outside_count)
			describe(cell, window, data, w, &ret->evidence);
		judge_within(claim, cell, data, w, &beyond, ret);
	}
	conclude(claim, looks, &beyond, ret);
	return 0;
}

const struct check check_isolation = {
	.name = "isolation",
	.summary = "nobody ran outside its cpuset or affinity",
	.takes_within = true,
	.evaluate = isolation_evaluate,
};
