// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/control.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/listen.h"
#include "base/util.h"
#include "devices/blk/blk.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct blk_control {
	struct blk *blk;
	struct listener listener;
	int stop_fd;
	int client_fd;
	pthread_t thread;
	bool has_thread;
	size_t line_bytes; /* of the line that is not complete yet */
	char line[BLK_CONTROL_LINE_MAX];
};

static void run_throttle(struct blk *blk, const char *argument, struct buf *answer)
{
	struct blk_throttle_spec spec = { 0 };

	if (strcmp(argument, "none") != 0 && blk_throttle_parse(argument, &spec) < 0) {
		buf_printf(answer, "FAIL %s\n", err_text());
		err_clear();
		return;
	}
	blk_set_throttle(blk, &spec);
	buf_str(answer, "OK\n");
}

static void run_counters(struct blk *blk, const char *argument, struct buf *answer)
{
	buf_str(answer, "OK ");
	blk_counters_json(blk, answer);
	buf_str(answer, "\n");
}

static void run_faults(struct blk *blk, const char *argument, struct buf *answer)
{
	buf_str(answer, "OK ");
	blk_faults_log_json(blk, answer);
	buf_str(answer, "\n");
}

static const struct command_row {
	const char *name;
	bool has_argument;
	void (*run)(struct blk *blk, const char *argument, struct buf *answer);
} command_rows[] = {
	{ "throttle", true, run_throttle },
	{ "counters", false, run_counters },
	{ "faults", false, run_faults },
};

static void run_line(struct blk *blk, char *line, struct buf *answer)
{
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(command_rows); i++) {
		const struct command_row *row = &command_rows[i];

		if (strcmp(row->name, line) != 0)
			continue;
		if (row->has_argument == (argument != NULL))
			row->run(blk, argument, answer);
		else
			buf_printf(answer, "FAIL %s takes %s argument\n", row->name,
				   row->has_argument ? "one" : "no");
		return;
	}
	buf_str(answer, "FAIL unknown command; there are: throttle LIST|none, counters, faults\n");
}

static bool send_answer(int fd, const struct buf *answer)
{
	return buf_ok(answer) == 0 &&
	       send(fd, answer->data, answer->len, MSG_NOSIGNAL) == (ssize_t)answer->len;
}

/* Run each whole line there is. False if the client has to go. */
static bool run_lines(struct blk_control *c)
{
	cleanup(buf_deinit) struct buf answer = BUF_NULL;
	char *end;

	while ((end = memchr(c->line, '\n', c->line_bytes))) {
		size_t bytes = (size_t)(end - c->line) + 1;

		*end = '\0';
		buf_reset(&answer);
		run_line(c->blk, c->line, &answer);
		c->line_bytes -= bytes;
		memmove(c->line, end + 1, c->line_bytes);
		if (!send_answer(c->client_fd, &answer))
			return false;
	}
	return c->line_bytes < sizeof(c->line);
}

static void serve_client(struct blk_control *c)
{
	ssize_t n = read(c->client_fd, c->line + c->line_bytes, sizeof(c->line) - c->line_bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->line_bytes += (size_t)n;
	if (n <= 0 || !run_lines(c))
		c->client_fd = fd_close(c->client_fd);
}

static void accept_client(struct blk_control *c)
{
	c->client_fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	c->line_bytes = 0;
}

static void *control_main(void *arg)
{
	struct blk_control *c = arg;

	prctl(PR_SET_NAME, "blk-control");
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = c->stop_fd, .events = POLLIN },
			{ .fd = c->client_fd >= 0 ? c->client_fd : c->listener.fd,
			  .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue; /* EINTR: signals are blocked, but a debugger may stop us */
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents && c->client_fd >= 0)
			serve_client(c);
		else if (fds[1].revents)
			accept_client(c);
	}
}

static int start_thread(struct blk_control *c)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&c->thread, NULL, control_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return err_new(-error, "disk control thread: %s", strerror(error));
	c->has_thread = true;
	return 0;
}

static void control_freep(struct blk_control **c)
{
	*c = blk_control_stop(*c);
}

int blk_control_start(struct blk *blk, const char *path, struct blk_control **ret)
{
	cleanup(control_freep) struct blk_control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_new(-ENOMEM, "out of memory for a disk's control socket");
	*c = (struct blk_control){ .blk = blk, .listener = LISTENER_NULL, .client_fd = -1 };
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = c->stop_fd < 0 ? err_new(-errno, "disk control: eventfd: %s", strerror(errno))
			   : listener_open(path, &c->listener);
	if (r == 0)
		r = start_thread(c);
	if (r < 0)
		return err_trace(r);
	*ret = steal_ptr(&c);
	return 0;
}

struct blk_control *blk_control_stop(struct blk_control *c)
{
	if (!c)
		return NULL;
	if (c->has_thread) {
		(void)eventfd_write(c->stop_fd, 1);
		pthread_join(c->thread, NULL);
	}
	listener_close(&c->listener);
	fd_close(c->client_fd);
	fd_close(c->stop_fd);
	free(c);
	return NULL;
}
