// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86_vcpu.h"

#include "vmm/kvm.h"
#include "vmm/x86_layout.h"

#include <errno.h>

enum {
	CR0_PE = 1 << 0,
	CR0_ET = 1 << 4,
	CR4_PAE = 1 << 5,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	RFLAGS_FIXED = 2,
	CODE_SELECTOR = 0x10,
	DATA_SELECTOR = 0x18,
	GDT_ENTRIES = 4,
	APIC_BASE_X2APIC = 1 << 10,
	APIC_BASE_ENABLED = 1 << 11,

	MSR_MISC_ENABLE = 0x1a0,
	MISC_ENABLE_FAST_STRING = 1,
	MSR_MTRR_DEFAULT_TYPE = 0x2ff,
	MTRR_ENABLED_WRITE_BACK = 1 << 11 | 6,
};

#define CR0_PG UINT64_C(0x80000000)

static const struct kvm_segment code_segment = { .limit = 0xffffffff,
						 .selector = CODE_SELECTOR,
						 .type = 11,
						 .present = 1,
						 .s = 1,
						 .l = 1,
						 .g = 1 };
static const struct kvm_segment data_segment = { .limit = 0xffffffff,
						 .selector = DATA_SELECTOR,
						 .type = 3,
						 .present = 1,
						 .db = 1,
						 .s = 1,
						 .g = 1 };

static void enter_64_bit(struct kvm_sregs *s, const struct x86_entry *entry)
{
	s->cs = code_segment;
	s->ds = s->es = s->fs = s->gs = s->ss = data_segment;
	s->gdt.base = X86_GDT;
	s->gdt.limit = GDT_ENTRIES * sizeof(uint64_t) - 1;
	s->cr0 = CR0_PG | CR0_ET | CR0_PE;
	s->cr3 = entry->cr3;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LME | EFER_LMA;
}

static int set_sregs(int fd, const struct x86_vcpu_start *start)
{
	struct kvm_sregs s;
	int r = kvm_ioctl(fd, KVM_GET_SREGS, &s, "read the segment registers");

	if (r < 0)
		return err_trace(r);
	if (start->entry)
		enter_64_bit(&s, start->entry);
	if (start->is_x2apic)
		s.apic_base |= APIC_BASE_ENABLED | APIC_BASE_X2APIC;
	r = kvm_ioctl(fd, KVM_SET_SREGS, &s, "set the segment registers");
	return r < 0 ? err_trace(r) : 0;
}

static int set_regs(int fd, const struct x86_entry *entry)
{
	struct kvm_regs regs = { .rip = entry->rip, .rsi = entry->rsi, .rflags = RFLAGS_FIXED };
	int r = kvm_ioctl(fd, KVM_SET_REGS, &regs, "set the registers");

	return r < 0 ? err_trace(r) : 0;
}

/* All memory is write-back unless the guest says otherwise, as firmware would have left it. */
static int set_msrs(int fd)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} msrs = { .head.nmsrs = 2,
		   .entries = {
			   { .index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING },
			   { .index = MSR_MTRR_DEFAULT_TYPE, .data = MTRR_ENABLED_WRITE_BACK } } };
	int r = kvm_ioctl(fd, KVM_SET_MSRS, &msrs, "set the model-specific registers");

	return r < 0 ? err_trace(r) : 0;
}

int x86_vcpu_setup(int fd, struct x86_cpuid *cpuid, const struct x86_vcpu_start *start)
{
	int r = kvm_ioctl(fd, KVM_SET_CPUID2, &cpuid->kvm, "set CPUID");

	if (r >= 0)
		r = set_msrs(fd);
	if (r >= 0)
		r = set_sregs(fd, start);
	if (r >= 0 && start->entry)
		r = set_regs(fd, start->entry);
	return r < 0 ? err_trace(r) : 0;
}
