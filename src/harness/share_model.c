// SPDX-License-Identifier: GPL-2.0-only
#include "harness/share_model.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/held.h"
#include "stats/fluid.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>

enum { POLICY_DEADLINE = 6 };

/* The unit of a task's weight is the kernel's 1024 at nice 0; a cgroup's 100 is as much. */
static const double cgroup_weight_unit = 1024.0 / 100;

/* At the root compete the classes: who is before another weighs so much more that what the other
 * gets while the first could use it is below anything that is judged. */
static const double class_weights[] = { [0] = 1, [1] = 1e4, [2] = 1e8 };
enum { CLASS_FAIR, CLASS_REALTIME, CLASS_DEADLINE };

/* Linux: sched_rt_runtime_us of 1 s, and the fair server's 50 ms. */
static const double realtime_limit = 0.95;

/* Entity 0 is the fair class, then come the cgroups, then the workers. */
enum { FAIR_ROOT, FIRST_CGROUP };

struct model {
	const struct cell *cell;
	const struct scene *scene;
	struct fluid_entity *entities;
	double *rates; /* of the entities */
	size_t count;
	size_t first_worker;
};

static void model_deinit(struct model *m)
{
	free(m->entities);
	free(m->rates);
}

static unsigned class_of(const struct plan_sched *s)
{
	if (!(s->flags & SCHED_HAS_POLICY))
		return CLASS_FAIR;
	if (s->policy == POLICY_DEADLINE)
		return CLASS_DEADLINE;
	return s->policy == SCHED_FIFO || s->policy == SCHED_RR ? CLASS_REALTIME : CLASS_FAIR;
}

/* A cgroup that is not there has no settings: it weighs something, and gets nothing. */
static double cgroup_limit(const struct scene_cgroup *g)
{
	if (!g->is_there)
		return 0;
	return g->quota_us == PLAN_MAX ? INFINITY : (double)g->quota_us / (double)g->period_us;
}

/* Linux kernel/sched/sched.h, WEIGHT_IDLEPRIO. */
static double cgroup_weight(const struct scene_cgroup *g)
{
	return g->is_idle || !g->is_there ? 3 : g->weight * cgroup_weight_unit;
}

static void add_cgroups(struct model *m)
{
	m->entities[m->count++] = (struct fluid_entity){ .parent = FLUID_ROOT,
							 .weight = class_weights[CLASS_FAIR],
							 .limit_cpus = INFINITY };
	for (uint32_t i = 0; i < m->cell->plan.header.cgroup_count; i++) {
		uint32_t parent = m->cell->cgroups[i].parent;

		m->entities[m->count++] = (struct fluid_entity){
			.parent = parent == PLAN_NONE ? FAIR_ROOT : FIRST_CGROUP + parent,
			.weight = cgroup_weight(&m->scene->cgroups[i]),
			.limit_cpus = cgroup_limit(&m->scene->cgroups[i]),
		};
	}
	m->first_worker = m->count;
}

/* What its class and its settings let a worker have at most. */
static double class_limit(const struct plan_sched *s)
{
	switch (class_of(s)) {
	case CLASS_DEADLINE:
		return (double)s->runtime_ns / (double)s->period_ns;
	case CLASS_REALTIME:
		return realtime_limit;
	default:
		return INFINITY;
	}
}

static void add_worker(struct model *m, uint32_t worker)
{
	/* One that is not there may have no CPUs yet. */
	static const struct cpu_mask any = { .bits = { 1 } };
	uint32_t group = m->cell->plan.workers[worker].group;
	const struct scene_group *now = &m->scene->groups[group];
	unsigned class = class_of(&now->sched);
	struct fluid_entity e = { .parent = FLUID_ROOT,
				  .weight = class_weights[class],
				  .limit_cpus = class_limit(&now->sched),
				  .allowed_cpus = m->scene->allowed[worker].bits };

	if (class == CLASS_FAIR) {
		e.parent = now->cgroup == PLAN_NONE ? FAIR_ROOT : FIRST_CGROUP + now->cgroup;
		e.weight = cell_nice_weight(&now->sched);
	}
	if (now->is_stopped)
		e.allowed_cpus = any.bits;
	if (now->is_stopped || held_in_scene(m->cell, m->scene, group))
		e.limit_cpus = 0;
	m->entities[m->count++] = e;
}

