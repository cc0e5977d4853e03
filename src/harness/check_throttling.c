// SPDX-License-Identifier: GPL-2.0-only
/* throttling: how often quotas took their cgroups off the CPU in the window, as the kernel counts it
 * (nr_throttled of cpu.stat). The count is the kernel's own, and stands under noise; with two
 * exceptions. Too few times, while a quota was in force (periods passed) and the host took more of the
 * window than claims about time take, may be the host's: who gets no CPU uses up no quota. And too many
 * may be: what a stop takes, the guest books on whoever ran, and so on its quota. A throttling more for
 * each quota that the host took is explained by that; in a cgroup that has none, none is. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/telemetry.h"

#include <errno.h>
#include <inttypes.h>

enum { PARAM_MIN, PARAM_MAX };
enum { QUIET_PERMILLE = 100 };

/* ---- before boot ---- */

static bool is_below(const struct cell *cell, uint32_t cgroup, uint32_t above)
{
	while (cgroup != PLAN_NONE && cgroup != above)
		cgroup = cell->cgroups[cgroup].parent;
	return cgroup == above;
}

/* The kernel counts from the cgroup's making on: of one that comes and goes inside a window, both its ends
 * tell of other lives, and of those between nobody does. */
static int bind_window(const struct claim *claim, const struct cell *cell,
		       const struct cell_window *window)
{
	const struct plan_step *step = &cell->plan.steps[window->step];

	for (uint32_t i = 0; i < step->loop_op_count; i++) {
		const struct plan_op *op = &cell->plan.ops[step->loop_first_op + i];

		if (op->code != OP_CGROUP_ADD && op->code != OP_CGROUP_REMOVE)
			continue;
		for (uint32_t c = 0; c < cell->plan.header.cgroup_count; c++) {
			const char *path = cell->plan.cgroups[c].path;

			if (claim_covers_cgroup(claim, path) && is_below(cell, c, op->target))
				return err_new(-EINVAL,
					       "step %s: its loop %s %s, whose count begins "
					       "anew with each life: say of= to leave it out",
					       window->name,
					       op->code == OP_CGROUP_ADD ? "adds" : "removes",
					       path);
		}
	}
	return 0;
}

static bool has_quota_in(const struct claim *claim, const struct cell *cell,
			 const struct scene *scene)
{
	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++)
		if (claim_covers_cgroup(claim, cell->plan.cgroups[i].path) &&
		    scene->cgroups[i].quota_us != PLAN_MAX)
			return true;
	return false;
}

/* Without a quota nobody is ever throttled: a claim that somebody was could not hold. */
static int bind_least(const struct claim *claim, const struct cell *cell)
{
	for (uint32_t w = 0; w < cell->window_count; w++) {
		const struct cell_window *window = &cell->windows[w];

		if (has_quota_in(claim, cell, &window->scene))
			return 0;
		for (uint32_t i = 0; i < window->turn_count; i++)
			if (has_quota_in(claim, cell, &window->turns[i].scene))
				return 0;
	}
	return err_new(-EINVAL, "none of the cgroups has a quota: give one max=QUOTA/PERIOD");
}

static int throttling_bind(const struct claim *claim, const struct cell *cell)
{
	int r = claim->is_given[PARAM_MIN] && claim->values[PARAM_MIN] ? bind_least(claim, cell)
								       : 0;

	for (uint32_t w = 0; w < cell->window_count && r == 0; w++)
		r = bind_window(claim, cell, &cell->windows[w]);
	return r;
}

/* ---- counting ---- */

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

/* What the host took of all CPUs together. */
static uint64_t taken_ns(const struct telemetry *t, const struct window_data *data)
{
	uint64_t permille = 0;

	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++)
		permille += telemetry_cpu_noise_permille(data, cpu);
	return grown(data->begin_ns, data->end_ns) / 1000 * permille;
}

/* How many of the times the host cannot have caused. */
static uint64_t unexplained(const struct claim *claim, const struct cell *cell,
			    const struct cell_window *window, const struct telemetry *t)
{
	const struct window_data *data = telemetry_window(t, window);
	uint64_t host_ns = taken_ns(t, data), times = 0;

	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++) {
		const struct scene_cgroup *g = &window->scene.cgroups[i];
		uint64_t throttled = grown(data->cgroups_begin[i].stat.throttled,
					   data->cgroups_end[i].stat.throttled);

		if (!claim_covers_cgroup(claim, cell->plan.cgroups[i].path))
			continue;
		times += g->quota_us == PLAN_MAX
				 ? throttled
				 : grown(host_ns / (g->quota_us * NSEC_PER_USEC), throttled);
	}
	return times;
}

static void doubt(const char *what, const struct telemetry *t, const struct cell_window *window,
		  struct finding *ret)
{
	unsigned cpu, noise = telemetry_noise_permille(t, window, &cpu);

	ret->verdict = VERDICT_UNDECIDED;
	buf_printf(&ret->evidence,
		   "the host took %u permille of the window from CPU %u: too %s may be its\n",
		   noise, cpu, what);
}

/* Counts that did not come may have been any: neither bound can be told from the rest. */
static void doubt_missing(const struct claim *claim, const struct cell *cell,
			  const struct cell_window *window, const struct telemetry *t,
			  struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);

	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++) {
		const char *path = cell->plan.cgroups[i].path;

		if (!claim_covers_cgroup(claim, path) || !window->scene.cgroups[i].is_there ||
		    (data->cgroups_begin[i].is_there && data->cgroups_end[i].is_there))
			continue;
		ret->verdict = VERDICT_UNDECIDED;
		buf_printf(&ret->evidence, "%s: its count was not read at the window's %s\n", path,
			   data->cgroups_begin[i].is_there ? "end" : "begin");
	}
}

static int throttling_evaluate(const struct claim *claim, const struct cell *cell,
			       const struct cell_window *window, const struct telemetry *t,
			       struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	bool is_too_few, is_too_many;
	uint64_t periods = 0;
	unsigned cpu;

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
	if (is_too_few && periods && telemetry_noise_permille(t, window, &cpu) > QUIET_PERMILLE)
		doubt("few", t, window, ret);
	if (is_too_many && unexplained(claim, cell, window, t) <= claim->values[PARAM_MAX])
		doubt("many", t, window, ret);
	doubt_missing(claim, cell, window, t, ret);
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
	.bind = throttling_bind,
	.evaluate = throttling_evaluate,
};
