/* SPDX-License-Identifier: GPL-2.0-only */
/* vCPU threads: each runs KVM_RUN in a loop, gives exits to the buses, and can be called out of the
 * guest by a signal, to park or to end. One gate for all vCPUs of a machine says what is wanted:
 *
 *   gate->wanted = PARK or STOP, then a signal to each thread. The signal is blocked but inside
 *   KVM_RUN (KVM_SET_SIGNAL_MASK), so there it ends the ioctl, and anywhere else it waits for the
 *   next one, which completes a half-done port or MMIO access and then returns at once. A vCPU
 *   therefore parks only with its state complete in the kernel, no kick is lost, and the process
 *   needs no signal handler.
 *
 * Not here: what the registers are (x86_vcpu.h) and what an end means for others (machine.c). */
#pragma once

#include "base/counter.h"
#include "bus/bus.h"
#include "vmm/kvm.h"
#include "vmm/machine.h"

#include <pthread.h>
#include <stdbool.h>

enum vcpu_wanted { VCPU_RUN, VCPU_PARK, VCPU_STOP };

/* Shared by the vCPUs of a machine; all fields under the lock. */
struct vcpu_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* CLOCK_MONOTONIC */
	enum vcpu_wanted wanted;
	unsigned live;	 /* threads that have come up and not ended */
	unsigned parked; /* of these */
};

/* What a vCPU needs from its machine; outlives it. */
struct vcpu_env {
	const struct bus *mmio;
	const struct bus *pio;
	struct vcpu_gate *gate;
	/* The machine ends because of this. Called from the vCPU's thread. */
	void (*ended)(void *ctx, int cpu, enum machine_why why, const char *text);
	void *ctx;
};

struct vcpu {
	const struct vcpu_env *env;
	unsigned index;
	uint32_t apic_id;
	int fd;
	struct kvm_run *run;
	size_t run_bytes;
	pthread_t thread;
	bool has_thread;
	_Atomic int tid; /* 0 unless its thread lives */
	counter_t exits, pio, mmio, unhandled, kicks;
};

#define VCPU_NULL ((struct vcpu){ .fd = -1 })

/* Sent to a vCPU's thread from outside (tgkill), ends that thread as if it had died: for tests that
 * a lost vCPU is noticed and called infrastructure. */
int vcpu_die_signal(void);

void vcpu_gate_init(struct vcpu_gate *gate);
void vcpu_gate_deinit(struct vcpu_gate *gate);

/* Create vCPU @index with @apic_id. Returns 0 or KVM's refusal with words. Ended by vcpu_deinit(),
 * after vcpu_join(). */
int vcpu_init(struct vcpu *ret, const struct kvm *kvm, const struct vcpu_env *env, unsigned index,
	      uint32_t apic_id) must_check;
void vcpu_deinit(struct vcpu *v);

/* Start the threads of @count vCPUs and wait until all are up. Returns 0, or a negative errno with
 * words and none running. */
int vcpu_start_all(struct vcpu *vcpus, unsigned count) must_check;

/* Want STOP of all; does not wait. Any thread, also a vCPU's own. */
void vcpu_stop_all(struct vcpu *vcpus, unsigned count);
/* Wait for the end of all threads. Not from a vCPU's thread. */
void vcpu_join_all(struct vcpu *vcpus, unsigned count);

/* Want PARK of all and wait for it. Returns 0; -ETIMEDOUT with words at CLOCK_MONOTONIC
 * @deadline_ns, all running again; -ESHUTDOWN if any has ended or STOP is wanted. */
int vcpu_park_all(struct vcpu *vcpus, unsigned count, uint64_t deadline_ns) must_check;
/* Want RUN of all. Does nothing once STOP is wanted. */
void vcpu_unpark_all(struct vcpu *vcpus, unsigned count);

/* Tell the guest's clock that it was parked, so that its watchdog does not bark. While parked. */
void vcpu_tell_pause(const struct vcpu *v);

/* As machine_vcpu_counters(). */
void vcpu_counters(const struct vcpu *v, struct vcpu_counters *ret);
/* As machine_vcpu_noise(). */
int vcpu_noise(struct vcpu *v, struct vcpu_noise *ret) must_check;
