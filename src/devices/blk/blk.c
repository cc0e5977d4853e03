// SPDX-License-Identifier: GPL-2.0-only
/* The life of a disk: made, started, paused, stopped, freed; and what a transport asks of it. */
#include "devices/blk/blk.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "devices/blk/control.h"
#include "devices/blk/internal.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>

enum {
	/* Answers shown together while more requests wait: enough to spare the driver interrupts,
	 * few enough that it can work beside us. */
	WORKER_BATCH = 16,
};

uint64_t blk_now(const struct blk *blk)
{
	uint64_t frozen_ns = atomic_load_explicit(&blk->frozen_ns, memory_order_acquire);

	if (frozen_ns != UINT64_MAX)
		return frozen_ns;
	return blk->clock.now_ns(blk->clock.ctx) -
	       atomic_load_explicit(&blk->slipped_ns, memory_order_acquire);
}

uint64_t blk_sectors(const struct blk *blk)
{
	return blk->backing.bytes / BLK_SECTOR_BYTES;
}

struct virtio_device *blk_virtio(struct blk *blk)
{
	return &blk->dev;
}

/* Serve in this thread. On a virtual clock the host's part is waited for, so that one kick is
 * answered when it returns whatever the engine. What is held back is the queue's thread's to time. */
static void serve_inline(struct blk_queue *q)
{
	bool has_more, is_due_later;

	blk_queue_claim(q);
	do {
		has_more = blk_queue_serve(q);
		if (has_more) {
			blk_queue_release(q);
			blk_queue_claim(q);
		} else if (q->blk->is_virtual && q->under_way) {
			blk_queue_settle(q);
			has_more = true;
		}
	} while (has_more);
	is_due_later = blk_queue_due_ns(q) != UINT64_MAX;
	blk_queue_release(q);
	if (is_due_later && q->has_thread)
		blk_worker_wake(q);
}

static bool is_inline(const struct blk *blk)
{
	return blk->is_virtual || blk->spec.engine == BLK_ENGINE_INLINE;
}

static void blk_queue_live(struct virtio_device *dev, unsigned index)
{
	struct blk_queue *q = &blk_of(dev)->queues[index];

	blk_queue_claim(q);
	blk_queue_begin(q);
	blk_queue_release(q);
	if (is_inline(q->blk))
		serve_inline(q);
	blk_worker_wake(q);
}

static void blk_notify(struct virtio_device *dev, unsigned index)
{
	serve_inline(&blk_of(dev)->queues[index]);
}

static void blk_queue_stop_op(struct virtio_device *dev, unsigned index, enum virtio_stop how)
{
	struct blk_queue *q = &blk_of(dev)->queues[index];

	if (how == VIRTIO_STOP_DISCARD)
		atomic_store(&q->is_muted, true);
	blk_queue_claim(q);
	blk_queue_stop(q, how);
	blk_queue_release(q);
}

static void blk_reset(struct virtio_device *dev)
{
	if (!atomic_exchange(&blk_of(dev)->writeback, 1))
		virtio_config_touch(dev);
}

static const struct virtio_device_ops blk_ops = {
	.name = "virtio-blk",
	.device_id = VIRTIO_ID_BLOCK,
	.config_read = blk_config_read,
	.config_write = blk_config_write,
	.features_ok = blk_features_ok,
	.queue_live = blk_queue_live,
	.notify = blk_notify,
	.queue_stop = blk_queue_stop_op,
	.reset = blk_reset,
};

static uint64_t monotonic_ns(void *ctx)
{
	return now_ns();
}

static int init_models(struct blk *blk)
{
	const struct blk_spec *spec = &blk->spec;
	int r = blk_faults_init(&blk->faults, spec->faults, spec->fault_count);

	if (r < 0)
		return err_trace(r);
	blk_throttle_init(&blk->throttle, &spec->throttle, blk_now(blk));
	blk_latency_init(&blk->latency, &spec->latency);
	blk->has_throttle = blk_throttle_is_limited(&spec->throttle);
	blk->has_latency = spec->latency.kind != BLK_LATENCY_NONE;
	blk->has_faults = spec->fault_count > 0;
	return 0;
}

