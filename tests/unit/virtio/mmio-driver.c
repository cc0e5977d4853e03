// SPDX-License-Identifier: GPL-2.0-only
/* Driver's steps: virtio 1.2, 3.1.1 and 4.2.3. */
#include "virtio/mmio-driver.h"

uint64_t mmio_get_wide(struct virtio_mmio *mmio, uint64_t offset, uint8_t size)
{
	struct bus_access a = { .addr = offset, .size = size };

	virtio_mmio_access(mmio, &a);
	return a.value;
}

void mmio_set_wide(struct virtio_mmio *mmio, uint64_t offset, uint64_t value, uint8_t size)
{
	struct bus_access a = { .addr = offset, .value = value, .size = size, .is_write = true };

	virtio_mmio_access(mmio, &a);
}

uint32_t mmio_get(struct virtio_mmio *mmio, uint32_t offset)
{
	return (uint32_t)mmio_get_wide(mmio, offset, 4);
}

void mmio_set(struct virtio_mmio *mmio, uint32_t offset, uint32_t value)
{
	mmio_set_wide(mmio, offset, value, 4);
}

uint64_t mmio_offered(struct virtio_mmio *mmio)
{
	mmio_set(mmio, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	uint64_t high = mmio_get(mmio, VIRTIO_MMIO_DEVICE_FEATURES);

	mmio_set(mmio, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return high << 32 | mmio_get(mmio, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void add_status(struct virtio_mmio *mmio, uint32_t bits)
{
	mmio_set(mmio, VIRTIO_MMIO_STATUS, mmio_get(mmio, VIRTIO_MMIO_STATUS) | bits);
}

bool mmio_negotiate(struct virtio_mmio *mmio, uint64_t features)
{
	mmio_set(mmio, VIRTIO_MMIO_STATUS, 0);
	add_status(mmio, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	add_status(mmio, VIRTIO_CONFIG_S_DRIVER);
	for (uint32_t word = 0; word < 2; word++) {
		mmio_set(mmio, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		mmio_set(mmio, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> (word * 32)));
	}
	add_status(mmio, VIRTIO_CONFIG_S_FEATURES_OK);
	return mmio_get(mmio, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static void set_address(struct virtio_mmio *mmio, uint32_t low_offset, gpa_t addr)
{
	mmio_set(mmio, low_offset, (uint32_t)addr.v);
	mmio_set(mmio, low_offset + 4, (uint32_t)(addr.v >> 32));
}

bool mmio_setup_queue(struct virtio_mmio *mmio, uint32_t q, const struct vq_setup *setup)
{
	mmio_set(mmio, VIRTIO_MMIO_QUEUE_SEL, q);
	mmio_set(mmio, VIRTIO_MMIO_QUEUE_NUM, setup->size);
	set_address(mmio, VIRTIO_MMIO_QUEUE_DESC_LOW, setup->desc);
	set_address(mmio, VIRTIO_MMIO_QUEUE_AVAIL_LOW, setup->avail);
	set_address(mmio, VIRTIO_MMIO_QUEUE_USED_LOW, setup->used);
	mmio_set(mmio, VIRTIO_MMIO_QUEUE_READY, 1);
	return mmio_get(mmio, VIRTIO_MMIO_QUEUE_READY) == 1;
}

void mmio_driver_ok(struct virtio_mmio *mmio)
{
	add_status(mmio, VIRTIO_CONFIG_S_DRIVER_OK);
}

void mmio_kick(struct virtio_mmio *mmio, uint32_t q)
{
	mmio_set(mmio, VIRTIO_MMIO_QUEUE_NOTIFY, q);
}

uint32_t mmio_ack(struct virtio_mmio *mmio)
{
	uint32_t events = mmio_get(mmio, VIRTIO_MMIO_INTERRUPT_STATUS);

	mmio_set(mmio, VIRTIO_MMIO_INTERRUPT_ACK, events);
	return events;
}
