// SPDX-License-Identifier: GPL-2.0-only
#include "wire/mask.h"

#include "test.h"

#include <string.h>

TEST(sets_are_written_as_the_kernel_reads_them)
{
	struct cpu_mask m = { 0 };
	char text[MASK_TEXT_BYTES];

	assert_string_equal(mask_format(&m, text), "");
	mask_set(&m, 0);
	mask_set(&m, 1);
	mask_set(&m, 2);
	mask_set(&m, 64);
	mask_set(&m, 510);
	mask_set(&m, 511);
	mask_set(&m, 512);
	assert_string_equal(mask_format(&m, text), "0-2,64,510-511");
	assert_int_equal(mask_count(&m), 6);
	mask_clear(&m, 1);
	assert_string_equal(mask_format(&m, text), "0,2,64,510-511");
}

TEST(the_longest_list_fits)
{
	struct cpu_mask m = { 0 };
	char text[MASK_TEXT_BYTES];

	for (unsigned cpu = 1; cpu < WIRE_CPUS; cpu += 2)
		mask_set(&m, cpu);
	mask_format(&m, text);
	assert_string_equal(text + strlen(text) - 4, ",511");
}

TEST(a_cpu_outside_the_range_is_in_no_set)
{
	struct cpu_mask m;

	memset(&m, 0xff, sizeof(m));
	assert_true(mask_has(&m, 511));
	assert_false(mask_has(&m, 512));
	assert_false(mask_has(&m, UINT32_MAX));
	assert_int_equal(mask_next(&m, 512), WIRE_CPUS);
}

TESTS(T(sets_are_written_as_the_kernel_reads_them), T(the_longest_list_fits),
      T(a_cpu_outside_the_range_is_in_no_set))
