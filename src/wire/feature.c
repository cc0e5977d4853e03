// SPDX-License-Identifier: GPL-2.0-only
#include "wire/feature.h"

#include <stdio.h>
#include <string.h>

static const struct feature features[FEATURE_COUNT] = {
	[FEATURE_SCHED_EXT] = {
		.name = "sched_ext",
		.path = "/sys/kernel/sched_ext",
		.help = "schedulers as BPF programs, and policy ext",
	},
	[FEATURE_AUTOGROUP] = {
		.name = "autogroup",
		.path = "/proc/sys/kernel/sched_autogroup_enabled",
		.help = "a group for the tasks of each session",
	},
	[FEATURE_PSI] = {
		.name = "psi",
		.path = "/proc/pressure/cpu",
		.help = "pressure stall information, built in and switched on",
	},
	[FEATURE_SCHED_DEBUG] = {
		.name = "sched_debug",
		.path = "/sys/kernel/debug/sched",
		.help = "the scheduler's settings, features and domains in debugfs",
	},
	[FEATURE_NUMA_BALANCING] = {
		.name = "numa_balancing",
		.path = "/proc/sys/kernel/numa_balancing",
		.help = "tasks and pages move to each other's node",
	},
	[FEATURE_UCLAMP] = {
		.name = "uclamp",
		.path = "/proc/sys/kernel/sched_util_clamp_min",
		.help = "bounds to a task's utilization",
	},
	[FEATURE_WEIGHTED_INTERLEAVE] = {
		.name = "weighted_interleave",
		.path = "/sys/kernel/mm/mempolicy/weighted_interleave",
		.help = "weights of the nodes for memory_policy weighted-interleave",
	},
	[FEATURE_CPU_HOTPLUG] = {
		.name = "cpu_hotplug",
		.path = "/sys/devices/system/cpu/hotplug",
		.help = "CPUs go offline and come back",
	},
	[FEATURE_BTF] = {
		.name = "btf",
		.path = "/sys/kernel/btf/vmlinux",
		.help = "the kernel's types, which BPF programs need that run on any kernel",
	},
};

/* READY has the bits in 32 of its own, behind the first eight. */
_Static_assert(FEATURE_COUNT <= 24, "wire layout");

const struct feature *feature_at(unsigned id)
{
	return &features[id];
}

unsigned feature_by_name(const char *name)
{
	unsigned id = 0;

	while (id < FEATURE_COUNT && strcmp(features[id].name, name) != 0)
		id++;
	return id;
}

const char *feature_names(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned id = 0; id < FEATURE_COUNT && used < size; id++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", id ? ", " : "",
					 features[id].name);
	return text;
}
