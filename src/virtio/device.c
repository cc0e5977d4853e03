// SPDX-License-Identifier: GPL-2.0-only
/* What every virtio device does the same way, whatever it is and whatever carries it. */
#include "virtio/device.h"
#include "base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

int virtio_device_init(struct virtio_device *dev, const struct virtio_device_ops *ops,
		       uint64_t features, unsigned config_bytes, unsigned queue_count,
		       uint32_t queue_size_max)
{
	*dev = (struct virtio_device){
		.ops = ops,
		.features = features,
		.config_bytes = config_bytes,
		.queues = calloc(queue_count, sizeof(*dev->queues)),
	};
	if (!dev->queues)
		return err_new(-ENOMEM, "%s: out of memory", ops->name);
	while (dev->queue_count < queue_count) {
		int r = vq_init(&dev->queues[dev->queue_count], queue_size_max);

		if (r < 0) {
			virtio_device_deinit(dev);
			return err_trace(r);
		}
		dev->queue_count++;
	}
	return 0;
}

void virtio_device_deinit(struct virtio_device *dev)
{
	for (unsigned q = 0; q < dev->queue_count; q++) {
		fd_close(dev->queues[q].kick_fd);
		vq_deinit(&dev->queues[q]);
	}
	free(dev->queues);
	dev->queues = NULL;
	dev->queue_count = 0;
}

int virtio_device_open_kicks(struct virtio_device *dev)
{
	for (unsigned q = 0; q < dev->queue_count; q++) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return err_new(-errno, "%s: eventfd: %s", dev->ops->name, strerror(errno));
		dev->queues[q].kick_fd = fd;
	}
	return 0;
}

void virtio_device_attach(struct virtio_device *dev, const struct gmem *mem,
			  const struct virtio_transport_ops *ops, void *ctx)
{
	dev->mem = mem;
	dev->transport = ops;
	dev->transport_ctx = ctx;
}

bool virtio_queue_accept_kick(struct virtio_device *dev, unsigned q)
{
	bool is_live = virtio_queue_is_live(dev, q);
	struct vq_counters *c = &dev->queues[q].counters;

	counter_add(is_live ? &c->kicks : &c->kicks_ignored, 1);
	return is_live;
}

void virtio_queue_kick(struct virtio_device *dev, unsigned q)
{
	int fd = dev->queues[q].kick_fd;

	if (fd < 0) {
		if (virtio_queue_accept_kick(dev, q))
			dev->ops->notify(dev, q);
		return;
	}
	/* It can only fail because the counter is full, and then a kick is pending anyway. */
	(void)eventfd_write(fd, 1);
}

void virtio_queue_publish(struct virtio_device *dev, unsigned q)
{
	struct vq *vq = &dev->queues[q];

	if (vq_publish(vq) && vq_should_notify(vq))
		dev->transport->used_interrupt(dev->transport_ctx, q);
}

void virtio_device_broken(struct virtio_device *dev, unsigned q)
{
	dev->transport->broken(dev->transport_ctx, q, dev->queues[q].breakage);
}

void virtio_config_touch(struct virtio_device *dev)
{
	atomic_fetch_add_explicit(&dev->config_generation, 1, memory_order_release);
}

void virtio_config_changed(struct virtio_device *dev)
{
	virtio_config_touch(dev);
	if (dev->transport)
		dev->transport->config_interrupt(dev->transport_ctx);
}

void virtio_queue_go_live(struct virtio_device *dev, unsigned q)
{
	struct vq *vq = &dev->queues[q];

	assert(vq->is_started);
	vq_set_features(vq, dev->negotiated);
	/* Release: pairs with the acquire in virtio_queue_is_live(), for a server that learns of
	 * the queue by a kick before queue_live() tells it. */
	atomic_store_explicit(&vq->is_live, true, memory_order_release);
	dev->ops->queue_live(dev, q);
}

uint16_t virtio_queue_end(struct virtio_device *dev, unsigned q, enum virtio_stop how)
{
	struct vq *vq = &dev->queues[q];

	if (atomic_exchange_explicit(&vq->is_live, false, memory_order_acq_rel))
		dev->ops->queue_stop(dev, q, how);
	return vq_stop(vq);
}
