// SPDX-License-Identifier: GPL-2.0-only
/* Futexes whose releaser knows whom it wakes. */
#include "guest/work_sync.h"

#include "base/util.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* The word is cleared before worker_block() says that it may be called: no call is wiped away. One that
 * comes late, for a sleep that is over, only makes it look once more. */
void work_bell_begin(struct worker *w, struct work_bell *b)
{
	atomic_store(&b->is_called[w->member], 0);
	atomic_fetch_add(&b->sleepers, 1);
	worker_block(w, DUE_CALLED);
}

void work_bell_sleep(struct worker *w, struct work_bell *b)
{
	while (!atomic_load(&b->is_called[w->member]))
		futex_wait(&b->is_called[w->member], 0);
}

void work_bell_end(struct worker *w, struct work_bell *b)
{
	atomic_fetch_sub(&b->sleepers, 1);
	worker_unblock(w);
}

void work_bell_ring(struct worker *w, struct work_bell *b)
{
	uint32_t first = atomic_load(&b->next);

	for (uint32_t i = 0; atomic_load(&b->sleepers) && i < w->members; i++) {
		uint32_t other = (first + i) % w->members;

		if (!worker_call(w, other))
			continue;
		atomic_store(&b->next, other + 1);
		atomic_store(&b->is_called[other], 1);
		worker_futex_wake(&b->is_called[other], 1);
		return;
	}
}

static bool try_lock(struct work_lock *lock)
{
	return !atomic_load(&lock->is_held) && !atomic_exchange(&lock->is_held, 1);
}

void work_lock_take(struct worker *w, struct work_lock *lock)
{
	while (!try_lock(lock)) {
		work_bell_begin(w, &lock->bell);
		if (atomic_load(&lock->is_held))
			work_bell_sleep(w, &lock->bell);
		work_bell_end(w, &lock->bell);
	}
}

void work_lock_release(struct worker *w, struct work_lock *lock)
{
	atomic_store(&lock->is_held, 0);
	work_bell_ring(w, &lock->bell);
}

static bool try_take(struct work_semaphore *s)
{
	uint32_t count = atomic_load(&s->count);

	while (count)
		if (atomic_compare_exchange_weak(&s->count, &count, count - 1))
			return true;
	return false;
}

void work_semaphore_take(struct worker *w, struct work_semaphore *s)
{
	while (!try_take(s)) {
		work_bell_begin(w, &s->bell);
		if (!atomic_load(&s->count))
			work_bell_sleep(w, &s->bell);
		work_bell_end(w, &s->bell);
	}
}

bool work_semaphore_release(struct worker *w, struct work_semaphore *s, uint32_t limit)
{
	uint32_t count = atomic_load(&s->count);

	/* Never above the limit, also not for an instant: a consumer would take what is not there. */
	do
		if (count >= limit)
			return false;
	while (!atomic_compare_exchange_weak(&s->count, &count, count + 1));
	work_bell_ring(w, &s->bell);
	return true;
}

void work_round_wait(struct worker *w, _Atomic uint32_t *round, uint32_t *seen)
{
	worker_futex_wait(w, round, *seen);
	*seen = atomic_load(round);
}

void work_round_begin(struct worker *w, _Atomic uint32_t *round, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++)
		worker_stamp(w, i);
	atomic_fetch_add(round, 1);
	worker_futex_wake(round, INT_MAX);
}
