// SPDX-License-Identifier: GPL-2.0-only
/* Process 1 of a carrier: make the root, then serve one command after another over the stream. One
 * thread, one poll loop, driven by the stream, the command's pipes and SIGCHLD. When the outer side
 * hangs up, the machine is powered off; usually QEMU was killed before that. */
#include "host/carrier_init.h"

#include "base/buf.h"
#include "base/util.h"
#include "host/carrier_child.h"
#include "host/carrier_frame.h"
#include "host/carrier_port.h"
#include "host/carrier_results.h"
#include "host/carrier_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

struct carrier_init {
	int port_fd;
	int child_signal_fd;
	struct carrier_reader reader;
	struct carrier_child child;
	char *results_dir; /* of the running command; NULL: none */
};

/* The stream's far end always reads, so a blocking write is bounded by it. */
static int send_frame(void *ctx, enum carrier_frame_type type, const void *payload, size_t length)
{
	struct carrier_init *s = ctx;
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	carrier_frame_add(&out, type, payload, length);
	int r = buf_ok(&out);
	if (r >= 0)
		r = write_all(s->port_fd, out.data, out.len);
	if (r < 0)
		return err_new(r, "carrier: write to the stream: %s", strerror(-r));
	return 0;
}

static int send_u32x2(struct carrier_init *s, enum carrier_frame_type type, uint32_t a, uint32_t b)
{
	char payload[8];

	le32_put(payload, a);
	le32_put(payload + 4, b);
	return send_frame(s, type, payload, sizeof(payload));
}

/* Send what the pipe holds now; *@fd is closed and -1 at its end. */
static int forward_output(struct carrier_init *s, int *fd, enum carrier_frame_type type)
{
	char chunk[CARRIER_CHUNK_BYTES / 4];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0)
		return send_frame(s, type, chunk, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A terminal's master says EIO when the last slave is closed. */
	if (s->child.in_fd == *fd)
		s->child.in_fd = -1;
	*fd = fd_close(*fd);
	return 0;
}

static int drain_output(struct carrier_init *s)
{
	int r = 0;

	/* All writers are dead, so each read gives bytes or the end. */
	while (r >= 0 && s->child.record_fd >= 0)
		r = forward_output(s, &s->child.record_fd, CARRIER_RECORD);
	while (r >= 0 && s->child.out_fd >= 0)
		r = forward_output(s, &s->child.out_fd, CARRIER_STDOUT);
	while (r >= 0 && s->child.err_fd >= 0)
		r = forward_output(s, &s->child.err_fd, CARRIER_STDERR);
	return r;
}

static int send_results(struct carrier_init *s)
{
	if (!s->results_dir)
		return 0;
	int r = carrier_results_send(s->results_dir, send_frame, s);

	carrier_root_umount(s->results_dir);
	free(s->results_dir);
	s->results_dir = NULL;
	return r;
}

/* The command ended: end what it left behind, so that the next one starts in a clean machine. */
static int finish_command(struct carrier_init *s, int wait_status)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	s->child.pid = 0;
	int r = drain_output(s);
	carrier_child_deinit(&s->child);
	if (r >= 0)
		r = send_results(s);
	/* Writable disks reach the host's file before anybody hears of the end. */
	sync();
	if (r < 0)
		return err_trace(r);
	if (WIFSIGNALED(wait_status))
		return send_u32x2(s, CARRIER_EXIT, 1, (uint32_t)WTERMSIG(wait_status));
	return send_u32x2(s, CARRIER_EXIT, 0, (uint32_t)WEXITSTATUS(wait_status));
}

static int reap(struct carrier_init *s)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(s->child_signal_fd, &info, sizeof(info)) < 0 && errno != EAGAIN)
		return err_new(-errno, "carrier: signalfd: %s", strerror(errno));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->child.pid)
			return finish_command(s, status);
	}
	return 0;
}

static const char *variable(const char *const *envp, const char *name)
{
	size_t length = strlen(name);

	for (; *envp; envp++) {
		if (!strncmp(*envp, name, length) && (*envp)[length] == '=')
			return *envp + length + 1;
	}
	return NULL;
}

static int prepare_state_dir(const struct carrier_run_request *q)
{
	const char *state = variable(q->envp, "XDG_STATE_HOME");
	const char *home = variable(q->envp, "HOME");
	char path[PATH_MAX];

	if (state && *state)
		return carrier_root_make_writable(state);
	if (!home)
		return 0;
	snprintf(path, sizeof(path), "%s/.local/state", home);
	return carrier_root_make_writable(path);
}

static int prepare(struct carrier_init *s, const struct carrier_run_request *q)
{
	int r = prepare_state_dir(q);

	for (unsigned i = 0; r >= 0 && q->disks[i]; i++)
		r = carrier_root_bind_disk(i, q->disks[i]);
	if (r < 0 || !q->results_dir)
		return r;
	r = carrier_root_mount_empty(q->results_dir);
	if (r < 0)
		return err_trace(r);
	s->results_dir = strdup(q->results_dir);
	return s->results_dir ? 0 : err_new(-ENOMEM, "carrier: no memory");
}

