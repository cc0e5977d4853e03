// SPDX-License-Identifier: GPL-2.0-only
/* What comes and goes: cgroups and workers. Whatever would be refused in the guest for a reason that
 * is known here is refused here. */
#include "harness/compile.h"

#include "base/util.h"
#include "harness/scene.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { POLICY_DEADLINE = 6 /* linux/sched.h, which libc has not */ };

static const char *path_of(const struct compiler *c, uint32_t cgroup)
{
	return cgroup == PLAN_NONE ? "/" : c->cell->plan.cgroups[cgroup].path;
}

static uint32_t declared_cgroup(const struct compiler *c, uint32_t group)
{
	const struct plan *p = &c->cell->plan;

	return p->workers[p->groups[group].first_worker].cgroup;
}

/* ---- what an operation brings is not there before it ---- */

/* Is @op "@verb @name"? With @is_path the cgroup @name is meant by those above it, too. */
static bool is_about(const char *op, const char *verb, const char *name, bool is_path)
{
	size_t len = strlen(verb);

	if (strncmp(op, verb, len) != 0 || op[len] != ' ')
		return false;
	op += len + 1;
	len = strlen(op);
	return strcmp(op, name) == 0 ||
	       (is_path && strncmp(op, name, len) == 0 && name[len] == '/');
}

/* 1: the first operation of the list about @name brings it; -1: it takes it away; 0: none is. */
static int first_about(const char *const *ops, const char *name, bool is_path)
{
	static const struct {
		const char *verb;
		bool is_path;
		int what;
	} verbs[] = {
		{ "add", true, 1 },    { "remove", true, -1 }, { "spawn", false, 1 },
		{ "stop", false, -1 }, { "kill", false, -1 },
	};

	for (; ops && *ops; ops++) {
		for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
			if (verbs[i].is_path == is_path &&
			    is_about(*ops, verbs[i].verb, name, is_path))
				return verbs[i].what;
		}
	}
	return 0;
}

/* @owner: the only step whose operations can mean it, or CELL_BACKDROP. */
static bool comes_later(const struct compiler *c, uint32_t owner, const char *name, bool is_path)
{
	const struct ktstr_step *s;

	for (uint32_t i = 0; (s = compile_step_at(c, i)); i++) {
		int what = 0;

		if (owner != CELL_BACKDROP && owner != i)
			continue;
		what = first_about(s->ops, name, is_path);
		if (!what)
			what = first_about(s->loop, name, is_path);
		if (what)
			return what > 0;
	}
	return false;
}

static bool group_comes_later(const struct compiler *c, uint32_t group)
{
	char name[CELL_NAME_BYTES];

	return comes_later(c, compile_step_of(c, declared_cgroup(c, group)),
			   cell_group_name(c->cell, group, name), false);
}

/* ---- cgroups ---- */

static bool has_workers(const struct compiler *c, uint32_t cgroup)
{
	for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++) {
		if (!c->scene.groups[i].is_stopped && c->scene.groups[i].cgroup == cgroup)
			return true;
	}
	for (uint32_t i = 0; i < c->cell->plan.header.payload_count; i++) {
		if (compile_payload_runs(c, i) && c->cell->plan.payloads[i].cgroup == cgroup)
			return true;
	}
	return false;
}

static int make_cgroup(struct compiler *c, uint32_t cgroup)
{
	struct plan_op op = { .code = OP_CGROUP_ADD, .target = cgroup };
	uint32_t parent = c->cell->cgroups[cgroup].parent;

	if (c->scene.cgroups[cgroup].is_there)
		return err_new(-EINVAL, "cgroup %s is there already", path_of(c, cgroup));
	if (parent != PLAN_NONE && !c->scene.cgroups[parent].is_there)
		return err_new(-EINVAL, "cgroup %s, which it is inside, is not there",
			       path_of(c, parent));
	if (parent != PLAN_NONE && has_workers(c, parent))
		return err_new(-EINVAL, "cgroup %s has workers or payloads of its own",
			       path_of(c, parent));
	c->scene.cgroups[cgroup] = compile_made_cgroup(&c->cell->plan.cgroups[cgroup]);
	return compile_add_op(c, &op);
}

/* ---- workers ---- */

/* Tasks that an entry takes from pids.max. A process of threads has one that waits for the others;
 * a workload that forks has a child of each. */
