/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest said while it ran one plan, sorted by window: samples at both ends of each hold,
 * reports of the workers, events; and beside them what the host did to the vCPU threads meanwhile.
 * The guest is not trusted: every frame is decoded and bounded by the cell's own counts; a figure
 * that is wrong can make a claim wrong, never this process. */
#pragma once

#include "base/err.h"
#include "harness/cell.h"
#include "harness/snapshot.h"
#include "harness/timeline.h"
#include "stats/hist.h"
#include "wire/frame.h"
#include "wire/report.h"

#include <stdbool.h>
#include <stdint.h>

struct worker_report {
	bool is_there;
	struct wire_report report;
	struct hist *wakes; /* NULL: none */
};

/* One end of a window, for each CPU. */
struct cpu_sample {
	bool is_there;
	struct wire_cpustat stat;
};

/* One end of a window, for each cgroup. */
struct cgroup_sample {
	bool is_there;
	struct wire_cgroupstat stat;
};

/* A stream of a payload, as far as it is kept. */
struct payload_stream {
	struct buf bytes;
	bool is_cut; /* there was more */
};

/* What was taken from the carrier that all vCPU threads share (pulse.h): counters at both ends; 0 on a
 * host of its own. While a vCPU thread waits, its run delay goes on whether the carrier runs or not;
 * while it runs, this is what it loses. */
struct taken {
	uint64_t begin_ns, end_ns;
};

enum { PAYLOAD_STREAMS = 3 }; /* stdout, stderr, its file */

struct payload_data {
	bool has_begun, has_ended;
	struct wire_payload_exit exit;
	struct payload_stream streams[PAYLOAD_STREAMS];
	/* Run delay of each vCPU thread on the host: counters at its start and end. */
	uint64_t *host_delay_begin_ns, *host_delay_end_ns;
	struct taken taken;
};

/* A worker at a tick. */
struct task_sample {
	bool is_there;
	struct wire_taskstat stat;
};

/* One of the samples that cut a window into sub-windows; the first and the last lie at its ends. All
 * its figures were read between ns and ns_end. */
struct tick {
	uint64_t ns, ns_end;
	uint64_t own_ns;	   /* CPU time of the guest's own processes until then */
	struct cpu_sample *cpus;   /* of each CPU; NULL: they did not come */
	struct task_sample *tasks; /* of each worker; NULL: they did not come */
};

struct window_data {
	bool has_begun, has_ended;
	bool is_condition_met;	   /* of the hold, before its time was over */
	uint64_t begin_ns, end_ns; /* guest time */
	struct cpu_sample *begin, *end;
	struct cgroup_sample *cgroups_begin, *cgroups_end;
	struct turn_clock turns;       /* of a looped hold */
	struct worker_report *reports; /* one for each worker */
	/* Run delay of each vCPU thread on the host: counters at both ends. */
	uint64_t *host_delay_begin_ns, *host_delay_end_ns;
	struct taken taken;
	bool is_host_silent; /* one of them could not be read: nobody knows the noise */
	/* What the pulse of a carrier missed from the plan's begin to the window's end: the guest books it on whoever ran, who pays it back in windows to come. */
	uint64_t lost_ns;
	/* Kept only if the plan has ticks. */
	struct tick *ticks;
	uint32_t tick_room;
	uint32_t cpu_ticks, task_ticks; /* how many have come of either kind */
};

struct telemetry {
	unsigned cpu_count;
	uint32_t window_count;
	uint32_t worker_count;
	struct wire_limits limits;
	struct window_data *windows;   /* in the order of the cell's */
	struct worker_report *whole;   /* of each worker's life */
	struct payload_data *payloads; /* as many as the plan has */
	const struct cell *cell;
	bool is_done;
	struct wire_done done;
	bool has_failed;
	struct wire_failed failed;
	char failed_text[256];
	struct timeline timeline;
	struct snapshots snapshots;
	struct window_data *open; /* the window that has begun and not ended; NULL: none */
};

#define TELEMETRY_NULL ((struct telemetry){ 0 })

/* Room for everything @cell can bring. @cell must outlive it. 0 or -ENOMEM. */
int telemetry_init(struct telemetry *t, const struct cell *cell) must_check;
void telemetry_deinit(struct telemetry *t);

/* A frame of the guest that belongs to the plan. Returns 0; TELEMETRY_WINDOW_EDGE if it was the
 * event of a hold's begin or end (@index_ret: the step, @is_end_ret), TELEMETRY_PAYLOAD_EDGE if of a
 * payload's (@index_ret: its index), at which the host samples its threads; -EPROTO with words. */
enum telemetry_outcome { TELEMETRY_WINDOW_EDGE = 1, TELEMETRY_PAYLOAD_EDGE = 2 };
int telemetry_add(struct telemetry *t, const struct frame *f, uint32_t *index_ret,
		  bool *is_end_ret) must_check;

/* telemetry_merge.c: add the report of another life of the same worker. Takes @wakes, which may be
 * NULL. */
void telemetry_merge_report(struct worker_report *to, const struct wire_report *report,
			    struct hist *wakes);

/* The data of a window of the cell. */
struct window_data *telemetry_window(const struct telemetry *t, const struct cell_window *w);

/* How many ticks are whole, from the first on. */
uint32_t telemetry_ticks(const struct window_data *d);

/* How much of the window the host took from one CPU, in thousandths of its length: guest steal, or
 * what the vCPU thread and its carrier waited, whichever is larger. A window without length: 1000. */
unsigned telemetry_cpu_noise_permille(const struct window_data *d, unsigned cpu);

/* The same as telemetry_noise_permille() for the life of a payload; 0 if it had none. */
unsigned telemetry_payload_noise_permille(const struct telemetry *t, uint32_t payload,
					  unsigned *cpu_ret);

/* How much of the window was taken from the machine, in thousandths of its length, on the CPU where
 * it was most: by the same figure. @cpu_ret: which CPU. */
unsigned telemetry_noise_permille(const struct telemetry *t, const struct cell_window *w,
				  unsigned *cpu_ret);
