/* SPDX-License-Identifier: GPL-2.0-only */
/* The ideal: which part of the machine each task and each group gets from a perfectly fair
 * scheduler of infinitely small slices (generalised processor sharing), for a tree of groups with
 * weights and limits, over CPUs that not everybody may use.
 *
 * Definition. At each level, from the root down, siblings receive CPU time in proportion to their
 * weights as long as all can use it; who cannot use more (limit, one CPU for each task, or the
 * allowed CPUs are full) keeps what it has, the others go on rising: weighted max-min fairness, no
 * one gains without a poorer sibling losing. What a level decided holds for the levels below. The
 * whole machine is used as far as limits and CPU sets permit.
 *
 * It is the claim of kernel documentation and of users ("weights are followed, nothing idles"), not
 * a model of one scheduler. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { FLUID_CPUS_MAX = 512, FLUID_MASK_WORDS = FLUID_CPUS_MAX / 64 };

#define FLUID_ROOT UINT32_MAX

/* A group, or a task: what has a CPU mask is a task. */
struct fluid_entity {
	uint32_t parent;	      /* an earlier entity that is a group, or FLUID_ROOT */
	double weight;		      /* above 0, compared among siblings */
	double limit_cpus;	      /* quota or demand in CPUs, INFINITY: none; a task never
				       * gets over 1 */
	const uint64_t *allowed_cpus; /* FLUID_MASK_WORDS words, not all 0; NULL: a group */
};

/* Solve. @rates receives the ideal part of each of the @count entities, in CPUs. Returns 0, -EINVAL
 * with words for an entity that is not as described above, -ENOMEM. Any thread. */
int fluid_solve(const struct fluid_entity *entities, size_t count, double *rates) must_check;
