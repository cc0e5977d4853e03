// SPDX-License-Identifier: GPL-2.0-only
/* share: did everybody get its part? The ideal is that of share_model.h, with the settings of the
 * window; what was obtained is guest CPU time, of which a noisy host takes from all alike: parts of
 * the whole stand under steal. Judged are every cgroup and every entry of workers, not each worker of
 * an entry: who of several equals ran where is the balancer's affair (see spread).
 *
 * Parts are of the CPU time that all workers in scope obtained together: that a CPU stood idle, this
 * does not say (see work_conservation). */
#include "harness/check.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/noise.h"
#include "harness/share_model.h"
#include "harness/telemetry.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { PARAM_DISTANCE };

/* Of the cgroups, then of the entries, as the plan's tables have them. An entry is no group of the
 * scheduler's: its part is the sum of its workers'. */
struct shares {
	double *rates; /* of the workers */
	double *obtained_ns;
	double *ideal;
	double obtained_sum_ns, ideal_sum;
	uint64_t excess_permille; /* beyond what quotas can have allowed, where that was most */
};

static void shares_deinit(struct shares *s)
{
	free(s->rates);
	free(s->obtained_ns);
	free(s->ideal);
}

static int shares_init(struct shares *s, const struct plan_header *h)
{
	size_t names = (size_t)h->cgroup_count + h->group_count;

	s->rates = calloc(h->worker_count + 1, sizeof(double));
	s->obtained_ns = calloc(names + 1, sizeof(double));
	s->ideal = calloc(names + 1, sizeof(double));
	if (!s->rates || !s->obtained_ns || !s->ideal)
		return err_new(-ENOMEM, "out of memory for shares");
	return 0;
}

/* Credit @amount to the entry of the worker and to all cgroups above it. */
static void credit(const struct cell *cell, const struct scene *scene, uint32_t worker, double *to,
		   double amount)
{
	uint32_t group = cell->plan.workers[worker].group;

	to[cell->plan.header.cgroup_count + group] += amount;
	for (uint32_t c = scene->groups[group].cgroup; c != PLAN_NONE; c = cell->cgroups[c].parent)
		to[c] += amount;
}

static int solve(struct shares *s, const struct claim *claim, const struct cell *cell,
		 const struct cell_window *window, const struct telemetry *t)
{
	const struct window_data *data = telemetry_window(t, window);
	int r = share_model_solve(cell, window, t, s->rates);

	if (r < 0)
		return err_trace(r);
	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		double got_ns = (double)data->reports[w].report.cpu_ns;

		if (!claim_covers(claim, cell, cell->plan.workers[w].group))
			continue;
		credit(cell, &window->scene, w, s->ideal, s->rates[w]);
		credit(cell, &window->scene, w, s->obtained_ns, got_ns);
		s->ideal_sum += s->rates[w];
		s->obtained_sum_ns += got_ns;
	}
	return 0;
}

static const char *entity_name(const struct cell *cell, uint32_t i, char *text)
{
	uint32_t cgroups = cell->plan.header.cgroup_count;

	return i < cgroups ? cell->plan.cgroups[i].path : cell_group_name(cell, i - cgroups, text);
}

static bool has_part(const struct shares *s, uint32_t i)
{
	return s->ideal[i] > 0 || s->obtained_ns[i] > 0;
}

/* Has the cgroup, with all below it, nothing but that entry? */
static bool is_all_of(const struct shares *s, const struct cell *cell, const struct scene *scene,
		      uint32_t group, uint32_t cgroup)
{
	const struct plan_header *h = &cell->plan.header;

	for (uint32_t g = 0; g < h->group_count; g++) {
		uint32_t at = scene->groups[g].cgroup;

		if (g == group || !has_part(s, h->cgroup_count + g))
			continue;
		while (at != cgroup && at != PLAN_NONE)
			at = cell->cgroups[at].parent;
		if (at == cgroup)
			return false;
	}
	return true;
}

