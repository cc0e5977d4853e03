// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/ioapic.h"

enum {
	REG_SELECT = 0x00,
	REG_WINDOW = 0x10,

	INDEX_ID = 0,
	INDEX_VERSION = 1,
	INDEX_ARBITRATION = 2,
	INDEX_REDIRECTION = 0x10,

	VERSION = 0x11 | (X86_GSI_COUNT - 1) << 16,
	ID_MASK = 0x0f000000,
};

/* The bits of a redirection entry (82093AA, 3.2.4) that we use; destination bits 8 to 14 are KVM's
 * addition in bits 49 to 55. */
#define RED_VECTOR UINT64_C(0xff)
#define RED_DELIVERY UINT64_C(0x700)
#define RED_LOGICAL (UINT64_C(1) << 11)
#define RED_READ_ONLY (UINT64_C(1) << 12 | UINT64_C(1) << 14)
#define RED_MASKED (UINT64_C(1) << 16)

void ioapic_init(struct ioapic *a, const struct kvm *kvm)
{
	*a = (struct ioapic){ .kvm = kvm, .lock = PTHREAD_MUTEX_INITIALIZER };
	for (unsigned pin = 0; pin < X86_GSI_COUNT; pin++) {
		a->event_fds[pin] = -1;
		a->state.redirection[pin] = RED_MASKED;
	}
}

void ioapic_connect(struct ioapic *a, unsigned pin, int event_fd)
{
	a->event_fds[pin] = event_fd;
}

struct kvm_irq_routing_msi ioapic_message(uint64_t redirection)
{
	uint32_t low = redirection >> 56 & 0xff;
	uint32_t high = redirection >> 49 & 0x7f;

	return (struct kvm_irq_routing_msi){
		.address_lo = (uint32_t)X86_LOCAL_APIC | low << 12 |
			      (redirection & RED_LOGICAL ? 1 << 2 : 0),
		.address_hi = high << 8,
		.data = (uint32_t)(redirection & (RED_VECTOR | RED_DELIVERY)),
	};
}

static bool is_open(const struct ioapic *a, unsigned pin)
{
	return !(a->state.redirection[pin] & RED_MASKED);
}

/* KVM takes the table as a whole. */
static int set_routes(const struct ioapic *a)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entries[X86_GSI_COUNT];
	} routes = { 0 };

	for (unsigned pin = 0; pin < X86_GSI_COUNT; pin++)
		if (is_open(a, pin))
			routes.entries[routes.head.nr++] = (struct kvm_irq_routing_entry){
				.gsi = pin,
				.type = KVM_IRQ_ROUTING_MSI,
				.u.msi = ioapic_message(a->state.redirection[pin]),
			};
	int r = kvm_set_routes(a->kvm, &routes.head);

	return r < 0 ? err_trace(r) : 0;
}

/* Routes first, so that an event that waits finds its way when the pin is bound. */
static int update(struct ioapic *a, unsigned pin)
{
	bool is_wanted = is_open(a, pin) && a->event_fds[pin] >= 0;
	int r = set_routes(a);

	if (r < 0 || is_wanted == a->is_bound[pin])
		return r < 0 ? err_trace(r) : 0;
	r = kvm_bind_irq(a->kvm, a->event_fds[pin], pin, is_wanted);
	if (r < 0)
		return err_trace(r);
	a->is_bound[pin] = is_wanted;
	return 0;
}

static uint32_t read_register(const struct ioapic *a)
{
	uint32_t index = a->state.select;

	switch (index) {
	case INDEX_ID:
	case INDEX_ARBITRATION:
		return a->state.id;
	case INDEX_VERSION:
		return VERSION;
	}
	if (index < INDEX_REDIRECTION || (index - INDEX_REDIRECTION) / 2 >= X86_GSI_COUNT)
		return 0;
	uint64_t entry = a->state.redirection[(index - INDEX_REDIRECTION) / 2];

	return (uint32_t)(index % 2 ? entry >> 32 : entry);
}

static int write_register(struct ioapic *a, uint32_t value)
{
	uint32_t index = a->state.select;

	if (index == INDEX_ID)
		a->state.id = value & ID_MASK;
	if (index < INDEX_REDIRECTION || (index - INDEX_REDIRECTION) / 2 >= X86_GSI_COUNT)
		return 0;
	unsigned pin = (index - INDEX_REDIRECTION) / 2;
	uint64_t *entry = &a->state.redirection[pin];
	uint64_t old = *entry;

	if (index % 2)
		*entry = (*entry & UINT32_MAX) | (uint64_t)value << 32;
	else
		*entry = (*entry & ~(uint64_t)UINT32_MAX) | (value & ~RED_READ_ONLY);
	if (*entry == old)
		return 0;
	int r = update(a, pin);

	return r < 0 ? err_trace(r) : 0;
}

static int answer(struct ioapic *a, struct bus_access *access)
{
	switch (access->addr) {
	case REG_SELECT:
		if (access->is_write)
			a->state.select = (uint32_t)access->value & 0xff;
		else
			access->value = a->state.select;
		return 0;
	case REG_WINDOW:
		if (access->is_write)
			return write_register(a, (uint32_t)access->value);
		access->value = read_register(a);
		return 0;
	default:
		return 0;
	}
}

enum bus_result ioapic_access(void *ctx, struct bus_access *access)
{
	struct ioapic *a = ctx;

	pthread_mutex_lock(&a->lock);
	int r = answer(a, access);

	pthread_mutex_unlock(&a->lock);
	return r < 0 ? BUS_ERROR : BUS_HANDLED;
}
