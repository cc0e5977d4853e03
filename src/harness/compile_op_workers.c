// SPDX-License-Identifier: GPL-2.0-only
/* Operations on workers and CPUs. */
#include "harness/compile.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The entry that is called so in reports; the first word of *@rest. */
int compile_take_name(const struct compiler *c, const char **rest, uint32_t *ret)
{
	char word[CELL_NAME_BYTES], name[CELL_NAME_BYTES];
	uint32_t found = PLAN_NONE;

	if (!compile_take_word(rest, word, sizeof(word)))
		return err_new(-EINVAL, "the name of workers is missing");
	for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++) {
		uint32_t first = c->cell->plan.groups[i].first_worker;

		if (!compile_can_see(c, c->cell->plan.workers[first].cgroup) ||
		    strcmp(cell_group_name(c->cell, i, name), word) != 0)
			continue;
		if (found != PLAN_NONE)
			return err_new(-EINVAL, "two entries of workers are named %s", word);
		found = i;
	}
	if (found == PLAN_NONE)
		return err_new(-EINVAL, "no workers are named %s", word);
	*ret = found;
	return 0;
}

/* The same for workers that must be there. */
int compile_take_group(const struct compiler *c, const char **rest, uint32_t *ret)
{
	uint32_t group;
	int r = compile_take_name(c, rest, &group);

	if (r < 0)
		return err_trace(r);
	if (c->scene.groups[group].is_stopped)
		return err_new(-EINVAL, "the workers are not there");
	*ret = group;
	return 0;
}

/* Make @group's scene @now, as @op does. */
static int change_group(struct compiler *c, const struct plan_op *op, const struct scene_group *now)
{
	struct scene before;
	int r = scene_copy(&c->scene, &c->cell->plan, &before);

	if (r < 0)
		return err_trace(r);
	c->scene.groups[op->target] = *now;
	r = compile_add_moving_op(c, op, &before);
	scene_deinit(&before);
	return r;
}

static bool has_own_affinity(const struct compiler *c, uint32_t group)
{
	const struct plan *p = &c->cell->plan;

	return !mask_is_empty(&p->workers[p->groups[group].first_worker].affinity);
}

/* "WORKERS to CGROUP" */
int compile_op_move(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_MOVE, .other = PLAN_NONE };
	struct scene_group now;
	char word[8];
	int r = compile_take_group(c, &rest, &op.target);

	if (r < 0)
		return err_trace(r);
	if (!compile_take_word(&rest, word, sizeof(word)) || strcmp(word, "to") != 0 || !*rest)
		return err_new(-EINVAL, "expected move WORKERS to CGROUP");
	if (strcmp(rest, "/") != 0) {
		op.other = compile_find_cgroup(c, rest);
		if (op.other == PLAN_NONE)
			return err_new(-EINVAL, "no cgroup is named %s", rest);
		if (!c->scene.cgroups[op.other].is_there)
			return err_new(-EINVAL, "cgroup %s is not there", rest);
		if (compile_has_cgroups(c, op.other))
			return err_new(-EINVAL, "cgroup %s has cgroups inside it", rest);
	}
	now = c->scene.groups[op.target];
	now.cgroup = op.other;
	if (now.has_affinity || has_own_affinity(c, op.target))
		compile_need_lasting_affinity(c);
	return change_group(c, &op, &now);
}

int compile_op_affinity(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_AFFINITY };
	struct scene_group now;
	struct cpu_mask cpus;
	int r = compile_take_group(c, &rest, &op.target);

	if (r == 0)
		r = cpuspec_resolve(rest, &c->cell->topology, &op.mask);
	if (r < 0)
		return err_trace(r);
	now = c->scene.groups[op.target];
	now.has_affinity = true;
	now.affinity = op.mask;
	cpus = compile_cgroup_cpus(c, now.cgroup);
	mask_and(&cpus, &op.mask);
	if (mask_is_empty(&cpus))
		return err_new(-EINVAL, "\"%s\": none of its CPUs is in the cpuset", rest);
	/* Linux kernel/sched/syscalls.c, dl_task_check_affinity(): -EBUSY. */
	if (now.sched.period_ns)
		return err_new(-EINVAL, "\"%s\": deadline workers cannot have one", rest);
	return change_group(c, &op, &now);
}

static int add_sched(struct compiler *c, struct plan_op *op, const struct plan_sched *sched)
{
	op->code = OP_SCHED;
	plan_op_set_sched(op, sched);
	return compile_add_op(c, op);
}

int compile_op_nice(struct compiler *c, const char *rest)
{
	struct plan_op op = { 0 };
	struct plan_sched *now, sched = { .flags = SCHED_HAS_NICE };
	char *end;
	long nice;
	int r = compile_take_group(c, &rest, &op.target);

	if (r < 0)
		return err_trace(r);
	nice = strtol(rest, &end, 10);
	if (!*rest || *end || nice < -20 || nice > 19)
		return err_new(-EINVAL, "nice \"%s\": nice is from -20 to 19", rest);
	now = &c->scene.groups[op.target].sched;
	if (now->priority || now->period_ns)
		return err_new(-EINVAL, "real-time workers have no nice value");
	now->nice = sched.nice = (int)nice;
	now->flags |= SCHED_HAS_NICE;
	return add_sched(c, &op, &sched);
}

