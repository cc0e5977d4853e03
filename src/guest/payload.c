// SPDX-License-Identifier: GPL-2.0-only
/* Programs of a plan: started in their cgroup, alone or at the gate with the workers, their output
 * passed on, ended at their time limit. The child says through a pipe that closes when it becomes the
 * program how far it came: so a program that cannot be had is not taken for one that failed. */
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"
#include "wire/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAYLOAD_CHUNK = 65536,
	DRAIN_ROUNDS = 32, /* of what a pipe held at its program's end: at most 1 MiB */
};

/* For a child to come to its gate. */
static const uint64_t setup_limit_ns = 60 * NSEC_PER_SEC;

/* What a child says. */
enum { SAYS_READY = 'R', SAYS_FAILED = 'F' };

/* The child's ends. */
struct child_ends {
	int out, err, status;
	bool is_gated;
	uint32_t gate; /* it goes when the pool's gate is no longer this */
};

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

static void __attribute__((noreturn)) give_up(const struct child_ends *ends, int status)
{
	static const char word = SAYS_FAILED;

	(void)!write(ends->status, &word, 1);
	_exit(status);
}

static void wait_at_gate(const struct conductor *c, const struct child_ends *ends)
{
	static const char word = SAYS_READY;
	struct pool_head *head = c->pool.head;

	(void)!write(ends->status, &word, 1);
	while (atomic_load_explicit(&head->gate, memory_order_acquire) == ends->gate)
		syscall(SYS_futex, &head->gate, FUTEX_WAIT, ends->gate, NULL, NULL, 0);
}

static void __attribute__((noreturn))
become(struct conductor *c, const struct plan_payload *l, const struct child_ends *ends)
{
	char **argv = string_list(c->plan, l->argv, l->argc);
	char **envp = string_list(c->plan, l->env, l->envc);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(ends->out, 1);
	dup2(ends->err, 2);
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	if (!argv || !envp || prepare_child(c, l)) {
		dprintf(2, "ktstr: payload %s: %s\n", l->name, err_text());
		give_up(ends, 126);
	}
	if (ends->is_gated)
		wait_at_gate(c, ends);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = envp;
	execvp(argv[0], argv);
	dprintf(2, "ktstr: %s: %s\n", argv[0], strerror(errno));
	give_up(ends, errno == ENOENT ? 127 : 126);
}

static uint32_t index_of(const struct payload *p)
{
	return (uint32_t)(p - p->conductor->payloads);
}

static void send_bytes(struct payload *p, uint32_t stream, const void *bytes, size_t len)
{
	struct wire_payload_out head = { .payload = index_of(p), .stream = stream };

	conductor_send(p->conductor, FRAME_PAYLOAD_OUT, &head, sizeof(head), bytes, len);
}

/* What is over the limit is read all the same: a program must not wait for us. */
static void forward(struct payload *p, struct watch *w, uint32_t stream)
{
	uint64_t *sent = &p->sent_bytes[stream - 1];
	char chunk[PAYLOAD_CHUNK];
	ssize_t n = read(w->fd, chunk, sizeof(chunk));

	if (n > 0 && *sent <= PAYLOAD_OUT_MAX) {
		send_bytes(p, stream, chunk, (size_t)n);
		*sent += (uint64_t)n;
	} else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		fd_close(loop_unwatch(&p->conductor->loop, w));
	}
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

