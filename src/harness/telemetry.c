// SPDX-License-Identifier: GPL-2.0-only
#include "harness/telemetry.h"

#include "base/util.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int window_init(struct window_data *w, unsigned cpus, uint32_t workers, uint32_t cgroups)
{
	*w = (struct window_data){
		.begin = calloc(cpus, sizeof(*w->begin)),
		.end = calloc(cpus, sizeof(*w->end)),
		.reports = calloc(workers + 1, sizeof(*w->reports)),
		.cgroups_begin = calloc(cgroups + 1, sizeof(*w->cgroups_begin)),
		.cgroups_end = calloc(cgroups + 1, sizeof(*w->cgroups_end)),
		.host_delay_begin_ns = calloc(cpus, sizeof(uint64_t)),
		.host_delay_end_ns = calloc(cpus, sizeof(uint64_t)),
	};
	if (!w->begin || !w->end || !w->reports || !w->cgroups_begin || !w->cgroups_end ||
	    !w->host_delay_begin_ns || !w->host_delay_end_ns)
		return err_new(-ENOMEM, "out of memory for a window");
	return 0;
}

static int payload_init(struct payload_data *p, unsigned cpus)
{
	*p = (struct payload_data){ .host_delay_begin_ns = calloc(cpus, sizeof(uint64_t)),
				    .host_delay_end_ns = calloc(cpus, sizeof(uint64_t)) };
	if (!p->host_delay_begin_ns || !p->host_delay_end_ns)
		return err_new(-ENOMEM, "out of memory for a payload");
	return 0;
}

static void payload_deinit(struct payload_data *p)
{
	for (int i = 0; i < PAYLOAD_STREAMS; i++)
		buf_deinit(&p->streams[i].bytes);
	free(p->host_delay_begin_ns);
	free(p->host_delay_end_ns);
}

static void free_reports(struct worker_report *reports, uint32_t count)
{
	for (uint32_t i = 0; reports && i < count; i++)
		free(reports[i].wakes);
	free(reports);
}

/* The guest says when a tick is; how many there may be the plan says. */
static int ticks_init(struct window_data *w, const struct cell_window *window, uint64_t sample_ns)
{
	enum { AT_BOTH_ENDS = 2 };

	if (!sample_ns)
		return 0;
	w->tick_room = (uint32_t)(window->hold_ns / sample_ns) + AT_BOTH_ENDS;
	w->ticks = calloc(w->tick_room, sizeof(*w->ticks));
	return w->ticks ? 0 : err_new(-ENOMEM, "out of memory for %u ticks", w->tick_room);
}

static void ticks_free(struct window_data *w)
{
	for (uint32_t i = 0; w->ticks && i < w->tick_room; i++) {
		free(w->ticks[i].cpus);
		free(w->ticks[i].tasks);
	}
	free(w->ticks);
}

int telemetry_init(struct telemetry *t, const struct cell *cell)
{
	const struct plan_header *h = &cell->plan.header;
	int r = 0;

	*t = (struct telemetry){
		.cell = cell,
		.cpu_count = topology_cpu_count(&cell->topology),
		.worker_count = h->worker_count,
		.limits = { .workers = h->worker_count,
			    .cgroups = h->cgroup_count,
			    .payloads = h->payload_count,
			    .steps = h->step_count,
			    .ops = cell_sent_plan(cell)->header.op_count,
			    .buckets = HIST_BUCKETS },
		.windows = calloc(cell->window_count + 1, sizeof(*t->windows)),
		.whole = calloc(h->worker_count + 1, sizeof(*t->whole)),
		.payloads = calloc(h->payload_count + 1, sizeof(*t->payloads)),
	};
	if (!t->windows || !t->whole || !t->payloads)
		r = err_new(-ENOMEM, "out of memory for %u windows", cell->window_count);
	for (uint32_t i = 0; i < cell->window_count && r == 0; i++) {
		t->window_count++;
		r = window_init(&t->windows[i], t->cpu_count, t->worker_count, h->cgroup_count);
		if (r == 0)
			r = turn_clock_init(&t->windows[i].turns, &cell->windows[i]);
	}
	for (uint32_t i = 0; r == 0 && i < h->payload_count; i++)
		r = payload_init(&t->payloads[i], t->cpu_count);
	for (uint32_t i = 0; r == 0 && i < t->window_count; i++)
		r = ticks_init(&t->windows[i], &cell->windows[i], h->sample_ns);
	if (r < 0)
		telemetry_deinit(t);
	return r;
}

