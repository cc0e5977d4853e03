/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is to say about one cell when it is over: the verdict, the findings behind it or the
 * reason for there being none, the console's last lines, the times. Made by the runner, read by the
 * reports and the store. */
#pragma once

#include "base/buf.h"
#include "harness/cell.h"
#include "harness/check.h"
#include "harness/snapshot.h"
#include "harness/timeline.h"

#include <stdint.h>

/* What one CPU did in a window, and what the host did to it. */
struct result_cpu {
	uint64_t busy_ns;
	uint64_t idle_ns;
	uint64_t waited_ns;	 /* by tasks that were runnable there */
	uint64_t steal_ns;	 /* as the guest saw it */
	uint64_t host_delay_ns;	 /* run delay of the vCPU thread */
	unsigned noise_permille; /* the larger of the two, of the window */
};

struct result_window {
	uint64_t begin_ns, end_ns; /* guest CLOCK_MONOTONIC */
	uint32_t ticks;		   /* samples, those at both ends too */
	uint64_t ticks_ns;	   /* what reading them took the guest in all */
	bool is_condition_met;	   /* of the hold, if it has one */
	struct result_cpu *cpus;
};

struct result {
	const struct ktstr_record *record;
	struct cell cell; /* what the findings refer to */
	char topology[TOPOLOGY_LABEL_BYTES];
	char kernel[64];  /* release; "" if it never said it */
	unsigned repeat;  /* which of the scenario's repetitions this is, from 1 on */
	unsigned repeats; /* how many there are to be */
	enum verdict verdict;
	struct buf reason; /* one line, where the verdict does not come from findings; else empty */
	struct finding *findings;
	uint32_t finding_count;
	struct result_window *windows; /* as the cell's; NULL: it did not come so far */
	unsigned cpu_count;
	struct buf console; /* last lines, where they may help */
	struct buf disks;   /* a JSON array, see guest_disk_json(); empty: no disk or no machine */
	struct buf
		payloads; /* a JSON array, see payload_record.h; empty: none, or it did not come so
				far */
	struct timeline timeline;
	struct snapshots snapshots;
	struct clock_relation clock;
	struct buf rerun;  /* the command that does it again */
	uint64_t boot_ns;  /* 0: the machine was running already */
	uint64_t run_ns;   /* from the plan's start to its end */
	uint64_t total_ns; /* all of it */
};

void result_deinit(struct result *r);

/* What the result is called: the scenario's name, and with a fault "SCENARIO!FAULT", so that nobody
 * takes it for a verdict about the scenario. @text has RESULT_NAME_BYTES. Returns @text. */
enum { RESULT_NAME_BYTES = 256 };
char *result_name(const struct result *r, char *text);

/* Set verdict from the findings: the worst of them; a FAIL that the scenario expects is XFAIL. */
void result_conclude(struct result *r);

/* How long the window was; before it ended, as declared. Claims about payloads are about the run. */
uint64_t result_window_ns(const struct result *r, const struct cell_window *w);

/* Append the whole record as one JSON object. */
void result_json(const struct result *r, struct buf *out);
