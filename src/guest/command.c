// SPDX-License-Identifier: GPL-2.0-only
/* A command and its streams. Output is read only while the channel has room, input is taken only
 * while the command reads: neither side can fill the guest's memory. */
#include "guest/command.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "guest/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_CHUNK = 65536 };

void command_init(struct command *c, struct loop *loop, struct channel *channel)
{
	*c = (struct command){ .loop = loop,
			       .channel = channel,
			       .out = WATCH_NULL,
			       .err = WATCH_NULL,
			       .in = WATCH_NULL };
}

static void drop_watch(struct command *c, struct watch *w)
{
	fd_close(loop_unwatch(c->loop, w));
}

void command_deinit(struct command *c)
{
	drop_watch(c, &c->out);
	drop_watch(c, &c->err);
	drop_watch(c, &c->in);
	buf_deinit(&c->input);
	command_init(c, c->loop, c->channel);
}

bool command_is_running(const struct command *c)
{
	return c->pid;
}

bool command_wants_input(const struct command *c)
{
	return c->input.len < COMMAND_INPUT_LIMIT;
}

/* When all is said: EXIT, and this command is gone. */
static int finish_if_over(struct command *c)
{
	struct wire_exit e = { 0 };

	if (!c->has_ended || c->out.fd >= 0 || c->err.fd >= 0)
		return 0;
	if (WIFSIGNALED(c->wait_status)) {
		e.signal = (uint32_t)WTERMSIG(c->wait_status);
		e.status = 128 + e.signal;
	} else {
		e.status = (uint32_t)WEXITSTATUS(c->wait_status);
	}
	command_deinit(c);
	return channel_send(c->channel, FRAME_EXIT, &e, sizeof(e));
}

static int pause_if_full(struct command *c)
{
	int r = 0;

	if (!channel_is_full(c->channel) || c->is_paused)
		return 0;
	c->is_paused = true;
	if (c->out.fd >= 0)
		r = loop_rewatch(c->loop, &c->out, 0);
	if (!r && c->err.fd >= 0)
		r = loop_rewatch(c->loop, &c->err, 0);
	return r;
}

int command_resume(struct command *c)
{
	int r = 0;

	if (!c->is_paused || channel_is_full(c->channel))
		return 0;
	c->is_paused = false;
	if (c->out.fd >= 0)
		r = loop_rewatch(c->loop, &c->out, EPOLLIN);
	if (!r && c->err.fd >= 0)
		r = loop_rewatch(c->loop, &c->err, EPOLLIN);
	return r;
}

static int forward(struct command *c, struct watch *w, enum frame_type type)
{
	char chunk[OUTPUT_CHUNK];
	ssize_t n = read(w->fd, chunk, sizeof(chunk));
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0) {
		r = channel_send(c->channel, type, chunk, (size_t)n);
		return r ? err_trace(r) : pause_if_full(c);
	}
	/* The end; a terminal says EIO when its last user is gone. */
	drop_watch(c, w);
	return finish_if_over(c);
}

static int out_ready(void *ctx, uint32_t events)
{
	struct command *c = ctx;

	return forward(c, &c->out, FRAME_STDOUT);
}

static int err_ready(void *ctx, uint32_t events)
{
	struct command *c = ctx;

	return forward(c, &c->err, FRAME_STDERR);
}

/* A terminal's end of input is the character that its line discipline reads as such. */
static void end_input(struct command *c)
{
	static const char eot = 4;

	if (c->is_tty && write(c->in.fd, &eot, 1) < 0 && errno == EAGAIN)
		return;
	c->is_input_ended = false;
	drop_watch(c, &c->in);
}

static int feed(struct command *c)
{
	ssize_t n = 0;

	if (c->in.fd < 0)
		return 0;
	while (c->input.len && (n = write(c->in.fd, c->input.data, c->input.len)) > 0)
		buf_consume(&c->input, (size_t)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* It closed its input: what is left is for nobody. */
		buf_reset(&c->input);
		drop_watch(c, &c->in);
		return 0;
	}
	if (!c->input.len && c->is_input_ended)
		end_input(c);
	if (c->in.fd < 0)
		return 0;
	return loop_rewatch(c->loop, &c->in, c->input.len ? EPOLLOUT : 0);
}

static int in_ready(void *ctx, uint32_t events)
{
	struct command *c = ctx;

	if (events & EPOLLERR && !(events & EPOLLOUT)) {
		buf_reset(&c->input);
		drop_watch(c, &c->in);
		return 0;
	}
	return feed(c);
}

int command_input(struct command *c, const void *data, size_t len)
{
	int r;

	if (!c->pid || c->in.fd < 0)
		return 0;
	if (len)
		buf_add(&c->input, data, len);
	else
		c->is_input_ended = true;
	r = buf_ok(&c->input);
	return r ? r : feed(c);
}

