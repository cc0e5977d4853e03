// SPDX-License-Identifier: GPL-2.0-only
/* A worker's life: set-up, gate, work, end. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/worker.h"
#include "guest/workload_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int worker_stop_signal(void)
{
	return SIGRTMAX - 1;
}

static void on_stop(int number, siginfo_t *info, void *context)
{
	struct worker *w = info->si_ptr;

	/* Only our own conductor queues it with a value; a stray one has none. */
	if (info->si_code == SI_QUEUE && w)
		siglongjmp(w->stop, WAY_OUT_STOP);
}

void worker_prepare_process(void)
{
	struct sigaction action = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigfillset(&action.sa_mask);
	sigaction(worker_stop_signal(), &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, worker_stop_signal());
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

/* Linux's struct sched_attr, version with uclamp; not in glibc 2.36. */
struct sched_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
	uint32_t util_min;
	uint32_t util_max;
};

_Static_assert(sizeof(struct sched_attributes) == 56, "SCHED_ATTR_SIZE_VER1");

enum {
	ATTR_RESET_ON_FORK = 0x01,
	ATTR_UTIL_CLAMP = 0x20 | 0x40,
	POLICY_FIFO = 1,
	POLICY_RR = 2,
	POLICY_DEADLINE = 6,
};

static void fill_attributes(struct sched_attributes *a, const struct plan_sched *s)
{
	a->size = sizeof(*a);
	/* Nothing of an old policy is kept when a new one is set. */
	if (s->flags & SCHED_HAS_POLICY) {
		a->policy = s->policy;
		a->priority = 0;
		a->runtime = a->deadline = a->period = 0;
		if (s->policy == POLICY_FIFO || s->policy == POLICY_RR)
			a->priority = s->priority;
		if (s->policy == POLICY_DEADLINE) {
			a->runtime = s->runtime_ns;
			a->deadline = s->deadline_ns;
			a->period = s->period_ns;
		}
	}
	if (s->flags & SCHED_HAS_NICE)
		a->nice = s->nice;
	if (s->flags & SCHED_HAS_SLICE)
		a->runtime = s->runtime_ns;
	a->flags = s->flags & SCHED_RESET_ON_FORK ? ATTR_RESET_ON_FORK : 0;
	if (s->flags & SCHED_HAS_UCLAMP) {
		a->flags |= ATTR_UTIL_CLAMP;
		a->util_min = s->uclamp_min;
		a->util_max = s->uclamp_max;
	}
}

int task_set_sched(pid_t tid, const struct plan_sched *s)
{
	struct sched_attributes a = { .size = sizeof(a) };

	if (!s->flags)
		return 0;
	if (syscall(SYS_sched_getattr, tid, &a, sizeof(a), 0))
		return err_new(-errno, "sched_getattr: %s", strerror(errno));
	fill_attributes(&a, s);
	if (syscall(SYS_sched_setattr, tid, &a, 0))
		return err_new(-errno, "sched_setattr policy %u nice %d priority %u: %s", a.policy,
			       a.nice, a.priority, strerror(errno));
	return 0;
}

int task_set_affinity(pid_t tid, const struct cpu_mask *mask)
{
	char text[MASK_TEXT_BYTES];

	if (syscall(SYS_sched_setaffinity, tid, sizeof(*mask), mask) < 0)
		return err_new(-errno, "sched_setaffinity to %s: %s", mask_format(mask, text),
			       strerror(errno));
	return 0;
}

static int set_mempolicy(const struct plan_group *g)
{
	bool has_nodes = g->mempolicy == MEMPOLICY_BIND || g->mempolicy == MEMPOLICY_PREFERRED ||
			 g->mempolicy == MEMPOLICY_INTERLEAVE ||
			 g->mempolicy == MEMPOLICY_WEIGHTED_INTERLEAVE;
	const uint64_t *nodes = has_nodes ? &g->mem_nodes : NULL;

	if (g->mempolicy == MEMPOLICY_DEFAULT)
		return 0;
	/* maxnode counts one more than the bits (set_mempolicy(2), BUGS). */
	if (syscall(SYS_set_mempolicy, g->mempolicy, nodes, has_nodes ? 65 : 0))
		return err_new(-errno, "set_mempolicy %u nodes 0x%" PRIx64 ": %s", g->mempolicy,
			       g->mem_nodes, strerror(errno));
	return 0;
}

