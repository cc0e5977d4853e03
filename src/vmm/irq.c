// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/irq.h"

#include "base/cleanup.h"

#include <errno.h>
#include <sys/eventfd.h>

int irq_chip_init(struct irq_chip *chip, const struct kvm *kvm, struct bus *mmio)
{
	chip->kvm = kvm;
	for (unsigned gsi = 0; gsi < X86_GSI_COUNT; gsi++)
		chip->pins[gsi] = (struct irq_pin){
			.kvm = kvm, .gsi = gsi, .event_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER
		};
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
static void signal_pin(void *ctx)
{
	const struct irq_pin *pin = ctx;

	(void)eventfd_write(pin->event_fd, 1);
}

/* Under the lock: a rise that falls between another's rise and fall is no edge, and would be lost. */
static void pulse_pin(void *ctx)
{
	struct irq_pin *pin = ctx;

	pthread_mutex_lock(&pin->lock);
	kvm_pulse_irq(pin->kvm, pin->gsi);
	pthread_mutex_unlock(&pin->lock);
}

int irq_chip_open(struct irq_chip *chip, unsigned gsi, struct irq_line *ret)
{
	struct irq_pin *pin = &chip->pins[gsi];

	*ret = (struct irq_line){ pulse_pin, pin };
	if (!chip->kvm->is_split)
		return 0;
	pin->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pin->event_fd < 0)
		return err_new(-errno, "eventfd: %s", strerror(errno));
	ioapic_connect(&chip->ioapic, gsi, pin->event_fd);
	*ret = (struct irq_line){ signal_pin, pin };
	return 0;
}