void telemetry_deinit(struct telemetry *t)
{
	for (uint32_t i = 0; i < t->window_count; i++) {
		struct window_data *w = &t->windows[i];

		free_reports(w->reports, t->worker_count);
		ticks_free(w);
		turn_clock_deinit(&w->turns);
		free(w->begin);
		free(w->end);
		free(w->cgroups_begin);
		free(w->cgroups_end);
		free(w->host_delay_begin_ns);
		free(w->host_delay_end_ns);
	}
	for (uint32_t i = 0; t->payloads && i < t->limits.payloads; i++)
		payload_deinit(&t->payloads[i]);
	free(t->payloads);
	free(t->windows);
	free_reports(t->whole, t->worker_count);
	timeline_deinit(&t->timeline);
	snapshots_deinit(&t->snapshots);
	*t = TELEMETRY_NULL;
}

struct window_data *telemetry_window(const struct telemetry *t, const struct cell_window *w)
{
	return &t->windows[w - t->cell->windows];
}

static struct window_data *window_of_step(const struct telemetry *t, uint32_t step)
{
	const struct cell_window *w = cell_window_of_step(t->cell, step);

	return w ? telemetry_window(t, w) : NULL;
}

static int begin_payload(struct telemetry *t, const struct wire_event *e, uint32_t *index_ret,
			 bool *is_end_ret)
{
	if (t->payloads[e->index].has_begun)
		return err_new(-EPROTO, "EVENT: payload %u starts twice", e->index);
	t->payloads[e->index].has_begun = true;
	*index_ret = e->index;
	*is_end_ret = false;
	return TELEMETRY_PAYLOAD_EDGE;
}

static int end_payload(struct telemetry *t, const struct frame *f, uint32_t *index_ret,
		       bool *is_end_ret)
{
	struct wire_payload_exit e;
	struct payload_data *p;
	int r = payload_exit_decode(f->payload, f->len, &t->limits, &e);

	if (r < 0)
		return err_trace(r);
	p = &t->payloads[e.payload];
	if (p->has_ended)
		return err_new(-EPROTO, "PAYLOAD_EXIT: payload %u ends twice", e.payload);
	p->has_ended = true;
	p->exit = e;
	*index_ret = e.payload;
	*is_end_ret = true;
	return TELEMETRY_PAYLOAD_EDGE;
}

/* The guest keeps to the limit, but it is not trusted to. */
static int add_payload_out(struct telemetry *t, const struct frame *f)
{
	struct wire_payload_out head;
	struct payload_stream *s;
	const void *data;
	size_t len;
	int r = payload_out_decode(f->payload, f->len, &t->limits, &head, &data, &len);

	if (r < 0)
		return err_trace(r);
	s = &t->payloads[head.payload].streams[head.stream - 1];
	if (len > PAYLOAD_OUT_MAX - s->bytes.len) {
		s->is_cut = true;
		len = PAYLOAD_OUT_MAX - s->bytes.len;
	}
	buf_add(&s->bytes, data, len);
	return buf_ok(&s->bytes);
}

static const struct cell_window *cell_window_of(const struct telemetry *t,
						const struct window_data *w)
{
	return &t->cell->windows[w - t->windows];
}

static void turn_edge(struct telemetry *t, struct window_data *w, bool is_end, uint64_t ns)
{
	if (is_end)
		turn_clock_stop(&w->turns, cell_window_of(t, w), ns);
	else
		turn_clock_start(&w->turns, cell_window_of(t, w), ns);
	t->open = is_end ? NULL : w;
}

/* An operation that was done while a window is open is one of its loop's. */
static void turn_on(struct telemetry *t, const struct wire_event *e)
{
	const struct cell_window *w = t->open ? cell_window_of(t, t->open) : NULL;
	uint32_t first = w ? cell_sent_plan(t->cell)->steps[w->step].loop_first_op : 0;

	if (w && e->index >= first)
		turn_clock_op(&t->open->turns, w, e->index - first, e->args[0], e->args[1]);
}