/* An entry that is all its cgroup has says nothing new, nor does a cgroup that has everything. */
static bool is_worth_telling(const struct shares *s, const struct cell *cell,
			     const struct scene *scene, uint32_t i)
{
	uint32_t cgroups = cell->plan.header.cgroup_count;
	uint32_t cgroup;

	if (!has_part(s, i))
		return false;
	if (i < cgroups)
		return s->ideal[i] < s->ideal_sum;
	cgroup = scene->groups[i - cgroups].cgroup;
	return cgroup == PLAN_NONE || !is_all_of(s, cell, scene, i - cgroups, cgroup);
}

/* Do a loop's operations leave alone what the cgroup may use, and who is in it? Each quota that is
 * written comes with a new period, and of a worker that moves nobody knows what it used where. */
static bool is_quota_constant(const struct cell *cell, const struct cell_window *window,
			      uint32_t cgroup)
{
	const struct plan_step *step = &cell->plan.steps[window->step];

	for (uint32_t i = 0; window->turn_count && i < step->loop_op_count; i++) {
		const struct plan_op *op = &cell->plan.ops[step->loop_first_op + i];
		bool is_set = op->code == OP_CGROUP_SET &&
			      (op->args[0] == KNOB_QUOTA || op->args[0] == KNOB_BURST);

		if (op->code == OP_MOVE)
			return false;
		if (op->target == cgroup &&
		    (is_set || op->code == OP_CGROUP_ADD || op->code == OP_CGROUP_REMOVE))
			return false;
	}
	for (uint32_t i = 0; i < window->turn_count; i++) {
		if (!window->turns[i].scene.cgroups[cgroup].is_there)
			return false;
	}
	return true;
}

/* What the cgroup used beyond everything that its quota can have allowed, in thousandths of what all
 * obtained. Parts do not tell of a quota that nobody else's time is compared with; this does, and
 * stands under noise, which only takes. A window touches two periods more than fit into it, whole
 * quotas each, and a CPU may overdraw by what it had taken in advance and the tick until it is
 * throttled (Linux kernel/sched/fair.c, sched_cfs_bandwidth_slice: 5 ms; a tick of 10 ms). */
static double quota_excess(const struct shares *s, const struct cell *cell,
			   const struct cell_window *window, double window_ns, uint32_t cgroup,
			   struct finding *ret)
{
	const struct scene_cgroup *g = &window->scene.cgroups[cgroup];
	double periods, allowed_ns, excess_ns;

	if (!g->is_there || g->quota_us == PLAN_MAX || !is_quota_constant(cell, window, cgroup))
		return 0;
	periods = floor(window_ns / 1e3 / (double)g->period_us) + 2;
	allowed_ns = (periods * (double)g->quota_us + (double)g->burst_us) * 1e3 +
		     15e6 * mask_count(&g->cpus);
	excess_ns = s->obtained_ns[cgroup] - allowed_ns;
	ret->samples++;
	if (excess_ns <= 0)
		return 0;
	buf_printf(&ret->evidence,
		   "%s: %.0f ms of CPU time, its quota allows no more than %.0f ms\n",
		   cell->plan.cgroups[cgroup].path, s->obtained_ns[cgroup] / 1e6, allowed_ns / 1e6);
	return excess_ns / s->obtained_sum_ns * 1000;
}

static void judge_quotas(struct shares *s, const struct cell *cell,
			 const struct cell_window *window, double window_ns, struct finding *ret)
{
	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++) {
		double excess = quota_excess(s, cell, window, window_ns, i, ret);

		s->excess_permille = MAX(s->excess_permille, (uint64_t)lround(excess));
	}
	ret->observed = MAX(ret->observed, s->excess_permille);
	if (!ret->figures.len)
		buf_printf(&ret->figures, "%s",
			   ret->samples ? "all is one part; its quota was looked at"
					: "all is one part: there is nothing to compare");
}

