/* SPDX-License-Identifier: GPL-2.0-only */
/* A bus is a table of address ranges, each answered by a function: one for MMIO, one for port I/O.
 * It knows neither KVM nor any device, so that devices are driven by a test or by the qtest shim as
 * they are by a vCPU. The table is filled before the first access and not changed after, so
 * dispatch takes no lock; what a region needs against two vCPUs at once it does itself. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { BUS_MAX_REGIONS = 64 };

/* One access by a CPU. For a read the region stores the answer in value (zero beforehand), of
 * which the low @size bytes count. */
struct bus_access {
	uint64_t addr; /* inside a region's function: the offset from its base */
	uint64_t value;
	uint8_t size; /* bytes: 1, 2, 4 or 8 */
	bool is_write;
};

enum bus_result {
	BUS_HANDLED,
	BUS_UNHANDLED, /* nobody lives there: reads give all ones, writes go nowhere */
	BUS_ERROR, /* ours or the host's trouble, said in the error trail: the machine must end */
};

struct bus_region {
	uint64_t base;
	uint64_t bytes;
	enum bus_result (*access)(void *ctx, struct bus_access *a);
	void *ctx;
	const char *name; /* borrowed, for reports */
};

struct bus {
	struct bus_region regions[BUS_MAX_REGIONS]; /* by address, no two overlap */
	unsigned count;
};

#define BUS_NULL ((struct bus){ .count = 0 })

/* Add a region. 0; -EINVAL if empty, wrapping or without a function, -EEXIST if it overlaps one
 * that is there, -ENOSPC when the table is full. Before the first dispatch. */
int bus_add(struct bus *bus, const struct bus_region *region) must_check;

/* Give @a to the region that holds all of its bytes. An access that runs over a region's end is
 * nobody's. After BUS_UNHANDLED a read has its value set to all ones. @a->addr is unchanged after.
 * Any thread. */
enum bus_result bus_dispatch(const struct bus *bus, struct bus_access *a);

/* An edge-triggered interrupt input. raise() may be called by any thread and never blocks. */
struct irq_line {
	void (*raise)(void *ctx);
	void *ctx;
};

static inline void irq_line_raise(const struct irq_line *line)
{
	line->raise(line->ctx);
}
