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
	uint32_t step; /* of the scenario, whose cgroups can be named; CELL_BACKDROP: none's */
	const char *op_text;	   /* of the operation that is compiled; NULL: none is */
	uint64_t duration_ns;	   /* what holds in percent are of; 0: there is none */
	unsigned duration_percent; /* that they have taken */
	uint64_t seed;
};

/* compile_groups.c: the cgroups, then their workers, as tables of the plan: of the backdrop, then of
 * each step. */
int compile_cgroups(struct compiler *c) must_check;
int compile_workers(struct compiler *c) must_check;

/* Call @compile for the backdrop's cgroups, then for those of each step. */
int compile_for_all_lists(struct compiler *c,
			  int (*compile)(struct compiler *c,
					 const struct ktstr_cgroup *from)) must_check;

/* The index of the cgroup with that path, or PLAN_NONE: of the backdrop, or the step's own. */
uint32_t compile_find_cgroup(const struct compiler *c, const char *path);
/* Is it the backdrop's or that of the step where the compiler stands? */
bool compile_can_see(const struct compiler *c, uint32_t cgroup);
/* The step that @cgroup belongs to, or CELL_BACKDROP. */
uint32_t compile_step_of(const struct compiler *c, uint32_t cgroup);
/* Is @cgroup below @above, or the same? Everything is below PLAN_NONE. */
bool compile_is_below(const struct compiler *c, uint32_t cgroup, uint32_t above);

/* The CPUs that @cgroup (PLAN_NONE: outside of any) is declared to have; operations may change it. */
struct cpu_mask compile_declared_cpus(const struct compiler *c, uint32_t cgroup);

/* compile_knobs.c: the settings that @from asks for. */
int compile_knobs(const struct compiler *c, const struct ktstr_cgroup *from,
		  struct plan_cgroup *record) must_check;

/* compile_affinity.c: the CPUs of worker @i of an entry whose affinity is @text, in a cgroup that may
 * use those of @cgroup; none if @text is NULL. */
int compile_affinity(const struct compiler *c, const char *text, unsigned i,
		     const struct cpu_mask *cgroup, struct cpu_mask *ret) must_check;

/* compile_needs.c: what the machine must have, and the kernel. Returns 0; CELL_NEEDS_UNMET with what is
 * missing in the error trail's words; -EINVAL for needs that are none. */
int compile_check_needs(struct cell *cell) must_check;
/* The cell needs that kernel, because of @why; what tasks so scheduled need. */
void compile_need_kernel(struct compiler *c, const char *release, const char *why);
void compile_need_sched(struct compiler *c, const struct plan_sched *sched);

/* compile_scene.c: what is in force. The first scene has nothing in it yet. */
int compile_first_scene(struct compiler *c) must_check;
/* The settings that a cgroup is made with. */
struct scene_cgroup compile_made_cgroup(const struct plan_cgroup *g);
/* The online CPUs and the nodes that a cgroup may use; PLAN_NONE: outside of any. */
struct cpu_mask compile_cgroup_cpus(const struct compiler *c, uint32_t cgroup);
uint64_t compile_cgroup_mems(const struct compiler *c, uint32_t cgroup);
/* Is it frozen, by itself or from above? */
bool compile_is_frozen(const struct compiler *c, uint32_t cgroup);
/* Are there cgroups inside it? */
bool compile_has_cgroups(const struct compiler *c, uint32_t cgroup);
/* Bring the effective CPU sets of all cgroups and workers of the scene up to date, and see that the
 * kernel will agree with it. -EINVAL if a cgroup is left without a CPU or a node, or a worker
 * cannot be where it is. */
int compile_refresh(struct compiler *c) must_check;
/* Kernels before 6.2 forget the affinity of a task when its cgroup changes, or the CPUs of that (Linux
 * commit 8f9ea86fdf99 ("sched: Always preserve the user requested cpumask")). */
void compile_need_lasting_affinity(struct compiler *c);

/* compile_ops.c: a list of operations, appended to the plan's and applied to the scene. */
int compile_op(struct compiler *c, const char *text) must_check;
int compile_ops(struct compiler *c, const char *const *ops) must_check;
/* compile_payload.c: the payloads; those of @step, below cgroup @top (PLAN_NONE: all), that no operation
 * runs; and operations on them. */
