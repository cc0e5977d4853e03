// SPDX-License-Identifier: GPL-2.0-only
/* Process 1: set the system up, serve the host.
 *
 *   channel --frames--> init --+-- command: one program and its streams
 *                              +-- performance: one plan, in a process of its own (conductor)
 *
 * init owns the channel; everything else hands it frames. It waits in one epoll loop and does
 * nothing that could block: work that may is the conductor's. */
#include "guest/init.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "guest/channel.h"
#include "guest/command.h"
#include "guest/loop.h"
#include "guest/performance.h"
#include "guest/setup.h"
#include "wire/report.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PORT_WAIT_NS = 20 * NSEC_PER_SEC, INIT_PRIORITY = 98 };

struct init {
	struct loop loop;
	struct channel channel;
	struct watch channel_watch;
	struct watch child_watch;
	struct command command;
	struct performance performance;
	uint32_t module_count;
	bool is_over;
};

static bool is_busy(const struct init *init)
{
	return command_is_running(&init->command) || performance_is_running(&init->performance);
}

static int send_failed(struct init *init, uint32_t plan_id, enum wire_failed_kind kind,
		       const char *text)
{
	struct wire_failed f = { .plan_id = plan_id, .kind = kind };

	return channel_send2(&init->channel, FRAME_FAILED, &f, sizeof(f), text, strlen(text));
}

static int on_clock(struct init *init, const struct frame *f)
{
	struct wire_clock c;
	int r = clock_decode(f->payload, f->len, &c);

	if (r)
		return err_trace(r);
	c.guest_ns = now_ns();
	return channel_send(&init->channel, FRAME_CLOCK, &c, sizeof(c));
}

static int on_plan(struct init *init, const struct frame *f)
{
	struct wire_done done = { .status = 1 };
	struct plan plan = PLAN_NULL;
	int r;

	if (f->len >= sizeof(struct plan_header))
		done.plan_id =
			((struct plan_header){ .id = le32_get((const char *)f->payload + 4) }).id;
	if (is_busy(init))
		return send_failed(init, done.plan_id, FAILED_BUSY, "another plan or command runs");
	r = plan_decode(f->payload, f->len, &plan);
	if (!r)
		return performance_start(&init->performance, &plan);
	r = send_failed(init, done.plan_id, FAILED_PLAN, err_text());
	return r ? r : channel_send(&init->channel, FRAME_DONE, &done, sizeof(done));
}

/* A command that could not be started has ended with 126. */
static int refuse_command(struct init *init)
{
	struct wire_exit e = { .status = 126 };
	const char *words = err_text();
	int r = channel_send(&init->channel, FRAME_STDERR, words, strlen(words));

	return r ? r : channel_send(&init->channel, FRAME_EXIT, &e, sizeof(e));
}

static int on_exec(struct init *init, const struct frame *f)
{
	cleanup(exec_request_deinit) struct exec_request e = EXEC_REQUEST_NULL;
	int r;

	if (is_busy(init))
		return send_failed(init, 0, FAILED_BUSY, "another plan or command runs");
	r = exec_decode(f->payload, f->len, &e);
	if (!r)
		r = command_start(&init->command, &e);
	return r ? refuse_command(init) : 0;
}

static int on_stdin(struct init *init, const struct frame *f)
{
	return command_input(&init->command, f->payload, f->len);
}

static int on_winsize(struct init *init, const struct frame *f)
{
	struct wire_winsize w;
	int r = winsize_decode(f->payload, f->len, &w);

	if (r)
		return err_trace(r);
	command_resize(&init->command, &w);
	return 0;
}

static int on_signal(struct init *init, const struct frame *f)
{
	struct wire_signal s;
	int r = signal_decode(f->payload, f->len, &s);

	if (r)
		return err_trace(r);
	command_signal(&init->command, &s);
	return 0;
}

static int on_stop(struct init *init, const struct frame *f)
{
	performance_stop(&init->performance);
	return 0;
}

static int on_shutdown(struct init *init, const struct frame *f)
{
	init->is_over = true;
	return 0;
}

static const struct {
	enum frame_type type;
	int (*handle)(struct init *init, const struct frame *f);
} handlers[] = {
	{ FRAME_CLOCK, on_clock }, { FRAME_PLAN, on_plan },	    { FRAME_EXEC, on_exec },
	{ FRAME_STDIN, on_stdin }, { FRAME_WINSIZE, on_winsize },   { FRAME_SIGNAL, on_signal },
	{ FRAME_STOP, on_stop },   { FRAME_SHUTDOWN, on_shutdown },
};

static int handle_frame(struct init *init, const struct frame *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].type == f->type)
			return handlers[i].handle(init, f);
	return err_new(-EPROTO, "a %s frame is not for the guest", frame_name(f->type));
}

/* Handle what has arrived. Input that the command does not take yet stays, and all behind it. */
static int handle_frames(struct init *init)
{
	struct frame f;
	int r;

	while (!init->is_over) {
		r = channel_peek(&init->channel, &f);
		if (r == FRAME_MORE)
			return 0;
		if (r)
			return err_trace(r);
		if (f.type == FRAME_STDIN && !command_wants_input(&init->command))
			return 0;
		r = handle_frame(init, &f);
		channel_drop(&init->channel, &f);
		if (r)
			return err_trace(r);
	}
	return 0;
}

