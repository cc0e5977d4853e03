// SPDX-License-Identifier: GPL-2.0-only
/* Programs of a plan: started in their cgroup, their output passed on, ended at their time limit. */
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"
#include "wire/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAYLOAD_CHUNK = 65536 };

static const struct plan_payload *record_of(const struct conductor *c, uint32_t index)
{
	return &c->plan->payloads[index];
}

/* NULL-terminated list of @count strings of the plan from @offset on; the caller frees it. */
static char **string_list(const struct plan *p, uint32_t offset, uint32_t count)
{
	char **list = calloc(count + 1, sizeof(*list));

	for (uint32_t i = 0; i < count && list; i++) {
		list[i] = p->strings + offset;
		offset += (uint32_t)strlen(list[i]) + 1;
	}
	return list;
}

static int prepare_child(const struct conductor *c, const struct plan_payload *l)
{
	int r = 0;

	if (l->cgroup != PLAN_NONE)
		r = cgroup_move(c->plan->cgroups[l->cgroup].path, getpid());
	if (!r && !mask_is_empty(&l->affinity))
		r = task_set_affinity(0, &l->affinity);
	if (!r)
		r = task_set_sched(0, &l->sched);
	if (!r && l->flags & EXEC_ROOT && (chroot("/ktstr/root") || chdir("/")))
		r = err_new(-errno, "chroot /ktstr/root: %s", strerror(errno));
	return r;
}

