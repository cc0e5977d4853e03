// SPDX-License-Identifier: GPL-2.0-only
/* One queue's thread: it serves, then waits for a kick, a call that has ended, the time at which
 * something is due, or somebody who wants it to look again. It holds the queue's lock all the time
 * except while it waits; who claims the queue is let in first, so that a busy ring cannot keep a
 * reset or a freeze waiting. */
#include "devices/blk/internal.h"

#include "base/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/uio.h>

void blk_queue_claim(struct blk_queue *q)
{
	atomic_fetch_add(&q->claims, 1);
	pthread_mutex_lock(&q->lock);
	atomic_fetch_sub(&q->claims, 1);
}

void blk_queue_release(struct blk_queue *q)
{
	pthread_cond_signal(&q->released);
	pthread_mutex_unlock(&q->lock);
}

void blk_models_claim(struct blk *blk)
{
	if (blk->queue_count > 1)
		pthread_mutex_lock(&blk->admission);
	else
		blk_queue_claim(&blk->queues[0]);
}

void blk_models_release(struct blk *blk)
{
	if (blk->queue_count > 1)
		pthread_mutex_unlock(&blk->admission);
	else
		blk_queue_release(&blk->queues[0]);
}

void blk_worker_wake(struct blk_queue *q)
{
	/* It can only fail because the counter is full, and then a wake-up is pending anyway. */
	(void)eventfd_write(q->wake_fd, 1);
}

/* Take what was written to an eventfd. A vhost peer's may have been made to block behind our back,
 * and emptied between our poll and our read: hence RWF_NOWAIT. False if it is none that can wake
 * anybody. */
static bool drain(int fd)
{
	uint64_t count;
	struct iovec iov = { &count, sizeof(count) };
	ssize_t n = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (n < 0 && errno == EOPNOTSUPP) /* a pipe, which is our own end and never blocks */
		n = read(fd, &count, sizeof(count));
	return n == sizeof(count) || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* How long to sleep: NULL for ever. Device time that stands still never ends a sleep. */
static const struct timespec *sleep_time(const struct blk_queue *q, struct timespec *ret)
{
	uint64_t due_ns = q->is_paused ? UINT64_MAX : blk_queue_due_ns(q);
	uint64_t now_ns = blk_now(q->blk);
	uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;

	if (due_ns == UINT64_MAX)
		return NULL;
	*ret = (struct timespec){ .tv_sec = (time_t)(wait_ns / NSEC_PER_SEC),
				  .tv_nsec = (long)(wait_ns % NSEC_PER_SEC) };
	return ret;
}

/* Sleep until there is something to do; the lock is free meanwhile. */
static void wait_for_work(struct blk_queue *q)
{
	enum { WAKE, KICK, RING, COUNT };
	bool is_watching = !q->is_paused && !q->is_kick_dead;
	struct pollfd fds[COUNT] = {
		[WAKE] = { .fd = q->wake_fd, .events = POLLIN },
		[KICK] = { .fd = is_watching ? q->vq->kick_fd : -1, .events = POLLIN },
		[RING] = { .fd = q->under_way ? blk_uring_fd(q->uring) : -1, .events = POLLIN },
	};
	struct timespec storage;
	const struct timespec *timeout = sleep_time(q, &storage);
	bool is_kick_dead = false;

	pthread_mutex_unlock(&q->lock);
	if (ppoll(fds, COUNT, timeout, NULL) > 0) {
		if (fds[WAKE].revents)
			drain(q->wake_fd);
		if (fds[KICK].revents & POLLIN && drain(fds[KICK].fd))
			(void)!virtio_queue_accept_kick(&q->blk->dev, q->index);
		else
			is_kick_dead = fds[KICK].revents;
	}
	pthread_mutex_lock(&q->lock);
	q->is_kick_dead |= is_kick_dead;
}

static void *worker_main(void *arg)
{
	struct blk_queue *q = arg;
	char name[16];

	snprintf(name, sizeof(name), "blk-q%u", q->index);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_TIMERSLACK, 1UL); /* the throttle's nanosecond, not one 50 us later */
	pthread_mutex_lock(&q->lock);
	while (!q->is_ending) {
		if (atomic_load(&q->claims))
			pthread_cond_wait(&q->released, &q->lock);
		else if (!blk_queue_serve(q))
			wait_for_work(q);
	}
	blk_queue_settle(q);
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

int blk_worker_start(struct blk_queue *q)
{
	sigset_t all, before;
	int error;

	/* Signals are the main thread's. */
	sigfillset(&all);
	sigdelset(&all, SIGBUS); /* a vhost peer's memory can raise it here: vhost/guard.h */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	q->is_ending = false;
	error = pthread_create(&q->thread, NULL, worker_main, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return err_new(-error, "disk thread: %s", strerror(error));
	q->has_thread = true;
	return 0;
}

void blk_worker_end(struct blk_queue *q)
{
	if (!q->has_thread)
		return;
	blk_queue_claim(q);
	q->is_ending = true;
	blk_queue_release(q);
	blk_worker_wake(q);
	pthread_join(q->thread, NULL);
	q->has_thread = false;
}
