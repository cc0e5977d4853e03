// SPDX-License-Identifier: GPL-2.0-only
/* Futexes with a memory of when they were released. */
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

void work_lock_take(struct worker *w, struct work_lock *lock)
{
	uint32_t free_word = 0;
	uint64_t since;

	if (atomic_compare_exchange_strong(&lock->word, &free_word, 1))
		return;
	worker_block(w, 0);
	since = w->last_ns;
	while (atomic_exchange(&lock->word, 2) != 0)
		futex_wait(&lock->word, 2);
	worker_unblock_since(w, MAX(since, shared_get(&lock->released_ns)));
}

void work_lock_release(struct work_lock *lock)
{
	shared_set(&lock->released_ns, now_ns());
	if (atomic_exchange(&lock->word, 0) == 2)
		worker_futex_wake(&lock->word, 1);
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
	uint64_t since;

	if (try_take(s))
		return;
	worker_block(w, 0);
	since = w->last_ns;
	while (!try_take(s))
		futex_wait(&s->count, 0);
	worker_unblock_since(w, MAX(since, shared_get(&s->released_ns)));
}

bool work_semaphore_release(struct work_semaphore *s, uint32_t limit)
{
	shared_set(&s->released_ns, now_ns());
	if (atomic_fetch_add(&s->count, 1) >= limit) {
		atomic_fetch_sub(&s->count, 1);
		return false;
	}
	worker_futex_wake(&s->count, 1);
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
