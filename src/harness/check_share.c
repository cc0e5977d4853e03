// SPDX-License-Identifier: GPL-2.0-only
/* share: did everybody get its part? The ideal parts come from the fluid solver over the cgroup tree
 * with the settings of the window; what was obtained is guest CPU time, of which a noisy host takes
 * from all alike: parts of the whole stand under steal. Judged are every cgroup and every entry of
 * workers, not each worker of an entry: who of several equals ran where is the balancer's affair.
 *
 * Parts are of the CPU time that all workers in scope obtained together. A worker that sleeps by
 * itself wants less than the ideal gives to a hog: its demand is taken to be what it obtained. */
#include "harness/check.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/telemetry.h"
#include "stats/fluid.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { PARAM_DISTANCE };

/* The unit of a task's weight is the kernel's 1024 at nice 0; a cgroup's 100 is as much. */
static const double cgroup_weight_unit = 1024.0 / 100;

/* Entities: cgroups, entries of workers, workers, in this order, as the plan's tables have them. An
 * entry is no group of the scheduler's: its rate is the sum of its workers'. */
struct shares {
	struct fluid_entity *entities; /* cgroups, then workers in scope */
	double *rates;
	double *obtained_ns; /* cgroups, then entries */
	double *ideal;	     /* the same */
	double obtained_sum_ns, ideal_sum;
	size_t entity_count;
};

static void shares_deinit(struct shares *s)
{
	free(s->entities);
	free(s->rates);
	free(s->obtained_ns);
	free(s->ideal);
}

static int shares_init(struct shares *s, const struct plan_header *h)
{
	size_t names = (size_t)h->cgroup_count + h->group_count;

	s->entities = calloc(h->cgroup_count + h->worker_count + 1, sizeof(*s->entities));
	s->rates = calloc(h->cgroup_count + h->worker_count + 1, sizeof(double));
	s->obtained_ns = calloc(names + 1, sizeof(double));
	s->ideal = calloc(names + 1, sizeof(double));
	if (!s->entities || !s->rates || !s->obtained_ns || !s->ideal)
		return err_new(-ENOMEM, "out of memory for shares");
	return 0;
}

static double cgroup_limit(const struct scene_cgroup *g)
{
	if (g->is_frozen)
		return 0;
	return g->quota_us == PLAN_MAX ? INFINITY : (double)g->quota_us / (double)g->period_us;
}

/* Linux kernel/sched/sched.h, WEIGHT_IDLEPRIO. */
static double cgroup_weight(const struct scene_cgroup *g)
{
	return g->is_idle ? 3 : g->weight * cgroup_weight_unit;
}

static void add_cgroups(struct shares *s, const struct cell *cell, const struct scene *scene)
{
	for (uint32_t i = 0; i < cell->plan.header.cgroup_count; i++) {
		uint32_t parent = cell->cgroups[i].parent;

		s->entities[i] = (struct fluid_entity){
			.parent = parent == PLAN_NONE ? FLUID_ROOT : parent,
			.weight = cgroup_weight(&scene->cgroups[i]),
			.limit_cpus = cgroup_limit(&scene->cgroups[i]),
		};
	}
	s->entity_count = cell->plan.header.cgroup_count;
}

/* Workers that block by themselves demand what they got. */
static double demand(const struct plan_group *g, double obtained_ns, double window_ns)
{
	if (!(workload_by_id(g->workload)->flags & WORKLOAD_BLOCKS) || window_ns <= 0)
		return INFINITY;
	return obtained_ns / window_ns;
}

