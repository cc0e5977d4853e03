// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/irq.h"

#include "base/cleanup.h"

#include <errno.h>
#include <sys/eventfd.h>

int irq_chip_init(struct irq_chip *chip, const struct kvm *kvm, struct bus *mmio)
{
	chip->kvm = kvm;
	for (unsigned gsi = 0; gsi < X86_GSI_COUNT; gsi++)
		chip->pins[gsi].event_fd = -1;
	if (!kvm->is_split)
		return 0;
	ioapic_init(&chip->ioapic, kvm);
	int r = bus_add(mmio, &(struct bus_region){ X86_IOAPIC, IOAPIC_BYTES, ioapic_access,
						    &chip->ioapic, "ioapic" });

	return r < 0 ? err_trace(r) : 0;
}

void irq_chip_deinit(struct irq_chip *chip)
{
	for (unsigned gsi = 0; gsi < X86_GSI_COUNT; gsi++)
		chip->pins[gsi].event_fd = fd_close(chip->pins[gsi].event_fd);
}

/* An event that is counted already is as good as ours: the write can only fail by being full. */
static void raise_pin(void *ctx)
{
	const struct irq_pin *pin = ctx;

	(void)eventfd_write(pin->event_fd, 1);
}

int irq_chip_open(struct irq_chip *chip, unsigned gsi, struct irq_line *ret)
{
	struct irq_pin *pin = &chip->pins[gsi];
	int r = 0;

	pin->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pin->event_fd < 0)
		return err_new(-errno, "eventfd: %s", strerror(errno));
	if (chip->kvm->is_split)
		ioapic_connect(&chip->ioapic, gsi, pin->event_fd);
	else
		r = kvm_bind_irq(chip->kvm, pin->event_fd, gsi, true);
	if (r < 0)
		return err_trace(r);
	*ret = (struct irq_line){ raise_pin, pin };
	return 0;
}