int compile_payloads(struct compiler *c) must_check;
int compile_payload_starts(struct compiler *c, uint32_t step, uint32_t top) must_check;
/* Was it run, and neither waited for nor killed since? */
bool compile_payload_runs(const struct compiler *c, uint32_t payload);
/* Kill what runs in @cgroup or below. */
int compile_payload_ends(struct compiler *c, uint32_t cgroup) must_check;
int compile_op_run(struct compiler *c, const char *rest) must_check;
int compile_op_wait(struct compiler *c, const char *rest) must_check;
int compile_payload_kill(struct compiler *c, const char *rest) must_check;
/* The index of the payload of that name, or PLAN_NONE. */
uint32_t compile_find_payload(const struct compiler *c, const char *name);

/* Take the next word of *@p, and the spaces behind it. False if there is none, or it is too long. */
bool compile_take_word(const char **p, char *word, size_t size);
/* compile_scene.c: remember who is held back where the compiler stands. */
void compile_note_held(struct compiler *c);
/* Append @op, which @before was in force before, and what workers may use since then. */
int compile_add_op(struct compiler *c, const struct plan_op *op) must_check;
int compile_add_moving_op(struct compiler *c, const struct plan_op *op,
			  const struct scene *before) must_check;

/* compile_set.c: the settings of a cgroup that is there. @rest is what follows it. */
int compile_op_set(struct compiler *c, uint32_t cgroup, const char *rest) must_check;
int compile_op_clear(struct compiler *c, uint32_t cgroup, const char *rest) must_check;

/* compile_life.c: what comes and goes. */
/* Does what the workers that are there touch all the time fit into memory.max, at @cgroup and above? */
int compile_check_memory_max(const struct compiler *c, uint32_t cgroup) must_check;
int compile_op_add(struct compiler *c, const char *rest) must_check;
int compile_op_remove(struct compiler *c, const char *rest) must_check;
int compile_op_spawn(struct compiler *c, const char *rest) must_check;
int compile_op_stop(struct compiler *c, const char *rest) must_check;
int compile_op_kill(struct compiler *c, const char *rest) must_check;
int compile_op_signal(struct compiler *c, const char *rest) must_check;
/* Make what belongs to @step and is not added by an operation later; end all of it. */
int compile_begin_step(struct compiler *c, uint32_t step) must_check;
int compile_end_step(struct compiler *c, uint32_t step) must_check;

/* compile_op_workers.c: operations on workers that are there, and on CPUs. */
/* Will the kernel take the policy of these workers, as the scene has it? */
int compile_check_deadline(const struct compiler *c, uint32_t group) must_check;
/* The entry whose name is the first word of *@rest; the same, if its workers are there. */
int compile_take_name(const struct compiler *c, const char **rest, uint32_t *ret) must_check;
int compile_take_group(const struct compiler *c, const char **rest, uint32_t *ret) must_check;
int compile_op_move(struct compiler *c, const char *rest) must_check;
int compile_op_affinity(struct compiler *c, const char *rest) must_check;
int compile_op_nice(struct compiler *c, const char *rest) must_check;
int compile_op_policy(struct compiler *c, const char *rest) must_check;
int compile_op_offline(struct compiler *c, const char *rest) must_check;
int compile_op_online(struct compiler *c, const char *rest) must_check;

/* compile_hold.c: how long a step holds, and until when. @condition_ret: in words, "" if there is
 * none. */
int compile_hold(struct compiler *c, const char *text, struct plan_step *step,
		 char condition_ret[PLAN_NAME_BYTES * 2]) must_check;
/* The form of a hold's words, as far as it says nothing about a scenario. */
int compile_check_hold(const char *text) must_check;

/* compile_steps.c: steps and windows. */
/* Step @i of the scenario, NULL behind the last. */
const struct ktstr_step *compile_step_at(const struct compiler *c, uint32_t i);
/* What it is called: by itself, or "hold-0". @text has PLAN_NAME_BYTES. Returns @text. */
const char *compile_step_name(const struct compiler *c, uint32_t i, char *text);
int compile_check_step_names(const struct compiler *c) must_check;
int compile_steps(struct compiler *c) must_check;

/* compile_claims.c: the claims, bound to the tables that are compiled by now. */
int compile_claims(struct cell *cell) must_check;