static bool shares_a_cpu(const struct cpu_mask *a, const struct cpu_mask *b)
{
	for (size_t i = 0; i < WIRE_MASK_WORDS; i++) {
		if (a->bits[i] & b->bits[i])
			return true;
	}
	return false;
}

/* Nothing is kept from a real-time worker for fair ones that cannot be there. */
static void lift_realtime_limit(struct model *m, uint32_t worker)
{
	const struct plan_worker *workers = m->cell->plan.workers;
	struct fluid_entity *e = &m->entities[m->first_worker + worker];

	if (class_of(&m->scene->groups[workers[worker].group].sched) != CLASS_REALTIME ||
	    e->limit_cpus <= 0)
		return;
	for (uint32_t w = 0; w < m->cell->plan.header.worker_count; w++) {
		const struct scene_group *g = &m->scene->groups[workers[w].group];

		if (class_of(&g->sched) == CLASS_FAIR && !g->is_stopped &&
		    shares_a_cpu(&m->scene->allowed[w], &m->scene->allowed[worker]))
			return;
	}
	e->limit_cpus = 1;
}

/* Everybody as a hog. */
static int model_init(struct model *m, const struct cell *cell, const struct scene *scene)
{
	const struct plan_header *h = &cell->plan.header;
	size_t count = (size_t)h->cgroup_count + h->worker_count + FIRST_CGROUP;

	*m = (struct model){ .cell = cell,
			     .scene = scene,
			     .entities = calloc(count, sizeof(*m->entities)),
			     .rates = calloc(count, sizeof(double)) };
	if (!m->entities || !m->rates)
		return err_new(-ENOMEM, "out of memory for shares");
	add_cgroups(m);
	for (uint32_t w = 0; w < h->worker_count; w++)
		add_worker(m, w);
	for (uint32_t w = 0; w < h->worker_count; w++)
		lift_realtime_limit(m, w);
	return 0;
}

static int solve(struct model *m)
{
	return fluid_solve(m->entities, m->count, m->rates);
}

/* ---- what workers can use ---- */

/* What a worker of declared work uses at least, in parts of a CPU, if it is served at rate
 * @guaranteed whenever it wants to run. A tenth is allowed for timers that are late and bursts that
 * are measured; a sleep may take a millisecond more. 0: its work declares nothing. */
static double declared_use(const struct plan_group *g, double guaranteed)
{
	double run = (double)g->params[0], other = (double)g->params[1];

	switch (g->workload) {
	case WORK_BURSTY:
	case WORK_IDLE_CHURN:
		return 0.9 * run / (run / guaranteed + 1.1 * other + NSEC_PER_MSEC);
	case WORK_PERIODIC:
		return 0.9 * fmin(run / other, guaranteed);
	default:
		return 0;
	}
}

/* A worker whose iterations were done before the window began has no report of it. */
static bool has_done_all(const struct plan_group *g, const struct worker_report *r)
{
	return g->iterations && (!r->is_there || r->report.end == WORKER_FINISHED);
}

static double used(const struct model *m, const struct window_data *data, uint32_t worker,
		   double window_ns, bool is_quiet)
{
	const struct plan_group *g = &m->cell->plan.groups[m->cell->plan.workers[worker].group];
	double guaranteed = m->rates[m->first_worker + worker];
	double got = (double)data->reports[worker].report.cpu_ns / window_ns;

	if (has_done_all(g, &data->reports[worker]))
		return got;
	if (!(workload_by_id(g->workload)->flags & WORKLOAD_BLOCKS))
		return INFINITY;
	if (!is_quiet || guaranteed <= 0)
		return got;
	return fmax(got, declared_use(g, guaranteed));
}