static void add_worker(struct shares *s, const struct cell *cell, const struct scene *scene,
		       uint32_t worker, double obtained_ns, double window_ns)
{
	const struct plan_group *g = &cell->plan.groups[cell->plan.workers[worker].group];
	const struct scene_group *now = &scene->groups[cell->plan.workers[worker].group];

	s->entities[s->entity_count++] = (struct fluid_entity){
		.parent = now->cgroup == PLAN_NONE ? FLUID_ROOT : now->cgroup,
		.weight = cell_nice_weight(&now->sched),
		.limit_cpus = now->is_stopped ? 0 : demand(g, obtained_ns, window_ns),
		.allowed_cpus = scene->allowed[worker].bits,
	};
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
		 const struct scene *scene, const struct window_data *data)
{
	double window_ns = (double)(data->end_ns - data->begin_ns);
	size_t next = cell->plan.header.cgroup_count;
	int r;

	add_cgroups(s, cell, scene);
	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++)
		add_worker(s, cell, scene, w, (double)data->reports[w].report.cpu_ns, window_ns);
	r = fluid_solve(s->entities, s->entity_count, s->rates);
	if (r < 0)
		return err_trace(r);
	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		double rate = s->rates[next++], got_ns = (double)data->reports[w].report.cpu_ns;

		if (!claim_covers(claim, cell, cell->plan.workers[w].group))
			continue;
		credit(cell, scene, w, s->ideal, rate);
		credit(cell, scene, w, s->obtained_ns, got_ns);
		s->ideal_sum += rate;
		s->obtained_sum_ns += got_ns;
	}
	return 0;
}

static const char *entity_name(const struct cell *cell, uint32_t i, char *text)
{
	uint32_t cgroups = cell->plan.header.cgroup_count;

	return i < cgroups ? cell->plan.cgroups[i].path : cell_group_name(cell, i - cgroups, text);
}

/* An entry that is all its cgroup has says nothing new, nor does a cgroup that has everything. */
static bool is_worth_telling(const struct shares *s, const struct cell *cell, uint32_t i)
{
	uint32_t cgroups = cell->plan.header.cgroup_count;
	uint32_t cgroup;

	if (s->ideal[i] <= 0 && s->obtained_ns[i] <= 0)
		return false;
	if (i < cgroups)
		return s->ideal[i] < s->ideal_sum;
	cgroup = cell->plan.workers[cell->plan.groups[i - cgroups].first_worker].cgroup;
	return cgroup == PLAN_NONE || s->ideal[cgroup] != s->ideal[i];
}

static void judge(const struct shares *s, const struct cell *cell, struct finding *ret)
{
	uint32_t count = cell->plan.header.cgroup_count + cell->plan.header.group_count;
	char text[CELL_NAME_BYTES];
	double worst = 0;

	for (uint32_t i = 0; i < count; i++) {
		double got = s->obtained_ns[i] / s->obtained_sum_ns;
		double ideal = s->ideal[i] / s->ideal_sum;
		const char *name = entity_name(cell, i, text);

		if (!is_worth_telling(s, cell, i))
			continue;
		worst = fmax(worst, fabs(got - ideal));
		buf_printf(&ret->figures, "%s%s %.1f%%", ret->figures.len ? ", " : "", name,
			   got * 100);
		buf_printf(&ret->evidence, "%s: %.1f%% of the CPU time (%.0f ms), ideal %.1f%%\n",
			   name, got * 100, s->obtained_ns[i] / 1e6, ideal * 100);
	}
	ret->observed = (uint64_t)lround(worst * 1000);
}

static int share_evaluate(const struct claim *claim, const struct cell *cell,
			  const struct cell_window *window, const struct telemetry *telemetry,
			  struct finding *ret)
{
	cleanup(shares_deinit) struct shares s = { 0 };
	int r = shares_init(&s, &cell->plan.header);

	ret->unit = "permille";
	ret->bound = claim->values[PARAM_DISTANCE];
	if (r == 0)
		r = solve(&s, claim, cell, &window->scene, telemetry_window(telemetry, window));
	if (r < 0)
		return err_trace(r);
	ret->samples = cell->plan.header.worker_count;
	if (s.obtained_sum_ns <= 0 || s.ideal_sum <= 0) {
		ret->verdict = VERDICT_FAIL;
		ret->observed = 1000;
		buf_str(&ret->figures, "nobody ran at all");
		return 0;
	}
	judge(&s, cell, ret);
	ret->verdict = ret->observed > ret->bound ? VERDICT_FAIL : VERDICT_PASS;
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
						 "in "
						 "thousandths of the CPU time of all" } },
	.evaluate = share_evaluate,
};