static unsigned task_count(const struct plan_group *g)
{
	bool forks = workload_by_id(g->workload)->flags & WORKLOAD_NEEDS_PROCESS;
	unsigned children = forks ? 1 : 0;

	if (g->workload == WORK_CGROUP_ATTACH_STORM)
		children = (unsigned)g->params[0];
	return g->worker_count * (1 + children) + (g->flags & GROUP_THREADS ? 1 : 0);
}

static int check_pids(const struct compiler *c, uint32_t group)
{
	uint32_t at = c->scene.groups[group].cgroup;

	for (; at != PLAN_NONE; at = c->cell->cgroups[at].parent) {
		unsigned tasks = 0;

		for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++) {
			if (!c->scene.groups[i].is_stopped &&
			    compile_is_below(c, c->scene.groups[i].cgroup, at))
				tasks += task_count(&c->cell->plan.groups[i]);
		}
		if (tasks > c->scene.cgroups[at].pids_max)
			return err_new(-EINVAL,
				       "cgroup %s: pids_max \"%llu\": it would hold %u tasks",
				       path_of(c, at),
				       (unsigned long long)c->scene.cgroups[at].pids_max, tasks);
	}
	return 0;
}

static int check_memory(const struct compiler *c, uint32_t group)
{
	const struct plan_group *g = &c->cell->plan.groups[group];
	uint64_t nodes = compile_cgroup_mems(c, c->scene.groups[group].cgroup);
	struct cpu_mask mask = { .bits = { nodes } };
	char text[MASK_TEXT_BYTES];

	if (!g->mem_nodes || g->mem_nodes & nodes)
		return 0;
	return err_new(-EINVAL, "memory_policy: none of its nodes is in the cgroup's mems, %s",
		       mask_format(&mask, text));
}

/* What the workers of an entry touch again and again: their working sets. */
static uint64_t touched_bytes(const struct plan_group *g)
{
	const struct workload *w = workload_by_id(g->workload);
	int set = workload_param_index(w, "set");

	return set >= 0 && w->params[set].unit == PARAM_BYTES ? g->worker_count * g->params[set]
							      : 0;
}

/* There is no swap: beyond memory.max somebody is killed. */
int compile_check_memory_max(const struct compiler *c, uint32_t cgroup)
{
	for (; cgroup != PLAN_NONE; cgroup = c->cell->cgroups[cgroup].parent) {
		uint64_t bytes = 0, max = c->scene.cgroups[cgroup].memory_max;

		for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++) {
			if (!c->scene.groups[i].is_stopped &&
			    compile_is_below(c, c->scene.groups[i].cgroup, cgroup))
				bytes += touched_bytes(&c->cell->plan.groups[i]);
		}
		if (bytes > max)
			return err_new(-EINVAL,
				       "cgroup %s: memory_max \"%llu\": the working sets of its "
				       "workers are %llu bytes",
				       path_of(c, cgroup), (unsigned long long)max,
				       (unsigned long long)bytes);
	}
	return 0;
}

/* The affinity of a worker is set when it begins: it has to name a CPU that is there then. */
static int check_affinity(const struct compiler *c, uint32_t group)
{
	const struct plan_group *g = &c->cell->plan.groups[group];
	struct cpu_mask cpus = compile_cgroup_cpus(c, c->scene.groups[group].cgroup);
	char own[MASK_TEXT_BYTES], text[MASK_TEXT_BYTES];

	for (uint32_t i = 0; i < g->worker_count; i++) {
		const struct plan_worker *w = &c->cell->plan.workers[g->first_worker + i];
		struct cpu_mask both = w->affinity;

		mask_and(&both, &cpus);
		if (!mask_is_empty(&w->affinity) && mask_is_empty(&both))
			return err_new(-EINVAL,
				       "affinity \"%s\": none of its CPUs is in the cpuset %s",
				       mask_format(&w->affinity, own), mask_format(&cpus, text));
	}
	return 0;
}