static int status_ready(void *ctx, uint32_t events)
{
	struct payload *p = ctx;
	char words[2];
	ssize_t n = read(p->status.fd, words, sizeof(words));

	for (ssize_t i = 0; i < n; i++) {
		p->is_at_gate |= words[i] == SAYS_READY;
		p->is_unstartable |= words[i] == SAYS_FAILED;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(loop_unwatch(&p->conductor->loop, &p->status));
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

/* It runs from @ns on. */
static void begin(struct payload *p, uint64_t ns)
{
	struct wire_event e = { .ns = ns, .code = EVENT_PAYLOAD_START, .index = index_of(p) };
	uint64_t timeout_ns = record_of(p->conductor, e.index)->timeout_ns;

	p->has_begun = true;
	p->start_ns = ns;
	if (timeout_ns)
		p->limit_ns = ns + timeout_ns;
	conductor_event(p->conductor, &e);
}

void payload_open_gates(struct conductor *c, uint64_t ns)
{
	for (uint32_t i = 0; i < c->plan->header.payload_count; i++)
		if (c->payloads[i].has_run && !c->payloads[i].has_begun)
			begin(&c->payloads[i], ns);
}

/* The three pipes of a payload, each ours and the child's end. */
struct pipes {
	int out[2], err[2], status[2];
};

static void pipes_close(struct pipes *s)
{
	for (int i = 0; i < 2; i++) {
		fd_close(s->out[i]);
		fd_close(s->err[i]);
		fd_close(s->status[i]);
	}
}

static int launch(struct conductor *c, struct payload *p, struct pipes *s, bool is_gated)
{
	const struct child_ends ends = { .out = s->out[1],
					 .err = s->err[1],
					 .status = s->status[1],
					 .is_gated = is_gated,
					 .gate = shared_get(&c->pool.head->gate) };
	int r;

	p->pid = fork();
	if (p->pid < 0)
		return err_new(-errno, "fork: %s", strerror(errno));
	if (!p->pid) {
		/* The program's ends block, as programs expect. */
		fcntl(ends.out, F_SETFL, 0);
		fcntl(ends.err, F_SETFL, 0);
		become(c, record_of(c, index_of(p)), &ends);
	}
	r = watch_pipe(p, &p->out, &s->out[0], out_ready);
	if (!r)
		r = watch_pipe(p, &p->err, &s->err[0], err_ready);
	return r ? r : watch_pipe(p, &p->status, &s->status[0], status_ready);
}

static bool is_set_up(const struct conductor *c, uint32_t index)
{
	return c->payloads[index].is_at_gate || c->payloads[index].has_ended;
}

int payload_start(struct conductor *c, uint32_t index, bool is_gated)
{
	const struct plan_payload *l = record_of(c, index);
	struct payload *p = &c->payloads[index];
	struct pipes s = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int r = 0;

	if (p->has_run)
		return err_new(-EBUSY, "payload %s has run already", l->name);
	/* One of an earlier plan is not its own. */
	if (l->file)
		unlink(plan_string(c->plan, l->file));
	if (pipe2(s.out, O_CLOEXEC | O_NONBLOCK) || pipe2(s.err, O_CLOEXEC | O_NONBLOCK) ||
	    pipe2(s.status, O_CLOEXEC | O_NONBLOCK))
		r = err_new(-errno, "pipe: %s", strerror(errno));
	*p = (struct payload){ .out = WATCH_NULL,
			       .err = WATCH_NULL,
			       .status = WATCH_NULL,
			       .has_run = true,
			       .limit_ns = UINT64_MAX,
			       .conductor = c };
	if (!r)
		r = launch(c, p, &s, is_gated);
	p->has_ended = p->pid <= 0;
	pipes_close(&s);
	if (!r && is_gated)
		return conductor_wait(c, is_set_up, index, now_ns() + setup_limit_ns);
	if (!r)
		begin(p, now_ns());
	return r;
}

bool payload_has_ended(const struct conductor *c, uint32_t index)
{
	return !c->payloads[index].has_run || c->payloads[index].has_ended;
}

int payload_wait(struct conductor *c, uint32_t index, uint64_t limit_ns)
{
	struct payload *p = &c->payloads[index];

	if (limit_ns)
		p->limit_ns = MIN(p->limit_ns, now_ns() + limit_ns);
	return conductor_wait(c, payload_has_ended, index, UINT64_MAX);
}

static void send_kill(const struct payload *p)
{
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL);
}

void payload_kill(struct conductor *c, uint32_t index)
{
	struct payload *p = &c->payloads[index];

	if (payload_has_ended(c, index))
		return;
	p->is_killed = true;
	send_kill(p);
	while (!p->has_ended && loop_round(&c->loop, UINT64_MAX) >= 0)
		;
}

void payload_kill_all(struct conductor *c)
{
	for (uint32_t i = 0; i < c->plan->header.payload_count; i++)
		payload_kill(c, i);
}

/* A program that went by itself just before we killed it went by itself. */
static enum payload_end end_of(const struct payload *p)
{
	bool is_sigkill = WIFSIGNALED(p->wait_status) && WTERMSIG(p->wait_status) == SIGKILL;

	if (p->is_unstartable)
		return PAYLOAD_NOT_STARTED;
	if (p->is_timeout && is_sigkill)
		return PAYLOAD_TIMED_OUT;
	return p->is_killed && is_sigkill ? PAYLOAD_KILLED : PAYLOAD_EXITED;
}

static void send_exit(struct conductor *c, const struct payload *p)
{
	struct wire_payload_exit e = { .payload = index_of(p),
				       .end = end_of(p),
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

/* The file that it wrote. A program may put anything there: only a plain file is read. */
static void send_file(struct conductor *c, struct payload *p)
{
	const char *path = plan_string(c->plan, record_of(c, index_of(p))->file);
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	char chunk[PAYLOAD_CHUNK];
	uint64_t sent = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	while (sent <= PAYLOAD_OUT_MAX && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		send_bytes(p, 3, chunk, (size_t)n);
		sent += (uint64_t)n;
	}
}

/* What it wrote last, before its end is told; what its children write later is not its. */
static void drain(struct payload *p, struct watch *w, uint32_t stream)
{
	for (int i = 0; i < DRAIN_ROUNDS && w->fd >= 0 && loop_peek(w->fd); i++)
		forward(p, w, stream);
	fd_close(loop_unwatch(&p->conductor->loop, w));
}

static void finish(struct conductor *c, struct payload *p, int wait_status,
		   const struct rusage *usage)
{
	p->has_ended = true;
	p->wait_status = wait_status;
	p->end_ns = now_ns();
	p->cpu_ns = rusage_ns(usage);
	while (p->status.fd >= 0 && loop_peek(p->status.fd))
		status_ready(p, 0);
	fd_close(loop_unwatch(&c->loop, &p->status));
	drain(p, &p->out, 1);
	drain(p, &p->err, 2);
	if (record_of(c, index_of(p))->file)
		send_file(c, p);
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

	return payload_has_ended(c, index) || p->is_timeout ? UINT64_MAX : p->limit_ns;
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
		send_kill(&c->payloads[i]);
	}
}
