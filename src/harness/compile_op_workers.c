// SPDX-License-Identifier: GPL-2.0-only
/* Operations on workers and CPUs. */
#include "harness/compile.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The entry that is called so in reports; the first word of *@rest. */
static int take_name(const struct compiler *c, const char **rest, uint32_t *ret)
{
	char word[CELL_NAME_BYTES], name[CELL_NAME_BYTES];
	uint32_t found = PLAN_NONE;

	if (!compile_take_word(rest, word, sizeof(word)))
		return err_new(-EINVAL, "the name of workers is missing");
	for (uint32_t i = 0; i < c->cell->plan.header.group_count; i++) {
		if (strcmp(cell_group_name(c->cell, i, name), word) != 0)
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
static int take_group(const struct compiler *c, const char **rest, uint32_t *ret)
{
	uint32_t group;
	int r = take_name(c, rest, &group);

	if (r < 0)
		return err_trace(r);
	if (c->scene.groups[group].is_stopped)
		return err_new(-EINVAL, "the workers are not there");
	*ret = group;
	return 0;
}

static bool has_children(const struct compiler *c, uint32_t cgroup)
{
	for (uint32_t i = 0; i < c->cell->plan.header.cgroup_count; i++) {
		if (c->cell->cgroups[i].parent == cgroup)
			return true;
	}
	return false;
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

/* "WORKERS to CGROUP" */
int compile_op_move(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_MOVE, .other = PLAN_NONE };
	struct scene_group now;
	char word[8];
	int r = take_group(c, &rest, &op.target);

	if (r < 0)
		return err_trace(r);
	if (!compile_take_word(&rest, word, sizeof(word)) || strcmp(word, "to") != 0 || !*rest)
		return err_new(-EINVAL, "expected move WORKERS to CGROUP");
	if (strcmp(rest, "/") != 0) {
		op.other = compile_find_cgroup(c, rest);
		if (op.other == PLAN_NONE)
			return err_new(-EINVAL, "no cgroup is named %s", rest);
		if (has_children(c, op.other))
			return err_new(-EINVAL, "cgroup %s has cgroups inside it", rest);
	}
	now = c->scene.groups[op.target];
	now.cgroup = op.other;
	return change_group(c, &op, &now);
}

int compile_op_affinity(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_AFFINITY };
	struct scene_group now;
	struct cpu_mask cpus;
	int r = take_group(c, &rest, &op.target);

	if (r == 0)
		r = cpuspec_resolve(rest, &c->cell->topology, &op.mask);
	if (r < 0)
		return err_trace(r);
	now = c->scene.groups[op.target];
	now.has_affinity = true;
	now.affinity = op.mask;
	cpus = now.cgroup == PLAN_NONE ? c->machine : c->scene.cgroups[now.cgroup].cpus;
	mask_and(&cpus, &op.mask);
	if (mask_is_empty(&cpus))
		return err_new(-EINVAL, "\"%s\": none of its CPUs is in the cpuset", rest);
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
	int r = take_group(c, &rest, &op.target);

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

int compile_op_policy(struct compiler *c, const char *rest)
{
	struct plan_op op = { 0 };
	struct plan_sched *now, sched;
	int r = take_group(c, &rest, &op.target);

	if (r == 0)
		r = spec_sched(rest, 0, &sched);
	if (r < 0)
		return err_trace(r);
	now = &c->scene.groups[op.target].sched;
	sched.flags |= now->flags & SCHED_HAS_NICE;
	sched.nice = now->nice;
	*now = sched;
	return add_sched(c, &op, &sched);
}

/* A worker's life has one report: who has gone does not come back. */
static int begin_or_end(struct compiler *c, const char *rest, struct plan_op *op)
{
	bool is_spawn = op->code == OP_SPAWN;
	struct scene_group *now;
	int r = take_name(c, &rest, &op->target);

	if (r < 0)
		return err_trace(r);
	now = &c->scene.groups[op->target];
	if (*rest)
		return err_new(-EINVAL, "nothing may follow the workers");
	if (c->is_looping)
		return err_new(-EINVAL, "workers come and go only outside of loops");
	if (now->is_stopped != is_spawn || (is_spawn && now->has_lived))
		return err_new(-EINVAL, "the workers are %s",
			       is_spawn ? "spawned already" : "not there");
	now->is_stopped = !is_spawn;
	now->has_lived = true;
	return compile_add_op(c, op);
}

int compile_op_spawn(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_SPAWN };

	return begin_or_end(c, rest, &op);
}

int compile_op_stop(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_STOP };

	return begin_or_end(c, rest, &op);
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
	struct plan_op op = { .code = OP_SIGNAL };
	int r = take_group(c, &rest, &op.target);

	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].word, rest) != 0)
			continue;
		op.args[0] = (uint64_t)signals[i].number;
		return compile_add_op(c, &op);
	}
	return err_new(-EINVAL, "signal \"%s\": expected STOP, CONT, TERM or KILL", rest);
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
