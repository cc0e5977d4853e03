// SPDX-License-Identifier: GPL-2.0-only
#include "base/child.h"

#include "base/cleanup.h"
#include "test.h"

#include <errno.h>
#include <string.h>

#define SH(script) ((const char *const[]){ "sh", "-c", script, NULL })

TEST(output_is_kept_and_status_0_is_success)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(child_run(SH("echo one; echo noise >&2; echo two"), NULL, &out), 0);
	assert_string_equal(buf_text(&out), "one\ntwo\n");
}

TEST(failure_says_the_program_its_status_and_its_first_line)
{
	assert_int_equal(
		child_run(SH("echo >&2; echo E: why >&2; echo so >&2; exit 3"), NULL, NULL), -EIO);
	assert_string_equal(err_text(), "sh: exit status 3: E: why");
	assert_int_equal(child_run(SH("exit 1"), NULL, NULL), -EIO);
	assert_string_equal(err_text(), "sh: exit status 1: it said nothing");
}

TEST(death_by_signal_is_failure)
{
	assert_int_equal(child_run(SH("kill -9 $$"), NULL, NULL), -EIO);
	assert_string_equal(err_text(), "sh: killed by signal 9");
}

TEST(a_missing_program_is_named)
{
	const char *argv[] = { "no-such-program", NULL };

	assert_int_equal(child_run(argv, NULL, NULL), -ENOENT);
	assert_non_null(strstr(err_text(), "no-such-program"));
}

TEST(more_than_a_pipe_holds_on_both_outputs_is_no_deadlock)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const char *script = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; "
			     "head -c 300000 /dev/zero";

	assert_int_equal(child_run(SH(script), NULL, &out), 0);
	assert_int_equal(out.len, 600000);
}

TEST(it_runs_in_the_directory_asked_for_with_plain_messages_and_no_input)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(child_run(SH("cat; pwd; echo $LC_ALL"), "/", &out), 0);
	assert_string_equal(buf_text(&out), "/\nC\n");
}

TESTS(T(output_is_kept_and_status_0_is_success),
      T(failure_says_the_program_its_status_and_its_first_line), T(death_by_signal_is_failure),
      T(a_missing_program_is_named), T(more_than_a_pipe_holds_on_both_outputs_is_no_deadlock),
      T(it_runs_in_the_directory_asked_for_with_plain_messages_and_no_input))
