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

/* compile_steps.c: operations, steps and windows. */
int compile_steps(struct compiler *c) must_check;

/* The index of the cgroup with that path, or PLAN_NONE. */
uint32_t compile_find_cgroup(const struct compiler *c, const char *path);