static int init_queues(struct blk *blk)
{
	int r = virtio_device_init(&blk->dev, &blk_ops, blk_features(blk), BLK_CONFIG_BYTES,
				   blk->spec.queues, BLK_QUEUE_SIZE_MAX);

	if (r == 0 && !is_inline(blk))
		r = virtio_device_open_kicks(&blk->dev);
	for (; r == 0 && blk->queue_count < blk->spec.queues; blk->queue_count++)
		r = blk_queue_init(&blk->queues[blk->queue_count], blk, blk->queue_count);
	return r;
}

int blk_new(const struct blk_spec *spec, const struct blk_clock *clock, struct blk **ret)
{
	cleanup(blk_freep) struct blk *blk = calloc(1, sizeof(*blk));
	int r;

	if (!blk)
		return err_new(-ENOMEM, "out of memory for a disk");
	blk->spec = *spec;
	blk->backing = BLK_BACKING_NULL_INIT;
	blk->is_virtual = clock != NULL;
	blk->clock = clock ? *clock : (struct blk_clock){ .now_ns = monotonic_ns };
	blk->batch_max = is_inline(blk) ? BLK_QUEUE_SIZE_MAX : WORKER_BATCH;
	blk->frozen_ns = UINT64_MAX;
	blk->writeback = 1;
	pthread_mutex_init(&blk->pausing, NULL);
	pthread_mutex_init(&blk->admission, NULL);
	r = blk_backing_open(spec, &blk->backing);
	if (r == 0)
		r = init_models(blk);
	if (r == 0)
		r = init_queues(blk);
	if (r < 0)
		return err_trace(r);
	*ret = steal_ptr(&blk);
	return 0;
}

struct blk *blk_free(struct blk *blk)
{
	if (!blk)
		return NULL;
	blk_stop(blk);
	for (unsigned i = 0; i < BLK_QUEUES_MAX; i++)
		blk_queue_deinit(&blk->queues[i]);
	virtio_device_deinit(&blk->dev);
	blk_backing_deinit(&blk->backing);
	pthread_mutex_destroy(&blk->pausing);
	pthread_mutex_destroy(&blk->admission);
	free(blk);
	return NULL;
}

int blk_start(struct blk *blk)
{
	if (blk->is_virtual)
		return 0;
	for (unsigned i = 0; i < blk->queue_count; i++) {
		int r = blk->queues[i].has_thread ? 0 : blk_worker_start(&blk->queues[i]);

		if (r < 0) {
			blk_stop(blk);
			return err_trace(r);
		}
	}
	if (!blk->spec.control[0] || blk->control)
		return 0;
	int r = blk_control_start(blk, blk->spec.control, &blk->control);

	if (r < 0)
		blk_stop(blk);
	return r < 0 ? err_trace(r) : 0;
}

void blk_stop(struct blk *blk)
{
	blk->control = blk_control_stop(blk->control);
	for (unsigned i = 0; i < blk->queue_count; i++)
		blk_worker_end(&blk->queues[i]);
}

static void set_paused(struct blk *blk, bool is_paused)
{
	for (unsigned i = 0; i < blk->queue_count; i++) {
		struct blk_queue *q = &blk->queues[i];

		blk_queue_claim(q);
		if (is_paused)
			blk_queue_settle(q);
		q->is_paused = is_paused;
		blk_queue_release(q);
		blk_worker_wake(q);
	}
}

void blk_pause(struct blk *blk)
{
	pthread_mutex_lock(&blk->pausing);
	if (blk->pauses++ == 0) {
		atomic_store_explicit(&blk->frozen_ns, blk_now(blk), memory_order_release);
		set_paused(blk, true);
	}
	pthread_mutex_unlock(&blk->pausing);
}

