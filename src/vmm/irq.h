/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt inputs of a machine: an eventfd for each that is used, bound to KVM's own I/O APIC or
 * connected to ours when the irqchip is split. */
#pragma once

#include "vmm/ioapic.h"

struct irq_chip {
	const struct kvm *kvm;
	struct ioapic ioapic; /* used if the irqchip is split */
	struct irq_pin {
		int event_fd;
	} pins[X86_GSI_COUNT];
};

/* No pin in use; puts the I/O APIC on @mmio if it is ours. @kvm outlives it. Returns 0 or an error
 * with words. */
int irq_chip_init(struct irq_chip *chip, const struct kvm *kvm, struct bus *mmio) must_check;
void irq_chip_deinit(struct irq_chip *chip);

/* Open pin @gsi and give its line. Before the guest runs. Returns 0 or an error with words. */
int irq_chip_open(struct irq_chip *chip, unsigned gsi, struct irq_line *ret) must_check;
