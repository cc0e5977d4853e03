// SPDX-License-Identifier: GPL-2.0-only
#include "harness/timeline.h"

#include "base/util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Operations and gates, which a loop can have without end, leave room for the rest. */
enum { LOOPED_MAX = 2048, EVENTS_MAX = 4096 };

enum { WHAT_BYTES = TIMELINE_TEXT_BYTES - 32 };

static bool is_looped(const struct wire_event *e)
{
	return e->code == EVENT_OP || e->code == EVENT_OP_FAILED || e->code == EVENT_GATE ||
	       e->code == EVENT_WORKER_EXIT || e->code == EVENT_MARK;
}

int timeline_add(struct timeline *t, const struct wire_event *e)
{
	struct wire_event *grown;

	if (t->count >= (uint32_t)(is_looped(e) ? LOOPED_MAX : EVENTS_MAX)) {
		t->left_out++;
		return 0;
	}
	/* Room in powers of two. */
	if ((t->count & (t->count - 1)) == 0) {
		grown = realloc(t->events, (t->count ? 2 * t->count : 1) * sizeof(*grown));
		if (!grown)
			return err_new(-ENOMEM, "out of memory for events");
		t->events = grown;
	}
	t->events[t->count++] = *e;
	return 0;
}

void timeline_deinit(struct timeline *t)
{
	free(t->events);
	*t = TIMELINE_NULL;
}

static const char *const names[EVENT_CODES] = {
	[EVENT_PLAN_BEGIN] = "plan_begin",   [EVENT_OP] = "op",
	[EVENT_OP_FAILED] = "op_failed",     [EVENT_GATE] = "gate",
	[EVENT_HOLD_BEGIN] = "hold_begin",   [EVENT_HOLD_END] = "hold_end",
	[EVENT_WORKER_EXIT] = "worker_exit", [EVENT_MARK] = "mark",
	[EVENT_PLAN_END] = "plan_end",	     [EVENT_PAYLOAD_START] = "payload_start",
};

/* What the host listed without being asked for it: its code and its cgroup or workers. */
static void describe_own_op(const struct plan *p, const struct plan_op *op, char *text)
{
	const char *what = "";

	switch (op->code) {
	case OP_CGROUP_ADD:
	case OP_CGROUP_REMOVE:
	case OP_CGROUP_THAW:
		what = p->cgroups[op->target].path;
		break;
	case OP_SPAWN:
	case OP_STOP:
		what = p->groups[op->target].name;
		break;
	case OP_PAYLOAD_RUN:
	case OP_PAYLOAD_KILL:
		what = p->payloads[op->target].name;
		break;
	default:
		break;
	}
	snprintf(text, WHAT_BYTES, "%s %s", plan_op_name(op->code), what);
}

static void describe_op(const struct wire_event *e, const struct cell *cell, char *text)
{
	const struct plan *p = cell_sent_plan(cell);
	const char *words = cell->op_texts[e->index];

	if (words)
		snprintf(text, WHAT_BYTES, "%s", words);
	else
		describe_own_op(p, &p->ops[e->index], text);
	if (e->code == EVENT_OP_FAILED)
		snprintf(text + strlen(text), WHAT_BYTES - strlen(text), ": %s", e->text);
}

/* What the event is about; "" for the plan's own. */
static void describe(const struct wire_event *e, const struct cell *cell, char *text)
{
	const struct plan *p = cell_sent_plan(cell);

	text[0] = '\0';
	switch (e->code) {
	case EVENT_OP:
	case EVENT_OP_FAILED:
		describe_op(e, cell, text);
		break;
	case EVENT_GATE:
	case EVENT_HOLD_BEGIN:
	case EVENT_HOLD_END:
		snprintf(text, WHAT_BYTES, "%s", p->steps[e->index].name);
		break;
	case EVENT_WORKER_EXIT:
		cell_worker_name(cell, e->index, text);
		break;
	case EVENT_MARK:
		snprintf(text, WHAT_BYTES, "%s", e->text);
		break;
	case EVENT_PAYLOAD_START:
		snprintf(text, WHAT_BYTES, "%s", p->payloads[e->index].name);
		break;
	default:
		break;
	}
}

char *timeline_text(const struct wire_event *e, const struct cell *cell, char *text)
{
	char what[WHAT_BYTES];

	describe(e, cell, what);
	snprintf(text, TIMELINE_TEXT_BYTES, "%s %s", names[e->code], what);
	return text;
}

static void event_json(const struct wire_event *e, const struct cell *cell,
		       const struct clock_relation *clock, struct json *j)
{
	char what[WHAT_BYTES];

	describe(e, cell, what);
	json_object(j, NULL);
	json_str(j, "event", names[e->code]);
	if (what[0])
		json_str(j, "what", what);
	json_u64(j, "guest_ns", e->ns);
	if (clock->is_known)
		json_u64(j, "host_ns", e->ns - (uint64_t)clock->guest_minus_host_ns);
	if (e->code == EVENT_OP || e->code == EVENT_OP_FAILED) {
		json_u64(j, "start_ns", e->args[0]);
		json_u64(j, "end_ns", e->args[1]);
	}
	json_object_end(j);
}

void timeline_json(const struct timeline *t, const struct cell *cell,
		   const struct clock_relation *clock, struct json *j)
{
	if (!t->count)
		return;
	if (clock->is_known) {
		json_object(j, "clock");
		json_i64(j, "guest_minus_host_ns", clock->guest_minus_host_ns);
		json_u64(j, "error_ns", clock->error_ns);
		json_object_end(j);
	}
	json_array(j, "events");
	for (uint32_t i = 0; i < t->count; i++)
		event_json(&t->events[i], cell, clock, j);
	json_array_end(j);
	json_u64(j, "events_left_out", t->left_out);
}

/* ---- turns ---- */

int turn_clock_init(struct turn_clock *c, const struct cell_window *w)
{
	*c = (struct turn_clock){ .ns = calloc(w->turn_count + 1, sizeof(*c->ns)) };
	return c->ns ? 0 : err_new(-ENOMEM, "out of memory for a loop");
}

void turn_clock_deinit(struct turn_clock *c)
{
	free(c->ns);
	*c = (struct turn_clock){ 0 };
}

void turn_clock_start(struct turn_clock *c, const struct cell_window *w, uint64_t ns)
{
	c->now = w->turn_count ? w->turn_count - 1 : 0;
	c->since_ns = ns;
}

static void credit(struct turn_clock *c, uint64_t ns)
{
	if (!c->since_ns || ns <= c->since_ns)
		return;
	c->ns[c->now] += ns - c->since_ns;
	c->since_ns = ns;
}

void turn_clock_op(struct turn_clock *c, const struct cell_window *w, uint32_t loop_op,
		   uint64_t start_ns, uint64_t end_ns)
{
	for (uint32_t i = 0; i < w->turn_count; i++) {
		if (loop_op >= w->turns[i].end_op)
			continue;
		start_ns = MAX(start_ns, c->since_ns);
		if (end_ns > start_ns)
			c->between_ns += end_ns - start_ns;
		credit(c, end_ns);
		c->now = i;
		return;
	}
}

void turn_clock_stop(struct turn_clock *c, const struct cell_window *w, uint64_t ns)
{
	credit(c, ns);
	c->since_ns = 0;
}
