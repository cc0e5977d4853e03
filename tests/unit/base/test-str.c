// SPDX-License-Identifier: GPL-2.0-only
#include "base/str.h"

#include "base/cleanup.h"
#include "test.h"

TEST(a_string_is_formatted_onto_the_heap)
{
	cleanup(freep) char *s = NULL;

	assert_int_equal(str_printf(&s, "%s/%d", "a", 7), 0);
	assert_string_equal(s, "a/7");
}

TEST(starts_and_ends_are_compared_whole)
{
	assert_true(str_starts_with("vmlinux", "vm"));
	assert_true(str_starts_with("vmlinux", ""));
	assert_false(str_starts_with("vm", "vmlinux"));
	assert_true(str_ends_with("a.ko.xz", ".xz"));
	assert_true(str_ends_with("a", ""));
	assert_false(str_ends_with("xz", ".xz"));
}

TESTS(T(a_string_is_formatted_onto_the_heap), T(starts_and_ends_are_compared_whole))
