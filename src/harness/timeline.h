/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's events in their order, on its own clock, which one exchange has related to the host's;
 * and for a looped hold how long the settings of each of its operations were in force. */
#pragma once

#include "base/json.h"
#include "harness/cell.h"
#include "harness/session.h"
#include "wire/report.h"

#include <stdbool.h>
#include <stdint.h>

struct timeline {
	struct wire_event *events;
	uint32_t count;
	uint32_t left_out; /* a loop can have more than anybody wants to read */
};

#define TIMELINE_NULL ((struct timeline){ 0 })

/* Keep a decoded event. 0 or -ENOMEM. */
int timeline_add(struct timeline *t, const struct wire_event *e) must_check;
void timeline_deinit(struct timeline *t);

/* Append "clock", "events" and "events_left_out" to the record of @cell; nothing if no event came. */
void timeline_json(const struct timeline *t, const struct cell *cell,
		   const struct clock_relation *clock, struct json *j);

/* One event in words, "op set a weight=300". @text has TIMELINE_TEXT_BYTES. Returns @text. */
enum { TIMELINE_TEXT_BYTES = 512 };
char *timeline_text(const struct wire_event *e, const struct cell *cell, char *text);

/* How long the settings that each of a window's turns leaves behind were in force. */
struct turn_clock {
	uint64_t *ns; /* one for each turn of the window; the last is what a turn ends with */
	uint64_t since_ns;
	uint32_t now; /* index of ns */
	uint64_t
		between_ns; /* that operations took: neither what was before nor what comes after */
};

/* @w: of the plan's steps. The clock runs from the hold's begin to its end; what is not about a loop
 * changes nothing. 0 or -ENOMEM. */
int turn_clock_init(struct turn_clock *c, const struct cell_window *w) must_check;
void turn_clock_deinit(struct turn_clock *c);
void turn_clock_start(struct turn_clock *c, const struct cell_window *w, uint64_t ns);
void turn_clock_op(struct turn_clock *c, const struct cell_window *w, uint32_t loop_op,
		   uint64_t start_ns, uint64_t end_ns);
void turn_clock_stop(struct turn_clock *c, const struct cell_window *w, uint64_t ns);