static int run_command(struct carrier_init *s, const struct carrier_frame *f)
{
	cleanup(carrier_run_request_deinit) struct carrier_run_request q = { 0 };
	int r = carrier_run_request_read(f->payload, f->length, &q);

	if (r < 0)
		return err_trace(r);
	if (s->child.pid)
		return err_new(-EBUSY, "carrier: a command is running already");
	r = prepare(s, &q);
	if (r >= 0)
		r = carrier_child_start(&s->child, &q);
	if (r >= 0)
		return 0;
	/* This command cannot run; others may. */
	cleanup(buf_deinit) struct buf words = BUF_NULL;
	buf_printf(&words, "ktstr carrier: %s\n", err_text());
	r = send_frame(s, CARRIER_STDERR, buf_text(&words), words.len);
	if (r >= 0)
		r = send_results(s);
	return r < 0 ? err_trace(r) : send_u32x2(s, CARRIER_EXIT, 0, 126);
}

static int feed(struct carrier_init *s)
{
	size_t taken = carrier_child_feed(&s->child);
	char payload[4];

	if (!taken)
		return 0;
	le32_put(payload, (uint32_t)taken);
	return send_frame(s, CARRIER_STDIN_TAKEN, payload, sizeof(payload));
}

static int take_frame(struct carrier_init *s, const struct carrier_frame *f)
{
	switch ((int)f->type) {
	case CARRIER_RUN:
		return run_command(s, f);
	case CARRIER_STDIN:
		/* What arrives after the command's end belongs to nobody. */
		if (s->child.pid)
			buf_add(&s->child.input, f->payload, f->length);
		return feed(s);
	case CARRIER_STDIN_END:
		s->child.is_input_ended = s->child.pid;
		return feed(s);
	case CARRIER_SIGNAL:
		if (f->length >= 4)
			carrier_child_signal(&s->child, (int)le32_get(f->payload));
		return 0;
	case CARRIER_NUDGE:
		return 0;
	case CARRIER_WINSIZE:
		if (f->length >= 8)
			carrier_child_resize(&s->child, le32_get(f->payload),
					     le32_get(f->payload + 4));
		return 0;
	default:
		return err_new(-EPROTO, "carrier: frame of type %d from outside", f->type);
	}
}

/* Returns 0, or -EPIPE when the outer side is gone. */
static int take_stream(struct carrier_init *s)
{
	char chunk[CARRIER_CHUNK_BYTES / 4];
	struct carrier_frame f;
	ssize_t n = read(s->port_fd, chunk, sizeof(chunk));
	int r;

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return -EPIPE;
	buf_add(&s->reader.in, chunk, (size_t)n);
	r = buf_ok(&s->reader.in);
	while (r >= 0 && (r = carrier_reader_next(&s->reader, &f)) == 0)
		r = take_frame(s, &f);
	return r < 0 ? err_trace(r) : 0;
}

static int serve_once(struct carrier_init *s)
{
	struct carrier_child *c = &s->child;
	enum { STREAM, CHILD_SIGNAL, RECORD, OUT, ERR, IN, COUNT };
	struct pollfd fds[COUNT] = {
		[STREAM] = { s->port_fd, POLLIN, 0 },
		[CHILD_SIGNAL] = { s->child_signal_fd, POLLIN, 0 },
		[RECORD] = { c->record_fd, POLLIN, 0 },
		[OUT] = { c->out_fd, POLLIN, 0 },
		[ERR] = { c->err_fd, POLLIN, 0 },
		[IN] = { c->input.len ? c->in_fd : -1, POLLOUT, 0 },
	};
	int r = 0;

	if (poll(fds, COUNT, -1) < 0)
		return errno == EINTR ? 0 : err_new(-errno, "carrier: poll: %s", strerror(errno));
	/* First: a verdict is kept before it is shown. */
	if (fds[RECORD].revents)
		r = forward_output(s, &c->record_fd, CARRIER_RECORD);
	if (r >= 0 && fds[OUT].revents)
		r = forward_output(s, &c->out_fd, CARRIER_STDOUT);
	if (r >= 0 && fds[ERR].revents)
		r = forward_output(s, &c->err_fd, CARRIER_STDERR);
	if (r >= 0 && fds[IN].revents && c->in_fd >= 0)
		r = feed(s);
	if (r >= 0 && fds[STREAM].revents & POLLIN)
		r = take_stream(s);
	else if (fds[STREAM].revents & POLLHUP)
		r = -EPIPE;
	/* Last: it closes the pipes. */
	if (r >= 0 && fds[CHILD_SIGNAL].revents)
		r = reap(s);
	return r;
}

static int set_up(struct carrier_init *s)
{
	static const struct rlimit files = { 1 << 16, 1 << 20 };
	sigset_t set;
	int r = carrier_root_enter();

	if (r >= 0)
		r = carrier_port_open(CARRIER_PORT_NAME, O_RDWR, &s->port_fd);
	if (r < 0)
		return err_trace(r);
	setrlimit(RLIMIT_NOFILE, &files);
	sethostname("carrier", 7);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->child_signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->child_signal_fd < 0)
		return err_new(-errno, "carrier: signalfd: %s", strerror(errno));
	char version[4];
	le32_put(version, CARRIER_VERSION);
	return send_frame(s, CARRIER_READY, version, sizeof(version));
}

bool carrier_init_is_wanted(void)
{
	const char *role = getenv("KTSTR_ROLE");

	return getpid() == 1 && role && !strcmp(role, "carrier");
}

void carrier_init_main(void)
{
	struct carrier_init s = { .port_fd = -1,
				  .child_signal_fd = -1,
				  .child = CARRIER_CHILD_NULL };
	int r = set_up(&s);

	while (r >= 0)
		r = serve_once(&s);
	if (r != -EPIPE) {
		dprintf(2, "ktstr carrier: %s (%s)\n", err_text(), err_places());
		if (s.port_fd >= 0)
			send_frame(&s, CARRIER_FAILED, err_text(), strlen(err_text()));
	}
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
