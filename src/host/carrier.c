// SPDX-License-Identifier: GPL-2.0-only
/* The outer side of a carrier: start it, run commands in it, end it. One poll loop for everything
 * that can happen: frames from inside, the console, our user's signals and input, the deadline. */
#include "host/carrier.h"

#include "base/buf.h"
#include "base/util.h"
#include "host/carrier_frame.h"
#include "host/carrier_port.h"
#include "host/carrier_qemu.h"
#include "host/carrier_results.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

const char *const carrier_modules[] = { "kvm-amd", "9pnet_virtio", "9p",
					"overlay", "virtio_blk",   NULL };

enum { CONSOLE_KEPT_BYTES = 4096 };
/* How long a command may take to die of SIGKILL, or to obey our user's signal. */
static const uint64_t kill_grace_ns = 30 * NSEC_PER_SEC;
static const uint64_t signal_grace_ns = NSEC_PER_SEC;

/* How often a carrier is interrupted for no other reason than to be. QEMU's emulation of SVM (7.2,
 * target/i386/tcg/sysemu/svm_helper.c: helper_vmrun(), do_vmexit()) sets and clears the flag of virtual
 * interrupts in a word that another thread sets the flag of real ones in, without a lock that both
 * take (later QEMUs have cpu_set_interrupt() there). Sometimes a real one is lost for it. If it was the timer's, no other comes: it stands in the
 * local APIC's IRR, and the guest of the carrier, or its idle loop, runs on for ever. Seen so after 7
 * minutes: a hog of the guest at 100 %, vector 236 in IRR, interrupts on; the next interrupt of any
 * kind, caused by hand, made QEMU look again, and everything went on. This one comes by itself, and
 * bounds such a stop to a quarter of a second, which the pulse then counts. */
static const uint64_t nudge_interval_ns = 250 * NSEC_PER_MSEC;

struct carrier {
	struct carrier_qemu qemu;
	struct carrier_reader reader;
	struct buf out;	    /* frames not yet written to the stream */
	struct buf console; /* its last CONSOLE_KEPT_BYTES or more */
	int signal_fd;
	const char *const *disks; /* copies, for the RUN frames */
	bool is_ready;
};

/* One command under way; also the wait for READY, with no command. */
struct session {
	struct carrier *c;
	const struct carrier_command *command; /* NULL while booting */
	struct carrier_results results;
	struct carrier_result result;
	uint64_t deadline_ns;
	uint64_t nudge_ns; /* when the next one is due; while a command runs */
	uint32_t stdin_credit;
	int stdin_fd; /* -1 once ended */
	bool is_killed;
	bool is_over;
};

static int carrier_died(struct carrier *c)
{
	size_t end = c->console.len;

	while (end && strchr(" \r\n", c->console.data[end - 1]))
		end--;
	size_t start = end > 700 ? end - 700 : 0;
	return err_new(-EIO, "the carrier died%s: %.*s", c->is_ready ? "" : " while booting",
		       (int)(end - start), end ? c->console.data + start : "it said nothing");
}