static int add_event(struct telemetry *t, const struct frame *f, uint32_t *step_ret,
		     bool *is_end_ret)
{
	struct wire_event e;
	struct window_data *w;
	int r = event_decode(f->payload, f->len, &t->limits, &e);

	if (r == 0)
		r = timeline_add(&t->timeline, &e);
	if (r < 0)
		return err_trace(r);
	if (e.code == EVENT_PAYLOAD_START)
		return begin_payload(t, &e, step_ret, is_end_ret);
	if (e.code == EVENT_OP)
		turn_on(t, &e);
	if (e.code != EVENT_HOLD_BEGIN && e.code != EVENT_HOLD_END)
		return 0;
	w = window_of_step(t, e.index);
	if (!w)
		return err_new(-EPROTO, "EVENT: step %u has no window", e.index);
	*step_ret = e.index;
	*is_end_ret = e.code == EVENT_HOLD_END;
	if (*is_end_ret ? w->has_ended || !w->has_begun : w->has_begun)
		return err_new(-EPROTO, "EVENT: the hold of step %u begins or ends twice", e.index);
	if (*is_end_ret)
		w->end_ns = e.ns;
	else
		w->begin_ns = e.ns;
	w->has_begun |= !*is_end_ret;
	w->has_ended |= *is_end_ret;
	w->is_condition_met |= *is_end_ret && e.args[0];
	turn_edge(t, w, *is_end_ret, e.ns);
	return TELEMETRY_WINDOW_EDGE;
}

/* The tick that a sample is about; NULL: there are none, or more than were asked for. */
static struct tick *next_tick(struct window_data *w, uint32_t *count, const struct wire_sample *s)
{
	struct tick *tick = *count < w->tick_room ? &w->ticks[*count] : NULL;

	if (!tick)
		return NULL;
	++*count;
	tick->ns = tick->ns ? MIN(tick->ns, s->ns) : s->ns;
	tick->ns_end = MAX(tick->ns_end, s->ns_end);
	tick->own_ns = MAX(tick->own_ns, s->own_ns);
	return tick;
}

static int add_cpu_tick(struct telemetry *t, const struct frame *f, const struct wire_sample *s,
			struct window_data *w)
{
	struct tick *tick = next_tick(w, &w->cpu_ticks, s);

	if (!tick)
		return 0;
	tick->cpus = calloc(t->cpu_count, sizeof(*tick->cpus));
	if (!tick->cpus)
		return err_new(-ENOMEM, "out of memory for a tick");
	for (uint32_t i = 0; i < s->count; i++) {
		struct wire_cpustat stat;
		int r = cpustat_at(f->payload, i, &stat);

		if (r < 0)
			return err_trace(r);
		if (stat.cpu < t->cpu_count)
			tick->cpus[stat.cpu] = (struct cpu_sample){ true, stat };
	}
	return 0;
}

static int add_taskstat(struct telemetry *t, const struct frame *f)
{
	struct wire_sample s;
	struct window_data *w;
	struct tick *tick;
	int r = sample_decode(f->payload, f->len, sizeof(struct wire_taskstat), &t->limits, &s);

	if (r < 0)
		return err_trace(r);
	if (s.reason == SAMPLE_SNAPSHOT)
		return snapshots_add(&t->snapshots, f, &s, &t->limits);
	w = window_of_step(t, s.step);
	tick = w ? next_tick(w, &w->task_ticks, &s) : NULL;
	if (!tick)
		return 0;
	tick->tasks = calloc(t->worker_count + 1, sizeof(*tick->tasks));
	if (!tick->tasks)
		return err_new(-ENOMEM, "out of memory for a tick");
	for (uint32_t i = 0; i < s.count; i++) {
		struct wire_taskstat stat;

		r = taskstat_at(f->payload, i, &t->limits, &stat);
		if (r < 0)
			return err_trace(r);
		tick->tasks[stat.worker] = (struct task_sample){ true, stat };
	}
	return 0;
}