static void __attribute__((noreturn))
become(struct conductor *c, const struct plan_payload *l, int out, int err)
{
	char **argv = string_list(c->plan, l->argv, l->argc);
	char **envp = string_list(c->plan, l->env, l->envc);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(out, 1);
	dup2(err, 2);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (!argv || !envp || prepare_child(c, l)) {
		dprintf(2, "ktstr: payload %s: %s\n", l->name, err_text());
		_exit(126);
	}
	environ = envp;
	execvp(argv[0], argv);
	dprintf(2, "ktstr: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static uint32_t index_of(const struct payload *p)
{
	return (uint32_t)(p - p->conductor->payloads);
}

static void forward(struct payload *p, struct watch *w, uint32_t stream)
{
	struct wire_payload_out head = { .payload = index_of(p), .stream = stream };
	char chunk[PAYLOAD_CHUNK];
	ssize_t n = read(w->fd, chunk, sizeof(chunk));

	if (n > 0)
		conductor_send(p->conductor, FRAME_PAYLOAD_OUT, &head, sizeof(head), chunk,
			       (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_close(loop_unwatch(&p->conductor->loop, w));
}

static int out_ready(void *ctx, uint32_t events)
{
	struct payload *p = ctx;

	forward(p, &p->out, 1);
	return 0;
}

static int err_ready(void *ctx, uint32_t events)
{
	struct payload *p = ctx;

	forward(p, &p->err, 2);
	return 0;
}

static int watch_pipe(struct payload *p, struct watch *w, int *fd,
		      int (*ready)(void *ctx, uint32_t events))
{
	*w = (struct watch){ .fd = *fd, .ready = ready, .ctx = p };
	int r = loop_watch(&p->conductor->loop, w, EPOLLIN);

	if (r)
		w->fd = -1;
	else
		*fd = -1;
	return r;
}

int payload_start(struct conductor *c, uint32_t index)
{
	const struct plan_payload *l = record_of(c, index);
	struct payload *p = &c->payloads[index];
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int r = 0;

	if (p->has_run && !p->has_ended)
		return err_new(-EBUSY, "payload %s runs already", l->name);
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) || pipe2(err, O_CLOEXEC | O_NONBLOCK))
		r = err_new(-errno, "pipe: %s", strerror(errno));
	*p = (struct payload){ .out = WATCH_NULL,
			       .err = WATCH_NULL,
			       .has_run = true,
			       .start_ns = now_ns(),
			       .conductor = c };
	if (!r)
		p->pid = fork();
	if (!r && p->pid < 0)
		r = err_new(-errno, "fork: %s", strerror(errno));
	if (!r && !p->pid) {
		/* The program's ends block, as programs expect. */
		fcntl(out[1], F_SETFL, 0);
		fcntl(err[1], F_SETFL, 0);
		become(c, l, out[1], err[1]);
	}
	if (!r)
		r = watch_pipe(p, &p->out, &out[0], out_ready);
	if (!r)
		r = watch_pipe(p, &p->err, &err[0], err_ready);
	p->has_ended = p->pid <= 0;
	for (int i = 0; i < 2; i++) {
		fd_close(out[i]);
		fd_close(err[i]);
	}
	return r;
}

bool payload_has_ended(const struct conductor *c, uint32_t index)
{
	return !c->payloads[index].has_run || c->payloads[index].has_ended;
}

int payload_wait(struct conductor *c, uint32_t index)
{
	return conductor_wait(c, payload_has_ended, index, UINT64_MAX);
}

void payload_kill(struct conductor *c, uint32_t index)
{
	struct payload *p = &c->payloads[index];

	if (payload_has_ended(c, index))
		return;
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL);
	while (!p->has_ended && loop_round(&c->loop, UINT64_MAX) >= 0)
		;
}

void payload_kill_all(struct conductor *c)
{
	for (uint32_t i = 0; i < c->plan->header.payload_count; i++)
		payload_kill(c, i);
}

static void send_exit(struct conductor *c, const struct payload *p)
{
	struct wire_payload_exit e = { .payload = index_of(p),
				       .is_timeout = p->is_timeout,
				       .start_ns = p->start_ns,
				       .end_ns = p->end_ns,
				       .cpu_ns = p->cpu_ns };

	if (WIFSIGNALED(p->wait_status)) {
		e.signal = (uint32_t)WTERMSIG(p->wait_status);
		e.status = 128 + e.signal;
	} else {
		e.status = (uint32_t)WEXITSTATUS(p->wait_status);
	}
	conductor_send(c, FRAME_PAYLOAD_EXIT, &e, sizeof(e), NULL, 0);
}

static uint64_t rusage_ns(const struct rusage *u)
{
	return ((uint64_t)u->ru_utime.tv_sec + (uint64_t)u->ru_stime.tv_sec) * NSEC_PER_SEC +
	       ((uint64_t)u->ru_utime.tv_usec + (uint64_t)u->ru_stime.tv_usec) * NSEC_PER_USEC;
}

static void finish(struct conductor *c, struct payload *p, int wait_status,
		   const struct rusage *usage)
{
	p->has_ended = true;
	p->wait_status = wait_status;
	p->end_ns = now_ns();
	p->cpu_ns = rusage_ns(usage);
	/* What it wrote last, before its end is told; what its children write later is not its. */
	while (p->out.fd >= 0 && loop_peek(p->out.fd))
		forward(p, &p->out, 1);
	while (p->err.fd >= 0 && loop_peek(p->err.fd))
		forward(p, &p->err, 2);
	fd_close(loop_unwatch(&c->loop, &p->out));
	fd_close(loop_unwatch(&c->loop, &p->err));
	send_exit(c, p);
}

bool payload_ended(struct conductor *c, pid_t pid, int wait_status, const struct rusage *usage)
{
	for (uint32_t i = 0; i < c->plan->header.payload_count; i++) {
		struct payload *p = &c->payloads[i];

		if (!p->has_run || p->has_ended || p->pid != pid)
			continue;
		finish(c, p, wait_status, usage);
		return true;
	}
	return false;
}

static uint64_t limit_of(const struct conductor *c, uint32_t index)
{
	const struct payload *p = &c->payloads[index];
	uint64_t timeout_ns = record_of(c, index)->timeout_ns;

	if (!timeout_ns || payload_has_ended(c, index) || p->is_timeout)
		return UINT64_MAX;
	return p->start_ns + timeout_ns;
}

uint64_t payload_deadline_ns(const struct conductor *c)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < c->plan->header.payload_count; i++)
		first = MIN(first, limit_of(c, i));
	return first;
}

void payload_enforce_deadlines(struct conductor *c)
{
	for (uint32_t i = 0; i < c->plan->header.payload_count; i++) {
		if (limit_of(c, i) > now_ns())
			continue;
		c->payloads[i].is_timeout = true;
		kill(-c->payloads[i].pid, SIGKILL);
		kill(c->payloads[i].pid, SIGKILL);
	}
}
