// SPDX-License-Identifier: GPL-2.0-only
/* Host calls through io_uring: reads, writes and syncs of a backing that is one file go into the
 * ring, everything else is made in place. What a result means is io.c's business, so that this
 * engine's verdicts are those of the others. The file is registered, and so is guest memory where its
 * pages stay the same as long as the queue is live: registered pages are used whatever has become of
 * the address meanwhile, so that a peer which truncates its memory would be told OK for bytes that
 * nobody can read, and one which gives pages back and touches them again (a balloon) would have the
 * wrong bytes written. Hence enum blk_buffers, and registration from queue_live to queue_stop only.
 *
 * A ring belongs to its queue and is used with the queue's lock held, by whichever thread serves. */
#include "devices/blk/internal.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

enum { PINS_MAX = 128 };
static const uint64_t pin_bytes_max = UINT64_C(1) << 30; /* the kernel's limit for one buffer */

struct blk_uring {
	struct io_uring ring;
	const struct blk_backing *backing;
	struct iovec pins[PINS_MAX]; /* registered, under their index */
	unsigned pin_count;
	unsigned pin_recent;
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

/* Guest memory in pieces that can be registered. What does not fit stays as it is. */
static unsigned cut_memory(const struct gmem *mem, struct iovec *ret)
{
	unsigned count = 0;

	for (unsigned i = 0; i < mem->count; i++) {
		const struct gmem_region *region = &mem->regions[i];

		for (uint64_t at = 0; at < region->bytes && count < PINS_MAX; at += pin_bytes_max)
			ret[count++] = (struct iovec){ region->host + at,
						       MIN(region->bytes - at, pin_bytes_max) };
	}
	return count;
}

int blk_uring_pin(struct blk_uring *u, const struct gmem *mem, enum blk_buffers buffers)
{
	enum gmem_pages needed =
		buffers == BLK_BUFFERS_REGISTERED ? GMEM_PAGES_SEALED : GMEM_PAGES_OWN;
	unsigned count;

	blk_uring_unpin(u);
	if (buffers == BLK_BUFFERS_PLAIN || mem->pages < needed || !u->backing->is_direct)
		return BLK_NOT_PINNED;
	count = cut_memory(mem, u->pins);
	if (count == 0)
		return BLK_NOT_PINNED;
	if (io_uring_register_buffers(&u->ring, u->pins, count) < 0)
		return BLK_PIN_REFUSED;
	u->pin_count = count;
	u->pin_recent = 0;
	return 0;
}

void blk_uring_unpin(struct blk_uring *u)
{
	if (u->pin_count)
		(void)io_uring_unregister_buffers(&u->ring);
	u->pin_count = 0;
}

static bool is_within(const struct iovec *pin, const struct iovec *iov)
{
	uintptr_t offset = (uintptr_t)iov->iov_base - (uintptr_t)pin->iov_base;

	return offset < pin->iov_len && iov->iov_len <= pin->iov_len - offset;
}

/* The registered piece that @call's payload lies in as a whole, or -1. */
static int find_pin(struct blk_uring *u, const struct blk_call *call)
{
	if (call->kind == BLK_CALL_SYNC || call->iov_count != 1 || !u->pin_count)
		return -1;
	for (unsigned i = 0; i < u->pin_count; i++) {
		unsigned which = (u->pin_recent + i) % u->pin_count;

		if (is_within(&u->pins[which], call->iov)) {
			u->pin_recent = which;
			return (int)which;
		}
	}
	return -1;
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

static void prepare(struct io_uring_sqe *sqe, const struct blk_call *call, int pin)
{
	const struct iovec *iov = call->iov;
	bool is_read = call->kind == BLK_CALL_READ;

	if (call->kind == BLK_CALL_SYNC)
		io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
	else if (pin >= 0 && is_read)
		io_uring_prep_read_fixed(sqe, 0, iov->iov_base, (unsigned)iov->iov_len,
					 call->offset, pin);
	else if (pin >= 0)
		io_uring_prep_write_fixed(sqe, 0, iov->iov_base, (unsigned)iov->iov_len,
					  call->offset, pin);
	else if (call->iov_count > 1)
		(is_read ? io_uring_prep_readv : io_uring_prep_writev)(sqe, 0, iov, call->iov_count,
								       call->offset);
	else if (is_read)
		io_uring_prep_read(sqe, 0, iov->iov_base, (unsigned)iov->iov_len, call->offset);
	else
		io_uring_prep_write(sqe, 0, iov->iov_base, (unsigned)iov->iov_len, call->offset);
	sqe->flags |= IOSQE_FIXED_FILE;
}

enum blk_put blk_uring_put(struct blk_uring *u, struct blk_slot *slot)
{
	struct io_uring_sqe *sqe;
	int pin;

	if (!goes_into_ring(u->backing, &slot->call))
		return BLK_PUT_NOT;
	sqe = io_uring_get_sqe(&u->ring);
	if (!sqe)
		return BLK_PUT_NOT; /* full: this one is made in place */
	pin = find_pin(u, &slot->call);
	prepare(sqe, &slot->call, pin);
	io_uring_sqe_set_data(sqe, slot);
	return pin >= 0 ? BLK_PUT_REGISTERED : BLK_PUT_PLAIN;
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
