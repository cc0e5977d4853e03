// SPDX-License-Identifier: GPL-2.0-only
/* Host calls through io_uring: reads, writes and syncs of a backing that is one file go into the
 * ring, everything else is made in place. What a result means is io.c's business, so that this
 * engine's verdicts are those of the others. The file is registered; buffers are not, because guest
 * memory would have to be pinned as a whole for a gain that only O_DIRECT on fast devices shows.
 *
 * A ring belongs to its queue and is used with the queue's lock held, by whichever thread serves. */
#include "devices/blk/internal.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

struct blk_uring {
	struct io_uring ring;
	const struct blk_backing *backing;
};

int blk_uring_new(const struct blk_backing *b, unsigned depth, struct blk_uring **ret)
{
	cleanup(freep) struct blk_uring *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_new(-ENOMEM, "out of memory for io_uring");
	u->backing = b;
	r = io_uring_queue_init(depth, &u->ring, IORING_SETUP_CLAMP);
	if (r < 0)
		return err_new(r, "this host refuses io_uring (%s); engine=worker needs none",
			       strerror(-r));
	r = b->is_direct ? io_uring_register_files(&u->ring, &b->fd, 1) : 0;
	if (r < 0) {
		io_uring_queue_exit(&u->ring);
		return err_new(r, "io_uring: cannot register the disk's file: %s", strerror(-r));
	}
	*ret = steal_ptr(&u);
	return 0;
}

struct blk_uring *blk_uring_free(struct blk_uring *u)
{
	if (u)
		io_uring_queue_exit(&u->ring);
	free(u);
	return NULL;
}

int blk_uring_fd(const struct blk_uring *u)
{
	return u->ring.ring_fd;
}

static bool goes_into_ring(const struct blk_backing *b, const struct blk_call *call)
{
	if (!b->is_direct)
		return false;
	if (call->kind == BLK_CALL_SYNC)
		return !b->ops->is_volatile;
	return call->kind == BLK_CALL_READ || call->kind == BLK_CALL_WRITE;
}

static void prepare(struct io_uring_sqe *sqe, const struct blk_call *call)
{
	const struct iovec *iov = call->iov;
	bool is_read = call->kind == BLK_CALL_READ;

	if (call->kind == BLK_CALL_SYNC)
		io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
	else if (call->iov_count > 1)
		(is_read ? io_uring_prep_readv : io_uring_prep_writev)(sqe, 0, iov, call->iov_count,
								       call->offset);
	else if (is_read)
		io_uring_prep_read(sqe, 0, iov->iov_base, (unsigned)iov->iov_len, call->offset);
	else
		io_uring_prep_write(sqe, 0, iov->iov_base, (unsigned)iov->iov_len, call->offset);
	sqe->flags |= IOSQE_FIXED_FILE;
}

bool blk_uring_put(struct blk_uring *u, struct blk_slot *slot)
{
	struct io_uring_sqe *sqe;

	if (!goes_into_ring(u->backing, &slot->call))
		return false;
	sqe = io_uring_get_sqe(&u->ring);
	if (!sqe)
		return false; /* full: this one is made in place */
	prepare(sqe, &slot->call);
	io_uring_sqe_set_data(sqe, slot);
	return true;
}

bool blk_uring_has_unsubmitted(const struct blk_uring *u)
{
	return io_uring_sq_ready(&u->ring) > 0;
}

void blk_uring_submit(struct blk_uring *u, unsigned wait_for)
{
	/* EINTR and a full completion queue are over after the next try, which our callers make. */
	if (wait_for || blk_uring_has_unsubmitted(u))
		io_uring_submit_and_wait(&u->ring, wait_for);
}

struct blk_slot *blk_uring_reap(struct blk_uring *u, ssize_t *result_ret)
{
	struct io_uring_cqe *cqe;
	struct blk_slot *slot;

	if (io_uring_peek_cqe(&u->ring, &cqe) < 0 || !cqe)
		return NULL;
	slot = io_uring_cqe_get_data(cqe);
	*result_ret = cqe->res;
	io_uring_cqe_seen(&u->ring, cqe);
	return slot;
}
