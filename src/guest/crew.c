// SPDX-License-Identifier: GPL-2.0-only
/* The workers as the conductor handles them: forked into their cgroups, waited for at their gates,
 * stopped by a queued signal. What they are reported to have done is in crew_report.c.
 *
 * A process worker is one clone3(CLONE_INTO_CGROUP): born where it belongs, which spares the kernel
 * a migration and us a wait. A group of threads is one such process whose threads are its workers. */
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"
#include "guest/workload_table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPAWN_LIMIT_NS = 60 * NSEC_PER_SEC, THREAD_STACK_BYTES = 256 * 1024 };

static const struct plan_group *group_of(const struct conductor *c, uint32_t group)
{
	return &c->plan->groups[group];
}

static bool is_ended(const struct telemetry *t)
{
	return atomic_load_explicit(&t->state, memory_order_acquire) == STATE_ENDED;
}

/* How the kernel's wait status reads. */
static void describe_death(char *text, size_t size, const struct conductor *c, uint32_t worker,
			   int status)
{
	const struct plan_group *g = group_of(c, c->plan->workers[worker].group);

	if (WIFSIGNALED(status))
		snprintf(text, size, "worker %u (%s) was killed by signal %d (%s)", worker, g->name,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "worker %u (%s) exited with status %d before its end", worker,
			 g->name, WEXITSTATUS(status));
}

/* A worker that has ended: its reports, and words if it should not have. */
static void note_end(struct conductor *c, uint32_t worker)
{
	struct member *m = &c->members[worker];
	const struct telemetry *t = &c->pool.telemetry[worker];
	struct wire_event gone = { .ns = now_ns(),
				   .code = EVENT_WORKER_EXIT,
				   .index = worker,
				   .args = { (uint64_t)(uint32_t)m->wait_status } };
	char text[256];
	enum worker_end how;

	m->is_alive = false;
	how = crew_end_of(c, worker);
	crew_report_end(c, worker);
	m->schedstat_fd = fd_close(m->schedstat_fd);
	m->stat_fd = fd_close(m->stat_fd);
	if (how == WORKER_CRASHED) {
		describe_death(text, sizeof(text), c, worker, m->wait_status);
		conductor_fail(c, FAILED_WORKER, worker, text);
	} else if (how == WORKER_ERROR) {
		snprintf(text, sizeof(text), "worker %u (%s): %s", worker,
			 group_of(c, c->plan->workers[worker].group)->name, t->text);
		conductor_fail(c, FAILED_WORKER, worker, text);
	} else if (!m->is_stopping) {
		conductor_event(c, &gone);
	}
}

bool crew_ended(struct conductor *c, pid_t pid, int wait_status)
{
	bool is_ours = false;

	for (uint32_t i = 0; i < c->plan->header.worker_count; i++) {
		struct member *m = &c->members[i];

		if (m->pid != pid)
			continue;
		is_ours = true;
		m->wait_status = wait_status;
		if (m->is_alive)
			note_end(c, i);
	}
	return is_ours;
}

/* Threads say by the eventfd that they came to the gate or to their end. */
static int ready_event(void *ctx, uint32_t events)
{
	struct conductor *c = ctx;
	uint64_t count;

	(void)!read(c->ready_watch.fd, &count, sizeof(count));
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive && is_ended(&c->pool.telemetry[i]))
			note_end(c, i);
	return 0;
}

static bool has_snapshots(const struct plan *p)
{
	for (uint32_t i = 0; i < p->header.op_count; i++)
		if (p->ops[i].code == OP_SNAPSHOT)
			return true;
	return false;
}

int crew_init(struct conductor *c)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return err_new(-errno, "eventfd: %s", strerror(errno));
	c->ready_watch = (struct watch){ .fd = fd, .ready = ready_event, .ctx = c };
	c->looks_at_queues = c->plan->header.sample_ns || has_snapshots(c->plan);
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		c->members[i].schedstat_fd = c->members[i].stat_fd = -1;
	return loop_watch(&c->loop, &c->ready_watch, EPOLLIN);
}