/* Limit each worker to what it can use; m->rates holds the guaranteed parts. */
static void limit_to_use(struct model *m, const struct cell_window *window,
			 const struct telemetry *t)
{
	enum { QUIET_PERMILLE = 100 };
	const struct window_data *data = telemetry_window(t, window);
	double window_ns = (double)(data->end_ns - data->begin_ns);
	unsigned cpu;
	bool is_quiet = telemetry_noise_permille(t, window, &cpu) <= QUIET_PERMILLE;

	for (uint32_t w = 0; window_ns > 0 && w < m->cell->plan.header.worker_count; w++) {
		double *limit = &m->entities[m->first_worker + w].limit_cpus;

		*limit = fmin(*limit, used(m, data, w, window_ns, is_quiet));
	}
}

/* ---- what the machine had ---- */

static double obtained(const struct cell *cell, const struct window_data *data)
{
	double sum_ns = 0;

	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++)
		sum_ns += (double)data->reports[w].report.cpu_ns;
	return data->end_ns > data->begin_ns ? sum_ns / (double)(data->end_ns - data->begin_ns) : 0;
}

/* Solve for CPUs that had only @capacity of their time: a limit in CPU time is so much more of it. */
static int solve_at(struct model *m, double capacity, double *sum_ret)
{
	int r;

	for (size_t i = 0; i < m->count; i++)
		m->entities[i].limit_cpus /= capacity;
	r = solve(m);
	*sum_ret = 0;
	for (size_t i = 0; i < m->count; i++) {
		m->entities[i].limit_cpus *= capacity;
		if (i >= m->first_worker)
			*sum_ret += m->rates[i];
	}
	return r;
}

/* What a CPU gave to guest tasks or interrupts, at most. Idle time comes in ticks of 10 ms at both
 * ends. */
static double busy_ns(const struct window_data *data, unsigned cpu, double window_ns)
{
	static const double ticks_ns = 2 * 10e6;
	const struct cpu_sample *from = &data->begin[cpu], *to = &data->end[cpu];
	double idle_ns = (double)grown(from->stat.idle_ns, to->stat.idle_ns) - ticks_ns;
	double noise_ns = window_ns * telemetry_cpu_noise_permille(data, cpu) / 1000;

	if (!from->is_there || !to->is_there)
		return window_ns;
	return fmax(window_ns - noise_ns - fmax(idle_ns, 0), 0);
}

/* The CPU time, in CPUs, that neither the workers had nor the host took, and in which no CPU was idle:
 * interrupts and the guest's own tasks; at most a third. No CPU's capacity is less by more than that.
 * Time that a CPU stood idle is no such time: a worker that was kept from it lost nothing to others. */
static double others_cpus(const struct telemetry *t, const struct window_data *data,
			  double obtained_cpus)
{
	static const double most = 0.33;
	double window_ns = (double)(data->end_ns - data->begin_ns), sum_ns = 0;

	if (window_ns <= 0)
		return most;
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++)
		sum_ns += busy_ns(data, cpu, window_ns);
	return fmin(fmax(sum_ns / window_ns - obtained_cpus, 0), most);
}

/* The capacity at which the ideal parts are in sum what was obtained; between @least and all. */
static int solve_for_capacity(struct model *m, double obtained_cpus, double least)
{
	enum { ROUNDS = 12 };
	static const double close = 0.002;
	double capacity = 1;

	for (int i = 0; i < ROUNDS; i++) {
		double sum, next;
		int r = solve_at(m, capacity, &sum);

		if (r < 0 || sum <= 0)
			return r;
		next = fmin(fmax(obtained_cpus / sum, least), 1);
		if (fabs(next - capacity) < close)
			return 0;
		capacity = next;
	}
	return 0;
}

/* Add to @rates what is ideal under the settings of @scene, for the part of the window in which they
 * were in force. */
