// SPDX-License-Identifier: GPL-2.0-only
/* Whole transfers out of partial calls; see io.h. */
#include "devices/blk/io.h"

#include "base/util.h"

#include <errno.h>

static bool is_data(const struct blk_request *req)
{
	return req->op == BLK_OP_READ || req->op == BLK_OP_WRITE;
}

/* The extent behind the one asked for, or before it at the end of the disk, or its start. */
static uint64_t misdirected(const struct blk_request *req, uint64_t sectors)
{
	if (sectors - req->sector - req->sectors >= req->sectors)
		return req->sector + req->sectors;
	return req->sector >= req->sectors ? req->sector - req->sectors : 0;
}

void blk_transfer_init(struct blk_transfer *t, const struct blk_request *req,
		       uint32_t fault_actions, uint64_t sectors)
{
	bool is_misdirected = fault_actions & 1u << BLK_FAULT_MISDIRECT;
	uint64_t sector = is_misdirected ? misdirected(req, sectors) : req->sector;

	*t = (struct blk_transfer){
		.req = req,
		.iov = req->iov,
		.iov_count = req->iov_count,
		.offset = sector * BLK_SECTOR_BYTES,
		.left = is_data(req) ? req->data_bytes : 0,
		.needs_sync = req->op == BLK_OP_FLUSH,
		.is_torn = fault_actions & 1u << BLK_FAULT_TORN,
	};
	if (fault_actions & 1u << BLK_FAULT_LOST_FLUSH)
		t->needs_sync = false;
	if (t->is_torn && is_data(req))
		t->left = req->sectors / 2 * BLK_SECTOR_BYTES;
}

/* Move the position by @bytes, over iovec borders. */
static void advance(struct blk_transfer *t, uint64_t bytes)
{
	t->left -= bytes;
	t->moved += bytes;
	t->offset += bytes;
	while (bytes && bytes >= t->iov->iov_len) {
		bytes -= t->iov->iov_len;
		t->iov++;
		t->iov_count--;
	}
	if (bytes) {
		t->iov->iov_base = (unsigned char *)t->iov->iov_base + bytes;
		t->iov->iov_len -= bytes;
	}
}

static bool next_data(struct blk_transfer *t, struct blk_call *ret)
{
	if (!t->left)
		return false;
	/* A torn transfer ends before its iovecs do. */
	if (t->is_torn)
		t->iov_count = blk_iov_head(t->iov, t->iov_count, t->left, t->iov, t->iov_count);
	ret->kind = t->req->op == BLK_OP_READ ? BLK_CALL_READ : BLK_CALL_WRITE;
	ret->iov = t->iov;
	ret->iov_count = t->iov_count;
	ret->offset = t->offset;
	return true;
}

static bool next_segment(struct blk_transfer *t, struct blk_call *ret)
{
	const struct blk_request *req = t->req;

	while (t->segment < req->segment_count) {
		const struct blk_segment *s = &req->segments[t->segment];
		uint64_t sectors = t->is_torn ? s->sectors / 2 : s->sectors;

		if (sectors) {
			ret->kind = req->op == BLK_OP_DISCARD ? BLK_CALL_DISCARD : BLK_CALL_ZERO;
			ret->offset = s->sector * BLK_SECTOR_BYTES;
			ret->bytes = sectors * BLK_SECTOR_BYTES;
			ret->can_unmap = s->can_unmap;
			return true;
		}
		t->segment++;
	}
	return false;
}

static bool next_sync(struct blk_transfer *t, bool is_write_through, struct blk_call *ret)
{
	bool is_change = t->req->op != BLK_OP_READ && t->is_started;

	if (!t->needs_sync && !(is_write_through && is_change))
		return false;
	ret->kind = BLK_CALL_SYNC;
	return true;
}

bool blk_transfer_next(struct blk_transfer *t, bool is_write_through, struct blk_call *ret)
{
	*ret = (struct blk_call){ 0 };
	if (t->error)
		return false;
	return next_data(t, ret) || next_segment(t, ret) || next_sync(t, is_write_through, ret);
}

/* Nothing more in the file although the disk goes on: it has shrunk, the rest reads as zeros. */
static void read_past_end(struct blk_transfer *t)
{
	blk_iov_zero(t->iov, t->iov_count, 0, t->left);
	advance(t, t->left);
}

static void data_done(struct blk_transfer *t, const struct blk_call *call, uint64_t count)
{
	if (count > t->left) {
		t->error = EIO; /* no host does this; believing it would leave the buffers */
		return;
	}
	if (count == 0 && call->kind == BLK_CALL_WRITE) {
		t->error = EIO;
		return;
	}
	if (count == 0)
		read_past_end(t);
	else
		advance(t, count);
	t->retries += t->left != 0;
	t->is_started = true;
}

void blk_transfer_done(struct blk_transfer *t, const struct blk_call *call, ssize_t result)
{
	if (result == -EINTR && t->eintr_count < BLK_EINTR_RETRIES_MAX) {
		t->eintr_count++;
		t->retries++;
		return;
	}
	t->eintr_count = 0;
	if (result < 0) {
		t->error = (int)-result;
		return;
	}
	switch (call->kind) {
	case BLK_CALL_READ:
	case BLK_CALL_WRITE:
		data_done(t, call, (uint64_t)result);
		break;
	case BLK_CALL_DISCARD:
	case BLK_CALL_ZERO:
		t->segment++;
		t->is_started = true;
		break;
	case BLK_CALL_SYNC:
		t->needs_sync = false;
		t->is_started = false;
		break;
	}
}

void blk_call_shorten(struct blk_call *call)
{
	size_t half = call->iov[0].iov_len / 2;

	call->shortened = (struct iovec){ call->iov[0].iov_base, MAX(half, (size_t)1) };
	call->iov = &call->shortened;
	call->iov_count = 1;
}

ssize_t blk_call_make(struct blk_backing *b, const struct blk_call *call)
{
	switch (call->kind) {
	case BLK_CALL_READ:
		return b->ops->readv(b, call->iov, call->iov_count, call->offset);
	case BLK_CALL_WRITE:
		return b->ops->writev(b, call->iov, call->iov_count, call->offset);
	case BLK_CALL_SYNC:
		return b->ops->sync(b);
	case BLK_CALL_DISCARD:
		return b->ops->discard(b, call->offset, call->bytes);
	case BLK_CALL_ZERO:
		return b->ops->zero(b, call->offset, call->bytes, call->can_unmap);
	}
	return -EINVAL;
}

struct blk_fault_subject blk_call_subject(const struct blk_request *req,
					  const struct blk_call *call)
{
	bool is_segment = call->kind == BLK_CALL_DISCARD || call->kind == BLK_CALL_ZERO;

	return (struct blk_fault_subject){
		.op = req->op,
		.sector = is_segment ? call->offset / BLK_SECTOR_BYTES : req->sector,
		.sectors = is_segment ? call->bytes / BLK_SECTOR_BYTES : req->sectors,
	};
}
