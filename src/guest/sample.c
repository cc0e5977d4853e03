// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own figures: per CPU (/proc/stat, /proc/schedstat), per worker (its schedstat and CPU
 * clock), per cgroup (cpu.stat). All absolute; the host subtracts. */
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PROC_FILE_MAX = 16 << 20, TICK_NS = 10 * 1000 * 1000 /* USER_HZ is 100 on every port */ };

/* The clock of another process's CPU time (clock_getcpuclockid(3)): exact, also while it runs. */
static uint64_t process_cpu_ns(pid_t pid)
{
	clockid_t clock;
	struct timespec ts;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void read_schedstat(int fd, struct worker_sample *s)
{
	char text[128];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return;
	text[n] = '\0';
	sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &s->cpu_ns, &s->run_delay_ns, &s->slices);
}

void sample_cpu_clock(const struct conductor *c, uint32_t worker, struct worker_sample *s)
{
	const struct member *m = &c->members[worker];
	const struct plan_group *g = &c->plan->groups[c->plan->workers[worker].group];

	if (!(g->flags & GROUP_THREADS))
		s->cpu_ns = MAX(s->cpu_ns, process_cpu_ns(m->pid));
}

/* What the worker itself counts. */
static void read_telemetry(const struct telemetry *t, struct worker_sample *s)
{
	s->iterations = shared_get(&t->iterations);
	s->checkpoints = shared_get(&t->checkpoints);
	s->migrations = shared_get(&t->migrations);
	s->deadline_misses = shared_get(&t->deadline_misses);
	s->bytes = shared_get(&t->bytes);
	s->pages_local = shared_get(&t->pages_local);
	s->pages_remote = shared_get(&t->pages_remote);
}

void sample_worker(const struct conductor *c, uint32_t worker, struct worker_sample *s)
{
	const struct telemetry *t = &c->pool.telemetry[worker];
	const struct member *m = &c->members[worker];
	const struct plan_group *g = &c->plan->groups[c->plan->workers[worker].group];
	uint64_t cpu_ns = s->cpu_ns;

	read_telemetry(t, s);
	if (atomic_load_explicit(&t->state, memory_order_acquire) == STATE_ENDED) {
		/* Where it could not read its own at its end, the last known ones stay. */
		s->cpu_ns = MAX(s->cpu_ns, t->cpu_ns);
		s->run_delay_ns = MAX(s->run_delay_ns, t->run_delay_ns);
		s->slices = MAX(s->slices, t->slices);
		return;
	}
	/* Of a crashed worker the last known figures stay. */
	if (m->schedstat_fd >= 0)
		read_schedstat(m->schedstat_fd, s);
	if (!(g->flags & GROUP_THREADS))
		s->cpu_ns = cpu_ns;
}

/* proc(5): behind the name, which may hold anything but ends with the last ')', come the state and,
 * 36 fields later, the CPU. */
void sample_queue(struct member *m)
{
	enum { FIELDS_BETWEEN = 36 };
	char text[1024];
	ssize_t n = m->stat_fd >= 0 ? pread(m->stat_fd, text, sizeof(text) - 1, 0) : 0;
	const char *at;

	m->is_runnable = false;
	m->queue_cpu = REPORT_NO_CPU;
	if (n <= 0)
		return;
	text[n] = '\0';
	at = strrchr(text, ')');
	if (!at || at[1] != ' ')
		return;
	m->is_runnable = at[2] == 'R';
	for (int i = 0; at && i <= FIELDS_BETWEEN; i++)
		at = strchr(at + 1, ' ');
	if (at && sscanf(at, " %" SCNu32, &m->queue_cpu) == 1 && m->queue_cpu >= WIRE_CPUS)
		m->queue_cpu = REPORT_NO_CPU;
}

uint64_t sample_waiting_ns(const struct conductor *c, uint32_t worker, uint64_t now,
			   bool *is_wake_ret)
{
	const struct telemetry *t = &c->pool.telemetry[worker];
	const struct pool_head *head = c->pool.head;
	uint32_t state = shared_get(&t->state);
	uint64_t since = 0;

	*is_wake_ret = state == STATE_BLOCKED;
	/* Its gate is open and it has not come through: it has not run since. */
	if (state == STATE_READY && shared_get(&head->gate) != c->pool.workers[worker].gate)
		since = shared_get(&head->gate_ns);
	else if (state == STATE_RUNNING)
		since = shared_get(&t->last_ns);
	else if (state == STATE_BLOCKED)
		since = shared_get(&t->due_ns);
	return since >= DUE_TIMES && since < now ? now - since : 0;
}