void blk_resume(struct blk *blk)
{
	pthread_mutex_lock(&blk->pausing);
	if (blk->pauses && --blk->pauses == 0) {
		atomic_store_explicit(&blk->slipped_ns,
				      blk->clock.now_ns(blk->clock.ctx) - blk->frozen_ns,
				      memory_order_release);
		atomic_store_explicit(&blk->frozen_ns, UINT64_MAX, memory_order_release);
		set_paused(blk, false);
		blk_run_due(blk);
	}
	pthread_mutex_unlock(&blk->pausing);
}

uint64_t blk_next_due_ns(struct blk *blk)
{
	uint64_t due_ns = UINT64_MAX;

	for (unsigned i = 0; i < blk->queue_count; i++) {
		struct blk_queue *q = &blk->queues[i];

		blk_queue_claim(q);
		due_ns = MIN(due_ns, blk_queue_due_ns(q));
		blk_queue_release(q);
	}
	return due_ns;
}

void blk_run_due(struct blk *blk)
{
	for (unsigned i = 0; i < blk->queue_count; i++)
		serve_inline(&blk->queues[i]);
}

void blk_set_throttle(struct blk *blk, const struct blk_throttle_spec *spec)
{
	blk_models_claim(blk);
	blk_throttle_set(&blk->throttle, spec, blk_now(blk));
	blk->has_throttle = blk_throttle_is_limited(spec);
	blk_models_release(blk);
	for (unsigned i = 0; i < blk->queue_count; i++) {
		if (is_inline(blk))
			serve_inline(&blk->queues[i]);
		blk_worker_wake(&blk->queues[i]);
	}
}

/* What the rings have counted, under the names of the contract. */
static void ring_members(struct blk *blk, struct json *j)
{
	uint64_t kicks = 0, ignored = 0, sent = 0, suppressed = 0, stale = 0;
	uint64_t breakages[VQ_BREAKAGE_COUNT] = { 0 };

	for (unsigned i = 0; i < blk->queue_count; i++) {
		const struct vq_counters *c = &blk->dev.queues[i].counters;

		kicks += counter_get(&c->kicks);
		ignored += counter_get(&c->kicks_ignored);
		sent += counter_get(&c->interrupts_sent);
		suppressed += counter_get(&c->interrupts_suppressed);
		stale += counter_get(&c->stale);
		for (unsigned b = 0; b < VQ_BREAKAGE_COUNT; b++)
			breakages[b] += counter_get(&c->breakages[b]);
	}
	json_u64(j, "kicks", kicks);
	json_u64(j, "kicks_ignored", ignored);
	json_u64(j, "interrupts_sent", sent);
	json_u64(j, "interrupts_suppressed", suppressed);
	json_u64(j, "stale_completions", stale);
	for (unsigned b = VQ_INTACT + 1; b < VQ_BREAKAGE_COUNT; b++)
		json_u64(j, vq_breakage_name(b), breakages[b]);
}

void blk_counters_members_json(struct blk *blk, struct json *j)
{
	const struct blk_counters *sets[BLK_QUEUES_MAX];

	for (unsigned i = 0; i < blk->queue_count; i++)
		sets[i] = &blk->queues[i].counters;
	blk_counters_members(sets, blk->queue_count, j);
	ring_members(blk, j);
	json_u64(j, "faults_fired", counter_get(&blk->faults.logged));
}

void blk_counters_json(struct blk *blk, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	blk_counters_members_json(blk, &j);
	json_object_end(&j);
}

void blk_faults_member_json(struct blk *blk, struct json *j, const char *key)
{
	blk_models_claim(blk);
	blk_faults_json(&blk->faults, j, key);
	blk_models_release(blk);
}

void blk_faults_log_json(struct blk *blk, struct buf *out)
{
	struct json j = json_to(out);

	blk_faults_member_json(blk, &j, NULL);
}
