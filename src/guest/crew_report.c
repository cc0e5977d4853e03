// SPDX-License-Identifier: GPL-2.0-only
/* What the workers did, window by window and in their lives: from the shared figures and those of the
 * kernel to REPORT frames. */
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"

#include <signal.h>
#include <sys/wait.h>

static bool is_ended(const struct telemetry *t)
{
	return atomic_load_explicit(&t->state, memory_order_acquire) == STATE_ENDED;
}

enum worker_end crew_end_of(const struct conductor *c, uint32_t worker)
{
	const struct member *m = &c->members[worker];
	const struct telemetry *t = &c->pool.telemetry[worker];

	if (is_ended(t))
		return t->end;
	if (m->is_alive)
		return WORKER_RUNNING;
	if (m->is_killed && WIFSIGNALED(m->wait_status))
		return WORKER_KILLED;
	return m->is_stopping && WIFSIGNALED(m->wait_status) && WTERMSIG(m->wait_status) == SIGKILL
		       ? WORKER_STUCK
		       : WORKER_CRASHED;
}

static struct telemetry_part *part_of(const struct conductor *c, uint32_t worker, uint32_t window)
{
	return &c->pool.telemetry[worker].part[window % 2];
}

static struct wire_gap waiting_at(const struct conductor *c, uint32_t worker, uint64_t now)
{
	const struct telemetry *t = &c->pool.telemetry[worker];
	bool is_wake;
	uint64_t waiting_ns = sample_waiting_ns(c, worker, now, &is_wake);

	return (struct wire_gap){ .length_ns = waiting_ns,
				  .start_ns = now - waiting_ns,
				  .cpu_before = shared_get(&t->cpu),
				  .cpu_after = REPORT_NO_CPU,
				  .is_open = 1,
				  .is_wake = is_wake };
}

/* A wait that had not ended when the window did is a gap as well, as far as it lay within; and a wake-up
 * that is not over, however long other gaps were. */
static void add_open_gap(struct wire_report *r, struct telemetry_part *part, struct wire_gap open,
			 uint64_t start_ns)
{
	uint64_t end_ns = open.start_ns + open.length_ns;

	open.start_ns = MAX(open.start_ns, start_ns);
	open.length_ns = end_ns > open.start_ns ? end_ns - open.start_ns : 0;
	if (open.length_ns > part->gap.length_ns)
		part->gap = open;
	if (open.is_wake)
		r->open_wake_ns = open.length_ns;
}

static void fill_counters(struct wire_report *r, const struct worker_sample *from,
			  const struct worker_sample *to)
{
	r->iterations = to->iterations - from->iterations;
	r->checkpoints = to->checkpoints - from->checkpoints;
	r->cpu_ns = to->cpu_ns - from->cpu_ns;
	r->run_delay_ns = to->run_delay_ns - from->run_delay_ns;
	r->slices = to->slices - from->slices;
	r->migrations = to->migrations - from->migrations;
	r->deadline_misses = to->deadline_misses - from->deadline_misses;
	r->bytes = to->bytes - from->bytes;
	r->pages_local = to->pages_local - from->pages_local;
	r->pages_remote = to->pages_remote - from->pages_remote;
}

static uint32_t fill_buckets(const struct hist *h, struct wire_bucket out[HIST_BUCKETS])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		if (h->buckets[i])
			out[n++] = (struct wire_bucket){ .index = i, .count = h->buckets[i] };
	return n;
}

static void send_report(struct conductor *c, struct wire_report *r,
			const struct telemetry_part *part)
{
	struct wire_bucket buckets[HIST_BUCKETS];

	r->cpus_used = part->cpus_used;
	r->gap = part->gap;
	r->outside_count = part->outside_count;
	r->outside_ns = part->outside_ns;
	r->outside_cpu = part->outside_cpu;
	r->wakes = part->wakes.count;
	r->wake_sum_ns = part->wakes.sum_ns;
	r->wake_min_ns = part->wakes.count ? part->wakes.min_ns : 0;
	r->wake_max_ns = part->wakes.max_ns;
	r->wake_max_at_ns = part->wake_max_at_ns;
	r->bucket_count = fill_buckets(&part->wakes, buckets);
	conductor_send(c, FRAME_REPORT, r, sizeof(*r), buckets,
		       r->bucket_count * sizeof(buckets[0]));
}

static struct wire_report begin_report(const struct conductor *c, uint32_t worker, uint16_t window)
{
	const struct member *m = &c->members[worker];
	const struct telemetry *t = &c->pool.telemetry[worker];

	return (struct wire_report){ .worker = worker,
				     .window = window,
				     .end = (uint16_t)crew_end_of(c, worker),
				     .end_status = m->wait_status,
				     .tid = t->tid,
				     .start_ns = t->start_ns,
				     .end_ns = t->end_ns };
}

