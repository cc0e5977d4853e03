/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtio-mmio windows of a machine: each a register file on the bus, an interrupt pin, and
 * doorbells that ring without an exit where the device has a thread to hear them. */
#pragma once

#include "virtio/mmio.h"
#include "vmm/irq.h"

struct windows {
	struct virtio_mmio mmio[X86_VIRTIO_MAX];
	unsigned count;
};

/* What windows are attached to; outlives them. */
struct window_env {
	const struct kvm *kvm;
	const struct gmem *memory;
	struct irq_chip *irq;
	struct bus *mmio;
};

/* Put @dev into the next window. Returns 0, -E2BIG with words if all are taken, or the host's
 * refusal; the window is then undone by windows_deinit(). */
int windows_add(struct windows *w, const struct window_env *env,
		struct virtio_device *dev) must_check;
/* Reset the devices and let go of them, last one first. Devices outlive this. */
void windows_deinit(struct windows *w);
