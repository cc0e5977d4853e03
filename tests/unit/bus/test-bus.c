// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"
#include "bus/bus.h"

#include "test.h"

#include <errno.h>

struct probe {
	struct bus_access last;
	unsigned calls;
	enum bus_result result;
};

static enum bus_result probe_access(void *ctx, struct bus_access *a)
{
	struct probe *p = ctx;

	p->last = *a;
	p->calls++;
	if (!a->is_write)
		a->value = 0x1234;
	return p->result;
}

static void add(struct bus *bus, uint64_t base, uint64_t bytes, struct probe *p, int result)
{
	struct bus_region r = { base, bytes, probe_access, p, "probe" };

	assert_int_equal(bus_add(bus, &r), result);
}

TEST(an_access_reaches_its_region_with_the_offset)
{
	struct bus bus = BUS_NULL;
	struct probe low = { .result = BUS_HANDLED }, high = { .result = BUS_HANDLED };
	struct bus_access a = { .addr = 0x2004, .size = 4 };

	add(&bus, 0x2000, 0x100, &high, 0);
	add(&bus, 0x1000, 0x100, &low, 0);
	assert_int_equal(bus_dispatch(&bus, &a), BUS_HANDLED);
	assert_int_equal(high.last.addr, 4);
	assert_int_equal(high.last.value, 0);
	assert_int_equal(low.calls, 0);
	assert_int_equal(a.addr, 0x2004);
	assert_int_equal(a.value, 0x1234);
}

TEST(an_access_to_nobody_reads_ones)
{
	static const struct {
		uint64_t addr;
		uint8_t size;
	} cases[] = { { 0xfff, 1 }, { 0xfff, 4 }, { 0x10fe, 4 }, { 0x1100, 1 }, { UINT64_MAX, 1 } };
	struct bus bus = BUS_NULL;
	struct probe p = { .result = BUS_HANDLED };

	add(&bus, 0x1000, 0x100, &p, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bus_access a = { .addr = cases[i].addr, .size = cases[i].size };

		assert_int_equal(bus_dispatch(&bus, &a), BUS_UNHANDLED);
		assert_true(a.value == UINT64_MAX);
		a.is_write = true;
		a.value = 5;
		assert_int_equal(bus_dispatch(&bus, &a), BUS_UNHANDLED);
		assert_int_equal(a.value, 5);
	}
	assert_int_equal(p.calls, 0);
}

TEST(what_a_region_says_is_passed_on)
{
	struct bus bus = BUS_NULL;
	struct probe p = { .result = BUS_ERROR };
	struct bus_access a = { .addr = 0, .size = 8 };

	add(&bus, 0, 8, &p, 0);
	assert_int_equal(bus_dispatch(&bus, &a), BUS_ERROR);
	p.result = BUS_UNHANDLED;
	assert_int_equal(bus_dispatch(&bus, &a), BUS_UNHANDLED);
	assert_true(a.value == UINT64_MAX);
}

TEST(regions_that_overlap_wrap_or_are_empty_are_refused)
{
	struct bus bus = BUS_NULL;
	struct probe p = { .result = BUS_HANDLED };
	struct bus_region silent = { 0x9000, 0x10, NULL, NULL, "silent" };

	add(&bus, 0x1000, 0x1000, &p, 0);
	add(&bus, 0x1fff, 1, &p, -EEXIST);
	add(&bus, 0xfff, 2, &p, -EEXIST);
	add(&bus, 0, UINT64_MAX, &p, -EEXIST);
	add(&bus, 0x2000, 0, &p, -EINVAL);
	add(&bus, UINT64_MAX, 2, &p, -EINVAL);
	assert_int_equal(bus_add(&bus, &silent), -EINVAL);
	add(&bus, UINT64_MAX, 1, &p, 0);
	add(&bus, 0x2000, 1, &p, 0);
	assert_int_equal(bus.count, 3);
}

TEST(the_table_has_an_end)
{
	struct bus bus = BUS_NULL;
	struct probe p = { .result = BUS_HANDLED };

	for (unsigned i = 0; i < BUS_MAX_REGIONS; i++)
		add(&bus, i * 16, 16, &p, 0);
	add(&bus, 0x10000, 16, &p, -ENOSPC);
}

TESTS(T(an_access_reaches_its_region_with_the_offset), T(an_access_to_nobody_reads_ones),
      T(what_a_region_says_is_passed_on), T(regions_that_overlap_wrap_or_are_empty_are_refused),
      T(the_table_has_an_end))
