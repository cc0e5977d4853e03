// SPDX-License-Identifier: GPL-2.0-only
#include "virtio/echo-device.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool is_kept, const char *what)
{
	if (is_kept)
		return;
	fprintf(stderr, "echo device: the transport broke its contract: %s\n", what);
	abort();
}

static struct echo *echo_of(struct virtio_device *dev)
{
	return container_of(dev, struct echo, dev);
}

static uint32_t answer(struct vq_chain *chain)
{
	uint32_t written = 0;
	unsigned char byte;

	if (chain->has_bad_address || chain->is_over_cap || chain->is_over_4gib ||
	    chain->is_readable_after_writable)
		return 0;
	while (iov_load(chain->iov, chain->readable_count, written, &byte, 1) &&
	       iov_store(chain->iov + chain->readable_count, chain->writable_count, written, &byte,
			 1))
		written++;
	return written;
}

bool echo_complete(struct echo *e)
{
	if (!e->held_count)
		return false;
	unsigned q = e->held_queue[0];
	struct vq_chain *chain = &e->held[0];

	/* A stale token: the chain's memory is not ours any more. */
	if (vq_token_is_current(&e->dev.queues[q], chain->token)) {
		must(virtio_queue_is_live(&e->dev, q), "a current token on a dead queue");
		vq_stage(&e->dev.queues[q], chain->token, answer(chain));
		virtio_queue_publish(&e->dev, q);
	} else {
		must(!vq_stage(&e->dev.queues[q], chain->token, 0), "a stale token was taken");
	}
	e->held_count--;
	memmove(&e->held[0], &e->held[1], e->held_count * sizeof(e->held[0]));
	memmove(&e->held_queue[0], &e->held_queue[1], e->held_count * sizeof(e->held_queue[0]));
	return true;
}

static void pop_all(struct echo *e, unsigned q)
{
	while (e->held_count < ARRAY_SIZE(e->held)) {
		int r = vq_pop(&e->dev.queues[q], &e->held[e->held_count]);

		if (r == VQ_BROKEN)
			virtio_device_broken(&e->dev, q);
		if (r)
			return;
		e->held_queue[e->held_count++] = q;
	}
}

static void serve(struct echo *e, unsigned q)
{
	do {
		vq_disable_kicks(&e->dev.queues[q]);
		pop_all(e, q);
		while (!e->is_held && echo_complete(e))
			;
	} while (vq_enable_kicks(&e->dev.queues[q]) && e->held_count < ARRAY_SIZE(e->held));
}

static void echo_driver_ok(struct virtio_device *dev)
{
	must(dev->negotiated >> VIRTIO_F_VERSION_1 & 1, "driver_ok without VERSION_1");
	echo_of(dev)->driver_oks++;
}

static void echo_queue_live(struct virtio_device *dev, unsigned q)
{
	struct echo *e = echo_of(dev);

	must(!e->was_live[q], "live twice");
	must(dev->queues[q].is_started, "live and not started");
	e->was_live[q] = true;
	e->lives++;
	serve(e, q);
}

static void echo_notify(struct virtio_device *dev, unsigned q)
{
	struct echo *e = echo_of(dev);

	must(e->was_live[q], "a kick before the queue was live");
	e->notifies++;
	serve(e, q);
}

static void echo_queue_stop(struct virtio_device *dev, unsigned q, enum virtio_stop how)
{
	struct echo *e = echo_of(dev);

	must(e->was_live[q], "a stop of a queue that was not live");
	must(!virtio_queue_is_live(dev, q), "stopped and still live");
	e->was_live[q] = false;
	e->last_stop = how;
	e->stops++;
}

static void echo_reset(struct virtio_device *dev)
{
	struct echo *e = echo_of(dev);

	for (unsigned q = 0; q < ECHO_QUEUES; q++)
		must(!e->was_live[q], "reset with a live queue");
	must(!dev->negotiated, "reset with features");
	e->resets++;
}

static bool echo_features_ok(struct virtio_device *dev)
{
	return !echo_of(dev)->is_refusing_features;
}

static void echo_config_read(struct virtio_device *dev, unsigned offset, void *buf, unsigned size)
{
	must(size && offset + size <= ECHO_CONFIG_BYTES, "configuration read outside");
	memcpy(buf, echo_of(dev)->config + offset, size);
}

static bool echo_config_write(struct virtio_device *dev, unsigned offset, const void *buf,
			      unsigned size)
{
	must(size && offset + size <= ECHO_CONFIG_BYTES, "configuration written outside");
	if (offset + size < ECHO_CONFIG_BYTES)
		return false;
	virtio_config_touch(dev);
	echo_of(dev)->config[12] = ((const unsigned char *)buf)[12 - offset];
	virtio_config_touch(dev);
	return true;
}

static const struct virtio_device_ops echo_ops = {
	.name = "echo",
	.device_id = ECHO_DEVICE_ID,
	.config_read = echo_config_read,
	.config_write = echo_config_write,
	.features_ok = echo_features_ok,
	.driver_ok = echo_driver_ok,
	.queue_live = echo_queue_live,
	.notify = echo_notify,
	.queue_stop = echo_queue_stop,
	.reset = echo_reset,
};

void echo_init(struct echo *e)
{
	memset(e, 0, sizeof(*e));
	for (unsigned i = 0; i < ECHO_CONFIG_BYTES; i++)
		e->config[i] = (unsigned char)(0xa0 + i);
	int r = virtio_device_init(&e->dev, &echo_ops, UINT64_C(0x21), ECHO_CONFIG_BYTES,
				   ECHO_QUEUES, ECHO_QUEUE_SIZE);

	must(!r, "no memory");
}

void echo_deinit(struct echo *e)
{
	virtio_device_deinit(&e->dev);
}
