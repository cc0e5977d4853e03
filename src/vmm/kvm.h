/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's file descriptors and the ioctls on them, with errors in words. One struct kvm is one virtual
 * machine without CPUs; vcpu.h adds those. Sources: Linux Documentation/virt/kvm/api.rst. */
#pragma once

#include "base/err.h"
#include "base/util.h"

#include <linux/kvm.h>
#include <stdbool.h>

enum { KVM_CPUID_ENTRIES = 256 };

struct kvm {
	int fd; /* /dev/kvm */
	int vm_fd;
	size_t run_bytes; /* size of a vCPU's shared page(s) */
	bool is_split;	  /* local APICs in the kernel, the I/O APIC ours */
	bool has_tsc_deadline;
	uint32_t memory_slots;
};

#define KVM_NULL ((struct kvm){ .fd = -1, .vm_fd = -1 })

struct kvm_desc {
	const char *path; /* /dev/kvm */
	unsigned cpus;
	uint32_t max_apic_id;
	bool is_split;
};

/* An ioctl whose failure is an error: says @name and the reason. Returns ioctl()'s value. */
int kvm_ioctl(int fd, unsigned long request, void *arg, const char *name) must_check;

/* Open KVM and make a VM with its interrupt chips. Returns 0; -ENOENT, -EACCES, -ENODEV with words
 * that say what to do; -ENOTSUP if this KVM lacks what @d needs. The caller ends it with
 * kvm_deinit(). */
int kvm_init(struct kvm *ret, const struct kvm_desc *d) must_check;
void kvm_deinit(struct kvm *kvm);

/* Show [@base, @base + @bytes) of guest memory at @host. Page-aligned; @host outlives the VM. */
int kvm_add_memory(struct kvm *kvm, gpa_t base, uint64_t bytes, void *host) must_check;

/* Each write to @event_fd raises interrupt @gsi; @is_on false ends that. An event that came before
 * is delivered when the binding is made. */
int kvm_bind_irq(const struct kvm *kvm, int event_fd, uint32_t gsi, bool is_on) must_check;

/* An edge of interrupt @gsi of KVM's own I/O APIC, delivered when it returns. One at a time for each
 * @gsi; otherwise any thread. KVM can only refuse it where there is no such chip. */
void kvm_pulse_irq(const struct kvm *kvm, uint32_t gsi);

/* Interrupt @vector, fixed and edge-triggered, at the local APIC @apic_id. One that is switched off, or
 * is not there, takes none. Any thread. */
void kvm_send_fixed(const struct kvm *kvm, uint32_t apic_id, uint8_t vector);

/* A 32-bit guest write of @value at @address signals @event_fd, without an exit. */
int kvm_bind_kick(const struct kvm *kvm, int event_fd, gpa_t address, uint32_t value) must_check;

/* Replace the interrupt routes (struct kvm_irq_routing with its entries). */
int kvm_set_routes(const struct kvm *kvm, struct kvm_irq_routing *routes) must_check;

/* The CPUID leaves that KVM can offer; @ret has room for KVM_CPUID_ENTRIES entries. */
int kvm_supported_cpuid(const struct kvm *kvm, struct kvm_cpuid2 *ret) must_check;
