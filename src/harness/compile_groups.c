// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups and workers of a scenario as tables of the plan. */
#include "harness/compile.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/program.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t compile_find_cgroup(const struct compiler *c, const char *path)
{
	const struct plan *p = &c->cell->plan;

	for (uint32_t i = 0; i < p->header.cgroup_count; i++) {
		if (strcmp(p->cgroups[i].path, path) == 0)
			return i;
	}
	return PLAN_NONE;
}

static int check_path(const char *path)
{
	char before = '/';

	if (strlen(path) >= PLAN_PATH_BYTES)
		return err_new(-EINVAL, "cgroup \"%s\": the name is too long", path);
	for (const char *p = path; *p; before = *p++) {
		bool is_start = before == '/';

		if (!isalnum((unsigned char)*p) && !strchr("_-./", *p))
			return err_new(-EINVAL, "cgroup \"%s\": a name has letters, digits, _ - .",
				       path);
		if (is_start && (*p == '/' || *p == '.'))
			return err_new(-EINVAL,
				       "cgroup \"%s\": a part is empty or begins with a dot", path);
	}
	return before == '/' ? err_new(-EINVAL, "cgroup \"%s\": a part is empty", path) : 0;
}

static int add_cgroup(struct compiler *c, const struct plan_cgroup *record)
{
	struct cell *cell = c->cell;
	struct cell_cgroup *grown;
	char parent[PLAN_PATH_BYTES];
	char *slash;
	uint32_t index;
	int r = plan_add_cgroup(&cell->plan, record, &index);

	if (r < 0)
		return err_trace(r);
	grown = realloc(cell->cgroups, (index + 1) * sizeof(*grown));
	if (!grown)
		return err_new(-ENOMEM, "out of memory for cgroups");
	cell->cgroups = grown;
	snprintf(parent, sizeof(parent), "%s", record->path);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	grown[index].parent = slash ? compile_find_cgroup(c, parent) : PLAN_NONE;
	return 0;
}