static int set_up(struct worker *w)
{
	int r = 0;

	if (!mask_is_empty(&w->record->affinity))
		r = task_set_affinity(0, &w->record->affinity);
	if (!r)
		r = set_mempolicy(w->group);
	if (!r)
		r = task_set_sched(0, &w->group->sched);
	return r;
}

static void tell_conductor(struct worker *w)
{
	static const uint64_t one = 1;

	(void)!write(w->ready_fd, &one, sizeof(one));
}

static void wait_at_gate(struct worker *w)
{
	atomic_store_explicit(&w->telemetry->state, (uint32_t)STATE_READY, memory_order_release);
	tell_conductor(w);
	while (atomic_load_explicit(&w->pool->gate, memory_order_acquire) == w->gate)
		syscall(SYS_futex, &w->pool->gate, FUTEX_WAIT, w->gate, NULL, NULL, 0);
}

/* Beyond the gate. Waiting for the CPU began when it opened, whenever we came to run. */
static void begin(struct worker *w)
{
	struct telemetry *t = w->telemetry;

	t->start_ns = shared_get(&w->pool->gate_ns);
	w->last_ns = t->start_ns;
	w->stride = 1;
	w->left = 1;
	w->cpu = REPORT_NO_CPU;
	w->is_linked = true;
	w->random = w->plan->header.seed + w->index;
	worker_random(w);
	shared_set(&t->last_ns, t->start_ns);
	shared_set(&t->state, (uint32_t)STATE_RUNNING);
	worker_checkpoint(w);
}

/* cpu time, run delay, slices: as the kernel counts them for this thread. */
static void read_schedstat(struct telemetry *t)
{
	char text[128] = "";
	cleanup(fd_closep) int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	struct timespec ts;

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%*u %" SCNu64 " %" SCNu64, &t->run_delay_ns, &t->slices);
	/* This clock counts up to now, schedstat's first field up to the last tick. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	t->cpu_ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void end(struct worker *w, enum worker_end how)
{
	struct telemetry *t = w->telemetry;

	t->end_ns = now_ns();
	read_schedstat(t);
	t->end = how;
	/* Pairs with the conductor's acquire: who sees ENDED sees the figures. */
	atomic_store_explicit(&t->state, (uint32_t)STATE_ENDED, memory_order_release);
	tell_conductor(w);
}

void worker_fail(struct worker *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->telemetry->text, sizeof(w->telemetry->text), fmt, ap);
	va_end(ap);
	end(w, WORKER_ERROR);
	if (w->group->flags & GROUP_THREADS)
		syscall(SYS_exit, 1);
	_exit(1);
}

static void change_stop_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, worker_stop_signal());
	pthread_sigmask(how, &set, NULL);
}

/* Its work is over: a stop that comes now is too late, and must not end it a second time. */
static void finish(struct worker *w)
{
	change_stop_mask(SIG_BLOCK);
	end(w, WORKER_FINISHED);
}

void worker_main(struct worker *w)
{
	w->telemetry->tid = (uint32_t)syscall(SYS_gettid);
	if (set_up(w))
		worker_fail(w, "%s", err_text());
	/* The mask is not saved: after the jump the signal stays blocked, and comes once. */
	switch (sigsetjmp(w->stop, 0)) {
	case WAY_OUT_STOP:
		end(w, WORKER_STOPPED);
		return;
	case WAY_OUT_FINISHED:
		finish(w);
		return;
	default:
		break;
	}
	change_stop_mask(SIG_UNBLOCK);
	wait_at_gate(w);
	begin(w);
	workload_run(w);
	finish(w);
}
