/* SPDX-License-Identifier: GPL-2.0-only */
/* A worker: the task that does a workload, and what it calls to be measured.
 *
 * A workload's function never returns by itself unless its work is over: it is taken out of it by
 * the stop signal, whose handler jumps back to worker_main(). So its loops need no condition, and a
 * worker stops at once wherever it blocks. It must not hold anything that outlives its process, and
 * as a thread it must not call what takes locks of libc (malloc, stdio) after the gate.
 *
 * What it does call:
 *   worker_iterate()   after each piece of work; takes a checkpoint when the last is 100 us or so old
 *   worker_block()     before waiting for anything but a CPU, with the time from which it should
 *                      run again if it is known, or who will tell; worker_unblock() after it
 *   worker_stamp()     just before waking a partner: its wait for the CPU begins now
 *   worker_call()      the same, of one who sleeps until it is called for (work_sync.h)
 * Between checkpoints, and between its due time and its running, it is waiting for a CPU: the
 * longest such time is its gap. */
#pragma once

#include "guest/telemetry.h"
#include "wire/plan.h"
#include "wire/workloads.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORKER_FDS = 8, WORKER_SHARED_BYTES = 4096 };

struct worker;

/* What the members of one ensemble have in common, made before they are forked. */
struct ensemble {
	int fds[WORKER_FDS]; /* -1: none; the workload's own meaning */
	void *shared;	     /* WORKER_SHARED_BYTES, zeroed */
};

struct worker {
	/* Given by the conductor. */
	struct pool_head *pool;
	struct telemetry *telemetry;
	const struct plan *plan;
	const struct plan_group *group;
	const struct plan_worker *record;
	uint32_t index;	  /* in the plan */
	uint32_t member;  /* in its ensemble */
	uint32_t members; /* of its ensemble */
	uint32_t gate;	  /* it goes when the pool's gate is no longer this */
	int ready_fd;	  /* eventfd: "at the gate"; and "ended", for threads */
	struct ensemble *ensemble;
	/* Its own. */
	uint64_t random;
	uint64_t last_ns;
	uint32_t stride; /* iterations between checkpoints */
	uint32_t left;	 /* until the next */
	uint32_t cpu;
	bool is_linked;		 /* checkpoints have a predecessor: a gap can be told */
	sigjmp_buf stop;	 /* taken with one of enum worker_way_out */
} __attribute__((aligned(128))); /* an array of them shares no cache line */

enum worker_way_out { WAY_OUT_STOP = 1, WAY_OUT_FINISHED = 2 };

/* The stop signal: queued to one thread, with the address of its struct worker as value. */
int worker_stop_signal(void);
/* Install its handler and block it: once in a process, before worker_main(). */
void worker_prepare_process(void);

/* Set up as the plan says, wait at the gate, work, leave the figures of the end. Returns then; the
 * caller ends thread or process. */
void worker_main(struct worker *w);

/* Give up with words: for set-up and for system calls of a workload that must not fail. */
void worker_fail(struct worker *w, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

void worker_checkpoint(struct worker *w);

/* A checkpoint; and the end of a worker that has done all its iterations. */
void worker_milestone(struct worker *w);

static inline void worker_iterate(struct worker *w)
{
	shared_add(&w->telemetry->iterations, 1);
	if (--w->left == 0)
		worker_milestone(w);
}

/* @due_ns: a time, or one of enum telemetry_due. */
void worker_block(struct worker *w, uint64_t due_ns);
void worker_unblock(struct worker *w);
/* The same, when only now it is known since when it could have run. */
void worker_unblock_since(struct worker *w, uint64_t due_ns);
/* @other: a member of the same ensemble, 0 to members - 1. Not if it does not wait in DUE_STAMPED: it
 * runs, waits for something else, or was woken before and has not run since. */
void worker_stamp(struct worker *w, uint32_t other);
/* The same for DUE_CALLED. True: it was asleep, and the caller has to wake it. */
bool worker_call(struct worker *w, uint32_t other);

/* Compute @units dependent multiply-adds, about a nanosecond each. No checkpoint inside. */
void worker_compute(struct worker *w, uint64_t units);
/* Compute until @ns of CPU time are spent, with checkpoints; counts no iteration. */
void worker_burn(struct worker *w, uint64_t ns);
/* Sleep until @due_ns (CLOCK_MONOTONIC); measured as a wake-up. */
void worker_sleep_until(struct worker *w, uint64_t due_ns);
void worker_sleep(struct worker *w, uint64_t ns);

/* A random number, from the plan's seed and the worker's index. */
uint64_t worker_random(struct worker *w);

/* Wait while *@word is @value, as a futex, for a partner that stamps. Wake @count waiters. */
void worker_futex_wait(struct worker *w, _Atomic uint32_t *word, uint32_t value);
void worker_futex_wake(_Atomic uint32_t *word, int count);

/* sched_setattr(2) and its relatives for a task (0: the caller); 0 or a negative errno with words. */
int task_set_sched(pid_t tid, const struct plan_sched *s) must_check;
int task_set_affinity(pid_t tid, const struct cpu_mask *mask) must_check;