/* What must be so that the kernel takes them as they are declared. */
static int check_spawn(const struct compiler *c, uint32_t group)
{
	uint32_t cgroup = c->scene.groups[group].cgroup;
	int r;

	if (cgroup != PLAN_NONE && !c->scene.cgroups[cgroup].is_there)
		return err_new(-EINVAL, "cgroup %s is not there", path_of(c, cgroup));
	if (compile_has_cgroups(c, cgroup))
		return err_new(-EINVAL,
			       "cgroup %s has cgroups inside it and cannot hold workers of its own",
			       path_of(c, cgroup));
	if (compile_is_frozen(c, cgroup))
		return err_new(-EINVAL, "cgroup %s is frozen", path_of(c, cgroup));
	r = check_pids(c, group);
	if (r == 0)
		r = compile_check_memory_max(c, cgroup);
	if (r == 0)
		r = check_memory(c, group);
	if (r == 0)
		r = check_affinity(c, group);
	return r ? r : compile_check_deadline(c, group);
}

static int spawn(struct compiler *c, uint32_t group)
{
	struct plan_op op = { .code = OP_SPAWN, .target = group };
	struct scene_group *now = &c->scene.groups[group];
	char name[CELL_NAME_BYTES];
	struct scene before;
	int r;

	if (!now->is_stopped)
		return err_new(-EINVAL, "the workers are spawned already");
	r = scene_copy(&c->scene, &c->cell->plan, &before);
	if (r < 0)
		return err_trace(r);
	/* However it was changed in an earlier life. */
	*now = (struct scene_group){ .cgroup = declared_cgroup(c, group),
				     .sched = c->cell->plan.groups[group].sched };
	r = check_spawn(c, group);
	if (r < 0)
		r = err_prefix(r, "workers %s: ", cell_group_name(c->cell, group, name));
	if (r == 0)
		r = compile_add_moving_op(c, &op, &before);
	scene_deinit(&before);
	return r;
}

/* End workers by @op. A frozen one would not hear a stop. */
static int end_workers(struct compiler *c, uint32_t group, struct plan_op *op, bool is_heard_frozen)
{
	struct scene_group *now = &c->scene.groups[group];

	if (now->is_stopped)
		return err_new(-EINVAL, "the workers are not there");
	if (!is_heard_frozen && compile_is_frozen(c, now->cgroup))
		return err_new(-EINVAL, "cgroup %s is frozen", path_of(c, now->cgroup));
	now->is_stopped = true;
	op->target = group;
	return compile_add_op(c, op);
}

static int stop(struct compiler *c, uint32_t group)
{
	struct plan_op op = { .code = OP_STOP };

	return end_workers(c, group, &op, false);
}

/* The only word of @rest. */
static int take_only_name(struct compiler *c, const char *rest, uint32_t *ret)
{
	int r = compile_take_name(c, &rest, ret);

	if (r == 0 && *rest)
		return err_new(-EINVAL, "nothing may follow the workers");
	return r;
}

int compile_op_spawn(struct compiler *c, const char *rest)
{
	uint32_t group;
	int r = take_only_name(c, rest, &group);

	return r ? r : spawn(c, group);
}

int compile_op_stop(struct compiler *c, const char *rest)
{
	uint32_t group;
	int r = take_only_name(c, rest, &group);

	return r ? r : stop(c, group);
}

static int send_signal(struct compiler *c, uint32_t group, int number)
{
	struct plan_op op = { .code = OP_SIGNAL, .target = group, .args = { (uint64_t)number } };

	if (number == SIGTERM && c->scene.groups[group].is_paused)
		return err_new(-EINVAL, "signal \"TERM\": stopped workers take it after CONT only");
	if (number == SIGKILL || number == SIGTERM)
		return end_workers(c, group, &op, number == SIGKILL);
	c->scene.groups[group].is_paused = number == SIGSTOP;
	return compile_add_op(c, &op);
}

int compile_op_kill(struct compiler *c, const char *rest)
{
	uint32_t group;
	int r;

	if (compile_find_payload(c, rest) != PLAN_NONE)
		return compile_payload_kill(c, rest);
	r = take_only_name(c, rest, &group);
	if (r < 0)
		return err_prefix(r, "no payload is named %s, and ", rest);
	return send_signal(c, group, SIGKILL);
}