/* Keep the console's end. Its bytes are not ours: controls other than newline become spaces. */
static void take_console(struct carrier *c)
{
	char chunk[1024];
	ssize_t n;

	while ((n = read(c->qemu.console_fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if ((unsigned char)chunk[i] < ' ' && chunk[i] != '\n')
				chunk[i] = ' ';
		}
		buf_add(&c->console, chunk, (size_t)n);
		if (c->console.len > 2 * CONSOLE_KEPT_BYTES)
			buf_consume(&c->console, c->console.len - CONSOLE_KEPT_BYTES);
	}
	if (n == 0)
		c->qemu.console_fd = fd_close(c->qemu.console_fd);
}

static void end_session(struct session *s, bool is_signal, int status)
{
	if (s->result.end == CARRIER_EXITED && is_signal)
		s->result.end = CARRIER_SIGNALLED;
	if (s->result.end == CARRIER_EXITED || s->result.end == CARRIER_SIGNALLED)
		s->result.status = status;
	s->result.result_files = s->results.file_count;
	s->is_over = true;
}

static int pass_output(int fd, const struct carrier_frame *f)
{
	int r = fd < 0 ? 0 : write_all(fd, f->payload, f->length);

	/* A reader that went away (`| head`) is no trouble of the carrier. */
	if (r == -EPIPE)
		r = 0;
	return r < 0 ? err_new(r, "write the command's output: %s", strerror(-r)) : 0;
}

static int take_command_frame(struct session *s, const struct carrier_frame *f)
{
	switch ((int)f->type) {
	case CARRIER_STDOUT:
		return pass_output(s->command->stdout_fd, f);
	case CARRIER_STDERR:
		return pass_output(s->command->stderr_fd, f);
	case CARRIER_RECORD:
		if (!s->command->record)
			return err_new(-EPROTO, "carrier: a record that nobody asked for");
		return s->command->record(s->command->record_ctx, f->payload, f->length);
	case CARRIER_STDIN_TAKEN:
		if (f->length < 4 || le32_get(f->payload) > CARRIER_STDIN_WINDOW - s->stdin_credit)
			return err_new(-EPROTO, "carrier: took more input than it was given");
		s->stdin_credit += le32_get(f->payload);
		return 0;
	case CARRIER_FILE:
	case CARRIER_FILE_DATA:
		return carrier_results_take(&s->results, f);
	case CARRIER_EXIT:
		if (f->length < 8)
			return err_new(-EPROTO, "carrier: an EXIT of %u bytes", f->length);
		end_session(s, le32_get(f->payload), (int)(le32_get(f->payload + 4) & 0xff));
		return 0;
	default:
		return err_new(-EPROTO, "carrier: frame of type %d from inside", f->type);
	}
}

static int take_frame(struct session *s, const struct carrier_frame *f)
{
	if (f->type == CARRIER_FAILED)
		return err_new(-EIO, "the carrier failed: %.*s", (int)MIN(f->length, 700u),
			       f->payload);
	if (s->command)
		return take_command_frame(s, f);
	if (f->type != CARRIER_READY || f->length < 4 || le32_get(f->payload) != CARRIER_VERSION)
		return err_new(-EPROTO, "the carrier's init is not of this ktstr");
	s->c->is_ready = true;
	s->is_over = true;
	return 0;
}

static int take_stream(struct session *s)
{
	char chunk[CARRIER_CHUNK_BYTES];
	struct carrier_frame f;
	ssize_t n = read(s->c->qemu.stream_fd, chunk, sizeof(chunk));
	int r = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		take_console(s->c);
		return carrier_died(s->c);
	}
	buf_add(&s->c->reader.in, chunk, (size_t)n);
	r = buf_ok(&s->c->reader.in);
	while (r >= 0 && (r = carrier_reader_next(&s->c->reader, &f)) == 0)
		r = take_frame(s, &f);
	return r < 0 ? err_trace(r) : 0;
}

static int write_stream(struct carrier *c)
{
	ssize_t n = write(c->qemu.stream_fd, c->out.data, c->out.len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		take_console(c);
		return carrier_died(c);
	}
	buf_consume(&c->out, (size_t)n);
	return 0;
}

static int take_stdin(struct session *s)
{
	char chunk[CARRIER_STDIN_WINDOW];
	ssize_t n = read(s->stdin_fd, chunk, s->stdin_credit);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		s->stdin_fd = -1;
		carrier_frame_add(&s->c->out, CARRIER_STDIN_END, NULL, 0);
		return 0;
	}
	s->stdin_credit -= (uint32_t)n;
	carrier_frame_add(&s->c->out, CARRIER_STDIN, chunk, (size_t)n);
	return 0;
}

static void send_size(struct session *s)
{
	struct winsize size;

	if (s->command && s->command->is_tty && ioctl(s->command->stdin_fd, TIOCGWINSZ, &size) == 0)
		carrier_frame_add_u32x2(&s->c->out, CARRIER_WINSIZE, size.ws_row, size.ws_col);
}

static void interrupt(struct session *s, int signal)
{
	bool is_second = s->result.end == CARRIER_INTERRUPTED;

	if (!is_second)
		s->result = (struct carrier_result){ CARRIER_INTERRUPTED, signal, 0 };
	if (!s->command || is_second)
		s->is_over = true;
	carrier_frame_add_u32(&s->c->out, CARRIER_SIGNAL, (uint32_t)signal);
	s->deadline_ns = now_ns() + signal_grace_ns;
}

static void take_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->c->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		send_size(s);
	else
		interrupt(s, (int)info.ssi_signo);
}

static int deadline_passed(struct session *s)
{
	if (!s->command)
		return err_new(-ETIMEDOUT, "the carrier did not boot in time; its last words: %s",
			       carrier_console(s->c));
	if (s->result.end == CARRIER_INTERRUPTED) {
		s->is_over = true;
		return 0;
	}
	if (s->is_killed)
		return err_new(-EIO, "the carrier hangs: its command does not die of SIGKILL");
	s->is_killed = true;
	s->result.end = CARRIER_TIMED_OUT;
	carrier_frame_add_u32(&s->c->out, CARRIER_SIGNAL, SIGKILL);
	s->deadline_ns = now_ns() + kill_grace_ns;
	return 0;
}

