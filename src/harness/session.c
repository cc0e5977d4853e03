// SPDX-License-Identifier: GPL-2.0-only
#include "harness/session.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

int session_init(struct session *s, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_new(-errno, "channel: %s", strerror(errno));
	*s = (struct session){ .fd = fd, .end_fd = -1, .signal_fd = -1, .input_fd = -1 };
	return 0;
}

void session_deinit(struct session *s)
{
	buf_deinit(&s->in);
	buf_deinit(&s->out);
	*s = (struct session){ .fd = -1, .end_fd = -1, .signal_fd = -1, .input_fd = -1 };
}

int session_send(struct session *s, enum frame_type type, const void *payload, size_t len)
{
	int r = frame_put(&s->out, &s->seq_out, type, payload, len);

	return r < 0 ? err_trace(r) : buf_ok(&s->out);
}

/* A peer that is gone is no error here: the end of the machine says why. */
static int flush(struct session *s)
{
	while (s->out.len && !s->is_closed) {
		ssize_t n = send(s->fd, s->out.data, s->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			s->is_closed = true;
		else if (n < 0)
			return err_new(-errno, "send to the guest: %s", strerror(errno));
		else
			buf_consume(&s->out, (size_t)n);
	}
	return 0;
}

/* Take in what has come. *@got_ret: was there anything? */
static int fill(struct session *s, bool *got_ret)
{
	char bytes[READ_BYTES];
	ssize_t n = recv(s->fd, bytes, sizeof(bytes), 0);

	*got_ret = n > 0;
	if (n > 0) {
		buf_add(&s->in, bytes, (size_t)n);
		return buf_ok(&s->in);
	}
	if (n == 0 || errno == ECONNRESET)
		s->is_closed = true;
	else if (errno != EAGAIN && errno != EINTR)
		return err_new(-errno, "receive from the guest: %s", strerror(errno));
	return 0;
}

/* 0 with a frame, FRAME_MORE, or an error. */
static int take_frame(struct session *s, struct frame *ret)
{
	int r;

	buf_consume(&s->in, s->taken);
	s->taken = 0;
	r = frame_peek(&s->in, s->seq_in, ret);
	if (r < 0)
		return err_trace(r);
	if (r == 0) {
		s->seq_in++;
		s->taken = FRAME_HEADER_BYTES + ret->len;
	}
	return r;
}

/* Take one signal. 0: nothing to tell. */
static int take_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGWINCH)
		return s->has_window ? SESSION_RESIZED : 0;
	s->signal = (int)info.ssi_signo;
	return SESSION_INTERRUPTED;
}

enum { POLL_CHANNEL, POLL_END, POLL_SIGNAL, POLL_INPUT, POLL_COUNT };

/* What happened, apart from frames: an outcome, or 0 to look at the channel again. */
static int look_around(struct session *s, const struct pollfd *fds, int n)
{
	bool got = false;
	int r = 0;

	if (fds[POLL_SIGNAL].revents)
		r = take_signal(s);
	if (r)
		return r;
	if (fds[POLL_CHANNEL].revents & (POLLIN | POLLHUP | POLLERR))
		r = fill(s, &got);
	if (r < 0 || got)
		return r;
	if (fds[POLL_END].revents || (s->is_closed && s->end_fd < 0))
		return SESSION_ENDED;
	if (fds[POLL_INPUT].revents && !s->out.len)
		return SESSION_INPUT;
	return n == 0 ? SESSION_TIMEOUT : 0;
}

static int wait_once(struct session *s, uint64_t deadline_ns)
{
	struct pollfd fds[POLL_COUNT] = {
		[POLL_CHANNEL] = { .fd = s->is_closed ? -1 : s->fd,
				   .events = (short)(POLLIN | (s->out.len ? POLLOUT : 0)) },
		[POLL_END] = { .fd = s->end_fd, .events = POLLIN },
		[POLL_SIGNAL] = { .fd = s->signal_fd, .events = POLLIN },
		[POLL_INPUT] = { .fd = s->out.len ? -1 : s->input_fd, .events = POLLIN },
	};
	int n = poll(fds, POLL_COUNT, timeout_ms_until(deadline_ns));

	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return err_new(-errno, "poll: %s", strerror(errno));
	return look_around(s, fds, n);
}

int session_next(struct session *s, uint64_t deadline_ns, struct frame *ret)
{
	for (;;) {
		int r = take_frame(s, ret);

		if (r <= 0)
			return r;
		r = flush(s);
		if (r == 0)
			r = wait_once(s, deadline_ns);
		if (r)
			return r;
	}
}