/* "a/b/c" needs "a" and "a/b", before it. */
static int add_parents(struct compiler *c, const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		struct plan_cgroup parent = { 0 };
		int r;

		memcpy(parent.path, path, (size_t)(p - path));
		if (compile_find_cgroup(c, parent.path) != PLAN_NONE)
			continue;
		r = add_cgroup(c, &parent);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int compile_cgroup(struct compiler *c, const struct ktstr_cgroup *from)
{
	struct plan_cgroup record = { 0 };
	int r = check_path(from->name);

	if (r < 0)
		return err_trace(r);
	if (compile_find_cgroup(c, from->name) != PLAN_NONE)
		return err_new(-EINVAL, "cgroup \"%s\": declared twice, or after one inside it",
			       from->name);
	snprintf(record.path, sizeof(record.path), "%s", from->name);
	r = add_parents(c, from->name);
	if (r == 0)
		r = compile_knobs(c, from, &record);
	if (r < 0)
		return err_prefix(r, "cgroup %s: ", from->name);
	return add_cgroup(c, &record);
}

int compile_cgroups(struct compiler *c)
{
	int r = 0;

	for (const struct ktstr_cgroup *g = c->scenario->cgroups; g && g->name && r == 0; g++)
		r = compile_cgroup(c, g);
	return r;
}

/* ---- workers ---- */

/* The cpuset of the cgroup itself, empty if it has none: as the scene has it, once there is one. */
static const struct cpu_mask *own_cpuset(const struct compiler *c, uint32_t cgroup)
{
	return c->scene.cgroups ? &c->scene.cgroups[cgroup].own
				: &c->cell->plan.cgroups[cgroup].cpuset;
}

static struct cpu_mask cgroup_cpus(const struct compiler *c, uint32_t cgroup)
{
	struct cpu_mask cpus = c->machine;

	for (unsigned cpu = mask_next(&c->offline, 0); cpu < WIRE_CPUS;
	     cpu = mask_next(&c->offline, cpu + 1))
		mask_clear(&cpus, cpu);
	for (; cgroup != PLAN_NONE; cgroup = c->cell->cgroups[cgroup].parent) {
		if (!mask_is_empty(own_cpuset(c, cgroup)))
			mask_and(&cpus, own_cpuset(c, cgroup));
	}
	return cpus;
}

static int add_worker(struct compiler *c, const struct ktstr_workers *from, uint32_t group,
		      uint32_t cgroup, unsigned i)
{
	struct cpu_mask cpus = cgroup_cpus(c, cgroup);
	struct plan_worker record = { .group = group, .cgroup = cgroup, .allowed = cpus };
	int r = compile_affinity(c, from->affinity, i, &cpus, &record.affinity);

	if (r < 0)
		return err_prefix(r, "affinity ");
	if (!mask_is_empty(&record.affinity))
		mask_and(&record.allowed, &record.affinity);
	if (mask_is_empty(&record.allowed)) {
		char text[MASK_TEXT_BYTES];

		return err_new(-EINVAL, "affinity \"%s\": none of its CPUs is in the cpuset %s",
			       from->affinity, mask_format(&cpus, text));
	}
	return plan_add_worker(&c->cell->plan, &record, NULL);
}

static int set_kind(const char *as, const struct workload *w, struct plan_group *record)
{
	if (!as || strcmp(as, "process") == 0)
		return 0;
	if (strcmp(as, "thread") != 0)
		return err_new(-EINVAL, "as \"%s\": expected process or thread", as);
	if (w->flags & WORKLOAD_NEEDS_PROCESS)
		return err_new(-EINVAL, "as \"%s\": workload %s needs processes", as, w->name);
	record->flags |= GROUP_THREADS;
	return 0;
}

static int set_count(const struct compiler *c, const struct ktstr_workers *from, uint32_t cgroup,
		     const struct workload *w, struct plan_group *record)
{
	struct cpu_mask cpus = cgroup_cpus(c, cgroup);
	uint32_t ensemble = workload_ensemble(w, record->params);
	const char *count = from->count;
	int r;

	if (!count && ensemble > 1)
		record->worker_count = ensemble;
	r = count || ensemble <= 1 ? spec_count(count, mask_count(&cpus), &record->worker_count)
				   : 0;
	if (r < 0)
		return err_prefix(r, "count ");
	if (record->worker_count % ensemble)
		return err_new(-EINVAL,
			       "count \"%s\": %u workers do not divide into groups of %u, "
			       "as %s needs them",
			       count, record->worker_count, ensemble, w->name);
	record->ensemble = ensemble;
	return 0;
}

static int add_phases(struct compiler *c, const char *text, struct plan_group *record)
{
	struct program program = { 0 };
	uint32_t index;
	int r = program_parse(text, &program);

	record->first_phase = c->cell->plan.header.phase_count;
	record->phase_count = program.count;
	for (uint32_t i = 0; i < program.count && r == 0; i++) {
		c->cell->needs_disk |= program.phases[i].kind == PHASE_IO;
		r = plan_add_phase(&c->cell->plan, &program.phases[i], &index);
	}
	return r;
}

/* What a sequence does, or which function of the author's a worker calls. */
static int add_program(struct compiler *c, const char *work, const struct workload *w,
		       struct plan_group *record)
{
	cleanup(freep) char *text = NULL;
	int r;

	if (!(w->flags & (WORKLOAD_HAS_PHASES | WORKLOAD_HAS_FUNCTION)))
		return 0;
	r = spec_work_text(work, &text);
	if (r < 0)
		return err_trace(r);
	if (w->flags & WORKLOAD_HAS_PHASES)
		return add_phases(c, text, record);
	return plan_add_string(&c->cell->plan, text, &record->text);
}

static int set_memory_policy(const struct compiler *c, const char *text, struct plan_group *record)
{
	static const struct {
		const char *word;
		uint32_t policy;
	} kinds[] = {
		{ "bind ", MEMPOLICY_BIND },
		{ "preferred ", MEMPOLICY_PREFERRED },
		{ "interleave ", MEMPOLICY_INTERLEAVE },
		{ "weighted-interleave ", MEMPOLICY_WEIGHTED_INTERLEAVE },
	};

	if (strcmp(text, "local") == 0) {
		record->mempolicy = MEMPOLICY_LOCAL;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].word);

		if (strncmp(text, kinds[i].word, len) != 0)
			continue;
		record->mempolicy = kinds[i].policy;
		return cpuspec_nodes(text + len, &c->cell->topology, &record->mem_nodes);
	}
	return err_new(-EINVAL,
		       "\"%s\": expected local, or bind, preferred, interleave or "
		       "weighted-interleave and nodes",
		       text);
}

