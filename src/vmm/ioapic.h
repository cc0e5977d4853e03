/* SPDX-License-Identifier: GPL-2.0-only */
/* The I/O APIC of a machine with a split irqchip: the guest's redirection table in user space, each
 * unmasked pin an interrupt message that KVM delivers from an eventfd. So raising an interrupt costs
 * no exit; only reprogramming does. Pins are edge-triggered, whatever the guest says: that is what
 * our devices do. A masked pin is not bound, and its eventfd keeps what comes until it is.
 * Sources: Intel 82093AA datasheet; Linux Documentation/virt/kvm/x86/msr.rst (15-bit destination). */
#pragma once

#include "bus/bus.h"
#include "vmm/kvm.h"
#include "vmm/x86_layout.h"

#include <pthread.h>

enum { IOAPIC_BYTES = 0x1000 };

/* The registers: all that a snapshot must keep. */
struct ioapic_state {
	uint32_t select;
	uint32_t id;
	uint64_t redirection[X86_GSI_COUNT];
};

struct ioapic {
	const struct kvm *kvm;
	pthread_mutex_t lock;
	struct ioapic_state state;
	int event_fds[X86_GSI_COUNT]; /* borrowed; -1: nothing is connected */
	bool is_bound[X86_GSI_COUNT];
};

/* All pins masked and unconnected. @kvm must outlive it. */
void ioapic_init(struct ioapic *a, const struct kvm *kvm);
/* Connect a device's eventfd to @pin, before the guest runs. */
void ioapic_connect(struct ioapic *a, unsigned pin, int event_fd);
/* The function of a bus_region with the struct ioapic as ctx. BUS_ERROR if KVM refuses. Any
 * thread. */
enum bus_result ioapic_access(void *ctx, struct bus_access *access);

/* The interrupt message that a redirection entry stands for. */
struct kvm_irq_routing_msi ioapic_message(uint64_t redirection);
