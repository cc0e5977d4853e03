// SPDX-License-Identifier: GPL-2.0-only
/* One queue: requests come off the ring in order, may have to wait at the head of the line, and
 * their answers are shown in batches: kicks are not wanted while we work, and each batch is one
 * store of used.idx and one interrupt decision. */
#include "devices/blk/internal.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { URING_DEPTH = 64 };

static int alloc_slots(struct blk_queue *q, unsigned count)
{
	q->slots = calloc(count, sizeof(*q->slots));
	q->free_slots = calloc(count, sizeof(*q->free_slots));
	q->held = calloc(BLK_QUEUE_SIZE_MAX, sizeof(*q->held));
	if (!q->slots || !q->free_slots || !q->held)
		return err_new(-ENOMEM, "out of memory for a disk queue");
	q->slot_count = count;
	for (unsigned i = 0; i < count; i++)
		blk_slot_free(q, &q->slots[i]);
	return 0;
}

int blk_queue_init(struct blk_queue *q, struct blk *blk, unsigned index)
{
	bool is_uring = blk->spec.engine == BLK_ENGINE_URING;
	int r;

	q->blk = blk;
	q->vq = &blk->dev.queues[index];
	q->index = index;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->released, NULL);
	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake_fd < 0)
		return err_new(-errno, "disk queue: eventfd: %s", strerror(errno));
	/* In place, one request is on its way at a time; the rest stays on the ring. */
	r = alloc_slots(q, is_uring ? URING_DEPTH : 1);
	if (r == 0 && is_uring)
		r = blk_uring_new(&blk->backing, URING_DEPTH, &q->uring);
	return r < 0 ? err_trace(r) : 0;
}

void blk_queue_deinit(struct blk_queue *q)
{
	if (!q->blk)
		return;
	q->uring = blk_uring_free(q->uring);
	free(q->slots);
	free(q->free_slots);
	free(q->held);
	q->wake_fd = fd_close(q->wake_fd);
	pthread_cond_destroy(&q->released);
	pthread_mutex_destroy(&q->lock);
	q->blk = NULL;
}

static void set_waiting(struct blk_queue *q, struct blk_slot *slot)
{
	q->waiting = slot;
	if (slot && q->is_throttled && !slot->was_throttled) {
		slot->was_throttled = true;
		blk_count(&q->counters, BLK_THROTTLED, 1);
	}
	atomic_store_explicit(&q->counters.currently_throttled, slot && q->is_throttled,
			      memory_order_relaxed);
}

/* Let @slot go, or make it the one that waits. */
static bool try_start(struct blk_queue *q, struct blk_slot *slot)
{
	bool is_admitted = blk_flow_admit(q, slot, q->now_ns);

	if (!is_admitted || q->waiting)
		set_waiting(q, is_admitted ? NULL : slot);
	if (is_admitted)
		blk_flow_run(q, slot);
	return is_admitted;
}

/* Take one request off the ring. False if there is none, or no room for it. */
static bool take(struct blk_queue *q)
{
	const struct blk *blk = q->blk;
	const struct blk_limits limits = {
		.sectors = blk_sectors(blk),
		.negotiated = blk->dev.negotiated,
		.is_read_only = blk->spec.is_read_only,
	};
	struct blk_slot *slot;
	enum blk_refusal refusal;
	int r;

	if (!q->free_count)
		return false;
	slot = &q->slots[q->free_slots[q->free_count - 1]];
	r = vq_pop(q->vq, &slot->chain);
	if (r == VQ_BROKEN)
		virtio_device_broken(&q->blk->dev, q->index);
	if (r)
		return false;
	q->free_count--;
	slot->popped_ns = q->now_ns;
	slot->was_throttled = false;
	refusal = blk_request_parse(&slot->req, &slot->chain, &limits);
	if (refusal)
		blk_flow_refuse(q, slot, refusal);
	else
		try_start(q, slot);
	return true;
}

/* Go on with every request whose call has ended. */
static void reap(struct blk_queue *q)
{
	struct blk_slot *slot;
	ssize_t result;

	while ((slot = blk_uring_reap(q->uring, &result)))
		blk_flow_resume(q, slot, result);
}

static void show(struct blk_queue *q)
{
	if (blk_queue_is_muted(q))
		return;
	if (q->vq->used_next != q->vq->used_shown)
		blk_count(&q->counters, BLK_BATCHES, 1);
	virtio_queue_publish(&q->blk->dev, q->index);
}

/* One batch; true if it ended because it was full. */
static bool serve_batch(struct blk_queue *q)
{
	unsigned taken = 0;

	blk_flow_answer_held(q, q->now_ns);
	if (q->under_way)
		reap(q);
	if (q->waiting)
		try_start(q, q->waiting);
	while (!q->waiting && taken < q->blk->batch_max && !blk_queue_is_muted(q) && take(q))
		taken++;
	/* What has ended may want another call (the rest of a short count, a sync): hand that over
	 * too, or nobody would be woken for it. */
	while (q->uring && blk_uring_has_unsubmitted(q->uring)) {
		blk_uring_submit(q->uring, 0);
		reap(q);
	}
	return taken == q->blk->batch_max;
}

/* Nothing can be taken off the ring until time passes or the host is done. */
static bool is_stuck(const struct blk_queue *q)
{
	if (q->waiting)
		return q->is_throttled || q->under_way;
	return !q->free_count;
}

bool blk_queue_serve(struct blk_queue *q)
{
	if (q->is_paused || !virtio_queue_is_live(&q->blk->dev, q->index))
		return false;
	q->now_ns = q->batch_ns = blk_now(q->blk);
	for (;;) {
		bool is_full;

		vq_disable_kicks(q->vq);
		is_full = serve_batch(q);
		show(q);
		if (is_stuck(q))
			return false;
		if (!q->waiting && !is_full && !vq_enable_kicks(q->vq))
			return false;
		if (atomic_load(&q->claims))
			return true;
	}
}

void blk_queue_settle(struct blk_queue *q)
{
	while (q->under_way) {
		blk_uring_submit(q->uring, 1);
		reap(q);
	}
	show(q);
}

void blk_queue_begin(struct blk_queue *q)
{
	int r;

	q->is_kick_dead = false;
	if (!q->uring)
		return;
	r = blk_uring_pin(q->uring, q->blk->dev.mem, q->blk->spec.buffers);
	if (r == 0)
		blk_count(&q->counters, BLK_BUFFERS_REGISTERED_COUNT, 1);
	else if (r == BLK_PIN_REFUSED)
		blk_count(&q->counters, BLK_BUFFERS_REFUSED, 1);
}

void blk_queue_stop(struct blk_queue *q, enum virtio_stop how)
{
	atomic_store(&q->is_muted, how == VIRTIO_STOP_DISCARD);
	if (q->waiting) {
		if (how == VIRTIO_STOP_DRAIN)
			vq_unpop(q->vq, &q->waiting->chain);
		blk_slot_free(q, q->waiting);
		set_waiting(q, NULL);
	}
	blk_queue_settle(q);
	blk_flow_answer_held(q, UINT64_MAX);
	show(q);
	atomic_store(&q->is_muted, false);
	if (q->uring)
		blk_uring_unpin(q->uring);
}

uint64_t blk_queue_due_ns(const struct blk_queue *q)
{
	uint64_t held_ns = q->held_count ? q->held[0].due_ns : UINT64_MAX;
	uint64_t retry_ns = q->waiting && q->is_throttled ? q->retry_ns : UINT64_MAX;

	return MIN(held_ns, retry_ns);
}
