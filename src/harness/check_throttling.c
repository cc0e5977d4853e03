// SPDX-License-Identifier: GPL-2.0-only
/* throttling: how often quotas took their cgroups off the CPU in the window, as the kernel counts it
 * (nr_throttled of cpu.stat). The count is the kernel's own, and stands under noise; with one
 * exception. Too few times, while a quota was in force (periods passed) and the host took more of the
 * window than claims about time take, may be the host's: who gets no CPU uses up no quota. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/telemetry.h"

#include <inttypes.h>

enum { PARAM_MIN, PARAM_MAX };
enum { QUIET_PERMILLE = 100 };

static uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* A sample is a cgroup whose cpu.stat was read at both ends. */
static void add_cgroup(const struct window_data *data, uint32_t i, const char *path,
		       uint64_t *periods, struct finding *ret)
{
	const struct wire_cgroupstat *a = &data->cgroups_begin[i].stat,
				     *b = &data->cgroups_end[i].stat;
	uint64_t throttled = grown(a->throttled, b->throttled);

	if (!data->cgroups_begin[i].is_there || !data->cgroups_end[i].is_there)
		return;
	ret->samples++;
	*periods += grown(a->periods, b->periods);
	ret->observed += throttled;
	if (b->periods)
		buf_printf(&ret->evidence,
			   "%s: throttled %" PRIu64 " times in %" PRIu64 " periods, %.1f ms; it "
			   "used %.1f ms\n",
			   path, throttled, grown(a->periods, b->periods),
			   (double)grown(a->throttled_ns, b->throttled_ns) / 1e6,
			   (double)grown(a->usage_ns, b->usage_ns) / 1e6);
}

static int throttling_evaluate(const struct claim *claim, const struct cell *cell,
			       const struct cell_window *window, const struct telemetry *t,
			       struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	bool is_too_few, is_too_many;
	uint64_t periods = 0;
	unsigned cpu, noise;

	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++) {
		if (claim_covers_cgroup(claim, cell->plan.cgroups[i].path))
			add_cgroup(data, i, cell->plan.cgroups[i].path, &periods, ret);
	}
	is_too_few = claim->is_given[PARAM_MIN] && ret->observed < claim->values[PARAM_MIN];
	is_too_many = claim->is_given[PARAM_MAX] && ret->observed > claim->values[PARAM_MAX];
	ret->unit = "times";
	ret->bound =
		claim->values[claim->is_given[PARAM_MAX] && !is_too_few ? PARAM_MAX : PARAM_MIN];
	ret->verdict = is_too_few || is_too_many ? VERDICT_FAIL : VERDICT_PASS;
	noise = telemetry_noise_permille(t, window, &cpu);
	if (is_too_few && periods && noise > QUIET_PERMILLE) {
		ret->verdict = VERDICT_UNDECIDED;
		buf_printf(
			&ret->evidence,
			"the host took %u permille of the window from CPU %u: too few may be its\n",
			noise, cpu);
	}
	buf_printf(&ret->figures, "throttled %" PRIu64 " times in %" PRIu64 " periods",
		   ret->observed, periods);
	return 0;
}

const struct check check_throttling = {
	.name = "throttling",
	.summary = "quotas throttled as often as they should",
	.is_of_cgroups = true,
	.param_count = 2,
	.params = { [PARAM_MIN] = { .name = "min",
				    .unit = PARAM_COUNT,
				    .is_bound = true,
				    .help = "least times" },
		    [PARAM_MAX] = { .name = "max",
				    .unit = PARAM_COUNT,
				    .is_bound = true,
				    .help = "most times" } },
	.evaluate = throttling_evaluate,
};
