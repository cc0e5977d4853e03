// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86_ports.h"

#include "base/util.h"
#include "vmm/x86_layout.h"

/* Status reads as "idle": Linux waits for that before it pulls the reset line. */
static enum bus_result i8042_access(void *ctx, struct bus_access *a)
{
	struct x86_ports *ports = ctx;
	bool is_command = a->addr == X86_PORT_I8042 - X86_PORT_I8042_DATA;

	if (a->is_write && is_command && (a->value & 0xff) == X86_I8042_RESET)
		ports->ended(ports->ctx, MACHINE_RESET, "reset by the keyboard controller");
	return BUS_HANDLED;
}

/* ACPI 6.4, 4.8.3.7: sleep type in bits 2 to 4, go in bit 5; then the status register, always 0. */
static enum bus_result sleep_access(void *ctx, struct bus_access *a)
{
	struct x86_ports *ports = ctx;
	const uint64_t s5 = X86_SLEEP_TYPE_S5 << 2 | X86_SLEEP_ENABLE;

	if (a->is_write && a->addr == 0 && (a->value & 0x3c) == s5)
		ports->ended(ports->ctx, MACHINE_SHUTDOWN, "powered off (ACPI S5)");
	return BUS_HANDLED;
}

int x86_ports_add(struct bus *pio, struct x86_ports *ports)
{
	const struct bus_region regions[] = {
		{ X86_PORT_I8042_DATA, 1 + X86_PORT_I8042 - X86_PORT_I8042_DATA, i8042_access,
		  ports, "i8042" },
		{ X86_PORT_SLEEP_CONTROL, 2, sleep_access, ports, "acpi-sleep" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		int r = bus_add(pio, &regions[i]);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}
