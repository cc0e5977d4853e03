// SPDX-License-Identifier: GPL-2.0-only
/* Commands on this host, the test playing the host's end of the channel. */
#include "guest/command.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "wire/frame.h"

#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct stage {
	struct loop loop;
	struct watch child;
	struct channel ours, theirs;
	struct command command;
};

static int child_ended(void *ctx, uint32_t events)
{
	struct stage *s = ctx;
	struct signalfd_siginfo info;
	int status;

	assert_int_equal(read(s->child.fd, &info, sizeof(info)), sizeof(info));
	if (s->command.pid && waitpid(s->command.pid, &status, WNOHANG) == s->command.pid)
		return command_ended(&s->command, status);
	return 0;
}

static void watch_children(struct stage *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	s->child = (struct watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC),
				   .ready = child_ended,
				   .ctx = s };
	assert_int_equal(loop_watch(&s->loop, &s->child, EPOLLIN), 0);
}

static void open_stage(struct stage *s)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	*s = (struct stage){ .loop = LOOP_NULL, .ours = CHANNEL_NULL, .theirs = CHANNEL_NULL };
	s->ours.fd = fds[0];
	s->theirs.fd = fds[1];
	assert_int_equal(loop_init(&s->loop), 0);
	command_init(&s->command, &s->loop, &s->ours);
	watch_children(s);
}

static void close_stage(struct stage *s)
{
	command_deinit(&s->command);
	fd_close(loop_unwatch(&s->loop, &s->child));
	loop_deinit(&s->loop);
	channel_deinit(&s->ours);
	channel_deinit(&s->theirs);
}

/* Collect output until EXIT; feed @input on the way. */
static struct wire_exit perform(struct stage *s, char **argv, uint32_t flags, const char *input,
				struct buf *out)
{
	char *no_env[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
	struct exec_request e = {
		.argv = argv, .envp = no_env, .cwd = "/tmp", .flags = flags, .rows = 24, .cols = 80
	};
	struct wire_exit end = { .status = 999 };
	struct frame f;

	assert_int_equal(command_start(&s->command, &e), 0);
	if (input) {
		assert_int_equal(command_input(&s->command, input, strlen(input)), 0);
		assert_int_equal(command_input(&s->command, NULL, 0), 0);
	}
	while (end.status == 999) {
		assert_int_equal(loop_round(&s->loop, now_ns() + 20 * NSEC_PER_SEC), 0);
		assert_int_equal(channel_flush(&s->ours), 0);
		assert_int_equal(channel_read(&s->theirs), 0);
		assert_int_equal(command_resume(&s->command), 0);
		while (channel_peek(&s->theirs, &f) == 0) {
			if (f.type == FRAME_EXIT)
				assert_int_equal(exit_decode(f.payload, f.len, &end), 0);
			else
				buf_add(out, f.payload, f.len);
			channel_drop(&s->theirs, &f);
		}
	}
	assert_false(command_is_running(&s->command));
	return end;
}

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define S(text) ((char[]){ text })

TEST(output_and_status_arrive)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(close_stage) struct stage s;

	open_stage(&s);
	assert_int_equal(
		perform(&s, ARGV(S("sh"), S("-c"), S("pwd; exit 3")), 0, NULL, &out).status, 3);
	assert_string_equal(buf_text(&out), "/tmp\n");
}

TEST(input_reaches_the_command_and_ends)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(close_stage) struct stage s;

	open_stage(&s);
	assert_int_equal(perform(&s, ARGV(S("cat")), 0, "to and fro", &out).status, 0);
	assert_string_equal(buf_text(&out), "to and fro");
}

TEST(a_signal_is_told_as_the_shell_tells_it)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(close_stage) struct stage s;
	struct wire_exit e;

	open_stage(&s);
	e = perform(&s, ARGV(S("sh"), S("-c"), S("kill -9 $$")), 0, NULL, &out);
	assert_int_equal(e.status, 137);
	assert_int_equal(e.signal, SIGKILL);
}

TEST(a_program_that_is_not_there_is_127_with_words)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(close_stage) struct stage s;

	open_stage(&s);
	assert_int_equal(perform(&s, ARGV(S("/no/such/program")), 0, NULL, &out).status, 127);
	assert_non_null(strstr(buf_text(&out), "/no/such/program: No such file"));
	assert_int_equal(perform(&s, ARGV(S("/etc/passwd")), 0, NULL, &out).status, 126);
}

TEST(a_terminal_has_its_size)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(close_stage) struct stage s;

	open_stage(&s);
	assert_int_equal(perform(&s, ARGV(S("stty"), S("size")), EXEC_TTY, NULL, &out).status, 0);
	assert_string_equal(buf_text(&out), "24 80\r\n");
}

TEST(much_output_comes_whole)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(close_stage) struct stage s;

	open_stage(&s);
	perform(&s, ARGV(S("head"), S("-c"), S("6000000"), S("/dev/zero")), 0, NULL, &out);
	assert_int_equal(out.len, 6000000);
}

TESTS(T(output_and_status_arrive), T(input_reaches_the_command_and_ends),
      T(a_signal_is_told_as_the_shell_tells_it), T(a_program_that_is_not_there_is_127_with_words),
      T(a_terminal_has_its_size), T(much_output_comes_whole))
