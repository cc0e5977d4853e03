// SPDX-License-Identifier: GPL-2.0-only
/* The command's side of a carrier: fork, a session of its own, pipes or a pseudo-terminal. */
#include "host/carrier_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The ends that the command gets. */
struct child_ends {
	int in, out, err;
	int record; /* -1: none */
};

static void child_ends_close(struct child_ends *e)
{
	fd_close(e->record);
	if (e->err != e->out)
		fd_close(e->err);
	if (e->out != e->in)
		fd_close(e->out);
	fd_close(e->in);
}

static int open_tty(struct carrier_child *c, struct child_ends *ret)
{
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		return err_new(-errno, "carrier: no terminal: %s", strerror(errno));
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	fcntl(master, F_SETFL, O_NONBLOCK);
	c->in_fd = c->out_fd = master;
	*ret = (struct child_ends){ slave, slave, slave, -1 };
	return 0;
}

static int open_pipes(struct carrier_child *c, struct child_ends *ret)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
		int r = err_new(-errno, "carrier: pipe: %s", strerror(errno));

		for (int i = 0; i < 2; i++) {
			fd_close(in[i]);
			fd_close(out[i]);
		}
		return r;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	c->in_fd = in[1];
	c->out_fd = out[0];
	c->err_fd = err[0];
	*ret = (struct child_ends){ in[0], out[1], err[1], -1 };
	return 0;
}

static int open_record(struct carrier_child *c, struct child_ends *e)
{
	int record[2];

	if (pipe2(record, O_CLOEXEC) < 0)
		return err_new(-errno, "carrier: pipe: %s", strerror(errno));
	fcntl(record[0], F_SETFL, O_NONBLOCK);
	c->record_fd = record[0];
	e->record = record[1];
	return 0;
}

static void __attribute__((noreturn))
become_command(const struct carrier_run_request *q, const struct child_ends *e)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (q->is_tty)
		ioctl(e->in, TIOCSCTTY, 0);
	dup2(e->in, 0);
	dup2(e->out, 1);
	dup2(e->err, 2);
	if (e->record >= 0) {
		dup2(e->record, CARRIER_RECORD_FD);
		fcntl(CARRIER_RECORD_FD, F_SETFD, 0);
	}
	if (chdir(q->cwd) < 0) {
		dprintf(2, "ktstr carrier: directory %s: %s\n", q->cwd, strerror(errno));
		_exit(126);
	}
	clearenv();
	for (const char *const *v = q->envp; *v; v++)
		putenv((char *)(uintptr_t)*v);
	execvp(q->argv[0], (char *const *)(uintptr_t)q->argv);
	dprintf(2, "ktstr carrier: %s: %s\n", q->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int carrier_child_start(struct carrier_child *c, const struct carrier_run_request *q)
{
	struct child_ends ends = { -1, -1, -1, -1 };

	*c = CARRIER_CHILD_NULL;
	c->is_tty = q->is_tty;
	int r = q->is_tty ? open_tty(c, &ends) : open_pipes(c, &ends);
	if (r >= 0 && q->has_records)
		r = open_record(c, &ends);
	pid_t pid = r >= 0 ? fork() : -1;
	if (pid == 0)
		become_command(q, &ends);
	if (r >= 0 && pid < 0)
		r = err_new(-errno, "carrier: fork: %s", strerror(errno));
	child_ends_close(&ends);
	if (r < 0) {
		carrier_child_deinit(c);
		return r;
	}
	c->pid = pid;
	return 0;
}

static void end_input(struct carrier_child *c)
{
	static const char end_of_file =
		4; /* ^D: a terminal has no other end that keeps its output */

	if (!c->is_tty)
		c->in_fd = fd_close(c->in_fd);
	else if (write(c->in_fd, &end_of_file, 1) < 0)
		c->input.len = 0;
	c->is_input_ended = false;
}

size_t carrier_child_feed(struct carrier_child *c)
{
	size_t taken = c->input.len;

	if (c->in_fd >= 0 && c->input.len) {
		ssize_t n = write(c->in_fd, c->input.data, c->input.len);

		if (n >= 0)
			taken = (size_t)n;
		else if (errno == EAGAIN || errno == EINTR)
			taken = 0;
		else if (!c->is_tty) /* nobody reads it any more: swallow what still comes */
			c->in_fd = fd_close(c->in_fd);
	}
	buf_consume(&c->input, taken);
	if (!c->input.len && c->is_input_ended && c->in_fd >= 0)
		end_input(c);
	return taken;
}

void carrier_child_signal(const struct carrier_child *c, int signal)
{
	if (c->pid && signal > 0 && signal < NSIG)
		kill(-c->pid, signal);
}

void carrier_child_resize(const struct carrier_child *c, unsigned rows, unsigned columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	if (c->pid && c->is_tty)
		ioctl(c->in_fd, TIOCSWINSZ, &size);
}

void carrier_child_deinit(struct carrier_child *c)
{
	if (c->out_fd != c->in_fd)
		fd_close(c->out_fd);
	fd_close(c->in_fd);
	fd_close(c->err_fd);
	fd_close(c->record_fd);
	buf_deinit(&c->input);
	*c = CARRIER_CHILD_NULL;
}
