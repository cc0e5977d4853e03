/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt inputs of a machine, all edges: a call into KVM's own I/O APIC, or an eventfd that is
 * connected to ours when the irqchip is split.
 *
 * KVM takes an irqfd of its own I/O APIC through a work item of the host: the interrupt then waits for
 * a kworker, which on a full host may wait for the very vCPU that is to be interrupted. The call delivers
 * it before it returns. Interrupts of the split chip are messages, which KVM delivers from the eventfd
 * at once (Linux virt/kvm/eventfd.c, irqfd_wakeup()). */
#pragma once

#include "vmm/ioapic.h"

#include <pthread.h>

struct irq_chip {
	const struct kvm *kvm;
	struct ioapic ioapic; /* used if the irqchip is split */
	struct irq_pin {
		const struct kvm *kvm;
		unsigned gsi;
		int event_fd;	      /* split */
		pthread_mutex_t lock; /* not split: one edge at a time */
	} pins[X86_GSI_COUNT];
};

/* No pin in use; puts the I/O APIC on @mmio if it is ours. @kvm outlives it. Returns 0 or an error
 * with words. */
int irq_chip_init(struct irq_chip *chip, const struct kvm *kvm, struct bus *mmio) must_check;
void irq_chip_deinit(struct irq_chip *chip);

/* Open pin @gsi and give its line. Before the guest runs. Returns 0 or an error with words. */
int irq_chip_open(struct irq_chip *chip, unsigned gsi, struct irq_line *ret) must_check;