static int add_rates(const struct cell *cell, const struct cell_window *window,
		     const struct scene *scene, const struct telemetry *t, double part,
		     double *rates)
{
	cleanup(model_deinit) struct model m = { 0 };
	const struct window_data *data = telemetry_window(t, window);
	double obtained_cpus = obtained(cell, data);
	unsigned cpu, noise = telemetry_noise_permille(t, window, &cpu);
	double least = 1 - noise / 1000.0 - others_cpus(t, data, obtained_cpus);
	int r = model_init(&m, cell, scene);

	if (r == 0)
		r = solve(&m);
	if (r < 0)
		return err_trace(r);
	limit_to_use(&m, window, t);
	r = solve_for_capacity(&m, obtained_cpus, fmax(least, 0.05));
	if (r < 0)
		return err_trace(r);
	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++)
		rates[w] += part * m.rates[m.first_worker + w];
	return 0;
}

int share_model_solve(const struct cell *cell, const struct cell_window *window,
		      const struct telemetry *t, double *rates)
{
	const struct window_data *data = telemetry_window(t, window);
	double window_ns = (double)(data->end_ns - data->begin_ns);
	int r = 0;

	memset(rates, 0, cell->plan.header.worker_count * sizeof(*rates));
	if (!window->turn_count)
		return add_rates(cell, window, &window->scene, t, 1, rates);
	for (uint32_t i = 0; i < window->turn_count && r == 0; i++) {
		double part = (double)data->turns.ns[i] / window_ns;

		if (part > 0)
			r = add_rates(cell, window, &window->turns[i].scene, t, part, rates);
	}
	return r;
}

/* ---- before boot ---- */

static bool is_live(const struct scene *scene, uint32_t group)
{
	return !scene->groups[group].is_stopped;
}

/* Is anything else of the scenario weighed against the entry's workers? */
static bool has_rivals(const struct cell *cell, const struct scene *scene, uint32_t group)
{
	uint32_t cgroup = scene->groups[group].cgroup;

	for (uint32_t g = 0; g < cell->plan.header.group_count; g++) {
		uint32_t at = scene->groups[g].cgroup;

		if (g == group || !is_live(scene, g))
			continue;
		while (at != cgroup && at != PLAN_NONE)
			at = cell->cgroups[at].parent;
		if (at == cgroup)
			return true;
	}
	return false;
}

static int check_group(const struct cell *cell, const struct scene *scene, uint32_t group)
{
	const struct plan_group *g = &cell->plan.groups[group];
	const struct scene_group *now = &scene->groups[group];
	uint32_t flags = workload_by_id(g->workload)->flags;
	bool is_plain = cell_nice_weight(&now->sched) == 1024 &&
			(!(g->flags & GROUP_THREADS) || g->worker_count == 1);
	char name[CELL_NAME_BYTES];

	if (flags & WORKLOAD_REALTIME)
		return err_new(-EINVAL,
			       "workers %s make themselves real-time: what is left for others, "
			       "nobody knows",
			       cell_group_name(cell, group, name));
	if (flags & WORKLOAD_OWN_RANK && has_rivals(cell, scene, group))
		return err_new(-EINVAL,
			       "workers %s set their own nice values: give them a cgroup of their "
			       "own",
			       cell_group_name(cell, group, name));
	if (g->flags & GROUP_NEW_SESSION && now->cgroup == PLAN_NONE && !is_plain)
		return err_new(-EINVAL,
			       "workers %s are sessions with a nice value, or of threads: what "
			       "they weigh depends on the kernel's autogroups",
			       cell_group_name(cell, group, name));
	return 0;
}

/* Real-time hogs that want the same CPU are no matter of shares, but of one priority under SCHED_RR:
 * those take turns. */
