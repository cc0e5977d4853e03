// SPDX-License-Identifier: GPL-2.0-only
/* spread: the workers of one entry are equals; how far apart did the CPU time of the luckiest and the
 * unluckiest come? What the host takes from one CPU only spreads them: noise makes it UNDECIDED. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/held.h"
#include "harness/noise.h"

#include <math.h>

enum { PARAM_MAX, PARAM_NOISE };

/* How far apart equals can come by nothing but their sitting on different CPUs, the one on that from which the
 * host took most, the other on that from which it took least; in thousandths of what the latter got. */
static unsigned unevenness_permille(const struct plan_group *g, const struct telemetry *t,
				    const struct finding *f)
{
	struct noise_range all = noise_of_worker(f, t, g->first_worker);

	for (uint32_t w = g->first_worker; w < g->first_worker + g->worker_count; w++) {
		struct noise_range one = noise_of_worker(f, t, w);

		all.least = MIN(all.least, one.least);
		all.most = MAX(all.most, one.most);
	}
	if (all.least == all.most)
		return 0;
	return all.least < 1000 ? (all.most + 1 - all.least) * 1000 / (1000 - all.least) + 1 : 1000;
}

/* One worker has no equal, and of those that never ran nobody knows how equal they are: they are no
 * samples. */
static void judge_entry(const struct cell *cell, const struct telemetry *t, uint32_t group,
			uint64_t *unexplained, struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, ret->window);
	const struct plan_group *g = &cell->plan.groups[group];
	uint64_t least_ns = UINT64_MAX, most_ns = 0, spread;
	uint32_t least = 0, most = 0;
	char a[CELL_NAME_BYTES], b[CELL_NAME_BYTES];

	for (uint32_t w = g->first_worker; w < g->first_worker + g->worker_count; w++) {
		uint64_t cpu_ns = data->reports[w].report.cpu_ns;

		least = cpu_ns < least_ns ? w : least;
		most = cpu_ns >= most_ns ? w : most;
		least_ns = MIN(least_ns, cpu_ns);
		most_ns = MAX(most_ns, cpu_ns);
	}
	spread =
		most_ns ? (uint64_t)ceil((double)(most_ns - least_ns) * 1000 / (double)most_ns) : 0;
	if (g->worker_count > 1 && most_ns)
		ret->samples += g->worker_count;
	ret->observed = MAX(ret->observed, spread);
	*unexplained = MAX(*unexplained, grown(unevenness_permille(g, t, ret), spread));
	if (spread > ret->bound)
		buf_printf(&ret->evidence, "%s got %.1f ms, %s got %.1f ms\n",
			   cell_worker_name(cell, least, a), (double)least_ns / 1e6,
			   cell_worker_name(cell, most, b), (double)most_ns / 1e6);
}

static int spread_evaluate(const struct claim *claim, const struct cell *cell,
			   const struct cell_window *window, const struct telemetry *t,
			   struct finding *ret)
{
	uint64_t unexplained = 0;

	ret->unit = "permille";
	ret->bound = claim->values[PARAM_MAX];
	for (uint32_t g = 0; g < cell->plan.header.group_count; g++) {
		/* What they still got before they were held back is no part of anything. */
		if (claim_covers(claim, cell, g) &&
		    held_in_window(cell, window, g) != HELD_THROUGHOUT)
			judge_entry(cell, t, g, &unexplained, ret);
	}
	buf_printf(&ret->figures, "equal workers were %.1f%% apart", (double)ret->observed / 10);
	noise_judge(ret, t, claim->values[PARAM_NOISE]);
	noise_forgive(ret, t, unexplained <= ret->bound);
	return 0;
}

const struct check check_spread = {
	.name = "spread",
	.summary = "equal workers got about the same CPU time",
	.param_count = 2,
	.params = { [PARAM_MAX] = { .name = "max",
				    .unit = PARAM_PERMILLE,
				    .is_bound = true,
				    .help = "largest difference within an entry, in thousandths of "
					    "the largest CPU time" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.evaluate = spread_evaluate,
};
