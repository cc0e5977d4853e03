// SPDX-License-Identifier: GPL-2.0-only
/* Workloads that change how and where they are scheduled, or mix policies. */
#include "base/buf.h"
#include "base/util.h"
#include "guest/work.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

enum { POLICY_NORMAL = 0, POLICY_FIFO = 1, POLICY_RR = 2, POLICY_BATCH = 3, POLICY_IDLE = 5 };

static void set_policy(struct worker *w, uint32_t policy, uint32_t priority)
{
	struct plan_sched s = { .flags = SCHED_HAS_POLICY, .policy = policy, .priority = priority };

	if (task_set_sched(0, &s))
		worker_fail(w, "%s", err_text());
}

static void spin_for_ever(struct worker *w)
{
	for (;;) {
		worker_compute(w, 1024);
		worker_iterate(w);
	}
}

void work_rt_starvation(struct worker *w, const uint64_t *p)
{
	if (w->member < p[0])
		set_policy(w, POLICY_FIFO, (uint32_t)p[2]);
	spin_for_ever(w);
}

void work_preempt_storm(struct worker *w, const uint64_t *p)
{
	if (w->member)
		spin_for_ever(w);
	set_policy(w, POLICY_FIFO, 50);
	for (;;) {
		worker_compute(w, p[1]);
		worker_iterate(w);
		worker_sleep(w, p[2]);
	}
}

void work_nice_sweep(struct worker *w, const uint64_t *p)
{
	struct plan_sched s = { .flags = SCHED_HAS_NICE };

	for (int step = 0;; step = (step + 1) % 38) {
		uint64_t end_ns = now_ns() + p[1];

		s.nice = step < 20 ? step : 38 - step;
		if (task_set_sched(0, &s))
			worker_fail(w, "%s", err_text());
		while (now_ns() < end_ns) {
			worker_compute(w, p[0]);
			worker_iterate(w);
		}
	}
}

/* The CPUs that the kernel lets it use now. */
static struct cpu_mask own_cpus(struct worker *w)
{
	struct cpu_mask mask = { 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set))
		worker_fail(w, "sched_getaffinity: %s", strerror(errno));
	for (unsigned cpu = 0; cpu < WIRE_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			mask_set(&mask, cpu);
	return mask;
}

static void bind_to(struct worker *w, pid_t tid, unsigned cpu)
{
	struct cpu_mask one = { 0 };

	mask_set(&one, cpu);
	/* Its cpuset may have lost this CPU since: the next one will do. */
	if (task_set_affinity(tid, &one))
		err_clear();
}

static unsigned next_cpu(const struct cpu_mask *mask, unsigned cpu)
{
	unsigned next = mask_next(mask, cpu + 1);

	return next < WIRE_CPUS ? next : mask_next(mask, 0);
}

void work_affinity_churn(struct worker *w, const uint64_t *p)
{
	struct cpu_mask cpus = own_cpus(w);

	for (unsigned cpu = next_cpu(&cpus, w->index);; cpu = next_cpu(&cpus, cpu)) {
		bind_to(w, 0, cpu);
		worker_compute(w, p[0]);
		worker_iterate(w);
	}
}

void work_cross_affinity_churn(struct worker *w, const uint64_t *p)
{
	const struct worker *partner = w + 1 - 2 * (int)w->member;
	struct cpu_mask cpus = own_cpus(w);

	for (unsigned cpu = next_cpu(&cpus, w->index);; cpu = next_cpu(&cpus, cpu)) {
		bind_to(w, (pid_t)partner->telemetry->tid, cpu);
		worker_compute(w, p[0]);
		worker_iterate(w);
	}
}

void work_policy_churn(struct worker *w, const uint64_t *p)
{
	static const struct {
		uint32_t policy;
		uint32_t priority;
	} turns[] = { { POLICY_NORMAL, 0 },
		      { POLICY_BATCH, 0 },
		      { POLICY_IDLE, 0 },
		      { POLICY_FIFO, 1 },
		      { POLICY_RR, 1 } };

	for (size_t i = 0;; i = (i + 1) % ARRAY_SIZE(turns)) {
		set_policy(w, turns[i].policy, turns[i].priority);
		worker_compute(w, p[0]);
		worker_iterate(w);
	}
}

/* The two lowest hardware threads of a CPU's core; false if it has only one. */
static bool find_siblings(unsigned cpu, unsigned ret[2])
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char path[96], separator;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 cpu);
	if (buf_read_file(&text, path, 4096)) {
		err_clear();
		return false;
	}
	return sscanf(buf_text(&text), "%u%c%u", &ret[0], &separator, &ret[1]) == 3;
}

/* Each ensemble takes the next core of its set that has two threads. */
void work_smt_sibling_spin(struct worker *w, const uint64_t *p)
{
	struct cpu_mask cpus = own_cpus(w);
	unsigned wanted = w->index / 2, found = 0, threads[2] = { 0 }, pair[2] = { 0 };

	for (unsigned cpu = mask_next(&cpus, 0); cpu < WIRE_CPUS && found <= wanted;
	     cpu = mask_next(&cpus, cpu + 1)) {
		if (!find_siblings(cpu, threads) || threads[0] != cpu)
			continue;
		memcpy(pair, threads, sizeof(pair));
		found++;
	}
	if (!found)
		worker_fail(w, "no core of its CPUs has two hardware threads");
	bind_to(w, 0, pair[w->member]);
	for (;;) {
		worker_compute(w, p[0]);
		worker_iterate(w);
	}
}