static int check_realtime(const struct cell *cell, const struct cell_window *window)
{
	cleanup(model_deinit) struct model m = { 0 };
	const struct plan_sched *first = NULL;
	bool is_contended = false, is_alike = true;
	int r = model_init(&m, cell, &window->scene);

	if (r == 0)
		r = solve(&m);
	for (uint32_t w = 0; r == 0 && w < cell->plan.header.worker_count; w++) {
		const struct fluid_entity *e = &m.entities[m.first_worker + w];
		uint32_t group = cell->plan.workers[w].group;
		const struct plan_sched *s = &window->scene.groups[group].sched;

		if (class_of(s) != CLASS_REALTIME || e->limit_cpus <= 0 ||
		    workload_by_id(cell->plan.groups[group].workload)->flags & WORKLOAD_BLOCKS)
			continue;
		first = first ? first : s;
		is_alike &= s->policy == SCHED_RR && first->policy == SCHED_RR &&
			    s->priority == first->priority;
		is_contended |= m.rates[m.first_worker + w] < e->limit_cpus - 1e-3;
	}
	if (r == 0 && is_contended && !is_alike)
		return err_new(-EINVAL, "real-time workers that never sleep compete for a CPU: "
					"who of them runs is no matter of shares, except under "
					"SCHED_RR at one priority");
	return r < 0 ? err_trace(r) : 0;
}

/* Files, and directories of them, that say how much is kept from real-time workers. */
static const char *const realtime_knobs[] = {
	"/proc/sys/kernel/sched_rt_runtime_us",
	"/proc/sys/kernel/sched_rt_period_us",
	"/sys/kernel/debug/sched/fair_server/",
};

static bool sets_realtime_limit(const struct cell *cell, const struct plan_op *op)
{
	const char *path = plan_string(&cell->plan, op->text);

	for (size_t i = 0; op->code == OP_WRITE && i < ARRAY_SIZE(realtime_knobs); i++) {
		if (strncmp(path, realtime_knobs[i], strlen(realtime_knobs[i])) == 0)
			return true;
	}
	return false;
}

/* What was written stays in force until the plan ends: the last such operation up to the window's end,
 * its loop included, in the scenario's words; NULL: none. */
static const char *realtime_write(const struct cell *cell, const struct cell_window *window)
{
	const struct plan_step *step = &cell->plan.steps[window->step];
	uint32_t end = step->loop_op_count ? step->loop_first_op + step->loop_op_count
					   : step->first_op + step->op_count;

	while (end--) {
		if (sets_realtime_limit(cell, &cell->plan.ops[end]))
			return cell->op_texts[end];
	}
	return NULL;
}

static bool is_realtime_in(const struct scene *scene, uint32_t group)
{
	return is_live(scene, group) && class_of(&scene->groups[group].sched) == CLASS_REALTIME;
}

static bool is_realtime(const struct cell_window *window, uint32_t group)
{
	bool is_so = is_realtime_in(&window->scene, group);

	for (uint32_t i = 0; i < window->turn_count; i++)
		is_so |= is_realtime_in(&window->turns[i].scene, group);
	return is_so;
}

static int check_realtime_limit(const struct cell *cell, const struct cell_window *window)
{
	const char *words = realtime_write(cell, window);
	char name[CELL_NAME_BYTES];

	for (uint32_t g = 0; words && g < cell->plan.header.group_count; g++) {
		if (!is_realtime(window, g))
			continue;
		return err_new(-EINVAL,
			       "workers %s are real-time, and \"%s\" changes what is kept from "
			       "them: the ideal knows the kernel's default only, 950 ms of each "
			       "second",
			       cell_group_name(cell, g, name), words);
	}
	return 0;
}

int share_model_check(const struct cell *cell, const struct cell_window *window)
{
	int r = 0;

	for (uint32_t g = 0; r == 0 && g < cell->plan.header.group_count; g++) {
		if (is_live(&window->scene, g))
			r = check_group(cell, &window->scene, g);
	}
	if (r == 0)
		r = check_realtime(cell, window);
	if (r == 0)
		r = check_realtime_limit(cell, window);
	return r < 0 ? err_prefix(r, "step %s: ", window->name) : 0;
}
