/* SPDX-License-Identifier: GPL-2.0-only */
/* A hand that wakes CPUs which sleep through what woke them. For machines on an emulated KVM only.
 *
 * QEMU's emulation of AMD's SVM (7.2, target/i386/tcg/sysemu/svm_helper.c) writes the interrupt shadow
 * into the VMCB when a guest leaves (do_vmexit()) and does not take it back when it enters
 * (helper_vmrun()). A guest that is called out between STI and HLT, the last two instructions of an
 * idle loop, comes back without its shadow, takes there an interrupt that on a processor would have come
 * after HLT, and halts with need_resched set. Its CPU then sleeps until the next interrupt; with the
 * tick stopped there may be none. Measured in a carrier with a guest that does nothing else: 1 of 3000
 * halts.
 *
 * So all CPUs are looked at every 20 ms. If no vCPU's thread has run since the last look, the machine may
 * be stuck: the CPU whose turn it is gets the reschedule interrupt, which the kernel answers by looking
 * at need_resched and else ignores. While others run, one gets it that has been still for 40 ms, one
 * at each look: what was lost is some 60 ms late, and 20 ms more for each other CPU that sleeps. That is below
 * the bounds of claims about waits (300 ms and more in the shipped scenarios); at one second, an idle CPU's
 * lone sleeper was seen to break one of 600 ms. */
#pragma once

#include "vmm/vcpu.h"

struct nudge_cpu {
	uint32_t apic_id;
	int schedstat_fd;     /* of its thread: opening it anew costs ten times a look */
	uint64_t seen_cpu_ns; /* at the last look */
	uint64_t still_since_ns;
};

struct nudge {
	const struct kvm *kvm;
	struct nudge_cpu *cpus;
	unsigned count, turn;
	int stop_fd;
	pthread_t thread;
	bool is_running;
	counter_t sent;
};

#define NUDGE_NULL ((struct nudge){ .stop_fd = -1 })

/* Begin for @count vCPUs that run; @kvm outlives it. @n is NUDGE_NULL. Returns 0 or a negative errno
 * with words. Ended by nudge_stop(). */
int nudge_start(struct nudge *n, const struct kvm *kvm, const struct vcpu *vcpus,
		unsigned count) must_check;
/* Ends at once; works on one that was not started, and twice. */
void nudge_stop(struct nudge *n);