static void read_stat_line(const char *line, struct wire_cpustat *cpus)
{
	uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
	unsigned cpu;

	if (sscanf(line,
		   "cpu%u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &cpu, &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal) != 9 ||
	    cpu >= WIRE_CPUS)
		return;
	cpus[cpu].is_online = 1;
	cpus[cpu].user_ns = (user + nice) * TICK_NS;
	cpus[cpu].system_ns = (system + irq + softirq) * TICK_NS;
	cpus[cpu].idle_ns = (idle + iowait) * TICK_NS;
	cpus[cpu].steal_ns = steal * TICK_NS;
}

/* Six counters that are not ours, then run time, run delay, slices (versions 15 to 17). */
static void read_schedstat_line(const char *line, struct wire_cpustat *cpus)
{
	uint64_t run, delay, slices;
	unsigned cpu;

	if (sscanf(line, "cpu%u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64, &cpu,
		   &run, &delay, &slices) != 4 ||
	    cpu >= WIRE_CPUS)
		return;
	cpus[cpu].run_ns = run;
	cpus[cpu].run_delay_ns = delay;
	cpus[cpu].slices = slices;
}

static void read_lines(const char *path, void (*take)(const char *line, struct wire_cpustat *cpus),
		       struct wire_cpustat *cpus)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char *save = NULL;

	if (buf_read_file(&text, path, PROC_FILE_MAX)) {
		err_clear();
		return;
	}
	for (char *line = text.len ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "cpu", 3) == 0)
			take(line, cpus);
}

static void send_sample(struct conductor *c, enum frame_type type, struct wire_sample *head,
			const void *records, size_t record_bytes)
{
	size_t bytes = head->count * record_bytes;

	head->ns_end = now_ns();
	if (head->reason == SAMPLE_TICK)
		conductor_keep(c, type, head, sizeof(*head), records, bytes);
	else
		conductor_send(c, type, head, sizeof(*head), records, bytes);
}

static struct wire_sample begin_sample(const struct conductor *c, enum wire_sample_reason reason)
{
	return (struct wire_sample){ .ns = now_ns(),
				     .step = c->step,
				     .reason = reason,
				     .op = c->snapshot_op,
				     .own_ns =
					     process_cpu_ns(getpid()) + process_cpu_ns(getppid()) };
}

static void sample_cpus(struct conductor *c, enum wire_sample_reason reason)
{
	cleanup(freep) struct wire_cpustat *cpus = calloc(WIRE_CPUS, sizeof(*cpus));
	struct wire_sample head = begin_sample(c, reason);
	long possible = sysconf(_SC_NPROCESSORS_CONF);

	if (!cpus)
		return;
	possible = MAX(possible, 1L);
	head.count = (uint32_t)MIN(possible, (long)WIRE_CPUS);
	for (uint32_t i = 0; i < head.count; i++)
		cpus[i].cpu = i;
	read_lines("/proc/stat", read_stat_line, cpus);
	read_lines("/proc/schedstat", read_schedstat_line, cpus);
	send_sample(c, FRAME_CPUSTAT, &head, cpus, sizeof(*cpus));
}

void sample_tasks(struct conductor *c, enum wire_sample_reason reason)
{
	uint32_t n = c->plan->header.worker_count;
	cleanup(freep) struct wire_taskstat *tasks = calloc(n + 1, sizeof(*tasks));
	struct wire_sample head = begin_sample(c, reason);

	head.ns = c->sample_ns;
	for (uint32_t i = 0; i < n && tasks; i++) {
		const struct telemetry *t = &c->pool.telemetry[i];
		struct worker_sample s = c->members[i].now;

		if (!c->members[i].is_alive)
			continue;
		tasks[head.count++] =
			(struct wire_taskstat){ .worker = i,
						.cpu = shared_get(&t->cpu),
						.iterations = s.iterations,
						.cpu_ns = s.cpu_ns,
						.run_delay_ns = s.run_delay_ns,
						.slices = s.slices,
						.waiting_ns = c->members[i].waiting.length_ns,
						.is_runnable = c->members[i].is_runnable,
						.queue_cpu = c->members[i].queue_cpu };
	}
	if (tasks)
		send_sample(c, FRAME_TASKSTAT, &head, tasks, sizeof(*tasks));
}

static void sample_cgroups(struct conductor *c, enum wire_sample_reason reason)
{
	uint32_t n = c->plan->header.cgroup_count;
	cleanup(freep) struct wire_cgroupstat *stats = calloc(n + 1, sizeof(*stats));
	struct wire_sample head = begin_sample(c, reason);

	for (uint32_t i = 0; i < n && stats; i++) {
		if (!c->has_cgroup[i])
			continue;
		stats[head.count].cgroup = i;
		cgroup_read_stat(c->plan->cgroups[i].path, &stats[head.count]);
		head.count++;
	}
	if (stats)
		send_sample(c, FRAME_CGROUPSTAT, &head, stats, sizeof(*stats));
}

void sample_system(struct conductor *c, enum wire_sample_reason reason)
{
	sample_cpus(c, reason);
	if (reason != SAMPLE_TICK)
		sample_cgroups(c, reason);
}