void crew_deinit(struct conductor *c)
{
	for (uint32_t i = 0; c->members && i < c->plan->header.worker_count; i++) {
		c->members[i].schedstat_fd = fd_close(c->members[i].schedstat_fd);
		c->members[i].stat_fd = fd_close(c->members[i].stat_fd);
	}
	fd_close(loop_unwatch(&c->loop, &c->ready_watch));
}

/* Hand a worker all it needs; its memory is as new. */
static void prepare_worker(struct conductor *c, uint32_t index, uint32_t member,
			   struct ensemble *ensemble)
{
	const struct plan_worker *record = &c->plan->workers[index];
	struct telemetry *t = &c->pool.telemetry[index];

	memset(t, 0, sizeof(*t));
	telemetry_part_clear(&t->part[0]);
	telemetry_part_clear(&t->part[1]);
	shared_set(&t->cpu, REPORT_NO_CPU);
	t->allowed.mask[0] = c->allowed[index];
	c->pool.workers[index] = (struct worker){ .pool = c->pool.head,
						  .telemetry = t,
						  .plan = c->plan,
						  .group = group_of(c, record->group),
						  .record = record,
						  .index = index,
						  .member = member,
						  .members = group_of(c, record->group)->ensemble,
						  .gate = shared_get(&c->pool.head->gate),
						  .ready_fd = c->ready_watch.fd,
						  .ensemble = ensemble };
	c->members[index] = (struct member){
		.schedstat_fd = -1, .stat_fd = -1, .is_alive = true, .queue_cpu = REPORT_NO_CPU
	};
	telemetry_part_clear(&c->members[index].earlier);
}

