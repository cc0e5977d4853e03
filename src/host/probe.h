/* SPDX-License-Identifier: GPL-2.0-only */
/* What this host offers: can /dev/kvm run a stock kernel, how many CPUs and which caches, memory,
 * is a carrier possible. Facts only; what to tell the user about them is doctor's (doctor.h).
 *
 * /dev/kvm that opens proves little: a para-virtual KVM (PVM) creates VMs and runs small guests in
 * its instruction emulator, but cannot boot a stock kernel. So a guest of a few bytes counts down a
 * register, and its speed tells: millions of instructions a second when emulated, hundreds of
 * millions when the CPU runs it. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kvm_kind {
	KVM_HARDWARE,	   /* runs guests natively: boots stock kernels */
	KVM_PARAVIRTUAL,   /* opens, runs a bare guest in an emulator only */
	KVM_BROKEN,	   /* opens, and not even the probe guest runs */
	KVM_NO_PERMISSION, /* /dev/kvm exists, this user may not open it */
	KVM_NONE,	   /* no /dev/kvm, or nothing behind it */
};

struct kvm_probe {
	enum kvm_kind kind;
	int error;	       /* errno behind KVM_BROKEN, KVM_NO_PERMISSION, KVM_NONE, else 0 */
	const char *step;      /* what failed with error, else "" */
	bool has_svm, has_vmx; /* CPU flags */
	const char *module;    /* behind /dev/kvm: kvm_intel, kvm_amd, kvm_pvm; "": not known */
	uint64_t guest_instructions_per_s; /* of the probe guest; 0: did not run */
	unsigned max_vcpus;
};

/* Probe /dev/kvm: at most some 40 ms. Never fails: what does not work is the finding. */
void kvm_probe(struct kvm_probe *ret);

/* Can this KVM boot a stock kernel? */
static inline bool kvm_probe_can_boot(const struct kvm_probe *p)
{
	return p->kind == KVM_HARDWARE;
}

/* "hardware", "paravirtual", ... */
const char *kvm_kind_name(enum kvm_kind kind);

/* One line that says what was found, and one that says what to do ("" if nothing). */
void kvm_probe_text(const struct kvm_probe *p, char *text, size_t text_bytes, char *advice,
		    size_t advice_bytes);

enum { HOST_CACHES_MAX = 4, HOST_MODEL_BYTES = 64 };

struct host_cache {
	unsigned level;
	char type[16];	    /* Data, Instruction, Unified */
	uint64_t bytes;	    /* of one */
	unsigned instances; /* in the host */
};

struct host_info {
	char model[HOST_MODEL_BYTES];
	unsigned cpus_online;
	unsigned cpus_allowed; /* by this process's affinity */
	unsigned nodes;
	struct host_cache caches[HOST_CACHES_MAX + 1];
	unsigned cache_count;
	uint64_t memory_bytes;
	uint64_t memory_available_bytes;
	char kernel[HOST_MODEL_BYTES]; /* uname -r */
	bool is_in_carrier;
};

/* Read from below @root ("" for the real one; tests pass a directory that holds proc/ and sys/). */
int host_info_read(const char *root, struct host_info *ret) must_check;

/* Find program @name in PATH; *@ret is malloc'ed. -ENOENT without words if it is nowhere. */
int host_find_program(const char *name, char **ret) must_check;