static void judge(const struct shares *s, const struct cell *cell, const struct scene *scene,
		  struct finding *ret)
{
	uint32_t count = cell->plan.header.cgroup_count + cell->plan.header.group_count;
	char text[CELL_NAME_BYTES];
	double worst = 0;

	for (uint32_t i = 0; i < count; i++) {
		double got = s->obtained_ns[i] / s->obtained_sum_ns;
		double ideal = s->ideal[i] / s->ideal_sum;
		const char *name = entity_name(cell, i, text);

		if (!is_worth_telling(s, cell, scene, i))
			continue;
		ret->samples++;
		worst = fmax(worst, fabs(got - ideal));
		buf_printf(&ret->figures, "%s%s %.1f%%", ret->figures.len ? ", " : "", name,
			   got * 100);
		buf_printf(&ret->evidence, "%s: %.1f%% of the CPU time (%.0f ms), ideal %.1f%%\n",
			   name, got * 100, s->obtained_ns[i] / 1e6, ideal * 100);
	}
	ret->observed = (uint64_t)lround(worst * 1000);
}

static int share_bind(const struct claim *claim, const struct cell *cell)
{
	int r = 0;

	for (uint32_t w = 0; r == 0 && w < cell->window_count; w++)
		r = share_model_check(cell, &cell->windows[w]);
	return r;
}

/* What a carrier lost until the window was over, as its pulse says, in parts of the window. */
static unsigned lost_permille(const struct window_data *data)
{
	uint64_t length_ns = data->end_ns - data->begin_ns;

	if (!length_ns)
		return 0;
	return (unsigned)ceil(fmin((double)data->lost_ns * 1000 / (double)length_ns, 1000));
}

/* How far parts can be off, in thousandths, by nothing but the host's taking more from one CPU than from
 * another: who sits on which, the kernel decides, and it cannot know. The largest difference between
 * what a set of the workers' CPUs delivered of their sum, and what it were, had all delivered alike. */
static unsigned unevenness_permille(const struct cell *cell, const struct cell_window *window,
				    const struct window_data *data)
{
	struct cpu_mask used = { 0 };
	double sum = 0, off = 0, mean;

	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		for (size_t i = 0; i < WIRE_MASK_WORDS; i++)
			used.bits[i] |= window->scene.allowed[w].bits[i];
	}
	for (unsigned cpu = mask_next(&used, 0); cpu < WIRE_CPUS; cpu = mask_next(&used, cpu + 1))
		sum += 1000 - telemetry_cpu_noise_permille(data, cpu);
	if (sum <= 0)
		return 1000;
	mean = 1.0 / mask_count(&used);
	for (unsigned cpu = mask_next(&used, 0); cpu < WIRE_CPUS; cpu = mask_next(&used, cpu + 1))
		off += fabs((1000 - telemetry_cpu_noise_permille(data, cpu)) / sum - mean) / 2;
	return (unsigned)ceil(off * 1000);
}

/* While an operation of a loop was being done, its settings were perhaps in force already, perhaps not
 * yet: by as much of the window as that took, an ideal can be wrong. */
static unsigned unclear_permille(const struct window_data *data)
{
	uint64_t window_ns = MAX(data->end_ns - data->begin_ns, UINT64_C(1));

	return (unsigned)MIN(data->turns.between_ns * 1000 / window_ns, UINT64_C(1000));
}

static uint64_t bursts_us(const struct cell *cell, const struct scene *scene)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++) {
		const struct scene_cgroup *g = &scene->cgroups[i];

		sum += g->is_there && g->quota_us != PLAN_MAX ? g->burst_us : 0;
	}
	return sum;
}

/* The ideal knows quotas, and nothing of what a cgroup with a burst had saved before the window. It may
 * have used that in it, once, or not: each burst moves parts by at most itself. What the kernel never
 * lets anybody have, saved or not, is no matter of that. */