/* What @part saw up to @end_ns, with the figures of the last crew_sample(). */
static void report_window(struct conductor *c, uint32_t worker, struct telemetry_part part,
			  uint64_t end_ns)
{
	struct member *m = &c->members[worker];
	struct wire_report r = begin_report(c, worker, (uint16_t)c->step);

	r.start_ns = MAX(c->window_start_ns, r.start_ns);
	if (r.end == WORKER_RUNNING || !r.end_ns)
		r.end_ns = end_ns;
	add_open_gap(&r, &part, m->waiting, c->window_start_ns);
	fill_counters(&r, &m->begin, &m->now);
	send_report(c, &r, &part);
}

/* A worker that was killed could say nothing itself; its cgroup may know. */
static void explain_crash(const struct conductor *c, struct wire_report *r)
{
	uint32_t cgroup = c->plan->workers[r->worker].cgroup;

	if (r->end != WORKER_CRASHED || r->text[0] || cgroup == PLAN_NONE ||
	    !cgroup_has_oom_kill(c->plan->cgroups[cgroup].path))
		return;
	snprintf(r->text, sizeof(r->text), "by the OOM killer, as memory.events of %.64s says",
		 c->plan->cgroups[cgroup].path);
}

static void report_whole(struct conductor *c, uint32_t worker)
{
	static const struct worker_sample zero;
	struct member *m = &c->members[worker];
	struct wire_report r = begin_report(c, worker, REPORT_WHOLE);

	if (!r.end_ns)
		r.end_ns = now_ns();
	telemetry_part_merge(&m->earlier, part_of(c, worker, shared_get(&c->pool.head->window)));
	add_open_gap(&r, &m->earlier, m->waiting, 0);
	fill_counters(&r, &zero, &m->now);
	memcpy(r.text, c->pool.telemetry[worker].text, sizeof(r.text));
	explain_crash(c, &r);
	send_report(c, &r, &m->earlier);
}

void crew_report_end(struct conductor *c, uint32_t worker)
{
	struct member *m = &c->members[worker];
	uint32_t window = shared_get(&c->pool.head->window);

	sample_worker(c, worker, &m->now);
	m->waiting = waiting_at(c, worker, now_ns());
	if (c->is_window_open)
		report_window(c, worker, *part_of(c, worker, window), now_ns());
	report_whole(c, worker);
}

/* Switch every worker to the other part, which was cleared; what the part that was in use saw is
 * kept for the life's report. */
static void turn_window(struct conductor *c, uint64_t now)
{
	struct pool_head *head = c->pool.head;
	uint32_t before = shared_get(&head->window);

	shared_set(&head->window_ns, now);
	shared_set(&head->window, before + 1);
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive)
			telemetry_part_merge(&c->members[i].earlier, part_of(c, i, before));
}

static void clear_other_parts(struct conductor *c)
{
	uint32_t next = shared_get(&c->pool.head->window) + 1;

	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive && part_of(c, i, next)->is_used)
			telemetry_part_clear(part_of(c, i, next));
}

static void note_waiting(struct conductor *c, uint64_t now)
{
	c->sample_ns = now;
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++) {
		if (!c->members[i].is_alive)
			continue;
		c->members[i].waiting = waiting_at(c, i, now);
		sample_queue(&c->members[i]);
	}
}

/* CPU times are compared with each other: they are read close together. */
static void note_cpu_clocks(struct conductor *c)
{
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive)
			sample_cpu_clock(c, i, &c->members[i].now);
}

static void note_figures(struct conductor *c)
{
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive)
			sample_worker(c, i, &c->members[i].now);
}

void crew_sample(struct conductor *c, uint64_t now)
{
	note_waiting(c, now);
	note_cpu_clocks(c);
	note_figures(c);
}

void crew_begin_window(struct conductor *c)
{
	clear_other_parts(c);
	c->window_start_ns = now_ns();
	turn_window(c, c->window_start_ns);
	c->is_window_open = true;
	crew_sample(c, c->window_start_ns);
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		c->members[i].begin = c->members[i].now;
}

void crew_end_window(struct conductor *c)
{
	clear_other_parts(c);
	c->window_end_ns = now_ns();
	note_waiting(c, c->window_end_ns);
	note_cpu_clocks(c);
	turn_window(c, c->window_end_ns);
	c->is_window_open = false;
	note_figures(c);
}

void crew_report_window(struct conductor *c)
{
	uint32_t window = shared_get(&c->pool.head->window) - 1;

	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive)
			report_window(c, i, *part_of(c, i, window), c->window_end_ns);
}
