/* SPDX-License-Identifier: GPL-2.0-only */
/* The two things by which a guest ends itself: the keyboard controller's reset line and the ACPI
 * sleep register. Nothing else of either exists. */
#pragma once

#include "bus/bus.h"
#include "vmm/machine.h"

struct x86_ports {
	/* The guest asks for the machine's end. Any vCPU's thread. */
	void (*ended)(void *ctx, enum machine_why why, const char *text);
	void *ctx;
};

/* Put both on the port bus; @ports outlives it. Returns 0 or bus_add()'s error. */
int x86_ports_add(struct bus *pio, struct x86_ports *ports) must_check;