static unsigned saved_permille(const struct shares *s, const struct cell *cell,
			       const struct cell_window *window, uint64_t bound)
{
	uint64_t us = bursts_us(cell, &window->scene);

	for (uint32_t i = 0; i < window->turn_count; i++)
		us = MAX(us, bursts_us(cell, &window->turns[i].scene));
	if (s->obtained_sum_ns <= 0 || s->excess_permille > bound)
		return 0;
	return (unsigned)ceil(fmin((double)us * 1e6 / s->obtained_sum_ns, 1000));
}

/* What may have moved a part although the kernel did right, and in what words. */
enum { EXCUSE_HOST, EXCUSE_STOP, EXCUSE_LOOP, EXCUSE_BURST, EXCUSES };

static const char *const excuse_words[EXCUSES] = {
	[EXCUSE_HOST] = "the host took unevenly from the CPUs: that alone can move a part by %u "
			"permille\n",
	[EXCUSE_STOP] = "the carrier had stood still for %u permille of a window, in it or before: "
			"the guest booked them on whoever ran, who pays them back\n",
	[EXCUSE_LOOP] = "the loop's operations took %u permille of the window, in which nobody "
			"knows which settings were in force\n",
	[EXCUSE_BURST] = "a burst may have been saved before the window and used in it: that alone "
			 "can move a part by %u permille\n",
};

/* A distance that all of it together explains says nothing. */
static void forgive(const unsigned permille[EXCUSES], struct finding *ret)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < EXCUSES; i++)
		sum += permille[i];
	if (ret->verdict != VERDICT_FAIL || ret->observed > ret->bound + sum)
		return;
	ret->verdict = VERDICT_UNDECIDED;
	for (unsigned i = 0; i < EXCUSES; i++) {
		if (permille[i])
			buf_printf(&ret->evidence, excuse_words[i], permille[i]);
	}
}

static int share_evaluate(const struct claim *claim, const struct cell *cell,
			  const struct cell_window *window, const struct telemetry *telemetry,
			  struct finding *ret)
{
	const struct window_data *data = telemetry_window(telemetry, window);
	cleanup(shares_deinit) struct shares s = { 0 };
	int r = shares_init(&s, &cell->plan.header);

	ret->unit = "permille";
	ret->bound = claim->values[PARAM_DISTANCE];
	if (r == 0)
		r = solve(&s, claim, cell, window, telemetry);
	if (r < 0)
		return err_trace(r);
	if (s.obtained_sum_ns <= 0 && s.ideal_sum <= 0) {
		buf_str(&ret->figures, "nobody was to run");
	} else if (s.obtained_sum_ns <= 0 || s.ideal_sum <= 0) {
		ret->observed = 1000;
		buf_str(&ret->figures,
			s.ideal_sum > 0 ? "nobody ran at all" : "what was to stand still ran");
	} else {
		judge(&s, cell, &window->scene, ret);
		judge_quotas(&s, cell, window, (double)(data->end_ns - data->begin_ns), ret);
	}
	noise_judge_parts(ret, telemetry);
	forgive(
		(unsigned[EXCUSES]){
			[EXCUSE_HOST] = unevenness_permille(cell, window, data),
			[EXCUSE_STOP] = lost_permille(data),
			[EXCUSE_LOOP] = unclear_permille(data),
			[EXCUSE_BURST] = saved_permille(&s, cell, window, ret->bound),
		},
		ret);
	return 0;
}

const struct check check_share = {
	.name = "share",
	.summary = "every cgroup and entry of workers got its part of the CPU time",
	.param_count = 1,
	.params = { [PARAM_DISTANCE] = { .name = "distance",
					 .unit = PARAM_PERMILLE,
					 .is_bound = true,
					 .help = "largest difference between a part and its ideal, "
						 "in thousandths of the CPU time of all" } },
	.bind = share_bind,
	.evaluate = share_evaluate,
};
