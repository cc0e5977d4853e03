// SPDX-License-Identifier: GPL-2.0-only
#include "image/path.h"

#include "base/util.h"
#include "test.h"

#include <string.h>

TEST(a_path_is_normalised_component_by_component)
{
	static const char *const cases[][2] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/a/b", "/a/b" },
		{ "//a///b//", "/a/b" },
		{ "/a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/../../a", "/a" },
		{ "/a/b/../..", "/" },
		{ "/a/..b/...", "/a/..b/..." },
		{ "/usr/lib/x/bin/../lib/libx.so", "/usr/lib/x/lib/libx.so" },
	};
	char out[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(path_normalise(cases[i][0], out));
		assert_string_equal(out, cases[i][1]);
		strcpy(out, cases[i][0]);
		assert_true(path_normalise(out, out));
		assert_string_equal(out, cases[i][1]);
	}
}

TEST(a_relative_or_endless_path_is_refused)
{
	char out[PATH_MAX], big[PATH_MAX + 2];

	assert_false(path_normalise("a", out));
	assert_false(path_normalise("", out));
	memset(big, 'a', sizeof(big));
	big[0] = '/';
	big[sizeof(big) - 1] = '\0';
	assert_false(path_normalise(big, out));
}

TEST(a_link_leads_from_its_own_directory)
{
	static const char *const cases[][3] = {
		{ "/a/b", "/a/c", "c" },
		{ "/lib64/ld.so", "/usr/lib/ld.so", "../usr/lib/ld.so" },
		{ "/a/b/c", "/a/d", "../d" },
		{ "/ab", "/ac/d", "ac/d" },
		{ "/x/y/z", "/x/yy/z", "../yy/z" },
	};
	char out[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(path_relative(cases[i][0], cases[i][1], out));
		assert_string_equal(out, cases[i][2]);
	}
}

TESTS(T(a_path_is_normalised_component_by_component), T(a_relative_or_endless_path_is_refused),
      T(a_link_leads_from_its_own_directory))