int compile_op_signal(struct compiler *c, const char *rest)
{
	static const struct {
		const char *word;
		int number;
	} signals[] = {
		{ "STOP", SIGSTOP },
		{ "CONT", SIGCONT },
		{ "TERM", SIGTERM },
		{ "KILL", SIGKILL },
	};
	uint32_t group;
	int r = compile_take_group(c, &rest, &group);

	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].word, rest) == 0)
			return send_signal(c, group, signals[i].number);
	}
	return err_new(-EINVAL, "signal \"%s\": expected STOP, CONT, TERM or KILL", rest);
}

/* ---- cgroups with all that is in them ---- */

/* Spawn what is declared in cgroups that are there and belong to @step, below @top. */
static int spawn_below(struct compiler *c, uint32_t step, uint32_t top)
{
	int r = 0;

	for (uint32_t i = 0; i < c->cell->plan.header.group_count && r == 0; i++) {
		uint32_t cgroup = declared_cgroup(c, i);

		if (compile_step_of(c, cgroup) != step || !c->scene.groups[i].is_stopped ||
		    (cgroup != PLAN_NONE && !c->scene.cgroups[cgroup].is_there) ||
		    !compile_is_below(c, cgroup, top) || group_comes_later(c, i))
			continue;
		r = spawn(c, i);
	}
	return r;
}

/* The kernel's order: nobody is left inside, nothing is frozen, then the cgroups go. */
static int remove_below(struct compiler *c, uint32_t top)
{
	struct plan_op op = { .code = OP_CGROUP_REMOVE, .target = top };
	const struct plan_header *h = &c->cell->plan.header;
	int r = 0;

	for (uint32_t i = 0; i < h->cgroup_count && r == 0; i++) {
		if (!compile_is_below(c, i, top) || !c->scene.cgroups[i].is_frozen)
			continue;
		c->scene.cgroups[i].is_frozen = false;
		r = compile_add_op(c, &(struct plan_op){ .code = OP_CGROUP_THAW, .target = i });
	}
	for (uint32_t i = 0; i < h->group_count && r == 0; i++) {
		if (!c->scene.groups[i].is_stopped &&
		    compile_is_below(c, c->scene.groups[i].cgroup, top))
			r = stop(c, i);
	}
	if (r == 0)
		r = compile_payload_ends(c, top);
	for (uint32_t i = 0; i < h->cgroup_count; i++)
		c->scene.cgroups[i].is_there &= !compile_is_below(c, i, top);
	return r ? r : compile_add_op(c, &op);
}

static int take_cgroup(const struct compiler *c, const char *rest, uint32_t *ret)
{
	*ret = compile_find_cgroup(c, rest);
	return *ret == PLAN_NONE ? err_new(-EINVAL, "no cgroup is named %s", rest) : 0;
}

int compile_op_add(struct compiler *c, const char *rest)
{
	uint32_t top, i;
	int r = take_cgroup(c, rest, &top);

	for (i = 0; i < c->cell->plan.header.cgroup_count && r == 0; i++) {
		if (compile_is_below(c, i, top) && compile_can_see(c, i) &&
		    compile_step_of(c, i) == compile_step_of(c, top))
			r = make_cgroup(c, i);
	}
	if (r == 0)
		r = spawn_below(c, compile_step_of(c, top), top);
	return r ? r : compile_payload_starts(c, compile_step_of(c, top), top);
}

int compile_op_remove(struct compiler *c, const char *rest)
{
	uint32_t top;
	int r = take_cgroup(c, rest, &top);

	if (r == 0 && !c->scene.cgroups[top].is_there)
		return err_new(-EINVAL, "cgroup %s is not there", rest);
	return r ? r : remove_below(c, top);
}

int compile_begin_step(struct compiler *c, uint32_t step)
{
	int r = 0;

	for (uint32_t i = 0; i < c->cell->plan.header.cgroup_count && r == 0; i++) {
		if (compile_step_of(c, i) == step && !comes_later(c, step, path_of(c, i), true))
			r = make_cgroup(c, i);
	}
	if (r == 0)
		r = spawn_below(c, step, PLAN_NONE);
	return r ? r : compile_payload_starts(c, step, PLAN_NONE);
}

int compile_end_step(struct compiler *c, uint32_t step)
{
	int r = 0;

	for (uint32_t i = 0; i < c->cell->plan.header.cgroup_count && r == 0; i++) {
		if (compile_step_of(c, i) == step && c->scene.cgroups[i].is_there)
			r = remove_below(c, i);
	}
	return r;
}
