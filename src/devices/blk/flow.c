// SPDX-License-Identifier: GPL-2.0-only
/* One request from admission to answer: throttle, latency model and faults before, host calls,
 * what the driver is told after. */
#include "devices/blk/internal.h"

#include "base/util.h"

#include <errno.h>

static bool has_fault(const struct blk_slot *slot, enum blk_fault_action action)
{
	return slot->faults.actions & 1u << action;
}

/* Flushes and the disk's name cost no tokens; a discard moves no bytes. */
static bool is_within_limits(struct blk_queue *q, const struct blk_request *req, uint64_t now_ns)
{
	struct blk *blk = q->blk;

	if (!blk->has_throttle || req->op == BLK_OP_FLUSH || req->op == BLK_OP_GET_ID)
		return true;
	q->is_throttled = !blk_throttle_admit(&blk->throttle, req->op != BLK_OP_READ,
					      req->data_bytes, now_ns, &q->retry_ns);
	return !q->is_throttled;
}

static void sign(const struct blk_queue *q, const struct blk_slot *slot,
		 struct blk_fault_subject *s)
{
	s->request = slot->number;
	s->queue = q->index;
	s->now_ns = q->now_ns;
}

/* What the models have in store for an admitted request. */
static void draw_fate(struct blk_queue *q, struct blk_slot *slot)
{
	struct blk *blk = q->blk;
	const struct blk_request *req = &slot->req;
	struct blk_fault_subject s = {
		.op = req->op,
		.sector = req->sector,
		.sectors = req->sectors,
	};

	if (!blk->has_latency && !blk->has_faults)
		return;
	slot->number = ++blk->requests;
	if (req->op == BLK_OP_GET_ID)
		return;
	slot->hold_ns = blk_latency_next(&blk->latency);
	sign(q, slot, &s);
	if (blk->has_faults)
		slot->faults = blk_faults_request(&blk->faults, &s);
	slot->hold_ns += slot->faults.delay_ns;
}

bool blk_flow_admit(struct blk_queue *q, struct blk_slot *slot, uint64_t now_ns)
{
	struct blk *blk = q->blk;
	bool is_admitted;

	q->is_throttled = false;
	if (slot->req.op == BLK_OP_FLUSH && q->under_way)
		return false;
	slot->admitted_ns = now_ns;
	slot->hold_ns = 0;
	slot->faults = (struct blk_fault_verdict){ 0 };
	if (!blk->has_throttle && !blk->has_latency && !blk->has_faults)
		return true;
	blk_models_lock(blk);
	is_admitted = is_within_limits(q, &slot->req, now_ns);
	if (is_admitted)
		draw_fate(q, slot);
	blk_models_unlock(blk);
	return is_admitted;
}

/* Ask the fault rules about the call about to be made. True: it is not made, *@result_ret is what
 * it gives. */
static bool is_faked(struct blk_queue *q, struct blk_slot *slot, ssize_t *result_ret)
{
	struct blk *blk = q->blk;
	enum blk_fault_action action;
	struct blk_fault_subject s;
	int error = 0;

	if (!blk->has_faults)
		return false;
	s = blk_call_subject(&slot->req, &slot->call);
	sign(q, slot, &s);
	blk_models_lock(blk);
	action = blk_faults_call(&blk->faults, &s, &error);
	blk_models_unlock(blk);
	switch (action) {
	case BLK_FAULT_SHORT:
		blk_call_shorten(&slot->call);
		return false;
	case BLK_FAULT_ZERO:
		*result_ret = 0;
		return true;
	case BLK_FAULT_EINTR:
		*result_ret = -EINTR;
		return true;
	case BLK_FAULT_ERRNO:
		*result_ret = -error;
		return true;
	default:
		return false;
	}
}

/* Flip a bit of what a write left in the backing; of its first byte on, as the fault chose. */
static int corrupt_backing(struct blk_backing *b, const struct blk_slot *slot)
{
	const struct blk_transfer *t = &slot->transfer;
	uint64_t at = t->offset - t->moved + slot->faults.random % t->moved;
	uint8_t byte;
	struct iovec iov = { &byte, 1 };

	if (b->ops->readv(b, &iov, 1, at) != 1)
		return -EIO;
	byte ^= (uint8_t)(1 << (slot->faults.random >> 61));
	return b->ops->writev(b, &iov, 1, at) == 1 ? 0 : -EIO;
}

