/* SPDX-License-Identifier: GPL-2.0-only */
/* What a worker publishes about itself, in memory that it shares with the conductor: plain stores,
 * no locks, no system calls. The conductor reads while the worker writes; each figure by itself is
 * whole, and a figure that changes this instant may be the one before.
 *
 * Windows. The pool's window number says which of two parts a worker writes: part[window % 2]. The
 * conductor counts it up when a hold begins and when it ends, reads the part that was left, and
 * clears it before it is used again. So what a window saw is kept apart without the worker copying
 * anything. */
#pragma once

#include "stats/hist.h"
#include "wire/report.h"

#include <stdatomic.h>
#include <stdint.h>

/* What one window saw. */
struct telemetry_part {
	struct wire_gap gap;
	struct cpu_mask cpus_used;
	uint64_t outside_count;
	uint64_t outside_ns;
	uint32_t outside_cpu;
	uint32_t is_used; /* anything was written */
	uint64_t wake_max_at_ns;
	struct hist wakes;
};

/* Where a worker may run, in two copies, so that it can be changed under a reader: the copy in force
 * is allowed[allowed_seq % 2]. */
struct telemetry_allowed {
	_Atomic uint32_t seq;
	struct cpu_mask mask[2];
};

enum telemetry_state {
	STATE_SETUP = 0,   /* not at its gate yet */
	STATE_READY = 1,   /* at its gate */
	STATE_RUNNING = 2, /* wants the CPU */
	STATE_BLOCKED = 3, /* waits for something other than a CPU */
	STATE_ENDED = 4,
};

/* Values of due_ns that are no times. */
enum telemetry_due {
	DUE_UNKNOWN = 0, /* it runs, or nobody can tell */
	DUE_STAMPED = 1, /* not yet: worker_stamp() will */
	DUE_CALLED = 2,	 /* not yet: worker_call() will */
	DUE_TIMES = 3,	 /* from here on times */
};

struct telemetry {
	/* Written by the worker. */
	_Atomic uint32_t state;
	_Atomic uint32_t cpu;	  /* at its last checkpoint; REPORT_NO_CPU before the first */
	_Atomic uint64_t last_ns; /* its last checkpoint */
	_Atomic uint64_t iterations;
	_Atomic uint64_t checkpoints;
	_Atomic uint64_t migrations;
	_Atomic uint64_t deadline_misses;
	_Atomic uint64_t bytes;
	_Atomic uint64_t pages_local;
	_Atomic uint64_t pages_remote;
	/* While it is blocked: since when it should have been running again (a deadline, or the stamp
	 * of the partner that woke it), or one of enum telemetry_due. Partners write it too, but only
	 * where it expects them, and only the first one: it has been waiting since then, however often
	 * it is woken before it runs. */
	_Atomic uint64_t due_ns;
	struct telemetry_part part[2];
	/* Its end, valid in STATE_ENDED. */
	uint32_t end;	      /* enum worker_end */
	_Atomic uint32_t tid; /* partners read it while it is set */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t cpu_ns;
	uint64_t run_delay_ns;
	uint64_t slices;
	char text[WIRE_TEXT_BYTES];
	/* Written by the conductor. */
	struct telemetry_allowed allowed;
} __attribute__((aligned(128)));

/* Shared by all workers of a plan. */
struct pool_head {
	_Atomic uint32_t gate; /* futex: counts openings */
	_Atomic uint32_t window;
	_Atomic uint64_t window_ns; /* when it began: no gap of a window is older */
	_Atomic uint64_t gate_ns;   /* when it was opened last */
};

/* Read and write counters that have one writer. */
#define shared_get(p) atomic_load_explicit((p), memory_order_relaxed)
#define shared_set(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define shared_add(p, v) shared_set((p), shared_get(p) + (v))

/* A part that saw nothing. */
void telemetry_part_clear(struct telemetry_part *p);
/* Add what @from saw to @to. */
void telemetry_part_merge(struct telemetry_part *to, const struct telemetry_part *from);

/* Replace the allowed set, once the write that made it so has returned. */
void telemetry_allow(struct telemetry_allowed *a, const struct cpu_mask *mask);
/* Allow @mask as well, before the write that will make it so. The empty set allows everything. */
void telemetry_widen(struct telemetry_allowed *a, const struct cpu_mask *mask);
