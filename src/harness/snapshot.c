// SPDX-License-Identifier: GPL-2.0-only
#include "harness/snapshot.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>

enum { SNAPSHOTS_MAX = 64 };

static int check_worker(const void *payload, uint32_t i, const struct wire_limits *limits)
{
	struct wire_taskstat stat;

	return taskstat_at(payload, i, limits, &stat);
}

static int check_cpu(const void *payload, uint32_t i, const struct wire_limits *limits)
{
	struct wire_cpustat stat;

	return cpustat_at(payload, i, &stat);
}

static int check_cgroup(const void *payload, uint32_t i, const struct wire_limits *limits)
{
	struct wire_cgroupstat stat;

	return cgroupstat_at(payload, i, limits, &stat);
}

static const struct part_kind {
	enum frame_type frame;
	int (*check)(const void *payload, uint32_t i, const struct wire_limits *limits);
} kinds[SNAPSHOT_PARTS] = {
	[SNAPSHOT_WORKERS] = { FRAME_TASKSTAT, check_worker },
	[SNAPSHOT_CPUS] = { FRAME_CPUSTAT, check_cpu },
	[SNAPSHOT_CGROUPS] = { FRAME_CGROUPSTAT, check_cgroup },
};

static int part_of(const struct frame *f)
{
	int part = 0;

	while (part < SNAPSHOT_PARTS - 1 && kinds[part].frame != f->type)
		part++;
	return part;
}

static int begin(struct snapshots *s, const struct wire_sample *head)
{
	if (!s->all)
		s->all = calloc(SNAPSHOTS_MAX, sizeof(*s->all));
	if (!s->all)
		return err_new(-ENOMEM, "out of memory for snapshots");
	if (s->count == SNAPSHOTS_MAX)
		s->left_out++;
	else
		s->all[s->count++] = (struct snapshot){ .op = head->op, .ns = head->ns };
	return 0;
}

int snapshots_add(struct snapshots *s, const struct frame *f, const struct wire_sample *head,
		  const struct wire_limits *limits)
{
	int part = part_of(f), r = 0;
	struct snapshot *last;

	for (uint32_t i = 0; i < head->count && r == 0; i++)
		r = kinds[part].check(f->payload, i, limits);
	if (r == 0 && part == SNAPSHOT_WORKERS)
		r = begin(s, head);
	if (r < 0)
		return err_trace(r);
	if (s->left_out)
		return 0;
	last = s->count ? &s->all[s->count - 1] : NULL;
	if (!last || last->op != head->op || last->parts[part].len ||
	    (part && !last->parts[part - 1].len))
		return err_new(-EPROTO, "%s: of a snapshot that has not begun, or a second time",
			       frame_name(f->type));
	buf_add(&last->parts[part], f->payload, f->len);
	return 0;
}

void snapshots_deinit(struct snapshots *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		for (int part = 0; part < SNAPSHOT_PARTS; part++)
			buf_deinit(&s->all[i].parts[part]);
	}
	free(s->all);
	*s = SNAPSHOTS_NULL;
}

/* How many records a part has; 0 if it has not come. Its head was checked when it came. */
static uint32_t records(const struct buf *part)
{
	struct wire_sample head = { 0 };

	if (part->len >= sizeof(head))
		memcpy(&head, part->data, sizeof(head));
	return head.count;
}

/* What the operation calls it. A fault may have added operations: the plan that was sent knows. */
static const char *name_of(const struct snapshot *s, const struct cell *cell)
{
	const struct plan *p = cell_sent_plan(cell);

	return plan_string(p, p->ops[s->op].text);
}

static void worker_json(const void *payload, uint32_t i, const struct wire_limits *limits,
			const struct cell *cell, struct json *j)
{
	struct wire_taskstat stat;
	char name[CELL_NAME_BYTES];

	if (taskstat_at(payload, i, limits, &stat) < 0)
		return;
	json_object(j, NULL);
	json_str(j, "worker", cell_worker_name(cell, stat.worker, name));
	if (stat.cpu != REPORT_NO_CPU)
		json_u64(j, "cpu", stat.cpu);
	if (stat.queue_cpu != REPORT_NO_CPU)
		json_u64(j, "queue_cpu", stat.queue_cpu);
	json_bool(j, "is_runnable", stat.is_runnable);
	json_u64(j, "iterations", stat.iterations);
	json_u64(j, "cpu_ns", stat.cpu_ns);
	json_u64(j, "run_delay_ns", stat.run_delay_ns);
	json_u64(j, "slices", stat.slices);
	json_u64(j, "waiting_ns", stat.waiting_ns);
	json_object_end(j);
}

