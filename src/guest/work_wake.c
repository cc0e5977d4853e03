// SPDX-License-Identifier: GPL-2.0-only
/* Workloads of one or few tasks that wake many. */
#include "base/util.h"
#include "guest/work.h"
#include "guest/work_memory.h"
#include "guest/work_sync.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct fan {
	_Atomic uint32_t round;
	_Atomic uint32_t done;	   /* waiters that have finished this round */
	_Atomic uint32_t finished; /* rounds that all have finished */
};

static void fan_waiter(struct worker *w, struct fan *fan, uint64_t units)
{
	for (uint32_t seen = 0;;) {
		work_round_wait(w, &fan->round, &seen);
		worker_compute(w, units);
		worker_iterate(w);
		if (atomic_fetch_add(&fan->done, 1) + 1 < w->members - 1)
			continue;
		atomic_store(&fan->done, 0);
		worker_stamp(w, 0);
		atomic_store(&fan->finished, seen);
		worker_futex_wake(&fan->finished, 1);
	}
}

void work_futex_fanout(struct worker *w, const uint64_t *p)
{
	struct fan *fan = w->ensemble->shared;

	if (w->member)
		fan_waiter(w, fan, p[1]);
	for (uint32_t round = 0;; round++) {
		work_round_begin(w, &fan->round, 1, w->members - 1);
		worker_futex_wait(w, &fan->finished, round);
		worker_iterate(w);
	}
}

void work_thundering_herd(struct worker *w, const uint64_t *p)
{
	_Atomic uint32_t *round = w->ensemble->shared;

	for (uint32_t seen = 0;; worker_iterate(w)) {
		if (w->member) {
			work_round_wait(w, round, &seen);
			continue;
		}
		worker_sleep(w, p[1]);
		work_round_begin(w, round, 1, w->members - 1);
	}
}

void work_fanout_compute(struct worker *w, const uint64_t *p)
{
	_Atomic uint32_t *round = w->ensemble->shared;
	struct working_set set = working_set_map(w, p[1]), slice = set;

	slice.bytes = MAX(set.bytes / 64, sizeof(uint64_t));
	for (uint32_t seen = 0;; worker_iterate(w)) {
		if (!w->member) {
			worker_sleep(w, p[3]);
			work_round_begin(w, round, 1, w->members - 1);
			continue;
		}
		work_round_wait(w, round, &seen);
		slice.data = set.data + (seen % 64) * slice.bytes;
		for (uint64_t i = 0; i < p[2]; i++)
			working_set_walk(&slice, 64);
	}
}

/* A token goes round; token[k] is 1 when it is member k's turn. */
void work_wake_chain(struct worker *w, const uint64_t *p)
{
	_Atomic uint32_t *token = w->ensemble->shared;
	uint32_t next = (w->member + 1) % w->members;

	_Static_assert(256 * sizeof(*token) <= WORKER_SHARED_BYTES, "a word for each member");
	for (bool has_token = w->member == 0;; has_token = false) {
		if (!has_token)
			worker_futex_wait(w, &token[w->member], 0);
		atomic_store(&token[w->member], 0);
		worker_compute(w, p[1]);
		worker_iterate(w);
		worker_stamp(w, next);
		atomic_store(&token[next], 1);
		worker_futex_wake(&token[next], 1);
	}
}

/* Producers write to an eventfd (fds[0]) that consumers wait for in one epoll set (fds[1]).
 *
 * Of several consumers the kernel chooses who is woken, and one that comes too late sleeps on in the
 * kernel: nobody can say which of them is due. What is known is when the last event was fired, and that
 * who gets one has not been waiting for longer. One alone is due from the first event that it has not
 * consumed. */
struct storm {
	_Atomic uint32_t pending; /* events fired and not yet consumed */
	_Atomic uint32_t drained; /* how often there were none */
	_Atomic uint64_t fired_ns;
};

