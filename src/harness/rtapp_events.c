// SPDX-License-Identifier: GPL-2.0-only
/* What rt-app's tasks do, as the phases of a sequence:
 *
 *   task                                       sequence
 *   delay 5, phases { a: loop 2 { run 1 },     0 sleep:5us
 *                     b: { sleep 3 } }         1 run:1us
 *   (loop -1: for ever)                        2 loop:1x1
 *                                              3 sleep:3us
 *                                              4 loop:1x4294967295   back behind the delay
 *
 * A task that ends after its loops sleeps from then on: to the scheduler that is the same. */
#include "base/util.h"
#include "harness/rtapp_internal.h"

#include <errno.h>
#include <stdio.h>

enum { POSITIONS_MAX = 64, LOOP_MAX = 1000000000 };
static const int64_t time_max_us = INT64_C(1000000000000);
static const char for_ever[] = "sleep:1000000s";

/* The program as it grows: the position of the next phase. */
struct program_text {
	struct rtapp *r;
	struct buf *out;
	unsigned count;
	const char *task;
};

static int add_phase(struct program_text *p, const struct rtapp_place *at, const char *fmt,
		     int64_t value, const char *end)
{
	if (p->count == POSITIONS_MAX)
		return rtapp_refuse(at, NULL, "more than %d events and loops", POSITIONS_MAX);
	buf_printf(p->out, "%s%s%lld%s", p->count ? "," : "", fmt, (long long)value, end);
	p->count++;
	return 0;
}

/* An event that takes no time does nothing. */
static int add_time(struct program_text *p, const struct rtapp_place *at, const json_t *event,
		    const char *word)
{
	json_int_t us = json_integer_value(event);

	if (!json_is_integer(event) || us < 0 || us > time_max_us)
		return rtapp_refuse(at, NULL, "expected a number of us");
	return us ? add_phase(p, at, word, us, "us") : 0;
}

static int add_run(struct program_text *p, const struct rtapp_place *at, json_t *event)
{
	return add_time(p, at, event, "run:");
}

static int add_sleep(struct program_text *p, const struct rtapp_place *at, json_t *event)
{
	return add_time(p, at, event, "sleep:");
}

static int add_yield(struct program_text *p, const struct rtapp_place *at, json_t *event)
{
	return add_phase(p, at, "yield:", 1, "");
}

/* A timer that is not "unique" is one for all who use it: ours are not. */
static int check_timer_name(struct program_text *p, const struct rtapp_place *at, const char *ref)
{
	const char *other = json_string_value(json_object_get(p->r->timers, ref));

	if (strncmp(ref, "unique", strlen("unique")) == 0)
		return 0;
	if (other && strcmp(other, p->task) != 0)
		return rtapp_refuse(at, "ref",
				    "%s is a timer of task %s, too; call it unique, and each "
				    "instance has its own",
				    ref, other);
	return json_object_set_new(p->r->timers, ref, json_string(p->task)) < 0
		       ? err_new(-ENOMEM, "out of memory")
		       : 0;
}

static int check_timer_keys(const struct rtapp_place *at, json_t *event)
{
	for (void *i = json_object_iter(event); i; i = json_object_iter_next(event, i)) {
		const char *key = json_object_iter_key(i);

		if (strcmp(key, "ref") && strcmp(key, "period") && strcmp(key, "mode"))
			return rtapp_refuse(at, key, "a timer has ref, period and mode");
	}
	return 0;
}

static int add_timer(struct program_text *p, const struct rtapp_place *at, json_t *event)
{
	const char *ref = "unique", *mode = "relative";
	int64_t period = 0;
	int r;

	if (!json_is_object(event))
		return rtapp_refuse(at, NULL, "expected {\"ref\": ..., \"period\": ...}");
	r = check_timer_keys(at, event);
	if (r == 0)
		r = rtapp_text(at, event, "ref", &ref);
	if (r == 0)
		r = rtapp_text(at, event, "mode", &mode);
	if (r == 0)
		r = rtapp_integer(at, event, "period", 1, time_max_us, &period);
	if (r == 0)
		r = check_timer_name(p, at, ref);
	if (r < 0)
		return err_trace(r);
	if (!period)
		return rtapp_refuse(at, "period", "it is missing");
	if (strcmp(mode, "relative") != 0 && strcmp(mode, "absolute") != 0)
		return rtapp_refuse(at, "mode", "%s: expected relative or absolute", mode);
	p->r->has_timer = true;
	return add_phase(p, at, "timer:", period, "us");
}

struct event {
	const char *prefix; /* rt-app knows events by how their keys begin */
	int (*add)(struct program_text *p, const struct rtapp_place *at, json_t *event);
	const char *why_not;
};

/* The longer word before its beginning. */
static const struct event events[] = {
	{ "runtime", NULL, "is elapsed time; run is taken, as CPU time" },
	{ "run", add_run, NULL },
	{ "sleep", add_sleep, NULL },
	{ "timer", add_timer, NULL },
	{ "yield", add_yield, NULL },
	{ "mem", NULL, NULL },
	{ "iorun", NULL, NULL },
	{ "lock", NULL, NULL },
	{ "unlock", NULL, NULL },
	{ "wait", NULL, NULL },
	{ "signal", NULL, NULL },
	{ "broad", NULL, NULL },
	{ "sync", NULL, NULL },
	{ "barrier", NULL, NULL },
	{ "suspend", NULL, NULL },
	{ "resume", NULL, NULL },
	{ "fork", NULL, NULL },
};

