// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/vcpu_exit.h"

#include "base/util.h"

#include <stdio.h>
#include <sys/ioctl.h>

static bool end(struct vcpu *v, enum machine_why why, const char *text)
{
	v->env->ended(v->env->ctx, (int)v->index, why, text);
	return false;
}

/* An access of a width that no bus has (a guest instruction that crosses a page makes such) is
 * nobody's. */
static enum bus_result dispatch(struct vcpu *v, const struct bus *bus, struct bus_access *a)
{
	enum bus_result result = BUS_UNHANDLED;

	a->value &= a->size < 8 ? (UINT64_C(1) << a->size * 8) - 1 : UINT64_MAX;
	if (is_power_of_two(a->size) && a->size <= 8)
		result = bus_dispatch(bus, a);
	if (result == BUS_UNHANDLED) {
		counter_bump(&v->unhandled, 1);
		if (!a->is_write)
			a->value = UINT64_MAX;
	}
	return result;
}

/* The device failed for a reason of ours or the host's. */
static bool bus_failed(struct vcpu *v)
{
	char text[MACHINE_END_TEXT_BYTES];

	snprintf(text, sizeof(text), "%s", err_text());
	err_clear();
	return end(v, MACHINE_VCPU_ERROR, text);
}

static bool exit_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	struct bus_access a = {
		.addr = run->mmio.phys_addr,
		.size = (uint8_t)run->mmio.len,
		.is_write = run->mmio.is_write,
	};

	counter_bump(&v->mmio, 1);
	if (a.is_write)
		memcpy(&a.value, run->mmio.data, sizeof(a.value));
	if (dispatch(v, v->env->mmio, &a) == BUS_ERROR)
		return bus_failed(v);
	if (!a.is_write)
		memcpy(run->mmio.data, &a.value, sizeof(a.value));
	return true;
}

/* A string instruction gives `count` accesses of the same port at once. */
static bool exit_pio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	unsigned char *data = (unsigned char *)run + run->io.data_offset;

	counter_bump(&v->pio, 1);
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		struct bus_access a = {
			.addr = run->io.port,
			.size = run->io.size,
			.is_write = run->io.direction == KVM_EXIT_IO_OUT,
		};

		if (a.is_write)
			memcpy(&a.value, data, MIN(a.size, sizeof(a.value)));
		if (dispatch(v, v->env->pio, &a) == BUS_ERROR)
			return bus_failed(v);
		if (!a.is_write)
			memcpy(data, &a.value, MIN(a.size, sizeof(a.value)));
	}
	return true;
}

static uint64_t guest_rip(const struct vcpu *v)
{
	struct kvm_regs regs;

	return ioctl(v->fd, KVM_GET_REGS, &regs) == 0 ? regs.rip : 0;
}

static bool exit_shutdown(struct vcpu *v)
{
	return end(v, MACHINE_TRIPLE_FAULT, "triple fault");
}

static bool exit_system_event(struct vcpu *v)
{
	uint32_t type = v->run->system_event.type;

	if (type == KVM_SYSTEM_EVENT_SHUTDOWN)
		return end(v, MACHINE_SHUTDOWN, "system event: shutdown");
	return end(v, MACHINE_RESET,
		   type == KVM_SYSTEM_EVENT_RESET ? "system event: reset" : "system event: crash");
}

static bool exit_fail_entry(struct vcpu *v)
{
	char text[MACHINE_END_TEXT_BYTES];

	snprintf(text, sizeof(text), "the CPU refused to enter the guest, reason %#llx",
		 (unsigned long long)v->run->fail_entry.hardware_entry_failure_reason);
	return end(v, MACHINE_VCPU_ERROR, text);
}

static bool exit_internal_error(struct vcpu *v)
{
	char text[MACHINE_END_TEXT_BYTES];

	snprintf(text, sizeof(text), "KVM internal error %u at %#llx%s", v->run->internal.suberror,
		 (unsigned long long)guest_rip(v),
		 v->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION
			 ? " (an instruction that it cannot emulate)"
			 : "");
	return end(v, MACHINE_VCPU_ERROR, text);
}

static bool exit_ignored(struct vcpu *v)
{
	return true;
}

/* To handle one more: its row. What is not here ends the machine. */
static const struct {
	uint32_t reason;
	bool (*answer)(struct vcpu *v);
} exits[] = {
	{ KVM_EXIT_IO, exit_pio },
	{ KVM_EXIT_MMIO, exit_mmio },
	{ KVM_EXIT_INTR, exit_ignored },
	{ KVM_EXIT_IRQ_WINDOW_OPEN, exit_ignored },
	{ KVM_EXIT_SET_TPR, exit_ignored },
	{ KVM_EXIT_IOAPIC_EOI, exit_ignored }, /* split irqchip, a pin the guest calls level */
	{ KVM_EXIT_SHUTDOWN, exit_shutdown },
	{ KVM_EXIT_SYSTEM_EVENT, exit_system_event },
	{ KVM_EXIT_FAIL_ENTRY, exit_fail_entry },
	{ KVM_EXIT_INTERNAL_ERROR, exit_internal_error },
};

bool vcpu_exit(struct vcpu *v)
{
	char text[MACHINE_END_TEXT_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		if (exits[i].reason == v->run->exit_reason)
			return exits[i].answer(v);
	snprintf(text, sizeof(text), "KVM exit %u at %#llx is not known here", v->run->exit_reason,
		 (unsigned long long)guest_rip(v));
	return end(v, MACHINE_VCPU_ERROR, text);
}
