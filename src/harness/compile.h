/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of cell_compile(), private to it: each takes a table of the scenario, checks it and
 * appends to the plan. Errors come with the field and value in words; cell_compile() puts the
 * scenario's name before them. */
#pragma once

#include "harness/cell.h"

struct compiler {
	struct cell *cell;
	const struct ktstr_scenario *scenario;
	struct cpu_mask machine; /* all CPUs */
	struct scene scene;	 /* in force where the compiler stands */
	struct cpu_mask offline;
	bool is_looping;	   /* the operations are those of a loop */
	const struct fault *fault; /* of this plan; NULL: none */
	bool is_faulting;	   /* the operations are the fault's */
	uint64_t seed;
};

/* compile_groups.c: the cgroups, then their workers, as tables of the plan; and what is in force
 * before the first operation. */
int compile_cgroups(struct compiler *c) must_check;
int compile_workers(struct compiler *c) must_check;
int compile_first_scene(struct compiler *c) must_check;

/* compile_knobs.c: the settings that @from asks for. */
int compile_knobs(const struct compiler *c, const struct ktstr_cgroup *from,
		  struct plan_cgroup *record) must_check;

/* compile_affinity.c: the CPUs of worker @i of an entry whose affinity is @text, in a cgroup that may
 * use those of @cgroup; none if @text is NULL. */
int compile_affinity(const struct compiler *c, const char *text, unsigned i,
		     const struct cpu_mask *cgroup, struct cpu_mask *ret) must_check;

/* Bring the effective CPU sets of all cgroups and workers of the scene up to date, after a cgroup's
 * own set has changed. -EINVAL if a cgroup is left without a CPU. */
int compile_refresh_cpus(struct compiler *c) must_check;

/* compile_ops.c: a list of operations, appended to the plan's and applied to the scene. */
int compile_ops(struct compiler *c, const char *const *ops) must_check;

/* compile_op_workers.c: operations on workers and CPUs. @rest is what follows the verb. */
int compile_op_move(struct compiler *c, const char *rest) must_check;
int compile_op_affinity(struct compiler *c, const char *rest) must_check;
int compile_op_nice(struct compiler *c, const char *rest) must_check;
int compile_op_policy(struct compiler *c, const char *rest) must_check;
int compile_op_signal(struct compiler *c, const char *rest) must_check;
int compile_op_spawn(struct compiler *c, const char *rest) must_check;
int compile_op_stop(struct compiler *c, const char *rest) must_check;
int compile_op_offline(struct compiler *c, const char *rest) must_check;
int compile_op_online(struct compiler *c, const char *rest) must_check;

/* compile_payload.c: the payloads; those that no operation runs, as operations of the first step; and
 * operations on them. */
int compile_payloads(struct compiler *c) must_check;
int compile_payload_starts(struct compiler *c) must_check;
int compile_op_run(struct compiler *c, const char *rest) must_check;
int compile_op_wait(struct compiler *c, const char *rest) must_check;
int compile_op_kill(struct compiler *c, const char *rest) must_check;
/* The index of the payload of that name, or PLAN_NONE. */
uint32_t compile_find_payload(const struct compiler *c, const char *name);

/* Append @op, which @before was in force before, and what workers may use since then. */
int compile_add_op(struct compiler *c, const struct plan_op *op) must_check;
int compile_add_moving_op(struct compiler *c, const struct plan_op *op,
			  const struct scene *before) must_check;

/* Take the next word of *@p, and the spaces behind it. False if there is none, or it is too long. */
bool compile_take_word(const char **p, char *word, size_t size);

/* compile_steps.c: steps and windows. */
int compile_steps(struct compiler *c) must_check;

/* The index of the cgroup with that path, or PLAN_NONE. */
uint32_t compile_find_cgroup(const struct compiler *c, const char *path);