/* fork() into a cgroup. */
static int clone_into(const struct conductor *c, uint32_t cgroup, pid_t *pid_ret)
{
	cleanup(fd_closep) int fd = -1;
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid;
	int r;

	if (cgroup != PLAN_NONE) {
		r = cgroup_open(c->plan->cgroups[cgroup].path, &fd);
		if (r)
			return err_trace(r);
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return err_new(-errno, "clone into cgroup %s: %s",
			       cgroup == PLAN_NONE ? "/" : c->plan->cgroups[cgroup].path,
			       strerror(errno));
	*pid_ret = (pid_t)pid;
	return 0;
}

/* First thing in a worker's process. */
static void begin_process(struct conductor *c, const struct plan_group *g, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (g->flags & GROUP_NEW_SESSION)
		setsid();
	/* The ends of the host's pipe are not for workers. */
	close(c->out_fd);
	worker_prepare_process();
}

static void *thread_main(void *arg)
{
	worker_main(arg);
	return NULL;
}

static void __attribute__((noreturn)) threads_main(struct conductor *c, const struct plan_group *g)
{
	pthread_t threads[PLAN_WORKERS_MAX];
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	for (uint32_t i = 0; i < g->worker_count; i++) {
		struct worker *w = &c->pool.workers[g->first_worker + i];
		int r = pthread_create(&threads[i], &attr, thread_main, w);

		if (r) {
			dprintf(2, "ktstr: thread %u of %s: %s\n", i, g->name, strerror(r));
			_exit(1);
		}
	}
	for (uint32_t i = 0; i < g->worker_count; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

static void ensemble_init(struct conductor *c, struct ensemble *e, uint32_t first_worker)
{
	for (int i = 0; i < WORKER_FDS; i++)
		e->fds[i] = -1;
	e->shared = c->pool.shared + (size_t)first_worker * WORKER_SHARED_BYTES;
	memset(e->shared, 0, WORKER_SHARED_BYTES);
}

static void ensemble_close(struct ensemble *e)
{
	for (int i = 0; i < WORKER_FDS; i++)
		e->fds[i] = fd_close(e->fds[i]);
}

static int spawn_processes(struct conductor *c, const struct plan_group *g, uint32_t first,
			   struct ensemble *e)
{
	pid_t parent = getpid();
	int r = 0;

	for (uint32_t k = 0; k < g->ensemble && !r; k++)
		prepare_worker(c, first + k, k, e);
	for (uint32_t k = 0; k < g->ensemble && !r; k++) {
		struct member *m = &c->members[first + k];

		r = clone_into(c, c->plan->workers[first + k].cgroup, &m->pid);
		if (r || m->pid)
			continue;
		begin_process(c, g, parent);
		worker_main(&c->pool.workers[first + k]);
		_exit(0);
	}
	/* Those that could not be made are not there to be waited for. */
	for (uint32_t k = 0; k < g->ensemble; k++)
		c->members[first + k].is_alive = c->members[first + k].pid;
	return r;
}

/* Each ensemble in turn; its descriptors are open only while its processes are forked, so that no
 * other worker inherits them. */
static int spawn_group_of_processes(struct conductor *c, const struct plan_group *g)
{
	int r = 0;

	for (uint32_t i = 0; i < g->worker_count && !r; i += g->ensemble) {
		struct ensemble e;

		ensemble_init(c, &e, g->first_worker + i);
		r = workload_prepare(g->workload, &e, g->params);
		if (!r)
			r = spawn_processes(c, g, g->first_worker + i, &e);
		ensemble_close(&e);
	}
	return r;
}

static int spawn_group_of_threads(struct conductor *c, const struct plan_group *g)
{
	uint32_t count = g->worker_count / g->ensemble;
	cleanup(freep) struct ensemble *all = calloc(count, sizeof(*all));
	pid_t pid = 0, parent = getpid();
	int r = all ? 0 : err_new(-ENOMEM, "group %s: out of memory", g->name);

	for (uint32_t i = 0; i < count && !r; i++) {
		uint32_t first = g->first_worker + i * g->ensemble;

		ensemble_init(c, &all[i], first);
		for (uint32_t k = 0; k < g->ensemble; k++)
			prepare_worker(c, first + k, k, &all[i]);
		r = workload_prepare(g->workload, &all[i], g->params);
	}
	if (!r)
		r = clone_into(c, c->plan->workers[g->first_worker].cgroup, &pid);
	if (!r && !pid) {
		begin_process(c, g, parent);
		threads_main(c, g);
	}
	for (uint32_t i = 0; i < g->worker_count; i++) {
		c->members[g->first_worker + i].pid = pid;
		c->members[g->first_worker + i].is_alive = !r;
	}
	for (uint32_t i = 0; i < count && all; i++)
		ensemble_close(&all[i]);
	return r;
}

static bool is_at_gate(const struct conductor *c, uint32_t group)
{
	const struct plan_group *g = group_of(c, group);

	for (uint32_t i = 0; i < g->worker_count; i++) {
		const struct telemetry *t = &c->pool.telemetry[g->first_worker + i];

		if (atomic_load_explicit(&t->state, memory_order_acquire) < STATE_READY)
			return false;
	}
	return true;
}

static int open_task_file(const struct conductor *c, uint32_t worker, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%u/%s", c->members[worker].pid,
		 c->pool.telemetry[worker].tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void open_figures(struct conductor *c, uint32_t worker)
{
	struct member *m = &c->members[worker];

	m->schedstat_fd = open_task_file(c, worker, "schedstat");
	if (c->looks_at_queues)
		m->stat_fd = open_task_file(c, worker, "stat");
	sample_cpu_clock(c, worker, &m->now);
	sample_worker(c, worker, &m->now);
	m->begin = m->now;
}

int crew_spawn(struct conductor *c, uint32_t group)
{
	const struct plan_group *g = group_of(c, group);
	int r;

	for (uint32_t i = 0; i < g->worker_count; i++)
		if (c->members[g->first_worker + i].is_alive)
			return err_new(-EBUSY, "group %s runs already", g->name);
	if (g->flags & GROUP_THREADS)
		r = spawn_group_of_threads(c, g);
	else
		r = spawn_group_of_processes(c, g);
	if (!r)
		r = conductor_wait(c, is_at_gate, group, now_ns() + SPAWN_LIMIT_NS);
	if (r == -ETIMEDOUT)
		return err_prefix(r, "group %s: not all workers came to their gates: ", g->name);
	for (uint32_t i = 0; i < g->worker_count && !r; i++)
		open_figures(c, g->first_worker + i);
	return r;
}

void crew_open_gates(struct conductor *c)
{
	struct pool_head *head = c->pool.head;
	struct wire_event e = { .ns = now_ns(), .code = EVENT_GATE, .index = c->step };

	shared_set(&head->gate_ns, e.ns);
	atomic_fetch_add_explicit(&head->gate, 1, memory_order_release);
	worker_futex_wake(&head->gate, INT32_MAX);
	conductor_event(c, &e);
	payload_open_gates(c, e.ns);
}

bool crew_has_exited(const struct conductor *c, uint32_t group)
{
	const struct plan_group *g = group_of(c, group);

	for (uint32_t i = 0; i < g->worker_count; i++)
		if (c->members[g->first_worker + i].is_alive)
			return false;
	return true;
}

uint64_t crew_iterations(const struct conductor *c, uint32_t group)
{
	const struct plan_group *g = group_of(c, group);
	uint64_t n = 0;

	for (uint32_t i = 0; i < g->worker_count; i++) {
		uint32_t w = g->first_worker + i;

		n += shared_get(&c->pool.telemetry[w].iterations) - c->members[w].begin.iterations;
	}
	return n;
}

/* Queue the stop to one thread, with the address that its handler jumps by. It is blocked until the
 * worker can take it, so one that is still being set up gets it too; only a thread that has not said
 * its number yet goes with its whole process. */
static void send_stop(struct conductor *c, uint32_t worker)
{
	const struct plan_group *g = group_of(c, c->plan->workers[worker].group);
	struct member *m = &c->members[worker];
	siginfo_t info = { .si_code = SI_QUEUE, .si_signo = worker_stop_signal() };
	pid_t tid = g->flags & GROUP_THREADS ? (pid_t)c->pool.telemetry[worker].tid : m->pid;

	if (m->is_stopping)
		return;
	info.si_value.sival_ptr = &c->pool.workers[worker];
	info.si_pid = getpid();
	m->is_stopping = true;
	if (!tid) {
		kill(m->pid, SIGKILL);
		return;
	}
	syscall(SYS_rt_tgsigqueueinfo, m->pid, tid, worker_stop_signal(), &info);
	/* One that is stopped by a signal answers only when it runs again. */
	kill(m->pid, SIGCONT);
}

void crew_stop(struct conductor *c, uint32_t group)
{
	const struct plan_group *g = group_of(c, group);
	uint64_t deadline = now_ns() + c->report_deadline_ns;

	for (uint32_t i = 0; i < g->worker_count; i++)
		if (c->members[g->first_worker + i].is_alive)
			send_stop(c, g->first_worker + i);
	while (!crew_has_exited(c, group) && loop_round(&c->loop, deadline) == 0)
		;
	for (uint32_t i = 0; i < g->worker_count; i++)
		if (c->members[g->first_worker + i].is_alive)
			kill(c->members[g->first_worker + i].pid, SIGKILL);
	/* Nothing outlives SIGKILL but a wait for a device; the host's patience bounds that. */
	while (!crew_has_exited(c, group) && loop_round(&c->loop, UINT64_MAX) >= 0)
		;
}

void crew_stop_all(struct conductor *c)
{
	/* All at once first, so that none runs alone while another is waited for. */
	for (uint32_t i = 0; i < c->plan->header.worker_count; i++)
		if (c->members[i].is_alive)
			send_stop(c, i);
	for (uint32_t g = 0; g < c->plan->header.group_count; g++)
		crew_stop(c, g);
}
