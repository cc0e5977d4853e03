// SPDX-License-Identifier: GPL-2.0-only
#include "base/buf.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

TEST(text_is_terminated_after_every_append)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%d,", i % 10);
		assert_int_equal(strlen(buf_text(&b)), b.len);
	}
	assert_int_equal(b.len, 2000);
	assert_int_equal(buf_ok(&b), 0);
}

TEST(consuming_drops_the_front_and_never_more_than_all)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	buf_str(&b, "hello world");
	buf_consume(&b, 6);
	assert_string_equal(buf_text(&b), "world");
	buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
}

TEST(an_impossible_size_is_remembered_as_failure)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	buf_str(&b, "x");
	assert_null(buf_zeros(&b, SIZE_MAX - 1));
	buf_str(&b, "y");
	assert_string_equal(buf_text(&b), "x");
	assert_int_equal(buf_ok(&b), -ENOMEM);
}

TEST(a_file_over_the_limit_is_refused_by_name)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_int_equal(buf_read_file(&b, "/proc/self/maps", 10), -EFBIG);
	assert_non_null(strstr(err_text(), "/proc/self/maps"));
}

TEST(a_proc_file_is_read_whole)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_int_equal(buf_read_file(&b, "/proc/self/status", 1 << 20), 0);
	assert_non_null(strstr(buf_text(&b), "VmRSS"));
}

TEST(a_missing_file_is_an_error_with_its_name)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_int_equal(buf_read_file(&b, "/no/such/file", 10), -ENOENT);
	assert_non_null(strstr(err_text(), "/no/such/file"));
}

TEST(write_all_says_what_failed)
{
	cleanup(fd_closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(write_all(fd, "x", 1), -ENOSPC);
}

TESTS(T(text_is_terminated_after_every_append),
      T(consuming_drops_the_front_and_never_more_than_all),
      T(an_impossible_size_is_remembered_as_failure), T(a_file_over_the_limit_is_refused_by_name),
      T(a_proc_file_is_read_whole), T(a_missing_file_is_an_error_with_its_name),
      T(write_all_says_what_failed))