/* Flip a bit of what a read brought. */
static void corrupt_memory(const struct blk_slot *slot)
{
	const struct blk_request *req = &slot->req;
	uint64_t at = slot->faults.random % blk_iov_bytes(req->iov, req->iov_count);

	for (unsigned i = 0; i < req->iov_count; i++) {
		if (at < req->iov[i].iov_len) {
			((uint8_t *)req->iov[i].iov_base)[at] ^=
				(uint8_t)(1 << (slot->faults.random >> 61));
			return;
		}
		at -= req->iov[i].iov_len;
	}
}

static void corrupt(struct blk_queue *q, struct blk_slot *slot)
{
	struct blk_transfer *t = &slot->transfer;

	if (t->error || !t->moved || !has_fault(slot, BLK_FAULT_CORRUPT))
		return;
	if (slot->req.op == BLK_OP_READ)
		corrupt_memory(slot);
	else if (corrupt_backing(&q->blk->backing, slot) < 0)
		t->error = EIO;
}

/* 2.7.8.2: the bytes written from the first writable one on. The status byte counts only if all
 * before it was written. */
static uint32_t used_length(const struct blk_request *req, uint64_t written)
{
	return (uint32_t)(written == req->room_bytes ? written + 1 : written);
}

static uint64_t bytes_written(const struct blk_slot *slot)
{
	if (slot->req.op == BLK_OP_READ)
		return slot->transfer.moved;
	return slot->req.op == BLK_OP_GET_ID ? VIRTIO_BLK_ID_BYTES : 0;
}

static void count_answer(struct blk_queue *q, const struct blk_held *h)
{
	static const enum blk_counter completed[BLK_OP_COUNT] = {
		[BLK_OP_READ] = BLK_READS_COMPLETED,
		[BLK_OP_WRITE] = BLK_WRITES_COMPLETED,
		[BLK_OP_FLUSH] = BLK_FLUSHES_COMPLETED,
		[BLK_OP_DISCARD] = BLK_DISCARDS_COMPLETED,
		[BLK_OP_WRITE_ZEROES] = BLK_WRITE_ZEROES_COMPLETED,
		[BLK_OP_GET_ID] = BLK_GET_IDS_COMPLETED,
	};
	struct blk_counters *c = &q->counters;

	blk_count_span(c, BLK_SPAN_TOTAL, q->now_ns - h->popped_ns);
	if (h->status != VIRTIO_BLK_S_OK) {
		blk_count(c, BLK_IO_ERRORS, 1);
		return;
	}
	blk_count(c, completed[h->op], 1);
	if (h->op == BLK_OP_READ)
		blk_count(c, BLK_BYTES_READ, h->bytes);
	else if (h->op == BLK_OP_WRITE)
		blk_count(c, BLK_BYTES_WRITTEN, h->bytes);
}

static void answer(struct blk_queue *q, const struct blk_held *h)
{
	if (blk_queue_is_muted(q) || !vq_token_is_current(q->vq, h->token))
		return;
	gmem_store(h->status_byte, &h->status, 1);
	vq_stage(q->vq, h->token, h->used_len);
	count_answer(q, h);
}

