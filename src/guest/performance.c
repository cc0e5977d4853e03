// SPDX-License-Identifier: GPL-2.0-only
/* The conductor from outside. Its frames come through a pipe, so that a conductor that dies in the
 * middle of one cannot tear the channel's stream: only whole frames are passed on. */
#include "guest/performance.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"
#include "guest/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, RELAY_CHUNK = 65536 };

void performance_init(struct performance *p, struct loop *loop, struct channel *channel)
{
	*p = (struct performance){
		.loop = loop, .channel = channel, .frames = WATCH_NULL, .control_fd = -1
	};
}

bool performance_is_running(const struct performance *p)
{
	return p->pid || p->is_sweeping;
}

static int pass_on(struct performance *p)
{
	struct frame f;
	int r;

	while ((r = frame_peek(&p->in, p->seq, &f)) == 0) {
		r = channel_send(p->channel, (enum frame_type)f.type, f.payload, f.len);
		frame_consume(&p->in, &f);
		p->seq++;
		if (r)
			return err_trace(r);
	}
	return r == FRAME_MORE ? 0 : r;
}

/* Read once; @has_more_ret: there was something. */
static int relay(struct performance *p, bool *has_more_ret)
{
	char chunk[RELAY_CHUNK];
	ssize_t n = read(p->frames.fd, chunk, sizeof(chunk));
	int r;

	*has_more_ret = n > 0;
	if (n > 0) {
		buf_add(&p->in, chunk, (size_t)n);
		r = buf_ok(&p->in);
		return r ? r : pass_on(p);
	}
	if (n == 0)
		fd_close(loop_unwatch(p->loop, &p->frames));
	return 0;
}

static int frames_ready(void *ctx, uint32_t events)
{
	struct performance *p = ctx;
	bool has_more;
	int r = relay(p, &has_more);

	if (r || !channel_is_full(p->channel) || p->frames.fd < 0)
		return r;
	p->is_paused = true;
	return loop_rewatch(p->loop, &p->frames, 0);
}

int performance_resume(struct performance *p)
{
	if (!p->is_paused || channel_is_full(p->channel))
		return 0;
	p->is_paused = false;
	return p->frames.fd < 0 ? 0 : loop_rewatch(p->loop, &p->frames, EPOLLIN);
}

static void __attribute__((noreturn))
conduct(const struct plan *plan, int frames_fd, int control_fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(conductor_run(plan, frames_fd, control_fd));
}

int performance_start(struct performance *p, struct plan *plan)
{
	int frames[2], control[2];
	pid_t pid;

	p->plan = *plan;
	*plan = PLAN_NULL;
	if (pipe2(frames, O_CLOEXEC) || pipe2(control, O_CLOEXEC))
		return err_new(-errno, "pipe: %s", strerror(errno));
	fcntl(frames[1], F_SETPIPE_SZ, PIPE_BYTES);
	fcntl(frames[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		return err_new(-errno, "fork: %s", strerror(errno));
	if (!pid) {
		close(frames[0]);
		close(control[1]);
		conduct(&p->plan, frames[1], control[0]);
	}
	close(frames[1]);
	close(control[0]);
	p->pid = pid;
	p->seq = 0;
	p->status = CONDUCTOR_FAILED;
	p->control_fd = control[1];
	p->frames = (struct watch){ .fd = frames[0], .ready = frames_ready, .ctx = p };
	return loop_watch(p->loop, &p->frames, EPOLLIN);
}

void performance_stop(struct performance *p)
{
	if (p->pid)
		(void)!write(p->control_fd, "s", 1);
}

static int tell_crash(struct performance *p, int wait_status)
{
	struct wire_failed f = { .plan_id = p->plan.header.id, .kind = FAILED_GUEST };
	char text[128];

	if (WIFSIGNALED(wait_status))
		snprintf(text, sizeof(text), "the conductor was killed by signal %d (%s)",
			 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		snprintf(text, sizeof(text), "the conductor exited with status %d",
			 WEXITSTATUS(wait_status));
	return channel_send2(p->channel, FRAME_FAILED, &f, sizeof(f), text, strlen(text));
}

int performance_ended(struct performance *p, int wait_status)
{
	bool has_more = p->frames.fd >= 0;
	int r = 0;

	/* All it said is in the pipe by now. */
	while (!r && has_more && p->frames.fd >= 0)
		r = relay(p, &has_more);
	if (!r && (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) > CONDUCTOR_STOPPED))
		r = tell_crash(p, wait_status);
	else if (WIFEXITED(wait_status))
		p->status = WEXITSTATUS(wait_status);
	p->pid = 0;
	p->is_sweeping = true;
	setup_kill_all();
	return r;
}

/* CPUs that the plan took away come back. */
static void online_all_cpus(void)
{
	glob_t found;

	if (glob("/sys/devices/system/cpu/cpu[0-9]*/online", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		cleanup(buf_deinit) struct buf text = BUF_NULL;

		if (buf_read_file(&text, found.gl_pathv[i], 16) || buf_text(&text)[0] != '0')
			continue;
		if (write_file(found.gl_pathv[i], "1"))
			err_clear();
	}
	globfree(&found);
}

int performance_swept(struct performance *p)
{
	struct wire_done done = { .plan_id = p->plan.header.id, .status = (uint32_t)p->status };

	if (!p->is_sweeping)
		return 0;
	online_all_cpus();
	cgroup_sweep();
	fd_close(loop_unwatch(p->loop, &p->frames));
	fd_close(p->control_fd);
	buf_deinit(&p->in);
	plan_deinit(&p->plan);
	performance_init(p, p->loop, p->channel);
	return channel_send(p->channel, FRAME_DONE, &done, sizeof(done));
}
