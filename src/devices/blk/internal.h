/* SPDX-License-Identifier: GPL-2.0-only */
/* What the block device's own files share: the disk, its queues, a request on its way.
 *
 *	blk.c      life of a disk, the functions of blk.h
 *	config.c   features, configuration space, write-back
 *	queue.c    one queue: take, admit, answer, batch
 *	flow.c     one request from admission to answer
 *	worker.c   one queue's thread, and taking a queue away from it
 *	uring.c    host calls through io_uring
 *
 * Locks: blk_queue.lock is held by whoever serves the queue, all the time except while its thread
 * waits; blk.admission orders the little that queues share, if there are several; blk.pausing orders
 * pauses. Taken in the
 * order pausing, queue, admission. No transport lock is ever taken under them. */
#pragma once

#include "devices/blk/blk.h"
#include "devices/blk/counters.h"
#include "devices/blk/io.h"

#include <linux/virtio_blk.h>
#include <pthread.h>

/* A request that was taken off the ring and is not answered. */
struct blk_slot {
	struct vq_chain chain;
	struct blk_request req;
	struct blk_transfer transfer;
	struct blk_call call; /* under way */
	struct blk_fault_verdict faults;
	uint64_t number;
	bool was_throttled;
	uint64_t popped_ns;
	uint64_t admitted_ns;
	uint64_t hold_ns; /* latency model and delay faults: not answered before admitted + this */
};

/* A request that is done and held back: all that its answer needs. */
struct blk_held {
	uint64_t due_ns;
	uint64_t order; /* of becoming held, for equal times */
	struct vq_token token;
	uint8_t *status_byte;
	uint8_t status;
	enum blk_op op;
	uint32_t used_len;
	uint64_t bytes; /* payload to count */
	uint64_t popped_ns;
};

struct blk_uring;

struct blk_queue {
	struct blk *blk;
	struct vq *vq;
	unsigned index;

	pthread_mutex_t lock;
	pthread_cond_t released;
	atomic_uint claims; /* threads that want the lock; the worker lets them go first */
	bool is_paused;
	/* Being stopped for good: answers go nowhere. Set without the lock, so that who has it now
	 * shows nothing more either, and starts nothing. */
	atomic_bool is_muted;

	uint64_t now_ns;   /* device time as last read */
	uint64_t batch_ns; /* when this pass began */

	struct blk_slot *slots;
	unsigned slot_count;
	unsigned *free_slots; /* a stack */
	unsigned free_count;
	/* The request at the head of the line that may not start yet: stalled by the throttle, or
	 * a flush behind writes under way. Nothing is taken off the ring behind it. */
	struct blk_slot *waiting;
	bool is_throttled; /* it is the throttle that @waiting waits for */
	uint64_t retry_ns;

	struct blk_held *held; /* a heap, the earliest first */
	unsigned held_count;
	uint64_t held_order;

	struct blk_uring *uring; /* NULL: calls are made in place */
	unsigned under_way;	 /* slots with a call in the ring */

	struct blk_counters counters;

	bool has_thread;
	bool is_kick_dead; /* its kick_fd is no eventfd any more */
	pthread_t thread;
	int wake_fd;
	bool is_ending;
};

struct blk {
	struct virtio_device dev;
	struct blk_spec spec;
	struct blk_backing backing;
	struct blk_clock clock;
	bool is_virtual;    /* the clock is the caller's */
	unsigned batch_max; /* answers that one publication may collect while more work waits */

	/* Device time = clock - slipped_ns, or frozen_ns while that is not UINT64_MAX. */
	_Atomic uint64_t slipped_ns;
	_Atomic uint64_t frozen_ns;
	pthread_mutex_t pausing;
	unsigned pauses;

	pthread_mutex_t admission; /* the six below; see blk_models_lock() */
	_Atomic bool has_throttle;
	struct blk_throttle throttle;
	struct blk_latency latency;
	struct blk_faults faults;
	bool has_latency;
	bool has_faults;
	uint64_t requests;

	struct blk_control *control; /* while threads run, if the spec wants one */

	_Atomic uint8_t writeback;
	unsigned queue_count;
	struct blk_queue queues[BLK_QUEUES_MAX];
};

/* Throttle, latency model and faults, for who serves a queue. */
static inline void blk_models_lock(struct blk *blk)
{
	if (blk->queue_count > 1)
		pthread_mutex_lock(&blk->admission);
}

static inline void blk_models_unlock(struct blk *blk)
{
	if (blk->queue_count > 1)
		pthread_mutex_unlock(&blk->admission);
}

/* Device time. Any thread. */
uint64_t blk_now(const struct blk *blk);

static inline struct blk *blk_of(struct virtio_device *dev)
{
	return container_of(dev, struct blk, dev);
}