static void cpu_json(const void *payload, uint32_t i, const struct wire_limits *limits,
		     const struct cell *cell, struct json *j)
{
	struct wire_cpustat stat;

	if (cpustat_at(payload, i, &stat) < 0 || stat.cpu >= topology_cpu_count(&cell->topology))
		return;
	json_object(j, NULL);
	json_u64(j, "cpu", stat.cpu);
	json_bool(j, "is_online", stat.is_online);
	json_u64(j, "user_ns", stat.user_ns);
	json_u64(j, "system_ns", stat.system_ns);
	json_u64(j, "idle_ns", stat.idle_ns);
	json_u64(j, "steal_ns", stat.steal_ns);
	json_u64(j, "run_ns", stat.run_ns);
	json_u64(j, "run_delay_ns", stat.run_delay_ns);
	json_u64(j, "slices", stat.slices);
	json_object_end(j);
}

static void cgroup_json(const void *payload, uint32_t i, const struct wire_limits *limits,
			const struct cell *cell, struct json *j)
{
	struct wire_cgroupstat stat;

	if (cgroupstat_at(payload, i, limits, &stat) < 0)
		return;
	json_object(j, NULL);
	json_str(j, "cgroup", cell->plan.cgroups[stat.cgroup].path);
	json_u64(j, "usage_ns", stat.usage_ns);
	json_u64(j, "periods", stat.periods);
	json_u64(j, "throttled", stat.throttled);
	json_u64(j, "throttled_ns", stat.throttled_ns);
	json_u64(j, "bursts", stat.bursts);
	json_object_end(j);
}

typedef void record_json(const void *payload, uint32_t i, const struct wire_limits *limits,
			 const struct cell *cell, struct json *j);

static const struct part_output {
	const char *key;
	record_json *write;
} outputs[SNAPSHOT_PARTS] = {
	[SNAPSHOT_WORKERS] = { "workers", worker_json },
	[SNAPSHOT_CPUS] = { "cpus", cpu_json },
	[SNAPSHOT_CGROUPS] = { "cgroups", cgroup_json },
};

static struct wire_limits limits_of(const struct cell *cell)
{
	const struct plan_header *h = &cell->plan.header;

	return (struct wire_limits){ .workers = h->worker_count, .cgroups = h->cgroup_count };
}

static void snapshot_json(const struct snapshot *s, const struct cell *cell,
			  const struct clock_relation *clock, struct json *j)
{
	struct wire_limits limits = limits_of(cell);

	json_object(j, NULL);
	json_str(j, "name", name_of(s, cell));
	json_u64(j, "guest_ns", s->ns);
	if (clock->is_known)
		json_u64(j, "host_ns", s->ns - (uint64_t)clock->guest_minus_host_ns);
	for (int part = 0; part < SNAPSHOT_PARTS; part++) {
		json_array(j, outputs[part].key);
		for (uint32_t i = 0; i < records(&s->parts[part]); i++)
			outputs[part].write(s->parts[part].data, i, &limits, cell, j);
		json_array_end(j);
	}
	json_object_end(j);
}

void snapshots_json(const struct snapshots *s, const struct cell *cell,
		    const struct clock_relation *clock, struct json *j)
{
	if (!s->count)
		return;
	json_array(j, "snapshots");
	for (uint32_t i = 0; i < s->count; i++)
		snapshot_json(&s->all[i], cell, clock, j);
	json_array_end(j);
	json_u64(j, "snapshots_left_out", s->left_out);
}

static void print_worker(const struct wire_taskstat *w, const struct cell *cell, FILE *out)
{
	char name[CELL_NAME_BYTES], cpu[32] = "no CPU yet";

	if (w->queue_cpu != REPORT_NO_CPU)
		snprintf(cpu, sizeof(cpu), "CPU %u", w->queue_cpu);
	fprintf(out, "    %-10s %s: %s, %s, %.1f ms of CPU time, waited %.1f ms", "",
		cell_worker_name(cell, w->worker, name), cpu,
		w->is_runnable ? "runnable" : "asleep", (double)w->cpu_ns / 1e6,
		(double)w->run_delay_ns / 1e6);
	if (w->waiting_ns)
		fprintf(out, ", %.1f ms of it until now", (double)w->waiting_ns / 1e6);
	fputs("\n", out);
}

void snapshots_print(const struct snapshots *s, const struct cell *cell, FILE *out)
{
	struct wire_limits limits = limits_of(cell);

	for (uint32_t i = 0; i < s->count; i++) {
		const struct buf *workers = &s->all[i].parts[SNAPSHOT_WORKERS];

		fprintf(out, "    %-10s %s\n", "snapshot", name_of(&s->all[i], cell));
		for (uint32_t w = 0; w < records(workers); w++) {
			struct wire_taskstat stat;

			if (taskstat_at(workers->data, w, &limits, &stat) == 0)
				print_worker(&stat, cell, out);
		}
	}
	if (s->left_out)
		fprintf(out, "    %-10s %u more are not kept\n", "snapshot", s->left_out);
}
