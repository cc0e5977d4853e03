// SPDX-License-Identifier: GPL-2.0-only
/* The region table of a bus, sorted; a dispatch is one binary search. */
#include "bus/bus.h"
#include "base/util.h"

#include <errno.h>
#include <inttypes.h>

/* Index of the first region that ends above @addr; bus->count if none does. */
static unsigned first_ending_above(const struct bus *bus, uint64_t addr)
{
	unsigned low = 0, high = bus->count;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		const struct bus_region *r = &bus->regions[mid];

		if (r->base + (r->bytes - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int bus_add(struct bus *bus, const struct bus_region *region)
{
	uint64_t last;

	if (!region->bytes || !region->access ||
	    __builtin_add_overflow(region->base, region->bytes - 1, &last))
		return err_new(-EINVAL, "bus: %s at 0x%" PRIx64 ": no such range", region->name,
			       region->base);
	unsigned at = first_ending_above(bus, region->base);

	if (at < bus->count && bus->regions[at].base <= last)
		return err_new(-EEXIST, "bus: %s at 0x%" PRIx64 " overlaps %s", region->name,
			       region->base, bus->regions[at].name);
	if (bus->count == BUS_MAX_REGIONS)
		return err_new(-ENOSPC, "bus: %s: more than %u regions", region->name,
			       BUS_MAX_REGIONS);
	memmove(&bus->regions[at + 1], &bus->regions[at],
		(bus->count - at) * sizeof(bus->regions[0]));
	bus->regions[at] = *region;
	bus->count++;
	return 0;
}

/* The region that holds every byte of @a, or NULL. */
static const struct bus_region *find(const struct bus *bus, const struct bus_access *a)
{
	unsigned at = first_ending_above(bus, a->addr);

	if (at == bus->count || a->addr < bus->regions[at].base)
		return NULL;
	const struct bus_region *r = &bus->regions[at];

	return a->size <= r->bytes - (a->addr - r->base) ? r : NULL;
}

enum bus_result bus_dispatch(const struct bus *bus, struct bus_access *a)
{
	const struct bus_region *region = find(bus, a);
	enum bus_result result = BUS_UNHANDLED;
	uint64_t addr = a->addr;

	if (region) {
		if (!a->is_write)
			a->value = 0;
		a->addr -= region->base;
		result = region->access(region->ctx, a);
		a->addr = addr;
	}
	if (result == BUS_UNHANDLED && !a->is_write)
		a->value = UINT64_MAX;
	return result;
}
