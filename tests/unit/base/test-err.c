// SPDX-License-Identifier: GPL-2.0-only
#include "base/err.h"

#include "test.h"

#include <errno.h>
#include <string.h>

static int fails(void)
{
	return err_new(-ENOENT, "open %s", "/nowhere");
}

static int passes_on(void)
{
	return err_trace(fails());
}

TEST(a_new_error_has_its_words_and_its_place)
{
	assert_int_equal(fails(), -ENOENT);
	assert_string_equal(err_text(), "open /nowhere");
	assert_non_null(strstr(err_places(), "test-err.c:"));
}

TEST(a_traced_error_names_both_places)
{
	assert_int_equal(passes_on(), -ENOENT);
	assert_non_null(strstr(err_places(), " <- "));
}

TEST(a_prefix_comes_before_the_words)
{
	assert_int_equal(err_prefix(fails(), "scenario %s: ", "x"), -ENOENT);
	assert_string_equal(err_text(), "scenario x: open /nowhere");
}

TEST(a_cleared_trail_is_empty)
{
	fails();
	err_clear();
	assert_string_equal(err_text(), "");
	assert_string_equal(err_places(), "");
}

TEST(recording_keeps_errno)
{
	errno = EBUSY;
	fails();
	assert_int_equal(errno, EBUSY);
}

TESTS(T(a_new_error_has_its_words_and_its_place), T(a_traced_error_names_both_places),
      T(a_prefix_comes_before_the_words), T(a_cleared_trail_is_empty), T(recording_keeps_errno))