int prepare_epoll_storm(struct ensemble *e, const uint64_t *p)
{
	struct epoll_event event = { .events = EPOLLIN };

	e->fds[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	e->fds[1] = epoll_create1(EPOLL_CLOEXEC);
	if (e->fds[0] < 0 || e->fds[1] < 0 ||
	    epoll_ctl(e->fds[1], EPOLL_CTL_ADD, e->fds[0], &event))
		return err_new(-errno, "epoll with eventfd: %s", strerror(errno));
	return 0;
}

static void storm_produce(struct worker *w, struct storm *storm, const uint64_t *p)
{
	static const uint64_t one = 1;
	uint64_t producers = p[0], consumers = p[1], burst = p[2];

	for (;;) {
		uint32_t seen = atomic_load(&storm->drained);

		atomic_fetch_add(&storm->pending, (uint32_t)burst);
		if (consumers == 1)
			worker_stamp(w, (uint32_t)producers);
		for (uint64_t i = 0; i < burst; i++) {
			shared_set(&storm->fired_ns, now_ns());
			(void)!write(w->ensemble->fds[0], &one, sizeof(one));
		}
		worker_iterate(w);
		worker_futex_wait(w, &storm->drained, seen);
	}
}

static void storm_wait(struct worker *w, const struct storm *storm, bool is_alone)
{
	struct epoll_event event;
	uint64_t since;

	worker_block(w, is_alone ? DUE_STAMPED : DUE_UNKNOWN);
	since = w->last_ns;
	while (epoll_wait(w->ensemble->fds[1], &event, 1, -1) < 0 && errno == EINTR)
		;
	if (is_alone)
		worker_unblock(w);
	else
		worker_unblock_since(w, MAX(since, shared_get(&storm->fired_ns)));
}

static void storm_consume(struct worker *w, struct storm *storm, bool is_alone)
{
	uint64_t one;

	for (;;) {
		storm_wait(w, storm, is_alone);
		/* Another may have been faster: that is the storm. */
		if (read(w->ensemble->fds[0], &one, sizeof(one)) < 0)
			continue;
		worker_iterate(w);
		if (atomic_fetch_sub(&storm->pending, 1) != 1)
			continue;
		atomic_fetch_add(&storm->drained, 1);
		worker_futex_wake(&storm->drained, INT32_MAX);
	}
}

void work_epoll_storm(struct worker *w, const uint64_t *p)
{
	if (w->member < p[0])
		storm_produce(w, w->ensemble->shared, p);
	storm_consume(w, w->ensemble->shared, p[1] == 1);
}

/* An item is a deadline miss of its producer if it finds the queue full and is dropped, or is not there
 * when the period of the next one begins. */
static void produce(struct worker *w, struct work_semaphore *items, const uint64_t *p)
{
	enum { QUEUE_ITEMS = 64 };
	uint64_t dropped, period_ns = NSEC_PER_SEC / p[2];

	for (uint64_t begin = w->last_ns;; begin = work_next_period(w, begin, period_ns, dropped)) {
		worker_compute(w, p[3]);
		dropped = !work_semaphore_release(w, items, QUEUE_ITEMS);
		shared_add(&w->telemetry->deadline_misses, dropped);
		worker_iterate(w);
	}
}

void work_producer_consumer(struct worker *w, const uint64_t *p)
{
	struct work_semaphore *items = w->ensemble->shared;

	if (w->member < p[0])
		produce(w, items, p);
	for (;; worker_iterate(w)) {
		work_semaphore_take(w, items);
		worker_compute(w, p[3]);
	}
}

/* has_work[k] is 1 while member k serves a request. */
struct bench {
	_Atomic uint32_t completions;
	struct work_bell bell; /* of member 0 */
	_Atomic uint32_t has_work[WORK_MEMBERS_MAX];
};

_Static_assert(sizeof(struct bench) <= WORKER_SHARED_BYTES, "the bench fits its page");

static void bench_serve(struct worker *w, struct bench *b, const uint64_t *p)
{
	for (;;) {
		worker_futex_wait(w, &b->has_work[w->member], 0);
		worker_compute(w, p[1]);
		if (p[2])
			worker_sleep(w, p[2]);
		worker_iterate(w);
		atomic_store(&b->has_work[w->member], 0);
		atomic_fetch_add(&b->completions, 1);
		work_bell_ring(w, &b->bell);
	}
}

/* Many may wake it: the first that does says since when it is due. */
static void bench_await(struct worker *w, struct bench *b, uint32_t seen)
{
	while (atomic_load(&b->completions) == seen) {
		work_bell_begin(w, &b->bell);
		if (atomic_load(&b->completions) == seen)
			work_bell_sleep(w, &b->bell);
		work_bell_end(w, &b->bell);
	}
}

void work_schbench(struct worker *w, const uint64_t *p)
{
	struct bench *b = w->ensemble->shared;

	if (w->member)
		bench_serve(w, b, p);
	for (;;) {
		uint32_t seen = atomic_load(&b->completions);

		for (uint32_t i = 1; i < w->members; i++) {
			if (atomic_load(&b->has_work[i]))
				continue;
			worker_stamp(w, i);
			atomic_store(&b->has_work[i], 1);
			worker_futex_wake(&b->has_work[i], 1);
		}
		worker_iterate(w);
		bench_await(w, b, seen);
	}
}

struct mix {
	struct work_semaphore requests;
	_Atomic uint32_t open;	   /* requests of this batch that are not answered */
	_Atomic uint32_t answered; /* batches */
};

static void mix_serve(struct worker *w, struct mix *mix, const uint64_t *p)
{
	for (;;) {
		work_semaphore_take(w, &mix->requests);
		if (worker_random(w) % 1000 >= p[1])
			worker_sleep(w, p[3]);
		worker_compute(w, p[4]);
		worker_iterate(w);
		if (atomic_fetch_sub(&mix->open, 1) != 1)
			continue;
		worker_stamp(w, 0);
		atomic_fetch_add(&mix->answered, 1);
		worker_futex_wake(&mix->answered, 1);
	}
}

/* The client sends a request for each server, and waits until all are answered. */
void work_request_mix(struct worker *w, const uint64_t *p)
{
	struct mix *mix = w->ensemble->shared;

	if (w->member)
		mix_serve(w, mix, p);
	for (uint32_t batch = 0;; batch++) {
		if (p[2])
			worker_sleep(w, p[2]);
		atomic_store(&mix->open, w->members - 1);
		for (uint32_t i = 1; i < w->members; i++)
			work_semaphore_release(w, &mix->requests, UINT32_MAX);
		worker_futex_wait(w, &mix->answered, batch);
		worker_iterate(w);
	}
}
