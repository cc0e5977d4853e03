// SPDX-License-Identifier: GPL-2.0-only
/* The redirection table without KVM (a VM descriptor that refuses everything) and with the one that
 * is here. */
#include "base/cleanup.h"
#include "test.h"
#include "vmm/irq.h"

#include <errno.h>
#include <sys/eventfd.h>

enum { SELECT = 0x00, WINDOW = 0x10, PIN_5_LOW = 0x1a, PIN_5_HIGH = 0x1b };

static enum bus_result io(struct ioapic *a, uint64_t addr, bool is_write, uint64_t *value)
{
	struct bus_access access = {
		.addr = addr, .size = 4, .is_write = is_write, .value = *value
	};
	enum bus_result result = ioapic_access(a, &access);

	*value = access.value;
	return result;
}

static enum bus_result put(struct ioapic *a, uint32_t index, uint64_t value)
{
	uint64_t i = index;

	assert_int_equal(io(a, SELECT, true, &i), BUS_HANDLED);
	return io(a, WINDOW, true, &value);
}

static uint32_t get(struct ioapic *a, uint32_t index)
{
	uint64_t value = index;

	assert_int_equal(io(a, SELECT, true, &value), BUS_HANDLED);
	value = 0;
	assert_int_equal(io(a, WINDOW, false, &value), BUS_HANDLED);
	return (uint32_t)value;
}

TEST(entries_become_messages_with_wide_destinations)
{
	/* vector 0x31, lowest priority, logical, level and polarity set, destination 0x1b1 */
	uint64_t entry = UINT64_C(0xb1) << 56 | UINT64_C(0x1) << 49 | 1 << 15 | 1 << 13 | 1 << 11 |
			 1 << 8 | 0x31;
	struct kvm_irq_routing_msi msi = ioapic_message(entry);

	assert_int_equal(msi.address_lo, 0xfee00000 | 0xb1 << 12 | 1 << 2);
	assert_int_equal(msi.address_hi, 0x100);
	assert_int_equal(msi.data, 0x131);
}

TEST(registers_read_back_and_foreign_ones_are_nothing)
{
	struct kvm none = KVM_NULL;
	struct ioapic a;

	ioapic_init(&a, &none);
	assert_int_equal(get(&a, 1), 0x170011);
	assert_int_equal(put(&a, 0, 0xffffffff), BUS_HANDLED);
	assert_int_equal(get(&a, 0), 0x0f000000);
	assert_int_equal(get(&a, PIN_5_LOW), 0x10000);
	assert_int_equal(put(&a, 0x10 + 2 * X86_GSI_COUNT, 1), BUS_HANDLED);
	assert_int_equal(get(&a, 0x10 + 2 * X86_GSI_COUNT), 0);
	assert_int_equal(get(&a, 0xff), 0);
	uint64_t value = 7;

	assert_int_equal(io(&a, 0x20, true, &value), BUS_HANDLED);
	assert_int_equal(io(&a, SELECT, false, &value), BUS_HANDLED);
	assert_int_equal(value, 0xff);
}

TEST(refusal_of_kvm_is_a_bus_error)
{
	struct kvm none = KVM_NULL;
	struct ioapic a;

	ioapic_init(&a, &none);
	assert_int_equal(put(&a, PIN_5_LOW, 0x31), BUS_ERROR);
	err_clear();
}

TEST(pins_are_bound_while_unmasked_and_keep_events_while_not)
{
	const struct kvm_desc d = { .path = "/dev/kvm", .cpus = 1, .is_split = true };
	cleanup(kvm_deinit) struct kvm kvm = KVM_NULL;
	cleanup(irq_chip_deinit) struct irq_chip chip = { 0 };
	struct bus mmio = BUS_NULL;
	struct irq_line line;
	struct ioapic *a = &chip.ioapic;

	if (kvm_init(&kvm, &d) < 0) {
		print_message("skipped: %s\n", err_text());
		err_clear();
		for (unsigned i = 0; i < X86_GSI_COUNT; i++)
			chip.pins[i].event_fd = -1;
		skip();
	}
	assert_int_equal(irq_chip_init(&chip, &kvm, &mmio), 0);
	assert_int_equal(irq_chip_open(&chip, 5, &line), 0);
	irq_line_raise(&line); /* masked: waits in the eventfd */
	assert_false(a->is_bound[5]);
	assert_int_equal(put(a, PIN_5_HIGH, 0), BUS_HANDLED);
	assert_int_equal(put(a, PIN_5_LOW, 0x31), BUS_HANDLED);
	assert_true(a->is_bound[5]);
	assert_int_equal(get(a, PIN_5_LOW), 0x31);
	assert_int_equal(put(a, PIN_5_LOW, 0x31), BUS_HANDLED);
	assert_int_equal(put(a, PIN_5_LOW, 0x10031), BUS_HANDLED);
	assert_false(a->is_bound[5]);
	assert_int_equal(put(a, 0x10 + 2 * 7, 0x32), BUS_HANDLED); /* unconnected pin */
	assert_false(a->is_bound[7]);
}

TESTS(T(entries_become_messages_with_wide_destinations),
      T(registers_read_back_and_foreign_ones_are_nothing), T(refusal_of_kvm_is_a_bus_error),
      T(pins_are_bound_while_unmasked_and_keep_events_while_not))
