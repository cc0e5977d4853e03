/* SPDX-License-Identifier: GPL-2.0-only */
/* What tasks of an ensemble meet at: a lock and a semaphore, in the ensemble's shared memory. Zeroed
 * memory is free and empty.
 *
 * Who finds nothing to take sleeps on a word of its own, and whoever releases something chooses one
 * sleeper and wakes that one. On a common word the kernel would choose, and nobody could say whose wait
 * for the CPU began: the longest of them would look as short as the last release. The one that was
 * called is due from then on, also if a third is faster and leaves it nothing; nobody else is. */
#pragma once

#include "guest/worker.h"

enum { WORK_MEMBERS_MAX = 257 };

/* At most one in an ensemble. */
struct work_bell {
	_Atomic uint32_t sleepers; /* or about to be */
	_Atomic uint32_t next;	   /* who is looked at first: they are called in turn */
	_Atomic uint32_t is_called[WORK_MEMBERS_MAX];
};

struct work_lock {
	_Atomic uint32_t is_held;
	struct work_bell bell;
};

struct work_semaphore {
	_Atomic uint32_t count;
	struct work_bell bell;
};

/* To sleep until called: announce it, look again whether there is nothing to take, sleep if so, and end
 * it whether it slept or not. Who changed what is looked at rings behind that, and calls one at most. */
void work_bell_begin(struct worker *w, struct work_bell *b);
void work_bell_sleep(struct worker *w, struct work_bell *b);
void work_bell_end(struct worker *w, struct work_bell *b);
void work_bell_ring(struct worker *w, struct work_bell *b);

void work_lock_take(struct worker *w, struct work_lock *lock);
void work_lock_release(struct worker *w, struct work_lock *lock);

void work_semaphore_take(struct worker *w, struct work_semaphore *s);
/* Not beyond @limit: false when it stands there. */
bool work_semaphore_release(struct worker *w, struct work_semaphore *s, uint32_t limit);

/* One word whose every value is a round: who waits for the next one. */
void work_round_wait(struct worker *w, _Atomic uint32_t *round, uint32_t *seen);
/* Begin the next round for members @first to @last, each stamped. */
void work_round_begin(struct worker *w, _Atomic uint32_t *round, uint32_t first, uint32_t last);
