/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUID of each vCPU: what KVM can offer, changed by a table of rules so that the guest sees the
 * declared topology and caches, the same on every host, and nothing that would make its time or its
 * waits depend on us in ways that cannot be measured. Pure: table in, table out; tested without
 * KVM. Sources: Intel SDM vol. 2A CPUID; AMD APM vol. 3, appendix E; Linux
 * arch/x86/kernel/cpu/{topology_*.c,cacheinfo.c}; Documentation/virt/kvm/x86/cpuid.rst. */
#pragma once

#include "base/err.h"
#include "vmm/topology.h"

#include <linux/kvm.h>
#include <stdbool.h>

enum { X86_CPUID_MAX = 256 };

/* struct kvm_cpuid2 with room for its entries. */
struct x86_cpuid {
	union {
		struct kvm_cpuid2 kvm;
		unsigned char bytes[sizeof(struct kvm_cpuid2) +
				    X86_CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
	};
};

struct x86_cpuid_desc {
	const struct topology *topology;
	unsigned cpu;
	bool has_tsc_deadline; /* the in-kernel local APIC offers it */
	bool has_msi_ext_dest; /* the I/O APIC takes 15-bit destinations (split irqchip) */
};

/* Make @ret for CPU @d->cpu from what KVM supports. Returns 0, or -E2BIG with words if there are
 * more leaves than room. Any thread. */
int x86_cpuid_build(const struct kvm_cpuid2 *supported, const struct x86_cpuid_desc *d,
		    struct x86_cpuid *ret) must_check;

/* The entry for @function and @index, or NULL. */
const struct kvm_cpuid_entry2 *x86_cpuid_find(const struct x86_cpuid *c, uint32_t function,
					      uint32_t index);
