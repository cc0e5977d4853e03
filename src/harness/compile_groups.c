// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups and workers of a scenario as tables of the plan. */
#include "harness/compile.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/custom.h"
#include "harness/cpuspec.h"
#include "harness/program.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t compile_step_of(const struct compiler *c, uint32_t cgroup)
{
	return cgroup == PLAN_NONE ? CELL_BACKDROP : c->cell->cgroups[cgroup].step;
}

bool compile_can_see(const struct compiler *c, uint32_t cgroup)
{
	uint32_t step = compile_step_of(c, cgroup);

	return step == CELL_BACKDROP || step == c->step;
}

bool compile_is_below(const struct compiler *c, uint32_t cgroup, uint32_t above)
{
	while (cgroup != PLAN_NONE && cgroup != above)
		cgroup = c->cell->cgroups[cgroup].parent;
	return cgroup == above;
}

uint32_t compile_find_cgroup(const struct compiler *c, const char *path)
{
	const struct plan *p = &c->cell->plan;

	for (uint32_t i = 0; i < p->header.cgroup_count; i++) {
		if (compile_can_see(c, i) && strcmp(p->cgroups[i].path, path) == 0)
			return i;
	}
	return PLAN_NONE;
}

/* Linux Documentation/admin-guide/cgroup-v2.rst, "Avoid Name Collisions": files of the kernel lie
 * beside the cgroups, and begin with cgroup. or a controller's name and a dot. */
static bool is_kernels_name(const char *part)
{
	static const char *const prefixes[] = { "cgroup.", "cpu.",     "cpuset.", "io.",  "memory.",
						"pids.",   "hugetlb.", "rdma.",	  "misc." };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(part, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
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
		if (is_start && is_kernels_name(p))
			return err_new(
				-EINVAL,
				"cgroup \"%s\": names that begin like a file of the kernel's, "
				"as cgroup. or cpu., are its own",
				path);
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
	grown[index].step = c->step;
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

struct cpu_mask compile_declared_cpus(const struct compiler *c, uint32_t cgroup)
{
	struct cpu_mask cpus = c->machine;

	for (; cgroup != PLAN_NONE; cgroup = c->cell->cgroups[cgroup].parent) {
		const struct cpu_mask *own = &c->cell->plan.cgroups[cgroup].cpuset;

		if (!mask_is_empty(own))
			mask_and(&cpus, own);
	}
	return cpus;
}

static int check_cpuset(const struct compiler *c, uint32_t cgroup)
{
	const struct plan_cgroup *g = &c->cell->plan.cgroups[cgroup];
	struct cpu_mask cpus = compile_declared_cpus(c, cgroup);
	char text[MASK_TEXT_BYTES];

	if (!mask_is_empty(&cpus))
		return 0;
	return err_new(-EINVAL, "cgroup %s: cpuset \"%s\": none of it is left by the cgroups above",
		       g->path, mask_format(&g->cpuset, text));
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
	r = add_cgroup(c, &record);
	return r ? r : check_cpuset(c, compile_find_cgroup(c, from->name));
}

static int compile_list(struct compiler *c, const struct ktstr_cgroup *from)
{
	int r = 0;

	for (; from && from->name && r == 0; from++)
		r = compile_cgroup(c, from);
	return r;
}

int compile_for_all_lists(struct compiler *c,
			  int (*compile)(struct compiler *c, const struct ktstr_cgroup *from))
{
	char name[PLAN_NAME_BYTES];
	int r = compile(c, c->scenario->cgroups);

	for (uint32_t i = 0; r == 0 && compile_step_at(c, i); i++) {
		c->step = i;
		r = compile(c, compile_step_at(c, i)->cgroups);
		if (r < 0)
			r = err_prefix(r, "step %s: ", compile_step_name(c, i, name));
	}
	c->step = CELL_BACKDROP;
	return r;
}

int compile_cgroups(struct compiler *c)
{
	return compile_for_all_lists(c, compile_list);
}

/* ---- workers ---- */

static int add_worker(struct compiler *c, const struct ktstr_workers *from, uint32_t group,
		      uint32_t cgroup, unsigned i)
{
	struct cpu_mask cpus = compile_declared_cpus(c, cgroup);
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
	struct cpu_mask cpus = compile_declared_cpus(c, cgroup);
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

/* Host and guest are one program: what is not registered here is not there either. */
static int check_function(const char *name)
{
	cleanup(buf_deinit) struct buf names = BUF_NULL;

	if (custom_find(name))
		return 0;
	custom_names(&names);
	return err_new(-EINVAL, "function \"%s\": no KTSTR_WORK(%s) is in this program; it has %s",
		       name, name, names.len ? buf_text(&names) : "none");
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
	r = check_function(text);
	return r < 0 ? err_trace(r) : plan_add_string(&c->cell->plan, text, &record->text);
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
static int describe_tasks(struct compiler *c, const struct ktstr_workers *from,
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
	compile_need_sched(c, &record->sched);
	record->flags |= from->is_session ? GROUP_NEW_SESSION : 0;
	r = from->memory_policy ? set_memory_policy(c, from->memory_policy, record) : 0;
	if (record->mempolicy == MEMPOLICY_WEIGHTED_INTERLEAVE)
		compile_need_kernel(c, "6.9", "weighted interleave");
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
	r = from->name ? spec_name(from->name) : 0;
	if (r < 0)
		return err_prefix(r, "name ");
	snprintf(record->name, sizeof(record->name), "%s", from->name ? from->name : w->name);
	c->cell->needs_disk |= (w->flags & WORKLOAD_NEEDS_DISK) != 0;
	r = set_kind(from->as, w, record);
	if (r == 0)
		r = set_count(c, from, cgroup, w, record);
	if (r < 0)
		return err_trace(r);
	if (from->iterations && record->ensemble > 1)
		return err_new(-EINVAL,
			       "iterations \"%u\": workers of %s need each other and cannot end "
			       "alone",
			       from->iterations, w->name);
	record->iterations = from->iterations;
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

/* Two entries that bear the name of their workload are what a scenario means; two that were given one are
 * a slip: no operation or claim could tell them apart. */
static int check_twin(const struct ktstr_workers *first, const struct ktstr_workers *entry)
{
	for (; entry->name && first < entry; first++)
		if (first->name && strcmp(first->name, entry->name) == 0)
			return err_new(-EINVAL, "workers %s: name \"%s\": another entry has it",
				       entry->name, entry->name);
	return 0;
}

static int compile_entries(struct compiler *c, const struct ktstr_workers *from, uint32_t cgroup)
{
	const struct ktstr_workers *first = from;

	for (; from && from->work; from++) {
		int r = check_twin(first, from);

		if (r == 0)
			r = compile_entry(c, from, cgroup);

		if (r < 0 && cgroup != PLAN_NONE)
			return err_prefix(r, "cgroup %s: ", c->cell->plan.cgroups[cgroup].path);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int compile_list_workers(struct compiler *c, const struct ktstr_cgroup *from)
{
	int r = 0;

	for (; from && from->name && r == 0; from++)
		r = compile_entries(c, from->workers, compile_find_cgroup(c, from->name));
	return r;
}

int compile_workers(struct compiler *c)
{
	int r = compile_for_all_lists(c, compile_list_workers);

	if (r == 0)
		r = compile_entries(c, c->scenario->workers, PLAN_NONE);
	return r;
}
