/* SPDX-License-Identifier: GPL-2.0-only */
/* What tasks of an ensemble meet at: a lock and a semaphore, each one futex word, in the ensemble's
 * shared memory. Each keeps the time of its last release, so that who is woken by it knows since
 * when it could have run. Zeroed memory is free and empty. */
#pragma once

#include "guest/worker.h"

struct work_lock {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and waited for */
	_Atomic uint64_t released_ns;
};

struct work_semaphore {
	_Atomic uint32_t count;
	_Atomic uint64_t released_ns;
};

void work_lock_take(struct worker *w, struct work_lock *lock);
void work_lock_release(struct work_lock *lock);

void work_semaphore_take(struct worker *w, struct work_semaphore *s);
/* Not beyond @limit: false when it stands there. */
bool work_semaphore_release(struct work_semaphore *s, uint32_t limit);

/* One word whose every value is a round: who waits for the next one. */
void work_round_wait(struct worker *w, _Atomic uint32_t *round, uint32_t *seen);
/* Begin the next round for members @first to @last, each stamped. */
void work_round_begin(struct worker *w, _Atomic uint32_t *round, uint32_t first, uint32_t last);