/* config.c */
enum { BLK_CONFIG_BYTES = 60 };
uint64_t blk_features(const struct blk *blk);
void blk_config_read(struct virtio_device *dev, unsigned offset, void *buf, unsigned size);
bool blk_config_write(struct virtio_device *dev, unsigned offset, const void *buf, unsigned size);
bool blk_features_ok(struct virtio_device *dev);
bool blk_is_write_through(const struct blk *blk);

/* queue.c; all with the queue's lock held. */
int blk_queue_init(struct blk_queue *q, struct blk *blk, unsigned index) must_check;
void blk_queue_deinit(struct blk_queue *q);
/* Serve everything that can be served now and show the answers. True if it stopped early because
 * somebody claims the queue. */
bool blk_queue_serve(struct blk_queue *q);
/* The queue goes live: what depends on its memory and its descriptors begins anew. */
void blk_queue_begin(struct blk_queue *q);
/* Finish the host calls under way. */
void blk_queue_settle(struct blk_queue *q);
/* The same, then empty the queue's books as @how says. */
void blk_queue_stop(struct blk_queue *q, enum virtio_stop how);
static inline bool blk_queue_is_muted(const struct blk_queue *q)
{
	return atomic_load_explicit(&q->is_muted, memory_order_acquire);
}
/* Device time at which serving makes sense again without a kick; UINT64_MAX for never. */
uint64_t blk_queue_due_ns(const struct blk_queue *q);

/* flow.c; with the queue's lock held. */
/* May the request go to the host? Charges the throttle and fixes its latency and faults. False: it
 * waits, q->retry_ns and is_throttled say for what. */
bool blk_flow_admit(struct blk_queue *q, struct blk_slot *slot, uint64_t now_ns);
/* Run the admitted request on, as far as it goes without waiting for the host. */
void blk_flow_run(struct blk_queue *q, struct blk_slot *slot);
/* The call of @slot has ended with @result. */
void blk_flow_resume(struct blk_queue *q, struct blk_slot *slot, ssize_t result);
/* Answer without ever going to the host. */
void blk_flow_refuse(struct blk_queue *q, struct blk_slot *slot, enum blk_refusal refusal);
/* Answer what has been held back long enough; with UINT64_MAX, everything. */
void blk_flow_answer_held(struct blk_queue *q, uint64_t now_ns);
void blk_slot_free(struct blk_queue *q, struct blk_slot *slot);

/* worker.c */
/* Throttle, latency model and faults, for who does not serve a queue. A disk with one queue needs no
 * lock of their own: they are its server's, and the others claim the queue. */
void blk_models_claim(struct blk *blk);
void blk_models_release(struct blk *blk);
int blk_worker_start(struct blk_queue *q) must_check;
void blk_worker_end(struct blk_queue *q);
/* Take the queue from whoever serves it, and give it back. */
void blk_queue_claim(struct blk_queue *q);
void blk_queue_release(struct blk_queue *q);
/* Make the thread look again: at its queue, at the time it waits for. Any thread. */
void blk_worker_wake(struct blk_queue *q);

/* uring.c; with the queue's lock held. */
int blk_uring_new(const struct blk_backing *b, unsigned depth, struct blk_uring **ret) must_check;
struct blk_uring *blk_uring_free(struct blk_uring *u);
enum blk_pinning {
	BLK_NOT_PINNED = 1, /* not tried: @buffers or the memory's owner are against it */
	BLK_PIN_REFUSED,    /* by the host: RLIMIT_MEMLOCK, or memory of a kind that cannot be */
};
/* Register the pages of @mem, so that calls whose payload lies in one piece need not look them up;
 * the others, and all of them after a refusal, go by address. Nothing may be under way. 0 or an
 * enum blk_pinning. Undone by blk_uring_unpin(), without which @mem must not change. */
int blk_uring_pin(struct blk_uring *u, const struct gmem *mem, enum blk_buffers buffers);
void blk_uring_unpin(struct blk_uring *u);
/* Readable when a call has ended. */
int blk_uring_fd(const struct blk_uring *u);
enum blk_put {
	BLK_PUT_NOT = 0, /* this kind of call has to be made in place */
	BLK_PUT_PLAIN,
	BLK_PUT_REGISTERED, /* on registered pages */
};
/* Queue @slot's call. */
enum blk_put blk_uring_put(struct blk_uring *u, struct blk_slot *slot);
bool blk_uring_has_unsubmitted(const struct blk_uring *u);
/* Hand what was queued to the host, and wait until at least @wait_for calls have ended. */
void blk_uring_submit(struct blk_uring *u, unsigned wait_for);
/* The next call that has ended: its slot, or NULL. */
struct blk_slot *blk_uring_reap(struct blk_uring *u, ssize_t *result_ret);
