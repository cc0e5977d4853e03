/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers that a vCPU starts with. */
#pragma once

#include "vmm/x86_boot.h"
#include "vmm/x86_cpuid.h"

struct x86_vcpu_start {
	/* The state of the kernel's 64-bit entry, for the first CPU; NULL for the others, which wait
	 * for the guest to start them. */
	const struct x86_entry *entry;
	/* Linux believes in APIC ids above 254 only if it finds the CPU in x2APIC mode. Not for
	 * all: a kernel without x2APIC would refuse to boot. */
	bool is_x2apic;
};

/* Give vCPU @fd its CPUID, MSRs and registers. Returns 0 or KVM's error with words. */
int x86_vcpu_setup(int fd, struct x86_cpuid *cpuid, const struct x86_vcpu_start *start) must_check;
