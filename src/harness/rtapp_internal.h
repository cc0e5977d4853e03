/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by rtapp.c (file, globals, tasks), rtapp_task.c (what a task is scheduled as) and
 * rtapp_events.c (what it does). */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

enum { RTAPP_KEY_BYTES = 256 };

/* Where in the file we are: "tasks.t0.phases.p1". Each level lives on the stack of who walks it. */
struct rtapp_place {
	const struct rtapp_place *above; /* NULL: the file itself */
	const char *key;
};

/* -EINVAL with words "tasks.t0.KEY: ...". @key may be NULL: the place itself. */
int rtapp_refuse(const struct rtapp_place *at, const char *key, const char *fmt, ...)
	printf_like(3, 4) must_check;

/* What of a file is known by now. */
struct rtapp {
	const char *default_policy; /* "SCHED_OTHER" */
	uint64_t duration_s;
	json_t *timers;	  /* timer name: the task that uses it; not the "unique" ones */
	unsigned cpu_max; /* the greatest CPU that a task names */
	bool has_timer;
};

/* A task as an entry of workers: texts as scenarios have them. */
struct rtapp_task {
	const char *name;
	uint64_t count;
	char policy[96];    /* "": normal */
	char affinity[512]; /* "": all */
	int nice;
	struct buf program; /* phases=... */
};

/* The integer of @key, within bounds; @ret keeps its value if there is none. */
int rtapp_integer(const struct rtapp_place *at, const json_t *object, const char *key, int64_t min,
		  int64_t max, int64_t *ret) must_check;
/* The same for a text. */
int rtapp_text(const struct rtapp_place *at, const json_t *object, const char *key,
	       const char **ret) must_check;

/* policy, priority, nice, dl-*, cpus of a task. */
int rtapp_read_sched(struct rtapp *r, const struct rtapp_place *at, const json_t *task,
		     struct rtapp_task *ret) must_check;

/* Is it a key of rtapp_read_sched()? */
bool rtapp_is_sched_key(const char *key);

/* delay, loop, phases or events of a task, as a program. */
int rtapp_read_program(struct rtapp *r, const struct rtapp_place *at, json_t *task,
		       struct rtapp_task *ret) must_check;
