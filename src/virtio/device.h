/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio device as its transport sees it: queues, features, configuration, and two tables of
 * functions, one for each direction. A transport (mmio.h, vhost/) drives the device through
 * struct virtio_device_ops; the device speaks back through struct virtio_transport_ops.
 *
 *	         driver_ok, queue_live, notify, queue_stop, reset, config_*
 *	transport -----------------------------------------------------------> device
 *	          <-----------------------------------------------------------
 *	         used_interrupt, config_interrupt, broken      (any thread)
 *
 * To add a device: embed a struct virtio_device, fill a static const ops record, call
 * virtio_device_init() with features, queue count and size, serve queues in notify() or in a thread
 * of your own on kick_fd. Rules that every device keeps:
 *  - serve a queue only while virtio_queue_is_live(); its vq is used by one thread at a time;
 *  - after queue_stop() returned, no thread touches that vq or memory of its chains until the next
 *    queue_live();
 *  - publish through virtio_queue_publish(), which makes the interrupt decision. */
#pragma once

#include "virtio/vq.h"

struct virtio_device;

enum virtio_stop {
	/* Finish and publish what was started; what was popped and not started is unpopped. */
	VIRTIO_STOP_DRAIN,
	/* Publish nothing more: abandon what can be abandoned, wait for host I/O that has guest
	 * memory in its hands. */
	VIRTIO_STOP_DISCARD,
};

struct virtio_device_ops {
	const char *name;
	uint32_t device_id; /* linux/virtio_ids.h */

	/* Copy the configuration from byte @offset on to @buf; the transport has zeroed @buf and
	 * keeps @offset + @size within config_bytes. Any thread. */
	void (*config_read)(struct virtio_device *dev, unsigned offset, void *buf, unsigned size);
	/* The driver writes configuration. Returns false if no byte of it is the driver's to write;
	 * a device that changed a value calls virtio_config_touch(). NULL: nothing is writable. */
	bool (*config_write)(struct virtio_device *dev, unsigned offset, const void *buf,
			     unsigned size);
	/* The driver's features are dev->negotiated now, all offered; false refuses FEATURES_OK.
	 * NULL: any subset is fine. */
	bool (*features_ok)(struct virtio_device *dev);
	/* DRIVER_OK was set; queue_live() follows for each queue that is ready. May be NULL. */
	void (*driver_ok)(struct virtio_device *dev);
	/* Queue @q may be served from now on; chains that are there already come without a kick, so
	 * look at once (inline) or wake the worker. */
	void (*queue_live)(struct virtio_device *dev, unsigned q);
	/* The driver kicked queue @q, which is live and has no kick_fd: serve it in this thread. */
	void (*notify)(struct virtio_device *dev, unsigned q);
	/* Stop serving @q, which is no longer live when this is called. On return nobody touches
	 * its vq or guest memory of its chains; the transport then calls vq_stop(). Bounded time.
	 */
	void (*queue_stop)(struct virtio_device *dev, unsigned q, enum virtio_stop how);
	/* Device reset: all queues are stopped already; forget what the driver negotiated or wrote.
	 * Counters stay. */
	void (*reset)(struct virtio_device *dev);
};

/* All of these may be called by any thread and never wait for the transport's thread. */
struct virtio_transport_ops {
	/* Used buffers of queue @q were published and the driver wants to know. */
	void (*used_interrupt)(void *ctx, unsigned q);
	/* The configuration has changed. */
	void (*config_interrupt)(void *ctx);
	/* Queue @q is broken and the device wants a reset: NEEDS_RESET, config interrupt. */
	void (*broken)(void *ctx, unsigned q, enum vq_breakage reason);
};

struct virtio_device {
	const struct virtio_device_ops *ops;
	uint64_t features; /* the device's own bits; the transport adds VERSION_1 and ring bits */
	unsigned config_bytes;
	unsigned queue_count;
	struct vq *queues; /* [queue_count] */

	uint64_t negotiated; /* set by the transport before features_ok() and driver_ok() */
	_Atomic uint32_t config_generation;
	const struct gmem *mem; /* set by the transport */
	const struct virtio_transport_ops *transport;
	void *transport_ctx;
};

/* Make the queues: @queue_count of at most @queue_size_max entries. 0 or -ENOMEM. ops, features and
 * config_bytes are set as given. The caller ends it with virtio_device_deinit(). */
int virtio_device_init(struct virtio_device *dev, const struct virtio_device_ops *ops,
		       uint64_t features, unsigned config_bytes, unsigned queue_count,
		       uint32_t queue_size_max) must_check;
/* Free the queues and close their kick_fds. Works on a zeroed device, and twice. */
void virtio_device_deinit(struct virtio_device *dev);

/* Give each queue an eventfd of its own, for devices whose thread waits for kicks. Without this the
 * transport calls notify() in the kicking thread. 0 or the host's refusal with words. */
int virtio_device_open_kicks(struct virtio_device *dev) must_check;

/* Attach the transport; before it drives the device. */
void virtio_device_attach(struct virtio_device *dev, const struct gmem *mem,
			  const struct virtio_transport_ops *ops, void *ctx);

static inline bool virtio_has_feature(const struct virtio_device *dev, unsigned bit)
{
	return dev->negotiated >> bit & 1;
}

/* May @q be served? Any thread; stays true until queue_stop() is called. */
static inline bool virtio_queue_is_live(const struct virtio_device *dev, unsigned q)
{
	return atomic_load_explicit(&dev->queues[q].is_live, memory_order_acquire);
}

/* A kick of @q arrived, by eventfd or by function: counts it, and says whether to serve the queue.
 * A worker calls it when its kick_fd woke it; for notify() the transport has done so. Any thread.
 */
bool virtio_queue_accept_kick(struct virtio_device *dev, unsigned q) must_check;

/* Publish what was staged on @q and interrupt the driver if it wants that: one used.idx store, one
 * decision. Server thread. */
void virtio_queue_publish(struct virtio_device *dev, unsigned q);

/* vq_pop() said VQ_BROKEN: let the transport ask for a reset. Any number of times. */
void virtio_device_broken(struct virtio_device *dev, unsigned q);

/* A new configuration generation. Call it before and after changing values, so that a driver that
 * reads meanwhile sees one generation or the other change; virtio_config_changed() is for the end
 * of a change that the driver shall hear of: generation and interrupt. Any thread. */
void virtio_config_touch(struct virtio_device *dev);
void virtio_config_changed(struct virtio_device *dev);

/* For transports. A kick of @q came as a function call: wake the thread that has its kick_fd, or
 * serve it here. */
void virtio_queue_kick(struct virtio_device *dev, unsigned q);
/* Start @q being served (started, features known) and end it again. */
void virtio_queue_go_live(struct virtio_device *dev, unsigned q);
/* Stop serving @q as @how says and stop the vq; returns vq_stop()'s index. Works on any queue. */
uint16_t virtio_queue_end(struct virtio_device *dev, unsigned q, enum virtio_stop how);