static const struct event *find_event(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		if (strncmp(key, events[i].prefix, strlen(events[i].prefix)) == 0)
			return &events[i];
	}
	return NULL;
}

static int add_event(struct program_text *p, const struct rtapp_place *at, const char *key,
		     json_t *value)
{
	const struct rtapp_place here = { .above = at, .key = key };
	const struct event *e = find_event(key);

	if (e && e->add)
		return e->add(p, &here, value);
	if (e && e->why_not)
		return rtapp_refuse(at, key, "%s %s", e->prefix, e->why_not);
	return rtapp_refuse(at, key,
			    "not taken; the events that are taken are run, sleep, timer and yield");
}

/* Keys of a phase and of a task that are not events. */
static int read_events(struct program_text *p, const struct rtapp_place *at, json_t *object,
		       bool is_task)
{
	int r = 0;

	for (void *i = json_object_iter(object); i && r == 0;
	     i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);
		bool is_property = strcmp(key, "loop") == 0;

		if (is_task)
			is_property |= rtapp_is_sched_key(key) || strcmp(key, "instance") == 0 ||
				       strcmp(key, "delay") == 0;
		else if (rtapp_is_sched_key(key))
			return rtapp_refuse(at, key, "it is taken in tasks, not in their phases");
		if (!is_property)
			r = add_event(p, at, key, json_object_iter_value(i));
	}
	return r;
}

static int read_phase(struct program_text *p, const struct rtapp_place *at, json_t *phase)
{
	unsigned first = p->count;
	int64_t loop = 1;
	char end[24];
	int r;

	if (!json_is_object(phase))
		return rtapp_refuse(at, NULL, "expected an object of events");
	r = rtapp_integer(at, phase, "loop", 1, LOOP_MAX, &loop);
	if (r == 0)
		r = read_events(p, at, phase, false);
	if (r < 0 || loop == 1 || p->count == first)
		return r;
	snprintf(end, sizeof(end), "x%lld", (long long)loop - 1);
	return add_phase(p, at, "loop:", first, end);
}

static int read_phases(struct program_text *p, const struct rtapp_place *task_at, json_t *task)
{
	const struct rtapp_place at = { .above = task_at, .key = "phases" };
	json_t *phases = json_object_get(task, "phases");
	int r = 0;

	if (!json_is_object(phases))
		return rtapp_refuse(&at, NULL, "expected an object of phases");
	for (void *i = json_object_iter(phases); i && r == 0;
	     i = json_object_iter_next(phases, i)) {
		const struct rtapp_place here = { .above = &at, .key = json_object_iter_key(i) };

		r = read_phase(p, &here, json_object_iter_value(i));
	}
	return r;
}

/* With phases, a task has no events of its own. */
static int refuse_events_beside_phases(const struct rtapp_place *at, json_t *task)
{
	for (void *i = json_object_iter(task); i; i = json_object_iter_next(task, i)) {
		const char *key = json_object_iter_key(i);

		if (strcmp(key, "phases") && strcmp(key, "loop") && strcmp(key, "instance") &&
		    strcmp(key, "delay") && !rtapp_is_sched_key(key))
			return rtapp_refuse(at, key, "not taken beside phases");
	}
	return 0;
}

static int add_body(struct program_text *p, const struct rtapp_place *at, json_t *task)
{
	int r;

	if (!json_object_get(task, "phases"))
		return read_events(p, at, task, true);
	r = refuse_events_beside_phases(at, task);
	return r < 0 ? err_trace(r) : read_phases(p, at, task);
}

/* Back to the first phase behind the delay, as often as the task's loop says. A sequence begins again
 * by itself, which is enough if nothing comes before and nothing behind. */
static int close_loop(struct program_text *p, const struct rtapp_place *at, unsigned first,
		      int64_t loop)
{
	char end[24];
	int r = 0;

	snprintf(end, sizeof(end), "x%lld", (long long)(loop < 0 ? UINT32_MAX : loop - 1));
	if (loop < 0 ? first > 0 : loop > 1)
		r = add_phase(p, at, "loop:", first, end);
	if (r < 0 || loop < 0)
		return r;
	if (p->count == POSITIONS_MAX)
		return rtapp_refuse(at, NULL, "more than %d events and loops", POSITIONS_MAX);
	buf_printf(p->out, ",%s", for_ever);
	return 0;
}

int rtapp_read_program(struct rtapp *r, const struct rtapp_place *at, json_t *task,
		       struct rtapp_task *ret)
{
	struct program_text p = { .r = r, .out = &ret->program, .task = at->key };
	int64_t loop = -1, delay = 0;
	unsigned first;
	int err = rtapp_integer(at, task, "loop", -1, LOOP_MAX, &loop);

	if (err == 0 && loop == 0)
		return rtapp_refuse(at, "loop", "0: expected -1, for ever, or a number of times");
	if (err == 0)
		err = rtapp_integer(at, task, "delay", 0, time_max_us, &delay);
	if (err == 0 && delay)
		err = add_phase(&p, at, "sleep:", delay, "us");
	first = p.count;
	if (err == 0)
		err = add_body(&p, at, task);
	if (err == 0 && p.count == first)
		return rtapp_refuse(at, NULL, "it does nothing");
	return err < 0 ? err_trace(err) : close_loop(&p, at, first, loop);
}
