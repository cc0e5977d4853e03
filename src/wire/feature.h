/* SPDX-License-Identifier: GPL-2.0-only */
/* Features of a kernel that a scenario may need. The guest's init looks for each one when it has
 * mounted what there is to mount, and READY carries a bit for each that it found; the host compares
 * them with what the scenario needs. Presence of a path is what is looked for, never a version: a
 * distribution may have switched off what its version has, or carry what it has not.
 *
 * A feature without a path of its own is not here (core scheduling: prctl(2) alone tells, and only on
 * machines with SMT).
 *
 * To add one: append to the enum (never renumber), and a row to the table in feature.c. Messages,
 * `ktstr list --features` and the manual page are made from it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum feature_id {
	FEATURE_SCHED_EXT,
	FEATURE_AUTOGROUP,
	FEATURE_PSI,
	FEATURE_SCHED_DEBUG,
	FEATURE_NUMA_BALANCING,
	FEATURE_UCLAMP,
	FEATURE_WEIGHTED_INTERLEAVE,
	FEATURE_CPU_HOTPLUG,
	FEATURE_BTF,
	FEATURE_COUNT,
};

/* A set of them: bit FEATURE_X for each. */
enum { FEATURES_ALL = (1 << FEATURE_COUNT) - 1 };

struct feature {
	const char *name;
	const char *path; /* it is there exactly where the kernel has the feature */
	const char *help;
};

/* The feature of that id, below FEATURE_COUNT. */
const struct feature *feature_at(unsigned id);

/* The id of the feature of that name, or FEATURE_COUNT. */
unsigned feature_by_name(const char *name);

/* "sched_ext, autogroup": all names, for messages. @text has @size bytes; returns @text. */
enum { FEATURE_NAMES_BYTES = 256 };
const char *feature_names(char *text, size_t size);
