// SPDX-License-Identifier: GPL-2.0-only
#include "harness/remote.h"

#include "base/buf.h"
#include "base/util.h"
#include "wire/exec.h"
#include "wire/report.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { INPUT_BYTES = 32 * 1024 };

struct remote {
	struct session *session;
	const struct remote_desc *desc;
	bool was_signalled;
	bool has_ended;
	struct wire_exit end;
};

static struct winsize window_size(const struct remote *r)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	if (ioctl(r->desc->in_fd, TIOCGWINSZ, &size) < 0)
		errno = 0;
	return size;
}

static int start(struct remote *r)
{
	cleanup(buf_deinit) struct buf payload = BUF_NULL;
	struct winsize size = window_size(r);
	int err = exec_encode(&payload, r->desc->argv, r->desc->envp, r->desc->cwd,
			      r->desc->is_tty ? EXEC_TTY : 0, size.ws_row, size.ws_col);

	if (err == 0)
		err = buf_ok(&payload);
	return err < 0 ? err_trace(err)
		       : session_send(r->session, FRAME_EXEC, payload.data, payload.len);
}

static int write_out(int fd, const struct frame *f)
{
	int err = write_all(fd, f->payload, f->len);

	/* Who reads our output may go; the command goes on, as it would here. */
	return err == -EPIPE || err == 0 ? 0 : err_new(err, "write: %s", strerror(-err));
}

static int guest_failed(const struct frame *f)
{
	struct wire_failed failed;
	const char *text;
	size_t len;
	int err = failed_decode(f->payload, f->len, &failed, &text, &len);

	return err < 0 ? err_trace(err)
		       : err_new(-EIO, "the guest's init: %.*s", (int)MIN(len, (size_t)500), text);
}

static int take_frame(struct remote *r, const struct frame *f)
{
	switch (f->type) {
	case FRAME_STDOUT:
		return write_out(r->desc->out_fd, f);
	case FRAME_STDERR:
		return write_out(r->desc->err_fd, f);
	case FRAME_EXIT:
		r->has_ended = true;
		return exit_decode(f->payload, f->len, &r->end);
	case FRAME_FAILED:
		return guest_failed(f);
	default:
		return err_new(-EPROTO, "%s frame while a command runs", frame_name(f->type));
	}
}

static int send_input(struct remote *r)
{
	char bytes[INPUT_BYTES];
	ssize_t n = read(r->desc->in_fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		n = 0;
		r->session->input_fd = -1;
	}
	return session_send(r->session, FRAME_STDIN, bytes, (size_t)n);
}

static int send_size(struct remote *r)
{
	struct winsize size = window_size(r);
	const struct wire_winsize w = { .rows = size.ws_row, .cols = size.ws_col };

	return session_send(r->session, FRAME_WINSIZE, &w, sizeof(w));
}

static int pass_signal(struct remote *r)
{
	const struct wire_signal s = { .number = (uint32_t)r->session->signal };

	if (r->was_signalled)
		return REMOTE_KILLED;
	r->was_signalled = true;
	return session_send(r->session, FRAME_SIGNAL, &s, sizeof(s));
}

static int step(struct remote *r)
{
	struct frame f;
	int event = session_next(r->session, r->desc->deadline_ns, &f);

	switch (event) {
	case 0:
		return take_frame(r, &f);
	case SESSION_INPUT:
		return send_input(r);
	case SESSION_RESIZED:
		return send_size(r);
	case SESSION_INTERRUPTED:
		return pass_signal(r);
	case SESSION_TIMEOUT:
		return REMOTE_TIMEOUT;
	case SESSION_ENDED:
		return REMOTE_GUEST_DIED;
	default:
		return err_trace(event);
	}
}

int remote_run(struct session *session, const struct remote_desc *desc, int *status_ret)
{
	struct remote remote = { .session = session, .desc = desc };
	int r = start(&remote);

	session->input_fd = desc->in_fd;
	session->has_window = desc->is_tty;
	while (r == 0 && !remote.has_ended)
		r = step(&remote);
	session->input_fd = -1;
	session->has_window = false;
	if (r == 0)
		*status_ret = (int)remote.end.status;
	return r;
}
