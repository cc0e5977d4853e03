// SPDX-License-Identifier: GPL-2.0-only
#include "wire/exec.h"

#include "test.h"

#include <errno.h>
#include <string.h>

static char *const argv[] = { (char[]){ "echo" }, (char[]){ "a b" }, (char[]){ "" }, NULL };
static char *const envp[] = { (char[]){ "TERM=dumb" }, NULL };

TEST(a_command_arrives_whole)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	cleanup(exec_request_deinit) struct exec_request e = EXEC_REQUEST_NULL;

	assert_int_equal(exec_encode(&b, argv, envp, "/tmp", EXEC_TTY, 24, 80), 0);
	assert_int_equal(exec_decode(b.data, b.len, &e), 0);
	assert_string_equal(e.argv[0], "echo");
	assert_string_equal(e.argv[1], "a b");
	assert_string_equal(e.argv[2], "");
	assert_null(e.argv[3]);
	assert_string_equal(e.envp[0], "TERM=dumb");
	assert_null(e.envp[1]);
	assert_string_equal(e.cwd, "/tmp");
	assert_int_equal(e.rows, 24);
	assert_int_equal(e.cols, 80);
	assert_int_equal(e.flags, EXEC_TTY);
}

TEST(no_directory_means_root)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	cleanup(exec_request_deinit) struct exec_request e = EXEC_REQUEST_NULL;

	assert_int_equal(exec_encode(&b, argv, NULL, NULL, 0, 0, 0), 0);
	assert_int_equal(exec_decode(b.data, b.len, &e), 0);
	assert_string_equal(e.cwd, "/");
	assert_null(e.envp[0]);
}

TEST(every_shorter_message_is_refused)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_int_equal(exec_encode(&b, argv, envp, "/tmp", 0, 0, 0), 0);
	for (size_t len = 0; len < b.len; len++) {
		cleanup(exec_request_deinit) struct exec_request e = EXEC_REQUEST_NULL;

		assert_int_equal(exec_decode(b.data, len, &e), -EPROTO);
	}
	buf_add(&b, "", 1);
	struct exec_request e = EXEC_REQUEST_NULL;
	assert_int_equal(exec_decode(b.data, b.len, &e), -EPROTO);
}

TEST(fixed_messages_are_checked)
{
	struct wire_signal s = { .number = 65 };
	struct wire_exit e = { .status = 256 };
	struct wire_winsize w = { .rows = 1 };

	assert_int_equal(signal_decode(&s, sizeof(s), &s), -EPROTO);
	s.number = 0;
	assert_int_equal(signal_decode(&s, sizeof(s), &s), -EPROTO);
	s.number = 64;
	assert_int_equal(signal_decode(&s, sizeof(s), &s), 0);
	assert_int_equal(exit_decode(&e, sizeof(e), &e), -EPROTO);
	e = (struct wire_exit){ .status = 143, .signal = 15 };
	assert_int_equal(exit_decode(&e, sizeof(e), &e), 0);
	assert_int_equal(winsize_decode(&w, sizeof(w) - 1, &w), -EPROTO);
}

TESTS(T(a_command_arrives_whole), T(no_directory_means_root), T(every_shorter_message_is_refused),
      T(fixed_messages_are_checked))
