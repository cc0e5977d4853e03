// SPDX-License-Identifier: GPL-2.0-only
#include "host/carrier_child.h"

#include "base/util.h"
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static const char *const none[] = { NULL };
static const char *const environment[] = { "PATH=/usr/bin:/bin", "COLOUR=blue", NULL };

static void start(struct carrier_child *c, const char *const *argv, const char *cwd, bool is_tty)
{
	struct carrier_run_request q = {
		.cwd = cwd, .argv = argv, .envp = environment, .disks = none, .is_tty = is_tty
	};

	assert_int_equal(carrier_child_start(c, &q), 0);
}

/* All of @fd up to its end. */
static void drain(int fd, struct buf *out)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char chunk[512];

	for (;;) {
		assert_true(poll(&p, 1, 20000) == 1);
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno == EIO))
			return;
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
	}
}

static int end_of(struct carrier_child *c)
{
	int status;

	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return status;
}

TEST(a_command_gets_its_directory_environment_and_both_outputs)
{
	cleanup(carrier_child_deinit) struct carrier_child c = CARRIER_CHILD_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(buf_deinit) struct buf err = BUF_NULL;
	const char *const argv[] = { "sh", "-c", "pwd; echo $COLOUR$HOME; echo oops >&2; exit 3",
				     NULL };

	start(&c, argv, "/usr", false);
	drain(c.out_fd, &out);
	drain(c.err_fd, &err);
	assert_string_equal(buf_text(&out), "/usr\nblue\n");
	assert_string_equal(buf_text(&err), "oops\n");
	assert_int_equal(WEXITSTATUS(end_of(&c)), 3);
}

TEST(a_record_is_told_from_the_output)
{
	cleanup(carrier_child_deinit) struct carrier_child c = CARRIER_CHILD_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL, record = BUF_NULL;
	const char *const argv[] = { "sh", "-c", "echo shown; echo kept >/proc/self/fd/3", NULL };
	struct carrier_run_request q = {
		.cwd = "/", .argv = argv, .envp = environment, .disks = none, .has_records = true
	};

	assert_int_equal(carrier_child_start(&c, &q), 0);
	drain(c.out_fd, &out);
	drain(c.record_fd, &record);
	assert_string_equal(buf_text(&out), "shown\n");
	assert_string_equal(buf_text(&record), "kept\n");
	assert_int_equal(WEXITSTATUS(end_of(&c)), 0);
}

TEST(input_is_fed_as_the_command_takes_it_and_then_ends)
{
	cleanup(carrier_child_deinit) struct carrier_child c = CARRIER_CHILD_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const char *const argv[] = { "wc", "-c", NULL };
	size_t total = 200000, taken = 0;

	start(&c, argv, "/", false);
	memset(buf_zeros(&c.input, total), 'x', total);
	c.is_input_ended = true;
	while (taken < total) {
		struct pollfd p = { c.in_fd, POLLOUT, 0 };

		assert_int_equal(poll(&p, 1, 20000), 1);
		taken += carrier_child_feed(&c);
	}
	assert_int_equal(c.in_fd, -1);
	drain(c.out_fd, &out);
	assert_string_equal(buf_text(&out), "200000\n");
	end_of(&c);
}

TEST(a_command_that_cannot_run_says_so_as_a_shell_would)
{
	static const struct {
		const char *program, *cwd;
		int status;
	} cases[] = { { "no-such-program", "/", 127 },
		      { "/etc/passwd", "/", 126 },
		      { "true", "/no/such/dir", 126 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(carrier_child_deinit) struct carrier_child c = CARRIER_CHILD_NULL;
		cleanup(buf_deinit) struct buf err = BUF_NULL;
		const char *const argv[] = { cases[i].program, NULL };

		start(&c, argv, cases[i].cwd, false);
		drain(c.err_fd, &err);
		assert_int_equal(strncmp(buf_text(&err), "ktstr carrier: ", 15), 0);
		assert_int_equal(WEXITSTATUS(end_of(&c)), cases[i].status);
	}
}

TEST(a_terminal_is_a_terminal_of_the_size_we_say)
{
	cleanup(carrier_child_deinit) struct carrier_child c = CARRIER_CHILD_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const char *const argv[] = { "sh", "-c", "read line; test -t 0 && stty size", NULL };

	start(&c, argv, "/", true);
	carrier_child_resize(&c, 33, 99);
	buf_str(&c.input, "go\n");
	assert_int_equal(carrier_child_feed(&c), 3);
	drain(c.out_fd, &out);
	assert_non_null(strstr(buf_text(&out), "33 99"));
	assert_int_equal(WEXITSTATUS(end_of(&c)), 0);
}

TEST(a_signal_ends_the_command_and_what_it_started)
{
	cleanup(carrier_child_deinit) struct carrier_child c = CARRIER_CHILD_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const char *const argv[] = { "sh", "-c", "sleep 1000 & echo ready; wait", NULL };
	struct pollfd p;

	start(&c, argv, "/", false);
	p = (struct pollfd){ c.out_fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 20000), 1);
	carrier_child_signal(&c, SIGTERM);
	drain(c.out_fd, &out);
	assert_int_equal(WTERMSIG(end_of(&c)), SIGTERM);
}

TESTS(T(a_command_gets_its_directory_environment_and_both_outputs),
      T(a_record_is_told_from_the_output), T(input_is_fed_as_the_command_takes_it_and_then_ends),
      T(a_command_that_cannot_run_says_so_as_a_shell_would),
      T(a_terminal_is_a_terminal_of_the_size_we_say),
      T(a_signal_ends_the_command_and_what_it_started))
