/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan's cgroups, directly below the root of the cgroup2 hierarchy. Every function names the
 * cgroup and the file in the words of its error. */
#pragma once

#include "base/err.h"
#include "wire/plan.h"
#include "wire/report.h"

#include <stdbool.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Make it and write its knobs. Its parent's controllers are switched on for it first. */
int cgroup_add(const struct plan_cgroup *c) must_check;
/* Kill everything in it and below, remove all of that. */
int cgroup_remove(const char *path, uint64_t deadline_ns) must_check;

/* Write one knob of an existing cgroup. For KNOB_QUOTA @extra is the period in us; for KNOB_CPUSET
 * the set is @mask, empty to clear it. */
int cgroup_set(const char *path, enum plan_knob knob, uint64_t value, uint64_t extra,
	       const struct cpu_mask *mask) must_check;

/* Exchange what two cgroups have in cpuset.cpus. */
int cgroup_swap_cpusets(const char *path, const char *other) must_check;

/* Returns when cgroup.events says that it is (not) frozen; -ETIMEDOUT. */
int cgroup_freeze(const char *path, bool is_frozen, uint64_t deadline_ns) must_check;

/* A descriptor of its directory, for clone3(CLONE_INTO_CGROUP). NULL: the root. */
int cgroup_open(const char *path, int *fd_ret) must_check;
/* Move a process. NULL: to the root. */
int cgroup_move(const char *path, int pid) must_check;

/* Its cpu.stat; all 0 when it has none. */
void cgroup_read_stat(const char *path, struct wire_cgroupstat *ret);

/* Did the kernel kill a task in it because memory had run out? */
bool cgroup_has_oom_kill(const char *path);

/* Remove every cgroup below the root; they are empty. What cannot be removed stays. */
void cgroup_sweep(void);