/* One that has not left yet is as good as two. */
static void nudge(struct session *s)
{
	if (!s->command || now_ns() < s->nudge_ns)
		return;
	if (!s->c->out.len)
		carrier_frame_add(&s->c->out, CARRIER_NUDGE, NULL, 0);
	s->nudge_ns = now_ns() + nudge_interval_ns;
}

static int session_step(struct session *s)
{
	struct carrier *c = s->c;
	enum { STREAM, CONSOLE, SIGNALS, INPUT, DELAY, COUNT };
	struct pollfd fds[COUNT] = {
		[STREAM] = { c->qemu.stream_fd, POLLIN, 0 },
		[CONSOLE] = { c->qemu.console_fd, POLLIN, 0 },
		[SIGNALS] = { c->signal_fd, POLLIN, 0 },
		[INPUT] = { s->stdin_credit ? s->stdin_fd : -1, POLLIN, 0 },
		[DELAY] = { c->qemu.delay_fd, POLLIN, 0 },
	};
	uint64_t next_ns = s->command ? MIN(s->deadline_ns, s->nudge_ns) : s->deadline_ns;
	int r = 0;

	if (c->out.len)
		fds[STREAM].events |= POLLOUT;
	if (poll(fds, COUNT, timeout_ms_until(next_ns)) < 0 && errno != EINTR)
		return err_new(-errno, "carrier: poll: %s", strerror(errno));
	if (now_ns() >= s->deadline_ns)
		r = deadline_passed(s);
	nudge(s);
	if (fds[DELAY].revents & POLLIN)
		carrier_delay_answer(c->qemu.delay_fd, c->qemu.pid);
	if (fds[CONSOLE].revents)
		take_console(c);
	if (fds[SIGNALS].revents)
		take_signal(s);
	if (r >= 0 && fds[INPUT].revents)
		r = take_stdin(s);
	if (r >= 0 && fds[STREAM].revents & POLLOUT)
		r = write_stream(c);
	if (r >= 0 && fds[STREAM].revents & (POLLIN | POLLHUP | POLLERR))
		r = take_stream(s);
	return r >= 0 ? buf_ok(&c->out) : err_trace(r);
}

static int session_run(struct session *s)
{
	int r = 0;

	while (r >= 0 && !s->is_over)
		r = session_step(s);
	return r;
}

