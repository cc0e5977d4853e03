// SPDX-License-Identifier: GPL-2.0-only
/* What is in force while operations are compiled one after the other, as the kernel computes it:
 * effective CPUs and nodes of cgroups, where each worker may run. */
#include "harness/compile.h"

#include "base/util.h"
#include "harness/held.h"
#include "harness/scene.h"

#include <errno.h>
#include <stdio.h>

struct cpu_mask compile_cgroup_cpus(const struct compiler *c, uint32_t cgroup)
{
	struct cpu_mask cpus = c->machine;

	for (unsigned cpu = mask_next(&c->offline, 0); cpu < WIRE_CPUS;
	     cpu = mask_next(&c->offline, cpu + 1))
		mask_clear(&cpus, cpu);
	for (; cgroup != PLAN_NONE; cgroup = c->cell->cgroups[cgroup].parent) {
		if (!mask_is_empty(&c->scene.cgroups[cgroup].own))
			mask_and(&cpus, &c->scene.cgroups[cgroup].own);
	}
	return cpus;
}

uint64_t compile_cgroup_mems(const struct compiler *c, uint32_t cgroup)
{
	uint64_t nodes = (UINT64_C(2) << (c->cell->topology.nodes - 1)) - 1;

	for (; cgroup != PLAN_NONE; cgroup = c->cell->cgroups[cgroup].parent) {
		if (c->scene.cgroups[cgroup].own_mems)
			nodes &= c->scene.cgroups[cgroup].own_mems;
	}
	return nodes;
}

bool compile_is_frozen(const struct compiler *c, uint32_t cgroup)
{
	for (; cgroup != PLAN_NONE; cgroup = c->cell->cgroups[cgroup].parent) {
		if (c->scene.cgroups[cgroup].is_frozen)
			return true;
	}
	return false;
}

static int refresh_cgroup(struct compiler *c, uint32_t i)
{
	struct scene_cgroup *g = &c->scene.cgroups[i];
	const char *path = c->cell->plan.cgroups[i].path;
	char text[MASK_TEXT_BYTES];

	g->cpus = compile_cgroup_cpus(c, i);
	if (mask_is_empty(&g->cpus))
		return err_new(-EINVAL, "cgroup %s: cpuset \"%s\": none of it is %s", path,
			       mask_format(&g->own, text),
			       mask_is_empty(&c->offline) ? "left by the cgroups above"
							  : "online and left by the cgroups above");
	if (!compile_cgroup_mems(c, i)) {
		struct cpu_mask nodes = { .bits = { g->own_mems } };

		return err_new(-EINVAL,
			       "cgroup %s: mems \"%s\": none of it is left by the cgroups above",
			       path, mask_format(&nodes, text));
	}
	return 0;
}

/* cgroup v2: what has cgroups with controllers inside it holds no tasks of its own. */
bool compile_has_cgroups(const struct compiler *c, uint32_t cgroup)
{
	for (uint32_t i = 0; i < c->cell->plan.header.cgroup_count && cgroup != PLAN_NONE; i++) {
		if (c->cell->cgroups[i].parent == cgroup && c->scene.cgroups[i].is_there)
			return true;
	}
	return false;
}

void compile_need_lasting_affinity(struct compiler *c)
{
	compile_need_kernel(c, "6.2", "an affinity that outlives a change of cgroup or cpuset");
}

static int refresh_worker(struct compiler *c, uint32_t i, const struct cpu_mask *cgroup_before)
{
	const struct plan_worker *w = &c->cell->plan.workers[i];
	const struct scene_group *now = &c->scene.groups[w->group];
	const struct cpu_mask *own = now->has_affinity ? &now->affinity : &w->affinity;
	struct cpu_mask cpus = compile_cgroup_cpus(c, now->cgroup);
	struct cpu_mask online = compile_cgroup_cpus(c, PLAN_NONE);
	struct cpu_mask *allowed = &c->scene.allowed[i];
	char name[CELL_NAME_BYTES], text[MASK_TEXT_BYTES];

	*allowed = cpus;
	if (mask_is_empty(own))
		return 0;
	mask_and(&online, own);
	if (mask_is_empty(&online))
		return err_new(-EINVAL, "workers %s: affinity \"%s\": none of its CPUs is online",
			       cell_group_name(c->cell, w->group, name), mask_format(own, text));
	/* Without a set before, the cgroup is new: the affinity is set after it. */
	if (cgroup_before && !mask_is_empty(cgroup_before) &&
	    memcmp(cgroup_before, &cpus, sizeof(cpus)) != 0)
		compile_need_lasting_affinity(c);
	mask_and(allowed, own);
	/* The kernel overrides an affinity that a new cpuset leaves nothing of. */
	if (mask_is_empty(allowed))
		*allowed = cpus;
	return 0;
}

int compile_refresh(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	struct cpu_mask before[PLAN_CGROUPS_MAX];
	int r = 0;

	/* A fault may leave nothing of a set: what then is the kernel's affair, and nobody judges by it. */
	if (c->is_faulting)
		return 0;
	for (uint32_t i = 0; i < p->header.cgroup_count && r == 0; i++) {
		before[i] = c->scene.cgroups[i].cpus;
		if (c->scene.cgroups[i].is_there)
			r = refresh_cgroup(c, i);
	}
	/* A worker that is not there is let be: it gets its set when it is spawned. */
	for (uint32_t i = 0; i < p->header.worker_count && r == 0; i++) {
		const struct scene_group *g = &c->scene.groups[p->workers[i].group];

		if (!g->is_stopped)
			r = refresh_worker(c, i,
					   g->cgroup == PLAN_NONE ? NULL : &before[g->cgroup]);
	}
	return r;
}

void compile_note_held(struct compiler *c)
{
	for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++)
		c->scene.groups[i].was_held |= held_in_scene(c->cell, &c->scene, i);
}

struct scene_cgroup compile_made_cgroup(const struct plan_cgroup *g)
{
	uint64_t has = g->knobs;

	return (struct scene_cgroup){
		.is_there = true,
		.weight = has >> KNOB_WEIGHT & 1 ? (unsigned)g->values[KNOB_WEIGHT] : 100,
		.quota_us = has >> KNOB_QUOTA & 1 ? g->values[KNOB_QUOTA] : PLAN_MAX,
		.period_us = has >> KNOB_PERIOD & 1 ? g->values[KNOB_PERIOD] : PLAN_PERIOD_US,
		.burst_us = has >> KNOB_BURST & 1 ? g->values[KNOB_BURST] : 0,
		.pids_max = has >> KNOB_PIDS_MAX & 1 ? g->values[KNOB_PIDS_MAX] : PLAN_MAX,
		.memory_max = has >> KNOB_MEMORY_MAX & 1 ? g->values[KNOB_MEMORY_MAX] : PLAN_MAX,
		.own_mems = has >> KNOB_MEMS & 1 ? g->values[KNOB_MEMS] : 0,
		.own = g->cpuset,
		.is_idle = has >> KNOB_IDLE & 1 && g->values[KNOB_IDLE],
	};
}

int compile_first_scene(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	int r = scene_init(&c->scene, p);

	if (r < 0)
		return err_trace(r);
	for (uint32_t i = 0; i < p->header.group_count; i++) {
		c->scene.groups[i] = (struct scene_group){
			.cgroup = p->workers[p->groups[i].first_worker].cgroup,
			.sched = p->groups[i].sched,
			.is_stopped = true,
		};
	}
	for (uint32_t i = 0; i < p->header.worker_count; i++)
		c->scene.allowed[i] = p->workers[i].allowed;
	return 0;
}
