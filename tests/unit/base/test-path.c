// SPDX-License-Identifier: GPL-2.0-only
#include "base/path.h"

#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

TEST(the_variable_comes_before_home)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("HOME", "/h", 1);
	assert_int_equal(xdg_path(XDG_STATE, "x", &b), 0);
	assert_string_equal(buf_text(&b), "/s/ktstr/x");
}

TEST(a_relative_variable_counts_as_unset)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	setenv("XDG_CACHE_HOME", "relative", 1);
	setenv("HOME", "/h", 1);
	assert_int_equal(xdg_path(XDG_CACHE, "x", &b), 0);
	assert_string_equal(buf_text(&b), "/h/.cache/ktstr/x");
}

TEST(without_any_the_words_say_what_to_set)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	assert_int_equal(xdg_path(XDG_STATE, "x", &b), -ENOENT);
	assert_non_null(strstr(err_text(), "XDG_STATE_HOME"));
}

TEST(parents_are_made_once_and_again)
{
	char dir[] = "/tmp/ktstr-path-XXXXXX";
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	struct stat st;

	assert_non_null(mkdtemp(dir));
	buf_printf(&b, "%s/a/b/file", dir);
	assert_int_equal(make_parents(buf_text(&b)), 0);
	assert_int_equal(make_parents(buf_text(&b)), 0);
	buf_reset(&b);
	buf_printf(&b, "%s/a/b", dir);
	assert_int_equal(stat(buf_text(&b), &st), 0);
	assert_int_equal(rmdir(buf_text(&b)), 0);
	buf_reset(&b);
	buf_printf(&b, "%s/a", dir);
	assert_int_equal(rmdir(buf_text(&b)), 0);
	assert_int_equal(rmdir(dir), 0);
}

TEST(a_file_in_the_way_is_named)
{
	assert_int_not_equal(make_dirs("/proc/self/status/x"), 0);
	assert_non_null(strstr(err_text(), "/proc/self/status"));
}

TESTS(T(the_variable_comes_before_home), T(a_relative_variable_counts_as_unset),
      T(without_any_the_words_say_what_to_set), T(parents_are_made_once_and_again),
      T(a_file_in_the_way_is_named))
