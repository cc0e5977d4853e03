// SPDX-License-Identifier: GPL-2.0-only
/* Measuring a worker from inside: checkpoints, waits, bursts. The hot path is a clock read through
 * the vDSO, the CPU number from the rseq area, and stores to the worker's own shared page. */
#include "guest/worker.h"

#include "base/util.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	CHECKPOINT_MIN_NS = 100 * 1000, /* closer together: double the stride */
	CHECKPOINT_MAX_NS = 400 * 1000, /* farther apart: halve it */
	STRIDE_MAX = 1 << 20,
	BURN_UNITS = 2048,
};

static struct telemetry_part *part_of(struct worker *w)
{
	uint32_t window = atomic_load_explicit(&w->pool->window, memory_order_relaxed);

	return &w->telemetry->part[window % 2];
}

/* Keep the longest. What lies before the window is the other part's, or nobody's. */
static void note_gap(struct worker *w, struct telemetry_part *part, struct wire_gap gap)
{
	uint64_t window_ns = shared_get(&w->pool->window_ns);

	if (gap.start_ns < window_ns) {
		uint64_t outside = MIN(window_ns - gap.start_ns, gap.length_ns);

		gap.start_ns += outside;
		gap.length_ns -= outside;
	}
	if (gap.length_ns > part->gap.length_ns)
		part->gap = gap;
}

/* Is it on a CPU outside its allowed set? The number of the set is read before the CPU: a set that
 * is in force by then forbids every CPU that is read after. */
static void check_allowed(struct worker *w, struct telemetry_part *part, uint64_t now)
{
	struct telemetry_allowed *a = &w->telemetry->allowed;
	uint32_t seq = atomic_load_explicit(&a->seq, memory_order_acquire);
	uint32_t cpu = (uint32_t)sched_getcpu();
	const struct cpu_mask *mask = &a->mask[seq % 2];
	bool is_outside = !mask_is_empty(mask) && !mask_has(mask, cpu);

	/* The set was being replaced: this look says nothing. */
	if (!is_outside || atomic_load_explicit(&a->seq, memory_order_acquire) != seq)
		return;
	if (!part->outside_count) {
		part->outside_ns = now;
		part->outside_cpu = cpu;
	}
	part->outside_count++;
}

/* Note time and place; returns the CPU it was on before, REPORT_NO_CPU at first. */
static uint32_t note_place(struct worker *w, struct telemetry_part *part, uint64_t now)
{
	struct telemetry *t = w->telemetry;
	uint32_t before = w->cpu;

	w->cpu = (uint32_t)sched_getcpu();
	if (w->cpu != before) {
		mask_set(&part->cpus_used, w->cpu);
		shared_set(&t->cpu, w->cpu);
		if (before != REPORT_NO_CPU)
			shared_add(&t->migrations, 1);
	} else if (!part->is_used) {
		mask_set(&part->cpus_used, w->cpu);
	}
	part->is_used = 1;
	check_allowed(w, part, now);
	shared_set(&t->last_ns, now);
	shared_add(&t->checkpoints, 1);
	return before;
}

static uint32_t iterations_left(const struct worker *w)
{
	uint64_t done = shared_get(&w->telemetry->iterations);

	return done < w->group->iterations ? (uint32_t)(w->group->iterations - done) : 0;
}

/* The next milestone comes after a stride of iterations, or with the last one. */
static void set_left(struct worker *w)
{
	w->left = w->stride;
	if (w->group->iterations) {
		uint32_t most = iterations_left(w);

		w->left = MIN(w->left, most ? most : 1);
	}
}

/* Keep checkpoints 100 to 400 us apart, however long an iteration is. */
static void adapt_stride(struct worker *w, uint64_t elapsed_ns)
{
	if (elapsed_ns < CHECKPOINT_MIN_NS && w->stride < STRIDE_MAX)
		w->stride *= 2;
	else if (elapsed_ns > CHECKPOINT_MAX_NS && w->stride > 1)
		w->stride /= 2;
	set_left(w);
}

void worker_checkpoint(struct worker *w)
{
	struct telemetry_part *part = part_of(w);
	uint64_t now = now_ns();
	uint64_t elapsed = now - w->last_ns;
	uint32_t before = note_place(w, part, now);

	if (w->is_linked) {
		struct wire_gap gap = { .length_ns = elapsed,
					.start_ns = w->last_ns,
					.cpu_before = before,
					.cpu_after = w->cpu };

		note_gap(w, part, gap);
	}
	w->is_linked = true;
	w->last_ns = now;
	adapt_stride(w, elapsed);
}