void command_signal(struct command *c, const struct wire_signal *s)
{
	if (c->pid && !c->has_ended)
		kill(-c->pid, (int)s->number);
}

void command_resize(struct command *c, const struct wire_winsize *w)
{
	struct winsize size = { .ws_row = w->rows, .ws_col = w->cols };

	if (c->pid && c->is_tty && c->out.fd >= 0)
		ioctl(c->out.fd, TIOCSWINSZ, &size);
}

int command_ended(struct command *c, int wait_status)
{
	c->has_ended = true;
	c->wait_status = wait_status;
	/* Whatever it left behind goes with it, and with that its pipes come to their end. */
	setup_kill_all();
	return finish_if_over(c);
}

/* The child's side: stdio at 0 to 2, then the program. */
static void __attribute__((noreturn)) become(const struct exec_request *e, int in, int out, int err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (e->flags & EXEC_TTY)
		ioctl(in, TIOCSCTTY, 0);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	if (e->flags & EXEC_ROOT && chroot("/ktstr/root")) {
		dprintf(2, "ktstr: chroot /ktstr/root: %s\n", strerror(errno));
		_exit(126);
	}
	if (chdir(e->cwd) && chdir("/")) {
		dprintf(2, "ktstr: chdir %s: %s\n", e->cwd, strerror(errno));
		_exit(126);
	}
	environ = e->envp;
	execvp(e->argv[0], e->argv);
	dprintf(2, "ktstr: %s: %s\n", e->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Our ends of the streams, and the child's. */
struct streams {
	int in[2]; /* child's, ours */
	int out[2];
	int err[2];
};

static void streams_deinit(struct streams *s)
{
	for (int i = 0; i < 2; i++) {
		s->in[i] = fd_close(s->in[i]);
		s->out[i] = fd_close(s->out[i]);
		s->err[i] = fd_close(s->err[i]);
	}
}

static int open_pipes(struct streams *s)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC))
		return err_new(-errno, "pipe: %s", strerror(errno));
	s->in[0] = in[0];
	s->in[1] = in[1];
	if (pipe2(out, O_CLOEXEC))
		return err_new(-errno, "pipe: %s", strerror(errno));
	s->out[0] = out[1];
	s->out[1] = out[0];
	if (pipe2(err, O_CLOEXEC))
		return err_new(-errno, "pipe: %s", strerror(errno));
	s->err[0] = err[1];
	s->err[1] = err[0];
	return 0;
}

static int open_tty(struct streams *s, const struct exec_request *e)
{
	struct winsize size = { .ws_row = e->rows, .ws_col = e->cols };

	if (openpty(&s->out[1], &s->out[0], NULL, NULL, &size))
		return err_new(-errno, "open a terminal: %s", strerror(errno));
	fcntl(s->out[1], F_SETFD, FD_CLOEXEC);
	fcntl(s->out[0], F_SETFD, FD_CLOEXEC);
	s->in[0] = fcntl(s->out[0], F_DUPFD_CLOEXEC, 0);
	s->err[0] = fcntl(s->out[0], F_DUPFD_CLOEXEC, 0);
	s->in[1] = fcntl(s->out[1], F_DUPFD_CLOEXEC, 0);
	if (s->in[0] < 0 || s->err[0] < 0 || s->in[1] < 0)
		return err_new(-errno, "dup a terminal: %s", strerror(errno));
	return 0;
}

static int watch_stream(struct command *c, struct watch *w, int *fd,
			int (*ready)(void *ctx, uint32_t events), uint32_t events)
{
	int r;

	if (*fd < 0)
		return 0;
	fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
	*w = (struct watch){ .fd = *fd, .ready = ready, .ctx = c };
	r = loop_watch(c->loop, w, events);
	if (r)
		w->fd = -1;
	else
		*fd = -1;
	return r;
}

int command_start(struct command *c, const struct exec_request *e)
{
	cleanup(streams_deinit) struct streams s = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	bool is_tty = e->flags & EXEC_TTY;
	int r = is_tty ? open_tty(&s, e) : open_pipes(&s);
	pid_t pid;

	if (r)
		return err_trace(r);
	pid = fork();
	if (pid < 0)
		return err_new(-errno, "fork: %s", strerror(errno));
	if (!pid)
		become(e, s.in[0], s.out[0], s.err[0]);
	c->pid = pid;
	c->is_tty = is_tty;
	r = watch_stream(c, &c->out, &s.out[1], out_ready, EPOLLIN);
	if (!r)
		r = watch_stream(c, &c->err, &s.err[1], err_ready, EPOLLIN);
	if (!r)
		r = watch_stream(c, &c->in, &s.in[1], in_ready, 0);
	return r;
}