/* "normal slice=3ms": a policy and, behind it, the slice that a declaration has in a field of its own. */
static int read_policy(const char *text, struct plan_sched *ret)
{
	static const char key[] = " slice=";
	const char *slice = strstr(text, key);
	cleanup(freep) char *policy = strndup(text, slice ? (size_t)(slice - text) : strlen(text));
	int r;

	if (!policy)
		return err_new(-ENOMEM, "out of memory for \"%s\"", text);
	r = spec_sched(policy, 0, ret);
	if (r < 0 || !slice)
		return r;
	r = spec_slice(slice + sizeof(key) - 1, ret);
	return r < 0 ? err_prefix(r, "slice ") : 0;
}

/* "WORKERS POLICY [slice=TIME]": without it the slice is the kernel's again. */
int compile_op_policy(struct compiler *c, const char *rest)
{
	struct plan_op op = { 0 };
	struct plan_sched *now, sched;
	int r = compile_take_group(c, &rest, &op.target);

	if (r == 0)
		r = read_policy(rest, &sched);
	if (r < 0)
		return err_trace(r);
	now = &c->scene.groups[op.target].sched;
	sched.flags |= now->flags & SCHED_HAS_NICE;
	sched.nice = now->nice;
	*now = sched;
	compile_need_sched(c, &sched);
	r = compile_check_deadline(c, op.target);
	return r ? r : add_sched(c, &op, &sched);
}

/* Linux kernel/sched/deadline.c: what a task of this policy asks of a CPU, in millionths. */
static uint64_t deadline_ppm(const struct plan_sched *s)
{
	return (uint64_t)((double)s->runtime_ns * 1e6 / (double)s->period_ns);
}

/* Linux kernel/sched/deadline.c, __dl_overflow(): all of them together get sched_rt_runtime_us of
 * each CPU, 95 %, of which kernels from 6.12 on keep 5 % for the fair server. */
static int check_bandwidth(const struct compiler *c)
{
	enum { ADMITTED_PPM = 900000 };
	struct cpu_mask online = compile_cgroup_cpus(c, PLAN_NONE);
	uint64_t asked = 0;

	for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++) {
		const struct scene_group *g = &c->scene.groups[i];

		if (!g->is_stopped && g->sched.period_ns)
			asked += deadline_ppm(&g->sched) * c->cell->plan.groups[i].worker_count;
	}
	if (asked <= (uint64_t)mask_count(&online) * ADMITTED_PPM)
		return 0;
	return err_new(-EINVAL,
		       "deadline workers ask for %llu%% of a CPU, of %u CPUs every kernel admits "
		       "%u%%",
		       (unsigned long long)asked / 10000, mask_count(&online),
		       mask_count(&online) * ADMITTED_PPM / 10000);
}

/* Linux kernel/sched/syscalls.c, __sched_setscheduler(): -EPERM for a task that may not use its whole
 * root domain; kernel/sched/core.c, sched_fork(): -EAGAIN for one that forks. */
int compile_check_deadline(const struct compiler *c, uint32_t group)
{
	const struct plan_group *g = &c->cell->plan.groups[group];
	const struct scene_group *now = &c->scene.groups[group];
	struct cpu_mask online = compile_cgroup_cpus(c, PLAN_NONE);
	struct cpu_mask cpus = compile_cgroup_cpus(c, now->cgroup);
	const struct workload *w = workload_by_id(g->workload);
	char text[MASK_TEXT_BYTES];

	if (!now->sched.period_ns)
		return 0;
	if (w->flags & (WORKLOAD_NEEDS_PROCESS | WORKLOAD_OWN_RANK | WORKLOAD_OWN_AFFINITY |
			WORKLOAD_REALTIME))
		return err_new(-EINVAL,
			       "policy: workload %s forks, or sets policy or affinity by itself, "
			       "which the kernel refuses to deadline workers",
			       w->name);
	if (now->has_affinity || has_own_affinity(c, group))
		return err_new(-EINVAL, "policy: deadline workers cannot have an affinity");
	if (memcmp(&online, &cpus, sizeof(cpus)) != 0)
		return err_new(-EINVAL,
			       "policy: deadline workers must be allowed on all CPUs, and the "
			       "cpuset is %s",
			       mask_format(&cpus, text));
	return check_bandwidth(c);
}

static int switch_cpus(struct compiler *c, const char *rest, uint16_t code)
{
	struct plan_op op = { .code = code };
	struct scene before;
	int r = cpuspec_resolve(rest, &c->cell->topology, &op.mask);

	if (r < 0)
		return err_trace(r);
	if (mask_has(&op.mask, 0))
		return err_new(-EINVAL, "\"%s\": CPU 0 stays online", rest);
	r = scene_copy(&c->scene, &c->cell->plan, &before);
	if (r < 0)
		return err_trace(r);
	for (unsigned cpu = mask_next(&op.mask, 0); cpu < WIRE_CPUS;
	     cpu = mask_next(&op.mask, cpu + 1)) {
		if (code == OP_CPU_OFFLINE)
			mask_set(&c->offline, cpu);
		else
			mask_clear(&c->offline, cpu);
	}
	r = check_bandwidth(c);
	if (r == 0)
		r = compile_add_moving_op(c, &op, &before);
	scene_deinit(&before);
	return r;
}

int compile_op_offline(struct compiler *c, const char *rest)
{
	return switch_cpus(c, rest, OP_CPU_OFFLINE);
}

int compile_op_online(struct compiler *c, const char *rest)
{
	return switch_cpus(c, rest, OP_CPU_ONLINE);
}
