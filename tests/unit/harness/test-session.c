// SPDX-License-Identifier: GPL-2.0-only
#include "harness/session.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
	struct session session;
	int ours, peer;
	uint32_t peer_seq;
};

static struct ends connected(void)
{
	struct ends e = { 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	e.ours = fds[0];
	e.peer = fds[1];
	assert_int_equal(session_init(&e.session, e.ours), 0);
	return e;
}

static void ends_deinit(struct ends *e)
{
	session_deinit(&e->session);
	fd_close(e->ours);
	fd_close(e->peer);
}

static void peer_says(struct ends *e, enum frame_type type, const char *text)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(frame_put(&out, &e->peer_seq, type, text, strlen(text)), 0);
	assert_int_equal(write_all(e->peer, out.data, out.len), 0);
}

TEST(frames_come_out_as_they_went_in)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;

	peer_says(&e, FRAME_STDOUT, "one");
	peer_says(&e, FRAME_STDERR, "second");
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), 0);
	assert_int_equal(f.type, FRAME_STDOUT);
	assert_memory_equal(f.payload, "one", 3);
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), 0);
	assert_int_equal(f.type, FRAME_STDERR);
	assert_int_equal(f.len, 6);
}

TEST(a_queued_frame_is_sent_while_waiting)
{
	cleanup(ends_deinit) struct ends e = connected();
	cleanup(buf_deinit) struct buf in = BUF_NULL;
	struct frame f;
	char bytes[256];
	ssize_t n;

	assert_int_equal(session_send(&e.session, FRAME_STDIN, "hello", 5), 0);
	assert_int_equal(session_next(&e.session, now_ns(), &f), SESSION_TIMEOUT);
	n = read(e.peer, bytes, sizeof(bytes));
	assert_int_equal(n, FRAME_HEADER_BYTES + 5);
	buf_add(&in, bytes, (size_t)n);
	assert_int_equal(frame_peek(&in, 0, &f), 0);
	assert_int_equal(f.type, FRAME_STDIN);
}

TEST(frames_sent_before_the_end_are_given_out_before_it)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;

	e.session.end_fd = eventfd(1, EFD_CLOEXEC);
	peer_says(&e, FRAME_STDOUT, "last words");
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), 0);
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), SESSION_ENDED);
	close(e.session.end_fd);
}

TEST(a_closed_channel_without_a_machine_is_an_end)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;

	e.peer = fd_close(e.peer);
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), SESSION_ENDED);
}

TEST(a_torn_header_is_waited_for)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;

	assert_int_equal(write(e.peer, "KSR1", 4), 4);
	assert_int_equal(session_next(&e.session, now_ns(), &f), SESSION_TIMEOUT);
}

TEST(garbage_is_a_protocol_error)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;

	assert_int_equal(write(e.peer, "this is not a frame", 19), 19);
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), -EPROTO);
	assert_true(err_text()[0] != '\0');
}

static int signals(int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

TEST(a_signal_interrupts_but_a_new_window_size_does_not)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;

	e.session.signal_fd = signals(SIGTERM, SIGWINCH);
	raise(SIGWINCH);
	assert_int_equal(session_next(&e.session, now_ns() + 1000000, &f), SESSION_TIMEOUT);
	raise(SIGTERM);
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), SESSION_INTERRUPTED);
	assert_int_equal(e.session.signal, SIGTERM);
	e.session.has_window = true;
	raise(SIGWINCH);
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), SESSION_RESIZED);
	close(e.session.signal_fd);
}

TEST(input_is_told_only_when_nothing_is_left_to_send)
{
	cleanup(ends_deinit) struct ends e = connected();
	struct frame f;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	e.session.input_fd = pipes[0];
	assert_int_equal(session_next(&e.session, UINT64_MAX, &f), SESSION_INPUT);
	close(pipes[0]);
	close(pipes[1]);
}

TESTS(T(frames_come_out_as_they_went_in), T(a_queued_frame_is_sent_while_waiting),
      T(frames_sent_before_the_end_are_given_out_before_it),
      T(a_closed_channel_without_a_machine_is_an_end), T(a_torn_header_is_waited_for),
      T(garbage_is_a_protocol_error), T(a_signal_interrupts_but_a_new_window_size_does_not),
      T(input_is_told_only_when_nothing_is_left_to_send))
