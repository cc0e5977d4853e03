/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's steps on a virtio-mmio register file, for tests of the transport and of devices behind
 * it. */
#pragma once

#include "virtio/mmio.h"
#include "virtio/ring.h"

/* One 32-bit register access. */
uint32_t mmio_get(struct virtio_mmio *mmio, uint32_t offset);
void mmio_set(struct virtio_mmio *mmio, uint32_t offset, uint32_t value);
/* An access of any width at any offset. */
uint64_t mmio_get_wide(struct virtio_mmio *mmio, uint64_t offset, uint8_t size);
void mmio_set_wide(struct virtio_mmio *mmio, uint64_t offset, uint64_t value, uint8_t size);

/* All 64 bits that the device offers. */
uint64_t mmio_offered(struct virtio_mmio *mmio);
/* Reset, ACKNOWLEDGE, DRIVER, write @features, FEATURES_OK. True if it stuck. */
bool mmio_negotiate(struct virtio_mmio *mmio, uint64_t features);
/* Write size and addresses of queue @q, and QueueReady. True if it reads back 1. */
bool mmio_setup_queue(struct virtio_mmio *mmio, uint32_t q, const struct vq_setup *setup);
void mmio_driver_ok(struct virtio_mmio *mmio);
void mmio_kick(struct virtio_mmio *mmio, uint32_t q);
/* Read InterruptStatus and acknowledge what it says. */
uint32_t mmio_ack(struct virtio_mmio *mmio);
