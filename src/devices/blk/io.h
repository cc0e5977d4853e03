/* SPDX-License-Identifier: GPL-2.0-only */
/* A request as a sequence of host calls, without making them: an engine asks for the next call,
 * makes it (now or later, in whatever way), and hands the result back. Retries, short counts, the
 * end of the file, write-through and the faults that change a transfer live here, once for all
 * engines, so that their verdicts cannot differ.
 *
 *	blk_transfer_init()
 *	while (blk_transfer_next(t, &call))
 *		blk_transfer_done(t, &call, <result of the call>)
 *	t->error says how it went, t->moved how far it got. */
#pragma once

#include "devices/blk/backing.h"
#include "devices/blk/request.h"

enum blk_call_kind {
	BLK_CALL_READ,
	BLK_CALL_WRITE,
	BLK_CALL_SYNC,
	BLK_CALL_DISCARD,
	BLK_CALL_ZERO,
};

/* One call to the host. iov points into the transfer and is valid until blk_transfer_done(). */
struct blk_call {
	enum blk_call_kind kind;
	const struct iovec *iov;
	unsigned iov_count;
	uint64_t offset;
	uint64_t bytes; /* discard and zero */
	bool can_unmap;
	struct iovec shortened; /* where iov points after blk_call_shorten() */
};

enum { BLK_EINTR_RETRIES_MAX = 16 };

struct blk_transfer {
	const struct blk_request *req;
	struct iovec *iov; /* what is left to move */
	unsigned iov_count;
	uint64_t offset;
	uint64_t left;
	uint64_t moved; /* bytes moved, from the first on */
	unsigned segment;
	unsigned eintr_count; /* of the call under way */
	unsigned retries;     /* short counts and EINTR together */
	bool is_started;      /* at least one segment or sync was done */
	bool needs_sync;      /* write-through: a sync follows the last write */
	bool is_torn;
	int error; /* 0, or a positive errno */
};

/* Begin @req, whose iovecs are used up by it. @fault_actions: bits 1 << enum blk_fault_action, of
 * which torn, misdirect and lost-flush are obeyed here. @sectors: the disk's capacity. */
void blk_transfer_init(struct blk_transfer *t, const struct blk_request *req,
		       uint32_t fault_actions, uint64_t sectors);

/* The next host call to make; false when nothing is left to do or it has failed.
 * @is_write_through as it is now: asked when the last write is done. */
bool blk_transfer_next(struct blk_transfer *t, bool is_write_through, struct blk_call *ret);

/* @result of @call: a count, 0, or a negative errno. */
void blk_transfer_done(struct blk_transfer *t, const struct blk_call *call, ssize_t result);

/* Fault "short": let @call move only half of its first iovec, at least one byte. */
void blk_call_shorten(struct blk_call *call);

/* Make @call in this thread. */
ssize_t blk_call_make(struct blk_backing *b, const struct blk_call *call);

/* The operation of @call in the words of a fault rule, for matching. */
struct blk_fault_subject blk_call_subject(const struct blk_request *req,
					  const struct blk_call *call);