static const char *const *copy_strings(const char *const *strings, unsigned count)
{
	const char **copy = calloc(count + 1u, sizeof(*copy));

	for (unsigned i = 0; copy && i < count; i++) {
		copy[i] = strdup(strings[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

int carrier_start(const struct carrier_desc *desc, struct carrier **ret)
{
	cleanup(carrier_freep) struct carrier *c = calloc(1, sizeof(*c));
	uint64_t timeout_ns =
		desc->boot_timeout_ns ? desc->boot_timeout_ns : CARRIER_BOOT_TIMEOUT_NS;

	if (!c)
		return err_new(-ENOMEM, "carrier: no memory");
	c->qemu = CARRIER_QEMU_NULL;
	c->signal_fd = desc->signal_fd;
	c->disks = copy_strings(desc->rw_disks, desc->rw_disk_count);
	if (!c->disks)
		return err_new(-ENOMEM, "carrier: no memory");
	struct session s = { .c = c, .stdin_fd = -1, .results = CARRIER_RESULTS_NULL };
	int r = carrier_qemu_start(desc, &c->qemu);
	s.deadline_ns = now_ns() + timeout_ns;
	if (r >= 0)
		r = session_run(&s);
	if (r < 0)
		return err_trace(r);
	if (s.result.end == CARRIER_INTERRUPTED)
		return CARRIER_INTERRUPTED;
	*ret = steal_ptr(&c);
	return 0;
}

/* Keys reach the command uninterpreted, ^C included: its own terminal, inside, interprets them. */
static bool make_raw(int fd, struct termios *saved)
{
	struct termios raw;

	if (tcgetattr(fd, saved) < 0)
		return false;
	raw = *saved;
	cfmakeraw(&raw);
	return tcsetattr(fd, TCSADRAIN, &raw) == 0;
}

static int add_request(struct carrier *c, const struct carrier_command *command)
{
	char cwd[PATH_MAX];
	cleanup(freep) const char **envp = NULL;
	const char *const *from =
		command->envp ? command->envp : (const char *const *)(uintptr_t)environ;
	size_t count = 0;

	if (!command->cwd && !getcwd(cwd, sizeof(cwd)))
		return err_new(-errno, "carrier: the current directory: %s", strerror(errno));
	while (from[count])
		count++;
	envp = calloc(count + 2, sizeof(*envp));
	if (!envp)
		return err_new(-ENOMEM, "carrier: no memory");
	memcpy(envp, from, count * sizeof(*envp));
	envp[count] = "KTSTR_IN_CARRIER=1";
	struct carrier_run_request q = {
		.cwd = command->cwd ? command->cwd : cwd,
		.results_dir = command->results_dir,
		.argv = command->argv,
		.envp = envp,
		.disks = c->disks,
		.is_tty = command->is_tty,
		.has_records = command->record,
	};
	return carrier_run_request_add(&c->out, &q);
}

int carrier_exec(struct carrier *c, const struct carrier_command *command,
		 struct carrier_result *ret)
{
	struct session s = {
		.c = c,
		.command = command,
		.deadline_ns = command->timeout_ns ? now_ns() + command->timeout_ns : UINT64_MAX,
		.stdin_credit = CARRIER_STDIN_WINDOW,
		.stdin_fd = command->stdin_fd,
	};
	struct termios saved;
	bool is_raw = false;
	int r = carrier_results_open(&s.results, command->results_dir);

	if (r >= 0)
		r = add_request(c, command);
	if (r >= 0 && command->stdin_fd < 0)
		carrier_frame_add(&c->out, CARRIER_STDIN_END, NULL, 0);
	if (r >= 0 && command->is_tty) {
		is_raw = make_raw(command->stdin_fd, &saved);
		send_size(&s);
	}
	if (r >= 0)
		r = session_run(&s);
	if (is_raw)
		tcsetattr(command->stdin_fd, TCSADRAIN, &saved);
	carrier_results_deinit(&s.results);
	if (r < 0)
		return err_trace(r);
	*ret = s.result;
	return 0;
}

const char *carrier_console(const struct carrier *c)
{
	return buf_text(&c->console);
}

int carrier_pid(const struct carrier *c)
{
	return c->qemu.pid;
}

struct carrier *carrier_free(struct carrier *c)
{
	if (!c)
		return NULL;
	carrier_qemu_stop(&c->qemu);
	carrier_reader_deinit(&c->reader);
	buf_deinit(&c->out);
	buf_deinit(&c->console);
	for (unsigned i = 0; c->disks && c->disks[i]; i++)
		free((void *)(uintptr_t)c->disks[i]);
	free((void *)(uintptr_t)c->disks);
	free(c);
	return NULL;
}

void carrier_freep(struct carrier **c)
{
	*c = carrier_free(*c);
}

int carrier_exit_status(const struct carrier_result *result)
{
	switch (result->end) {
	case CARRIER_EXITED:
		return result->status;
	case CARRIER_TIMED_OUT:
		return 124;
	case CARRIER_SIGNALLED:
	case CARRIER_INTERRUPTED:
		break;
	}
	return 128 + result->status;
}

bool carrier_is_inside(void)
{
	return getenv("KTSTR_IN_CARRIER") != NULL;
}

int carrier_signals_take(int *fd_ret, sigset_t *old_ret)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	int r = pthread_sigmask(SIG_BLOCK, &set, old_ret);
	if (r)
		return err_new(-r, "block signals: %s", strerror(r));
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		r = err_new(-errno, "signalfd: %s", strerror(errno));
		pthread_sigmask(SIG_SETMASK, old_ret, NULL);
		return r;
	}
	*fd_ret = fd;
	return 0;
}

void carrier_signals_give_back(int *fd, const sigset_t *old)
{
	*fd = fd_close(*fd);
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

static int start_and_exec(const struct carrier_desc *desc, const struct carrier_command *command,
			  struct carrier_result *ret)
{
	cleanup(carrier_freep) struct carrier *c = NULL;
	int r = carrier_start(desc, &c);

	if (r == CARRIER_INTERRUPTED) {
		*ret = (struct carrier_result){ CARRIER_INTERRUPTED, SIGINT, 0 };
		return 0;
	}
	return r < 0 ? err_trace(r) : carrier_exec(c, command, ret);
}

int carrier_run(const struct carrier_desc *desc, const struct carrier_command *command,
		int *exit_status_ret)
{
	struct carrier_desc with_signals = *desc;
	struct carrier_result result;
	sigset_t old;
	bool is_ours = desc->signal_fd < 0;
	int r = is_ours ? carrier_signals_take(&with_signals.signal_fd, &old) : 0;

	if (r < 0)
		return err_trace(r);
	r = start_and_exec(&with_signals, command, &result);
	if (is_ours)
		carrier_signals_give_back(&with_signals.signal_fd, &old);
	if (r < 0)
		return err_trace(r);
	*exit_status_ret = carrier_exit_status(&result);
	return 0;
}
