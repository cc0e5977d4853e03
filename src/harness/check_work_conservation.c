// SPDX-License-Identifier: GPL-2.0-only
/* work_conservation: no CPU idle while another has two or more runnable tasks, one of them allowed
 * there, for longer than the bound.
 *
 * The kernel's counters are sampled ten times a second and subtracted; nothing is traced. Between two
 * ticks they say how long each CPU was idle and how long each worker ran, not when. So a violation
 * is never seen, it is proven, by counting: whatever the order of events between the ticks was, the
 * idle time and the waiting must have overlapped for at least so long. Two proofs, of which the
 * longer counts; both are about one idle CPU a, and hogs: workers that want a CPU all the time.
 *
 *   alone     A hog allowed on a waited for w, a was idle for i, the stretch is L long: both at once
 *             for at least w + i - L.
 *   together  The hogs whose allowed sets lie in a set U of CPUs are n (those not allowed on a count
 *             as one). While a is idle and fewer than n CPUs of U are busy, two of them sit on one
 *             CPU, and one of the two may run on a. At least n of U without a are busy for no
 *             longer than the |U| - n least busy ones of those together; so the violation lasts at
 *             least i less that sum.
 *
 * What counts is the longest stretch of ticks of which a violation fills nine tenths or more, without
 * what the guest's own processes ran: sampling takes time, in an emulated guest much. Neither they nor
 * a moment of a kernel thread on the idle CPU end it. Observed is what is proven in it, at
 * most what happened: idle and iowait come in steps of 10 ms, and each figure's steps are taken off.
 *
 * What this cannot see: workers that sleep by themselves, are in a cgroup with a quota (throttled
 * tasks break nothing) or frozen, or are real-time or deadline tasks (they are throttled as well);
 * what is over sooner than two ticks; few hogs on many CPUs, where the steps of all the idle CPUs eat
 * the proof. It cannot err the other way, but by the host: a vCPU that is kept waiting looks idle inside
 * while a wake-up is on its way. So noise makes it UNDECIDED.
 *
 * Sources: fs/proc/stat.c (get_idle_time: exact sums, printed in USER_HZ), posix CPU clocks for
 * the workers' time, /proc/PID/task/TID/stat for state and queue. */
#include "harness/check.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/noise.h"

#include <errno.h>
#include <stdlib.h>

enum { PARAM_GAP, PARAM_NOISE };

/* USER_HZ, twice: idle_ns is the sum of idle and iowait. */
static const uint64_t step_ns = 20 * NSEC_PER_MSEC;

/* One proof over the ticks from..to. */
struct proof {
	uint32_t from, to;
	unsigned cpu;	       /* the idle one */
	uint32_t worker;       /* one that waited; PLAN_NONE: together */
	unsigned hogs;	       /* together: n */
	struct cpu_mask among; /* U */
	uint64_t idle_ns, length_ns;
	uint64_t violated_ns; /* as the counters have it */
	uint64_t slack_ns;    /* by which they may be wrong */
};

struct search {
	const struct claim *claim;
	const struct cell *cell;
	const struct cell_window *window;
	const struct telemetry *t;
	const struct window_data *data;
	bool *is_hog;		  /* each worker */
	uint32_t *runnable_since; /* each worker: tick from which on it was at all ticks */
	uint32_t *online_since;	  /* each CPU */
	uint64_t *busy_ns;	  /* scratch, as many as CPUs */
};

static void search_deinit(struct search *s)
{
	free(s->is_hog);
	free(s->runnable_since);
	free(s->online_since);
	free(s->busy_ns);
}

static bool is_fair(const struct plan_sched *s)
{
	return !(s->flags & SCHED_HAS_POLICY) || s->policy == 0 || s->policy == 3 ||
	       s->policy == 5 || s->policy == POLICY_EXT;
}

static bool is_held_back(const struct cell *cell, const struct scene *scene, uint32_t cgroup)
{
	for (; cgroup != PLAN_NONE; cgroup = cell->cgroups[cgroup].parent) {
		if (scene->cgroups[cgroup].is_frozen || scene->cgroups[cgroup].quota_us != PLAN_MAX)
			return true;
	}
	return false;
}