static int add_cpustat(struct telemetry *t, const struct frame *f)
{
	struct wire_sample s;
	struct window_data *w;
	int r = sample_decode(f->payload, f->len, sizeof(struct wire_cpustat), &t->limits, &s);

	if (r < 0)
		return err_trace(r);
	if (s.reason == SAMPLE_SNAPSHOT)
		return snapshots_add(&t->snapshots, f, &s, &t->limits);
	w = window_of_step(t, s.step);
	r = w ? add_cpu_tick(t, f, &s, w) : 0;
	if (r < 0 || !w || s.reason == SAMPLE_TICK)
		return r;
	for (uint32_t i = 0; i < s.count; i++) {
		struct wire_cpustat stat;
		struct cpu_sample *to = s.reason == SAMPLE_HOLD_BEGIN ? w->begin : w->end;

		r = cpustat_at(f->payload, i, &stat);
		if (r < 0)
			return err_trace(r);
		if (stat.cpu < t->cpu_count)
			to[stat.cpu] = (struct cpu_sample){ .is_there = true, .stat = stat };
	}
	return 0;
}

static int add_cgroupstat(struct telemetry *t, const struct frame *f)
{
	struct wire_sample s;
	struct window_data *w;
	int r = sample_decode(f->payload, f->len, sizeof(struct wire_cgroupstat), &t->limits, &s);

	if (r < 0)
		return err_trace(r);
	if (s.reason == SAMPLE_SNAPSHOT)
		return snapshots_add(&t->snapshots, f, &s, &t->limits);
	w = window_of_step(t, s.step);
	if (!w || s.reason == SAMPLE_TICK)
		return 0;
	for (uint32_t i = 0; i < s.count; i++) {
		struct wire_cgroupstat stat;
		struct cgroup_sample *to =
			s.reason == SAMPLE_HOLD_BEGIN ? w->cgroups_begin : w->cgroups_end;

		r = cgroupstat_at(f->payload, i, &t->limits, &stat);
		if (r < 0)
			return err_trace(r);
		to[stat.cgroup] = (struct cgroup_sample){ .is_there = true, .stat = stat };
	}
	return 0;
}

static int read_wakes(const struct telemetry *t, const struct frame *f,
		      const struct wire_report *report, struct hist **ret)
{
	struct hist *h = malloc(sizeof(*h));

	if (!h)
		return err_new(-ENOMEM, "out of memory for a histogram");
	*h = HIST_EMPTY;
	for (uint32_t i = 0; i < report->bucket_count; i++) {
		struct wire_bucket b;
		int r = report_bucket(f->payload, i, &t->limits, &b);

		if (r < 0) {
			free(h);
			return err_trace(r);
		}
		h->buckets[b.index] = (uint32_t)MIN(b.count, (uint64_t)UINT32_MAX);
	}
	/* Quantiles are counted off in the buckets: their sum is what there is. */
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		h->count += h->buckets[i];
	h->sum_ns = report->wake_sum_ns;
	h->min_ns = report->wake_min_ns;
	h->max_ns = report->wake_max_ns;
	*ret = h;
	return 0;
}

static int add_report(struct telemetry *t, const struct frame *f)
{
	struct wire_report report;
	struct worker_report *to;
	struct window_data *w;
	struct hist *wakes = NULL;
	int r = report_decode(f->payload, f->len, &t->limits, &report);

	if (r < 0)
		return err_trace(r);
	w = report.window == REPORT_WHOLE ? NULL : window_of_step(t, report.window);
	if (report.window != REPORT_WHOLE && !w)
		return err_new(-EPROTO, "REPORT: step %u has no window", report.window);
	to = w ? &w->reports[report.worker] : &t->whole[report.worker];
	if (to->is_there &&
	    !cell_group_respawns(t->cell, t->cell->plan.workers[report.worker].group))
		return err_new(-EPROTO, "REPORT: worker %u reports twice", report.worker);
	if (report.bucket_count)
		r = read_wakes(t, f, &report, &wakes);
	if (r < 0)
		return err_trace(r);
	if (to->is_there) {
		telemetry_merge_report(to, &report, wakes);
		return 0;
	}
	*to = (struct worker_report){ .is_there = true, .report = report, .wakes = wakes };
	return 0;
}

static int add_failed(struct telemetry *t, const struct frame *f)
{
	struct wire_failed failed;
	const char *text;
	size_t len;
	int r = failed_decode(f->payload, f->len, &failed, &text, &len);

	if (r < 0)
		return err_trace(r);
	/* The first one is the cause; what follows from it is not. */
	if (t->has_failed)
		return 0;
	t->has_failed = true;
	t->failed = failed;
	snprintf(t->failed_text, sizeof(t->failed_text), "%.*s", (int)MIN(len, (size_t)255), text);
	return 0;
}

