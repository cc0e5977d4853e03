// SPDX-License-Identifier: GPL-2.0-only
/* The rig's disk behind our virtio-mmio registers. */
#include "rig.h"

#include <sys/eventfd.h>

static void on_irq(void *ctx)
{
	struct rig *r = ctx;

	atomic_fetch_add(&r->irqs, 1);
	assert_int_equal(eventfd_write(r->irq_fd, 1), 0);
}

uint32_t rig_reg(struct rig *r, unsigned offset)
{
	struct bus_access a = { .addr = offset, .size = 4 };

	virtio_mmio_access(&r->mmio, &a);
	return (uint32_t)a.value;
}

void rig_set_reg(struct rig *r, unsigned offset, uint32_t value)
{
	struct bus_access a = { .addr = offset, .size = 4, .is_write = true, .value = value };

	virtio_mmio_access(&r->mmio, &a);
}

static void setup_queue(struct rig *r, unsigned q)
{
	uint32_t base = RIG_RINGS + q * RIG_RING_STRIDE;

	memset(rig_ring(r, q, 0), 0, RIG_RING_STRIDE);
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_SEL, q);
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_NUM, RIG_QUEUE_SIZE);
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_DESC_LOW, base);
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_AVAIL_LOW, base + RIG_AVAIL);
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_USED_LOW, base + RIG_USED);
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(rig_reg(r, VIRTIO_MMIO_QUEUE_READY), 1);
}

static void setup(struct rig *r, uint64_t features)
{
	static const uint32_t steps[] = { 0, 1, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		rig_set_reg(r, VIRTIO_MMIO_STATUS, steps[i]);
	for (unsigned word = 0; word < 2; word++) {
		rig_set_reg(r, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		rig_set_reg(r, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * word));
	}
	rig_set_reg(r, VIRTIO_MMIO_STATUS, 11);
	assert_int_equal(rig_reg(r, VIRTIO_MMIO_STATUS), 11);
	for (unsigned q = 0; q < r->queues; q++)
		setup_queue(r, q);
	rig_set_reg(r, VIRTIO_MMIO_STATUS, 15);
}

static void attach(struct rig *r)
{
	const struct irq_line irq = { .raise = on_irq, .ctx = r };

	assert_int_equal(virtio_mmio_init(&r->mmio, blk_virtio(r->blk), &r->mem, irq), 0);
}

static void detach(struct rig *r)
{
	virtio_mmio_deinit(&r->mmio);
}

static void kick(struct rig *r, unsigned q)
{
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_NOTIFY, q);
}

static uint64_t irqs(struct rig *r)
{
	return atomic_load(&r->irqs);
}

static const struct rig_face mmio_face = {
	.attach = attach,
	.detach = detach,
	.setup = setup,
	.kick = kick,
	.irqs = irqs,
};

const struct rig_face *const rig_face = &mmio_face;