static bool is_earlier(const struct blk_held *a, const struct blk_held *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void hold(struct blk_queue *q, const struct blk_held *h)
{
	unsigned at = q->held_count++;

	for (; at && is_earlier(h, &q->held[(at - 1) / 2]); at = (at - 1) / 2)
		q->held[at] = q->held[(at - 1) / 2];
	q->held[at] = *h;
	q->held[at].order = q->held_order++;
}

static struct blk_held take_earliest(struct blk_queue *q)
{
	struct blk_held first = q->held[0];
	const struct blk_held last = q->held[--q->held_count];
	unsigned at = 0;

	for (unsigned child; (child = 2 * at + 1) < q->held_count; at = child) {
		if (child + 1 < q->held_count && is_earlier(&q->held[child + 1], &q->held[child]))
			child++;
		if (is_earlier(&last, &q->held[child]))
			break;
		q->held[at] = q->held[child];
	}
	q->held[at] = last;
	return first;
}

void blk_flow_answer_held(struct blk_queue *q, uint64_t now_ns)
{
	while (q->held_count && q->held[0].due_ns <= now_ns) {
		struct blk_held h = take_earliest(q);

		answer(q, &h);
	}
}

void blk_slot_free(struct blk_queue *q, struct blk_slot *slot)
{
	q->free_slots[q->free_count++] = (unsigned)(slot - q->slots);
}

/* The host has done its part: answer now, later, or never. */
static void finish(struct blk_queue *q, struct blk_slot *slot)
{
	struct blk_request *req = &slot->req;

	if (req->op == BLK_OP_GET_ID)
		iov_store(req->iov, req->iov_count, 0, q->blk->spec.serial, VIRTIO_BLK_ID_BYTES);
	corrupt(q, slot);
	q->now_ns = blk_now(q->blk);
	blk_count_span(&q->counters, BLK_SPAN_HOST, q->now_ns - slot->admitted_ns);
	blk_count(&q->counters, BLK_HOST_RETRIES, slot->transfer.retries);

	struct blk_held h = {
		.due_ns = slot->admitted_ns + slot->hold_ns,
		.token = slot->chain.token,
		.status_byte = req->status,
		.status = slot->transfer.error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK,
		.op = req->op,
		.used_len = used_length(req, bytes_written(slot)),
		.bytes = req->data_bytes,
		.popped_ns = slot->popped_ns,
	};

	if (has_fault(slot, BLK_FAULT_DROP_COMPLETION))
		blk_count(&q->counters, BLK_COMPLETIONS_DROPPED, 1);
	else if (h.due_ns > q->now_ns)
		hold(q, &h);
	else
		answer(q, &h);
	blk_slot_free(q, slot);
}

/* Give the call to the ring, if there is one and it takes such calls. */
static bool is_under_way(struct blk_queue *q, struct blk_slot *slot)
{
	enum blk_put put = q->uring ? blk_uring_put(q->uring, slot) : BLK_PUT_NOT;

	if (put == BLK_PUT_NOT)
		return false;
	q->under_way++;
	blk_count(&q->counters, BLK_RING_CALLS, 1);
	if (put == BLK_PUT_REGISTERED)
		blk_count(&q->counters, BLK_RING_CALLS_REGISTERED, 1);
	return true;
}

static void run_on(struct blk_queue *q, struct blk_slot *slot)
{
	struct blk *blk = q->blk;

	while (blk_transfer_next(&slot->transfer, blk_is_write_through(blk), &slot->call)) {
		ssize_t result;

		if (!is_faked(q, slot, &result)) {
			if (is_under_way(q, slot))
				return;
			result = blk_call_make(&blk->backing, &slot->call);
		}
		blk_transfer_done(&slot->transfer, &slot->call, result);
	}
	finish(q, slot);
}

void blk_flow_run(struct blk_queue *q, struct blk_slot *slot)
{
	struct blk *blk = q->blk;

	blk_count_span(&q->counters, BLK_SPAN_QUEUE, slot->popped_ns - q->batch_ns);
	blk_count_span(&q->counters, BLK_SPAN_THROTTLE, slot->admitted_ns - slot->popped_ns);
	if (has_fault(slot, BLK_FAULT_SPURIOUS_IRQ)) {
		blk_count(&q->counters, BLK_SPURIOUS_INTERRUPTS, 1);
		blk->dev.transport->used_interrupt(blk->dev.transport_ctx, q->index);
	}
	blk_transfer_init(&slot->transfer, &slot->req, slot->faults.actions, blk_sectors(blk));
	run_on(q, slot);
}

void blk_flow_resume(struct blk_queue *q, struct blk_slot *slot, ssize_t result)
{
	q->under_way--;
	blk_transfer_done(&slot->transfer, &slot->call, result);
	run_on(q, slot);
}

void blk_flow_refuse(struct blk_queue *q, struct blk_slot *slot, enum blk_refusal refusal)
{
	struct blk_counters *c = &q->counters;
	uint8_t status = blk_refusal_status(refusal);

	counter_bump(&c->refusals[refusal], 1);
	blk_count(c, status == VIRTIO_BLK_S_UNSUPP ? BLK_UNSUPPORTED : BLK_IO_ERRORS, 1);
	if (refusal == BLK_NO_STATUS) {
		blk_count(c, BLK_CHAINS_DROPPED, 1);
		vq_drop(q->vq, slot->chain.token);
	} else if (!blk_queue_is_muted(q)) {
		gmem_store(slot->req.status, &status, 1);
		vq_stage(q->vq, slot->chain.token, used_length(&slot->req, 0));
	}
	blk_slot_free(q, slot);
}
