// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/vcpu_place.h"

#include "vmm/vcpu.h"

enum {
	RFLAGS_IF = 1 << 9,
	APIC_ISR =
		0x100, /* Intel SDM volume 3, 11.4.1: eight words of 32 vectors, 16 bytes apart */
	APIC_IRR = 0x200,
	APIC_WORDS = 8,
	APIC_WORD_STRIDE = 16,
};

/* The highest vector set in a 256-bit register of the local APIC; 0: none. */
static unsigned highest_vector(const struct kvm_lapic_state *apic, size_t reg)
{
	for (unsigned word = APIC_WORDS; word > 0; word--) {
		uint32_t bits;

		memcpy(&bits, &apic->regs[reg + (word - 1) * APIC_WORD_STRIDE], sizeof(bits));
		if (bits)
			return (word - 1) * 32 + 31 - (unsigned)__builtin_clz(bits);
	}
	return 0;
}

static int read_place(const struct vcpu *v, struct vcpu_place *ret)
{
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	struct kvm_lapic_state apic;
	int r = kvm_ioctl(v->fd, KVM_GET_REGS, &regs, "read the registers");

	if (r >= 0)
		r = kvm_ioctl(v->fd, KVM_GET_MP_STATE, &mp, "read the state of a vCPU");
	if (r >= 0)
		r = kvm_ioctl(v->fd, KVM_GET_LAPIC, &apic, "read the local APIC");
	if (r < 0)
		return err_trace(r);
	*ret = (struct vcpu_place){
		.rip = regs.rip,
		.is_started = mp.mp_state != KVM_MP_STATE_UNINITIALIZED &&
			      mp.mp_state != KVM_MP_STATE_INIT_RECEIVED,
		.is_halted = mp.mp_state == KVM_MP_STATE_HALTED,
		.has_interrupts_on = regs.rflags & RFLAGS_IF,
		.requested = highest_vector(&apic, APIC_IRR),
		.in_service = highest_vector(&apic, APIC_ISR),
	};
	return 0;
}

int vcpu_places(const struct vcpu *vcpus, unsigned count, struct vcpu_place *ret)
{
	int r = 0;

	for (unsigned i = 0; i < count && r >= 0; i++)
		r = read_place(&vcpus[i], &ret[i]);
	return r < 0 ? err_trace(r) : 0;
}

int vcpu_places_live(struct vcpu *vcpus, unsigned count, uint64_t timeout_ns,
		     struct vcpu_place *ret)
{
	int r = vcpu_park_all(vcpus, count, now_ns() + timeout_ns);

	if (r < 0)
		return err_trace(r);
	r = vcpu_places(vcpus, count, ret);
	vcpu_unpark_all(vcpus, count);
	return r < 0 ? err_trace(r) : 0;
}