static int channel_ready(void *ctx, uint32_t events)
{
	struct init *init = ctx;
	int r = channel_flush(&init->channel);

	/* Not reading while input waits is what slows the host down. */
	if (!r && command_wants_input(&init->command))
		r = channel_read(&init->channel);
	return r;
}

static int child_ended(struct init *init, pid_t pid, int status)
{
	if (pid == init->command.pid)
		return command_ended(&init->command, status);
	if (pid == init->performance.pid)
		return performance_ended(&init->performance, status);
	return 0;
}

/* Everything orphaned in the machine is ours to reap. */
static int child_ready(void *ctx, uint32_t events)
{
	struct init *init = ctx;
	struct signalfd_siginfo info;
	int status, r = 0;
	pid_t pid = 0;

	while (read(init->child_watch.fd, &info, sizeof(info)) > 0)
		;
	while (!r && (pid = waitpid(-1, &status, WNOHANG)) > 0)
		r = child_ended(init, pid, status);
	if (!r && pid < 0 && errno == ECHILD)
		r = performance_swept(&init->performance);
	return r;
}

static int watch_children(struct init *init)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	init->child_watch = (struct watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
					    .ready = child_ready,
					    .ctx = init };
	if (init->child_watch.fd < 0)
		return err_new(-errno, "signalfd: %s", strerror(errno));
	return loop_watch(&init->loop, &init->child_watch, EPOLLIN);
}

static uint32_t count_nodes(void)
{
	char path[64];
	uint32_t n = 0;

	do
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", n);
	while (!access(path, F_OK) && ++n);
	return n ? n : 1;
}

static uint32_t find_features(void)
{
	uint32_t found = 0;

	for (unsigned id = 0; id < FEATURE_COUNT; id++)
		if (!access(feature_at(id)->path, F_OK))
			found |= 1U << id;
	return found;
}

static int send_ready(struct init *init, uint64_t start_ns)
{
	struct wire_ready m = { .version = WIRE_VERSION,
				.cpus_online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
				.cpus_possible = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
				.nodes = count_nodes(),
				.flags = find_features() << READY_FEATURES_SHIFT,
				.modules = init->module_count,
				.init_start_ns = start_ns };
	struct utsname names;
	struct sysinfo info;

	if (!access("/dev/vda", F_OK))
		m.flags |= READY_HAS_DISK;
	if (!uname(&names))
		snprintf(m.release, sizeof(m.release), "%.63s", names.release);
	if (!sysinfo(&info))
		m.memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	m.now_ns = now_ns();
	return channel_send(&init->channel, FRAME_READY, &m, sizeof(m));
}

/* Above all workers, so that a machine full of real-time hogs still answers; children begin as
 * ordinary tasks. */
static int raise_priority(void)
{
	struct sched_param param = { .sched_priority = INIT_PRIORITY };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		return err_new(-errno, "sched_setscheduler: %s", strerror(errno));
	return 0;
}

static int open_channel(struct init *init)
{
	int r = setup_port(WIRE_PORT_NAME, now_ns() + PORT_WAIT_NS, &init->channel.fd);

	if (r)
		return err_trace(r);
	init->channel_watch =
		(struct watch){ .fd = init->channel.fd, .ready = channel_ready, .ctx = init };
	/* Edges only: a host that has not opened its end yet would look ready all the time. */
	return loop_watch(&init->loop, &init->channel_watch, EPOLLIN | EPOLLOUT | EPOLLET);
}

static int set_up(struct init *init, uint64_t start_ns)
{
	int r = setup_mounts();

	if (!r)
		r = setup_modules(&init->module_count);
	if (!r)
		r = setup_system();
	if (!r)
		r = setup_cpus();
	if (!r)
		r = loop_init(&init->loop);
	if (!r)
		r = watch_children(init);
	if (!r)
		r = open_channel(init);
	if (!r)
		r = raise_priority();
	return r ? r : send_ready(init, start_ns);
}

static int serve(struct init *init)
{
	int r = 0;

	while (!r && !init->is_over) {
		r = loop_round(&init->loop, UINT64_MAX);
		if (!r)
			r = command_resume(&init->command);
		if (!r)
			r = performance_resume(&init->performance);
		/* A command that takes input again lets held-back frames go. */
		if (!r)
			r = handle_frames(init);
		if (!r && init->channel.out.len == 0 && command_wants_input(&init->command))
			r = channel_read(&init->channel);
	}
	return r < 0 ? r : 0;
}

static void __attribute__((noreturn)) reset_machine(void)
{
	setup_kill_all();
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

/* A blocking write returns when the host has the bytes: the reset must not overtake them. */
static void tell_last_words(struct init *init)
{
	if (init->channel.fd < 0)
		return;
	fcntl(init->channel.fd, F_SETFL, 0);
	(void)!send_failed(init, 0, FAILED_GUEST, err_text());
}

void guest_init_main(void)
{
	struct init init = { .loop = LOOP_NULL,
			     .channel = CHANNEL_NULL,
			     .channel_watch = WATCH_NULL,
			     .child_watch = WATCH_NULL };
	struct timespec boot;
	int r;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	command_init(&init.command, &init.loop, &init.channel);
	performance_init(&init.performance, &init.loop, &init.channel);
	r = set_up(&init, (uint64_t)boot.tv_sec * NSEC_PER_SEC + (uint64_t)boot.tv_nsec);
	if (!r)
		r = serve(&init);
	if (r) {
		dprintf(2, "ktstr init: %s (%s)\n", err_text(), err_places());
		tell_last_words(&init);
	}
	reset_machine();
}