void worker_milestone(struct worker *w)
{
	worker_checkpoint(w);
	if (w->group->iterations && !iterations_left(w))
		siglongjmp(w->stop, WAY_OUT_FINISHED);
}

void worker_block(struct worker *w, uint64_t due_ns)
{
	worker_checkpoint(w);
	/* A partner's stamp may come from here on, and only until worker_unblock() takes it. Ordered
	 * with what the worker looks at next, as worker_call() is with what the caller did before:
	 * one of them sees the other. */
	atomic_store(&w->telemetry->due_ns, due_ns);
	shared_set(&w->telemetry->state, (uint32_t)STATE_BLOCKED);
}

static void note_wake(struct worker *w, struct telemetry_part *part, uint32_t before, uint64_t due,
		      uint64_t now)
{
	struct wire_gap gap = { .length_ns = now - due,
				.start_ns = due,
				.cpu_before = before,
				.cpu_after = w->cpu,
				.is_wake = 1 };

	note_gap(w, part, gap);
	if (gap.length_ns >= part->wakes.max_ns)
		part->wake_max_at_ns = due;
	hist_add(&part->wakes, gap.length_ns);
}

void worker_unblock(struct worker *w)
{
	struct telemetry_part *part = part_of(w);
	uint64_t due = atomic_exchange(&w->telemetry->due_ns, (uint64_t)DUE_UNKNOWN);
	uint64_t now = now_ns();
	uint32_t before = note_place(w, part, now);

	shared_set(&w->telemetry->state, (uint32_t)STATE_RUNNING);
	if (due >= DUE_TIMES && due <= now)
		note_wake(w, part, before, due, now);
	w->is_linked = true;
	w->last_ns = now;
	set_left(w);
}

void worker_unblock_since(struct worker *w, uint64_t due_ns)
{
	shared_set(&w->telemetry->due_ns, due_ns);
	worker_unblock(w);
}

/* Only from @awaited to now: a time that is there already is that of an earlier wake-up, for which it
 * has not run yet. Looked at first, because of many partners few are asleep. */
static bool make_due(struct worker *w, uint32_t other, uint64_t awaited)
{
	struct worker *partner = w + (int64_t)other - (int64_t)w->member;
	_Atomic uint64_t *due_ns = &partner->telemetry->due_ns;

	return atomic_load(due_ns) == awaited &&
	       atomic_compare_exchange_strong(due_ns, &awaited, now_ns());
}

void worker_stamp(struct worker *w, uint32_t other)
{
	make_due(w, other, DUE_STAMPED);
}

bool worker_call(struct worker *w, uint32_t other)
{
	return make_due(w, other, DUE_CALLED);
}

void worker_compute(struct worker *w, uint64_t units)
{
	uint64_t x = w->random;

	for (uint64_t i = 0; i < units; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		/* The value is used, as far as the compiler knows: the loop stays. */
		__asm__ volatile("" : "+r"(x));
	}
	w->random = x;
}

static uint64_t cpu_time_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* The CPU clock is a system call; the wall clock is not, and CPU time is never ahead of it. So
 * compute until the wall says that it may be enough, then ask, and again for what is missing. */
void worker_burn(struct worker *w, uint64_t ns)
{
	uint64_t end = cpu_time_ns() + ns;
	uint64_t now_cpu = end - ns;

	while (now_cpu < end) {
		uint64_t wall_end = now_ns() + (end - now_cpu);

		do {
			worker_compute(w, BURN_UNITS);
			if (--w->left == 0)
				worker_checkpoint(w);
		} while (now_ns() < wall_end);
		now_cpu = cpu_time_ns();
	}
}

void worker_sleep_until(struct worker *w, uint64_t due_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(due_ns / NSEC_PER_SEC),
			       .tv_nsec = (long)(due_ns % NSEC_PER_SEC) };

	worker_block(w, due_ns);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
	worker_unblock(w);
}

void worker_sleep(struct worker *w, uint64_t ns)
{
	worker_sleep_until(w, now_ns() + ns);
}

uint64_t worker_random(struct worker *w)
{
	/* splitmix64 over the state that worker_compute() moves along too. */
	uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void worker_futex_wait(struct worker *w, _Atomic uint32_t *word, uint32_t value)
{
	if (atomic_load_explicit(word, memory_order_acquire) != value)
		return;
	worker_block(w, DUE_STAMPED);
	while (atomic_load_explicit(word, memory_order_acquire) == value)
		syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
	worker_unblock(w);
}

void worker_futex_wake(_Atomic uint32_t *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}