/* How each task of an entry is scheduled, and where its memory comes from. */
static int describe_tasks(const struct compiler *c, const struct ktstr_workers *from,
			  struct plan_group *record)
{
	int r = spec_sched(from->policy, from->nice, &record->sched);

	if (r < 0)
		return err_prefix(r, from->policy ? "policy " : "nice ");
	/* Linux kernel/sched/syscalls.c: -EPERM for a task that may not use its whole root domain. */
	if (record->sched.period_ns && from->affinity)
		return err_new(-EINVAL, "affinity \"%s\": deadline workers cannot have one",
			       from->affinity);
	r = from->slice ? spec_slice(from->slice, &record->sched) : 0;
	if (r < 0)
		return err_prefix(r, "slice ");
	record->flags |= from->is_session ? GROUP_NEW_SESSION : 0;
	r = from->memory_policy ? set_memory_policy(c, from->memory_policy, record) : 0;
	return r < 0 ? err_prefix(r, "memory_policy ") : 0;
}

/* Everything about an entry but its workers. */
static int describe_group(struct compiler *c, const struct ktstr_workers *from, uint32_t cgroup,
			  struct plan_group *record)
{
	const struct workload *w;
	int r = spec_work(from->work, &record->workload, record->params);

	if (r < 0)
		return err_prefix(r, "work ");
	w = workload_by_id(record->workload);
	r = add_program(c, from->work, w, record);
	if (r < 0)
		return err_prefix(r, "work ");
	snprintf(record->name, sizeof(record->name), "%s", from->name ? from->name : w->name);
	c->cell->needs_disk |= (w->flags & WORKLOAD_NEEDS_DISK) != 0;
	r = set_kind(from->as, w, record);
	if (r == 0)
		r = set_count(c, from, cgroup, w, record);
	if (r < 0)
		return err_trace(r);
	return describe_tasks(c, from, record);
}

/* By a fault the workers do other work than the scenario says; how many they are stays. */
static int replace_work(struct compiler *c, uint32_t cgroup, struct plan_group *record)
{
	char name[CELL_NAME_BYTES];
	const struct workload *w;
	const char *work;
	int r;

	snprintf(name, sizeof(name), "%s%s%s",
		 cgroup == PLAN_NONE ? "" : c->cell->plan.cgroups[cgroup].path,
		 cgroup == PLAN_NONE ? "" : "/", record->name);
	work = fault_work(c->fault, name);
	if (!work)
		return 0;
	r = spec_work(work, &record->workload, record->params);
	if (r < 0)
		return err_prefix(r, "work ");
	w = workload_by_id(record->workload);
	if (workload_ensemble(w, record->params) != record->ensemble ||
	    w->flags & (WORKLOAD_HAS_PHASES | WORKLOAD_HAS_FUNCTION))
		return err_new(-EINVAL, "work \"%s\": cannot take the place of the scenario's",
			       work);
	return 0;
}

