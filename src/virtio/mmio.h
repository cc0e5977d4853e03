/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtio-mmio transport, version 2: a register file in front of one struct virtio_device.
 *
 * Two ways of being kicked: a device without kick_fds is called in the thread that writes
 * QUEUE_NOTIFY (deterministic; the qtest shim lives on it); a device with kick_fds is woken by its
 * eventfd, which the machine binds to the register by KVM_IOEVENTFD so that no exit is needed.
 *
 * Threads: any vCPU may access at any time. One lock orders the register file; InterruptStatus,
 * Status and ConfigGeneration are atomics, because the device's threads change them too and must
 * never wait for a vCPU that waits for them in a reset.
 * Source: virtio 1.2, 4.2.2. Refused accesses change nothing and are counted by reason. */
#pragma once

#include "bus/bus.h"
#include "virtio/device.h"

#include <linux/virtio_mmio.h>
#include <pthread.h>

enum {
	VIRTIO_MMIO_WINDOW = 0x1000,	 /* bytes a machine gives to one device */
	VIRTIO_MMIO_VENDOR = 0x5254534b, /* "KSTR" */
	/* Newer than the uapi header of the oldest distribution we build on. */
	VIRTIO_MMIO_REG_QUEUE_RESET = 0x0c0,
};

/* Why an access was refused; names are counters. To add one: add a row. */
#define VIRTIO_MMIO_REFUSALS(X)                                                                    \
	X(MMIO_BAD_WIDTH, "bad_width")	       /* control register: not 32 bits, or unaligned */   \
	X(MMIO_BAD_REGISTER, "bad_register")   /* no such register */                              \
	X(MMIO_BAD_DIRECTION, "bad_direction") /* read of a write-only one, or the reverse */      \
	X(MMIO_BAD_FEATURES, "bad_features")   /* FEATURES_OK with a set that cannot be */         \
	X(MMIO_BAD_STATUS, "bad_status")       /* status bits out of order, or not the driver's */ \
	X(MMIO_BAD_QUEUE, "bad_queue")	       /* QueueSel or QueueNotify beyond the last queue */ \
	X(MMIO_BAD_TIME, "bad_time") /* not now: queue ready, after FEATURES_OK or DRIVER_OK */    \
	X(MMIO_BAD_RING, "bad_ring") /* QueueReady with sizes or addresses that cannot be */       \
	X(MMIO_BAD_CONFIG, "bad_config") /* configuration that is not the driver's to write */

#define X(id, name) id,
enum virtio_mmio_refusal { VIRTIO_MMIO_REFUSALS(X) MMIO_REFUSAL_COUNT };
#undef X

const char *virtio_mmio_refusal_name(enum virtio_mmio_refusal reason);

enum { VIRTIO_MMIO_MAX_QUEUES = 64, VIRTIO_MMIO_FEATURE_WORDS = 4 };

/* What the driver has written about one queue. */
struct virtio_mmio_queue {
	struct vq_setup setup;
	bool is_ready;
	bool was_reset; /* by QueueReset: may be set up again after DRIVER_OK */
};

/* The register file: all that a snapshot of the transport must keep. */
struct virtio_mmio_state {
	_Atomic uint32_t status;
	_Atomic uint32_t interrupt_status;
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t driver_features[VIRTIO_MMIO_FEATURE_WORDS];
	bool has_features_beyond; /* a non-zero word was written above those */
	uint32_t queue_sel;
	struct virtio_mmio_queue queues[VIRTIO_MMIO_MAX_QUEUES];
};

struct virtio_mmio {
	struct virtio_device *dev;
	struct irq_line irq;
	pthread_mutex_t lock;
	/* Held for a few instructions: a change of configuration against the end of a reset. */
	pthread_mutex_t event_lock;
	struct virtio_mmio_state state;
	counter_t interrupts; /* times the line was raised */
	counter_t refusals[MMIO_REFUSAL_COUNT];
};

/* Put a register file before @dev, whose queue_count is at most VIRTIO_MMIO_MAX_QUEUES. Both, and
 * @mem, must outlive the transport. 0 or -EINVAL. */
int virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_device *dev, const struct gmem *mem,
		     struct irq_line irq) must_check;
/* Reset the device (its threads may still run) and let go of it. */
void virtio_mmio_deinit(struct virtio_mmio *mmio);

/* The function of a bus_region with the struct virtio_mmio as ctx. Always BUS_HANDLED. Any thread.
 */
enum bus_result virtio_mmio_access(void *ctx, struct bus_access *a);

/* The eventfd to bind to a 32-bit write of value @q at VIRTIO_MMIO_QUEUE_NOTIFY, or -1 if queue @q
 * is kicked by function call. Borrowed. */
int virtio_mmio_notify_fd(const struct virtio_mmio *mmio, unsigned q);