/* Do the workers of the entry want a CPU all the time, any that they are allowed? */
static bool is_hog_entry(const struct claim *claim, const struct cell *cell,
			 const struct scene *scene, uint32_t group)
{
	const struct scene_group *now = &scene->groups[group];

	return claim_covers(claim, cell, group) && !now->is_stopped && !now->is_paused &&
	       is_fair(&now->sched) &&
	       workload_by_id(cell->plan.groups[group].workload)->flags & WORKLOAD_HOG &&
	       !is_held_back(cell, scene, now->cgroup);
}

/* ---- before boot ---- */

/* Operations of a loop under which all that is counted here stays what it was at its end. */
static bool is_harmless(const struct plan_op *op)
{
	return op->code == OP_MARK || op->code == OP_SNAPSHOT || op->code == OP_WRITE ||
	       (op->code == OP_CGROUP_SET && op->args[0] == KNOB_WEIGHT);
}

static int bind_window(const struct claim *claim, const struct cell *cell,
		       const struct cell_window *w)
{
	const struct plan_step *step = &cell->plan.steps[w->step];
	bool has_hog = false;

	for (uint32_t i = 0; i < step->loop_op_count; i++) {
		const struct plan_op *op = &cell->plan.ops[step->loop_first_op + i];

		if (!is_harmless(op))
			return err_new(-EINVAL,
				       "step %s: its loop does %s: who may run where then is not "
				       "known at each tick",
				       w->name, plan_op_name(op->code));
	}
	for (uint32_t g = 0; g < cell->plan.header.group_count; g++)
		has_hog |= is_hog_entry(claim, cell, &w->scene, g);
	if (!has_hog)
		return err_new(-EINVAL,
			       "step %s: no worker wants a CPU all the time (as spin does, with a "
			       "fair policy, neither held back nor under a quota)",
			       w->name);
	return 0;
}

static int bind(const struct claim *claim, const struct cell *cell)
{
	uint64_t least_ns = 2 * cell->plan.header.sample_ns;
	uint64_t longest_ns = 0;
	int r = 0;

	if (claim->values[PARAM_GAP] < least_ns)
		return err_new(-EINVAL, "gap: below two ticks, %llums, nothing can be told",
			       (unsigned long long)(least_ns / NSEC_PER_MSEC));
	for (uint32_t w = 0; w < cell->window_count && r == 0; w++) {
		if (!claim_is_about_window(claim, cell, &cell->windows[w]))
			continue;
		longest_ns = MAX(longest_ns, cell->windows[w].hold_ns);
		r = bind_window(claim, cell, &cell->windows[w]);
	}
	if (r == 0 && longest_ns <= claim->values[PARAM_GAP])
		return err_new(-EINVAL, "gap: no hold %sis longer than the bound",
			       claim->scope ? "that has its workers " : "");
	return r;
}

/* ---- counting ---- */

/* From the first moment of reading at one tick to the last at the other. */
static uint64_t length_ns(const struct search *s, uint32_t from, uint32_t to)
{
	return grown(s->data->ticks[from].ns, s->data->ticks[to].ns_end);
}

static uint64_t idle_ns(const struct search *s, unsigned cpu, uint32_t from, uint32_t to)
{
	const struct tick *a = &s->data->ticks[from], *b = &s->data->ticks[to];

	return MIN(grown(a->cpus[cpu].stat.idle_ns, b->cpus[cpu].stat.idle_ns),
		   length_ns(s, from, to));
}

static bool was_hog_throughout(const struct search *s, uint32_t worker, uint32_t from)
{
	return s->is_hog[worker] && s->runnable_since[worker] <= from;
}

/* How long a hog waited, at least: its CPU time was read at some moment of either tick. */
static uint64_t waited_ns(const struct search *s, uint32_t worker, uint32_t from, uint32_t to)
{
	const struct tick *a = &s->data->ticks[from], *b = &s->data->ticks[to];
	uint64_t ran_ns = grown(a->tasks[worker].stat.cpu_ns, b->tasks[worker].stat.cpu_ns);

	return grown(ran_ns, grown(a->ns_end, b->ns));
}