static int add_done(struct telemetry *t, const struct frame *f)
{
	int r = done_decode(f->payload, f->len, &t->done);

	if (r < 0)
		return err_trace(r);
	if (t->done.plan_id != t->cell->plan.header.id)
		return err_new(-EPROTO, "DONE: of plan %u, not %u", t->done.plan_id,
			       t->cell->plan.header.id);
	t->is_done = true;
	return 0;
}

int telemetry_add(struct telemetry *t, const struct frame *f, uint32_t *index_ret, bool *is_end_ret)
{
	switch (f->type) {
	case FRAME_EVENT:
		return add_event(t, f, index_ret, is_end_ret);
	case FRAME_CPUSTAT:
		return add_cpustat(t, f);
	case FRAME_REPORT:
		return add_report(t, f);
	case FRAME_FAILED:
		return add_failed(t, f);
	case FRAME_DONE:
		return add_done(t, f);
	case FRAME_CGROUPSTAT:
		return add_cgroupstat(t, f);
	case FRAME_PAYLOAD_OUT:
		return add_payload_out(t, f);
	case FRAME_PAYLOAD_EXIT:
		return end_payload(t, f, index_ret, is_end_ret);
	case FRAME_TASKSTAT:
		return add_taskstat(t, f);
	case FRAME_CLOCK:
		return 0;
	default:
		return err_new(-EPROTO, "%s frame in the middle of a plan", frame_name(f->type));
	}
}

uint32_t telemetry_ticks(const struct window_data *d)
{
	return MIN(d->cpu_ticks, d->task_ticks);
}

/* Of @length_ns, what the host took from a vCPU: waiting in the thread's runqueue, and of the rest the
 * part that was taken from everybody. */
static double host_share(uint64_t length_ns, uint64_t delay_ns, const struct taken *t)
{
	double waited = fmin((double)delay_ns / (double)length_ns, 1);
	double taken = fmin((double)grown(t->begin_ns, t->end_ns) / (double)length_ns, 1);

	return waited + taken - waited * taken;
}

/* Whole ones; what is one but for the last bit of a fraction is one. */
static unsigned permille(double part)
{
	return (unsigned)(fmin(part, 1) * 1000 + 1e-6);
}

unsigned telemetry_cpu_noise_permille(const struct window_data *d, unsigned cpu)
{
	uint64_t length_ns = grown(d->begin_ns, d->end_ns);
	uint64_t delay_ns = grown(d->host_delay_begin_ns[cpu], d->host_delay_end_ns[cpu]);
	uint64_t steal_ns = grown(d->begin[cpu].stat.steal_ns, d->end[cpu].stat.steal_ns);

	/* What nobody knows is taken to be the worst. */
	if (!length_ns || d->is_host_silent)
		return 1000;
	return permille(fmax(host_share(length_ns, delay_ns, &d->taken),
			     (double)steal_ns / (double)length_ns));
}

unsigned telemetry_noise_permille(const struct telemetry *t, const struct cell_window *w,
				  unsigned *cpu_ret)
{
	const struct window_data *d = telemetry_window(t, w);
	unsigned most = 0;

	*cpu_ret = 0;
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		unsigned noise = telemetry_cpu_noise_permille(d, cpu);

		if (noise > most) {
			most = noise;
			*cpu_ret = cpu;
		}
	}
	return most;
}

unsigned telemetry_payload_noise_permille(const struct telemetry *t, uint32_t payload,
					  unsigned *cpu_ret)
{
	const struct payload_data *p = &t->payloads[payload];
	uint64_t length_ns = grown(p->exit.start_ns, p->exit.end_ns), most_ns = 0;

	*cpu_ret = 0;
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		uint64_t delay_ns = grown(p->host_delay_begin_ns[cpu], p->host_delay_end_ns[cpu]);

		if (delay_ns > most_ns) {
			most_ns = delay_ns;
			*cpu_ret = cpu;
		}
	}
	if (!p->has_begun || !p->has_ended)
		return 0;
	if (!length_ns)
		return 1000;
	return permille(host_share(length_ns, most_ns, &p->taken));
}