static int compile_entry(struct compiler *c, const struct ktstr_workers *from, uint32_t cgroup)
{
	struct plan *p = &c->cell->plan;
	struct plan_group record = { .first_worker = p->header.worker_count };
	uint32_t group;
	int r = describe_group(c, from, cgroup, &record);

	if (r == 0 && c->fault)
		r = replace_work(c, cgroup, &record);
	if (r == 0)
		r = plan_add_group(p, &record, &group);
	for (unsigned i = 0; i < record.worker_count && r == 0; i++)
		r = add_worker(c, from, group, cgroup, i);
	return r < 0 ? err_prefix(r, "workers %s: ", from->name ? from->name : from->work) : 0;
}

static int compile_entries(struct compiler *c, const struct ktstr_workers *from, uint32_t cgroup)
{
	for (; from && from->work; from++) {
		int r = compile_entry(c, from, cgroup);

		if (r < 0 && cgroup != PLAN_NONE)
			return err_prefix(r, "cgroup %s: ", c->cell->plan.cgroups[cgroup].path);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int compile_workers(struct compiler *c)
{
	int r = 0;

	for (const struct ktstr_cgroup *g = c->scenario->cgroups; g && g->name && r == 0; g++)
		r = compile_entries(c, g->workers, compile_find_cgroup(c, g->name));
	if (r == 0)
		r = compile_entries(c, c->scenario->workers, PLAN_NONE);
	return r;
}

/* ---- what is in force ---- */

int compile_refresh_cpus(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	char text[MASK_TEXT_BYTES];

	for (uint32_t i = 0; i < p->header.cgroup_count; i++) {
		c->scene.cgroups[i].cpus = cgroup_cpus(c, i);
		if (mask_is_empty(&c->scene.cgroups[i].cpus))
			return err_new(-EINVAL,
				       "cgroup %s: cpuset \"%s\": none of it is left by the "
				       "cgroups above",
				       p->cgroups[i].path,
				       mask_format(&c->scene.cgroups[i].own, text));
	}
	for (uint32_t i = 0; i < p->header.worker_count; i++) {
		const struct plan_worker *w = &p->workers[i];
		struct cpu_mask *allowed = &c->scene.allowed[i];

		const struct scene_group *now = &c->scene.groups[w->group];
		const struct cpu_mask *own = now->has_affinity ? &now->affinity : &w->affinity;

		*allowed = cgroup_cpus(c, now->cgroup);
		if (!mask_is_empty(own))
			mask_and(allowed, own);
		/* The kernel overrides an affinity that a new cpuset leaves nothing of. */
		if (mask_is_empty(allowed))
			*allowed = cgroup_cpus(c, now->cgroup);
	}
	return 0;
}

int compile_first_scene(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	int r = scene_init(&c->scene, p);

	if (r < 0)
		return err_trace(r);
	for (uint32_t i = 0; i < p->header.cgroup_count; i++) {
		const struct plan_cgroup *g = &p->cgroups[i];
		bool has_weight = g->knobs & UINT64_C(1) << KNOB_WEIGHT;
		bool has_quota = g->knobs & UINT64_C(1) << KNOB_QUOTA;

		c->scene.cgroups[i] = (struct scene_cgroup){
			.weight = has_weight ? (unsigned)g->values[KNOB_WEIGHT] : 100,
			.quota_us = has_quota ? g->values[KNOB_QUOTA] : PLAN_MAX,
			.period_us = has_quota ? g->values[KNOB_PERIOD] : PLAN_PERIOD_US,
			.own = g->cpuset,
			.is_idle = g->knobs >> KNOB_IDLE & 1 && g->values[KNOB_IDLE],
		};
	}
	for (uint32_t i = 0; i < p->header.group_count; i++) {
		c->scene.groups[i] = (struct scene_group){
			.cgroup = p->workers[p->groups[i].first_worker].cgroup,
			.sched = p->groups[i].sched,
		};
	}
	return compile_refresh_cpus(c);
}