static void keep_longer(struct proof *best, const struct proof *p)
{
	if (grown(p->slack_ns, p->violated_ns) > grown(best->slack_ns, best->violated_ns) ||
	    !best->length_ns)
		*best = *p;
}

/* Threads' CPU time is up to a tick of the scheduler old: half a step covers that, too. */
static void prove_alone(const struct search *s, struct proof p, struct proof *best)
{
	for (uint32_t w = 0; w < s->t->worker_count; w++) {
		if (!was_hog_throughout(s, w, p.from) ||
		    !mask_has(&s->window->scene.allowed[w], p.cpu))
			continue;
		p.worker = w;
		p.violated_ns = grown(p.length_ns, waited_ns(s, w, p.from, p.to) + p.idle_ns);
		p.slack_ns = step_ns + step_ns / 2;
		keep_longer(best, &p);
	}
}

static bool is_within(const struct cpu_mask *inner, const struct cpu_mask *outer)
{
	for (size_t i = 0; i < WIRE_MASK_WORDS; i++) {
		if (inner->bits[i] & ~outer->bits[i])
			return false;
	}
	return true;
}

/* n: the hogs that may run nowhere but in @among; those not allowed on @cpu count as one. */
static unsigned count_hogs(const struct search *s, const struct proof *p)
{
	unsigned count = 0;
	bool has_other = false;

	for (uint32_t w = 0; w < s->t->worker_count; w++) {
		const struct cpu_mask *allowed = &s->window->scene.allowed[w];

		if (!was_hog_throughout(s, w, p->from) || !is_within(allowed, &p->among))
			continue;
		if (mask_has(allowed, p->cpu))
			count++;
		else
			has_other = true;
	}
	return count ? count + has_other : 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void prove_together(const struct search *s, struct proof p, struct proof *best)
{
	uint64_t others_ns = 0;
	unsigned others = 0;

	p.worker = PLAN_NONE;
	p.hogs = count_hogs(s, &p);
	if (p.hogs < 2)
		return;
	for (unsigned cpu = 0; cpu < s->t->cpu_count; cpu++) {
		if (cpu != p.cpu && mask_has(&p.among, cpu))
			s->busy_ns[others++] = p.length_ns - idle_ns(s, cpu, p.from, p.to);
	}
	qsort(s->busy_ns, others, sizeof(*s->busy_ns), by_value);
	p.slack_ns = step_ns;
	for (unsigned i = 0; i + p.hogs < others + 1; i++) {
		others_ns += s->busy_ns[i];
		p.slack_ns += step_ns;
	}
	p.violated_ns = grown(others_ns, p.idle_ns);
	keep_longer(best, &p);
}

/* The best proof about @cpu over from..to. Sets to count hogs in: the allowed sets of the hogs. */
static struct proof prove(const struct search *s, unsigned cpu, uint32_t from, uint32_t to)
{
	struct proof p = { .from = from,
			   .to = to,
			   .cpu = cpu,
			   .worker = PLAN_NONE,
			   .idle_ns = idle_ns(s, cpu, from, to),
			   .length_ns = length_ns(s, from, to) };
	struct proof best = { 0 };

	prove_alone(s, p, &best);
	for (uint32_t w = 0; w < s->t->worker_count; w++) {
		const struct cpu_mask *allowed = &s->window->scene.allowed[w];

		/* Neighbours mostly have the same set: once is enough. */
		if (!was_hog_throughout(s, w, from) || !mask_has(allowed, cpu) ||
		    (w > 0 && s->is_hog[w - 1] &&
		     memcmp(allowed, allowed - 1, sizeof(*allowed)) == 0))
			continue;
		p.among = *allowed;
		prove_together(s, p, &best);
	}
	return best;
}

/* ---- stretches ---- */

/* The time of our own processes may have been spent on any CPU: it can only fill a stretch, and is no
 * part of what is proven in it. */
static bool fills_stretch(const struct search *s, const struct proof *p)
{
	uint64_t own_ns = grown(s->data->ticks[p->from].own_ns, s->data->ticks[p->to].own_ns);

	return p->length_ns &&
	       (double)(p->violated_ns + p->slack_ns + own_ns) >= 0.9 * (double)p->length_ns;
}

/* Bring runnable_since and online_since up to @tick. */
static void advance(const struct search *s, uint32_t tick)
{
	const struct tick *at = &s->data->ticks[tick];

	for (uint32_t w = 0; w < s->t->worker_count; w++) {
		if (!at->tasks[w].is_there || !at->tasks[w].stat.is_runnable)
			s->runnable_since[w] = tick + 1;
	}
	for (unsigned cpu = 0; cpu < s->t->cpu_count; cpu++) {
		if (!at->cpus[cpu].is_there || !at->cpus[cpu].stat.is_online)
			s->online_since[cpu] = tick + 1;
	}
}

/* The stretch of @cpu that began at *from, with one tick more, or the one that begins anew. */
static void extend(const struct search *s, unsigned cpu, uint32_t tick, uint32_t *from,
		   struct proof *longest)
{
	*from = MAX(*from, s->online_since[cpu]);
	for (uint32_t begin = *from; begin < tick; begin = MAX(begin + 1, tick - 1)) {
		struct proof p = prove(s, cpu, begin, tick);

		*from = begin;
		if (!fills_stretch(s, &p))
			continue;
		keep_longer(longest, &p);
		return;
	}
	*from = MAX(*from, tick);
}

static int find_longest(struct search *s, uint32_t ticks, struct proof *ret)
{
	cleanup(freep) uint32_t *from = calloc(s->t->cpu_count, sizeof(*from));

	if (!from)
		return err_new(-ENOMEM, "out of memory for %u CPUs", s->t->cpu_count);
	for (uint32_t tick = 0; tick < ticks; tick++) {
		advance(s, tick);
		for (unsigned cpu = 0; cpu < s->t->cpu_count; cpu++)
			extend(s, cpu, tick, &from[cpu], ret);
	}
	return 0;
}

/* ---- words ---- */

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* Whose queue the hogs were in at the end of the stretch. */
static void describe_queues(const struct search *s, const struct proof *p, struct buf *out)
{
	const struct tick *end = &s->data->ticks[p->to];
	char name[CELL_NAME_BYTES];

	for (uint32_t w = 0; w < s->t->worker_count; w++) {
		const struct cpu_mask *allowed = &s->window->scene.allowed[w];
		char cpus[MASK_TEXT_BYTES];

		if (!was_hog_throughout(s, w, p->from) ||
		    (p->worker != w && !is_within(allowed, &p->among)))
			continue;
		buf_printf(out,
			   "%s, allowed on CPUs %s, ran %.0f ms of it and was last on CPU %u\n",
			   cell_worker_name(s->cell, w, name), mask_format(allowed, cpus),
			   ms(grown(s->data->ticks[p->from].tasks[w].stat.cpu_ns,
				    end->tasks[w].stat.cpu_ns)),
			   end->tasks[w].stat.queue_cpu);
	}
}

static void describe(const struct search *s, const struct proof *p, struct buf *out)
{
	uint64_t into_ns = grown(s->data->begin_ns, s->data->ticks[p->from].ns);
	char name[CELL_NAME_BYTES], cpus[MASK_TEXT_BYTES];

	buf_printf(out, "CPU %u was idle for %.0f of %.0f ms, %.0f ms into the window, while ",
		   p->cpu, ms(p->idle_ns), ms(p->length_ns), ms(into_ns));
	if (p->worker != PLAN_NONE)
		buf_printf(out, "%s, allowed there, wanted to run and waited for %.0f ms\n",
			   cell_worker_name(s->cell, p->worker, name),
			   ms(waited_ns(s, p->worker, p->from, p->to)));
	else
		buf_printf(out, "CPUs %s had %u workers that wanted to run all the time\n",
			   mask_format(&p->among, cpus), p->hogs);
	describe_queues(s, p, out);
	for (unsigned cpu = 0; cpu < s->t->cpu_count; cpu++)
		buf_printf(out, "CPU %u in that time: %.0f ms idle\n", cpu,
			   ms(idle_ns(s, cpu, p->from, p->to)));
	buf_printf(out, "our own processes ran for %.0f ms of it\n",
		   ms(grown(s->data->ticks[p->from].own_ns, s->data->ticks[p->to].own_ns)));
}

static int search_init(struct search *s)
{
	s->is_hog = calloc(s->t->worker_count + 1, sizeof(*s->is_hog));
	s->runnable_since = calloc(s->t->worker_count + 1, sizeof(*s->runnable_since));
	s->online_since = calloc(s->t->cpu_count, sizeof(*s->online_since));
	s->busy_ns = calloc(s->t->cpu_count, sizeof(*s->busy_ns));
	if (!s->is_hog || !s->runnable_since || !s->online_since || !s->busy_ns)
		return err_new(-ENOMEM, "out of memory for %u workers", s->t->worker_count);
	for (uint32_t w = 0; w < s->t->worker_count; w++)
		s->is_hog[w] = is_hog_entry(s->claim, s->cell, &s->window->scene,
					    s->cell->plan.workers[w].group);
	return 0;
}

/* While our own processes run on a CPU it is not idle, whatever the kernel would have left it to. Where
 * they ran for most of the window, that nothing was proven says nothing. */
static void doubt_own_time(const struct search *s, uint32_t ticks, struct finding *ret)
{
	uint64_t own_ns = grown(s->data->ticks[0].own_ns, s->data->ticks[ticks - 1].own_ns);

	if (ret->verdict != VERDICT_PASS || 2 * own_ns <= length_ns(s, 0, ticks - 1))
		return;
	ret->verdict = VERDICT_UNDECIDED;
	buf_printf(
		&ret->evidence,
		"our own processes ran for %.0f ms of the window: a CPU that was left idle would "
		"not show\n",
		ms(own_ns));
}

static int evaluate(const struct claim *claim, const struct cell *cell,
		    const struct cell_window *window, const struct telemetry *t,
		    struct finding *ret)
{
	cleanup(search_deinit) struct search s = { .claim = claim,
						   .cell = cell,
						   .window = window,
						   .t = t,
						   .data = telemetry_window(t, window) };
	struct proof longest = { 0 };
	uint32_t ticks = telemetry_ticks(s.data);
	int r = search_init(&s);

	ret->unit = "ns";
	ret->bound = claim->values[PARAM_GAP];
	if (r == 0)
		r = find_longest(&s, ticks, &longest);
	if (r < 0)
		return err_trace(r);
	ret->samples = ticks ? ticks - 1 : 0;
	ret->observed = grown(longest.slack_ns, longest.violated_ns);
	/* Its edges are ticks themselves. */
	if (ret->samples == 1 && grown(s.data->begin_ns, s.data->end_ns) <= ret->bound) {
		buf_str(&ret->figures, "the window was too short");
		finding_check_length(ret, t);
		return 0;
	}
	if (ret->samples < 2) {
		ret->verdict = VERDICT_INFRA;
		buf_str(&ret->figures, "the guest sent no ticks");
		return 0;
	}
	buf_printf(&ret->figures, "a CPU idle beside waiting workers: %.0f ms", ms(ret->observed));
	if (ret->observed > ret->bound)
		describe(&s, &longest, &ret->evidence);
	noise_judge_wait(ret, t, claim->values[PARAM_NOISE]);
	doubt_own_time(&s, ticks, ret);
	finding_check_length(ret, t);
	return 0;
}

const struct check check_work_conservation = {
	.name = "work_conservation",
	.summary = "no CPU was idle while another had two tasks to run, one of them allowed there",
	.needs_ticks = true,
	.ticks_in_bound = 2,
	.param_count = 2,
	.params = { [PARAM_GAP] = { .name = "gap",
				    .unit = PARAM_NS,
				    .is_bound = true,
				    .help = "longest time, proven, at least two ticks" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.bind = bind,
	.evaluate = evaluate,
};
