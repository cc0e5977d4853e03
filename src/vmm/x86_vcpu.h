/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers that a vCPU starts with. */
#pragma once

#include "vmm/x86_boot.h"
#include "vmm/x86_cpuid.h"

/* Give vCPU @fd its CPUID and MSRs; with @entry (the first CPU only) also the state of the kernel's
 * 64-bit entry. The others wait for the guest to start them. Returns 0 or KVM's error with words. */
int x86_vcpu_setup(int fd, struct x86_cpuid *cpuid, const struct x86_entry *entry) must_check;
