/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a vCPU stands: read from KVM while its thread is parked, for reports about guests that hang. */
#pragma once

#include "vmm/machine.h"

struct vcpu;

/* Fill @ret for each of @count parked @vcpus. Returns 0 or KVM's error with words. */
int vcpu_places(const struct vcpu *vcpus, unsigned count, struct vcpu_place *ret) must_check;
/* The same for vCPUs that run: they are parked meanwhile. As machine_places(). */
int vcpu_places_live(struct vcpu *vcpus, unsigned count, uint64_t timeout_ns,
		     struct vcpu_place *ret) must_check;
