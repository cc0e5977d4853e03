// SPDX-License-Identifier: GPL-2.0-only
/* NUMA: do tasks and their memory stay on their node when they are told to, and do the nodes share
 * the load? Two nodes of two CPUs. */
#include <ktstr/scenario.h>

SCENARIO(numa_cpusets) = {
	.summary = "two cgroups with a node each, CPUs and memory: nobody leaves, pages are local",
	.topology = "2n2l2c1t",
	.needs = { .nodes = 2 },
	.cgroups = CGROUPS({ .name = "first",
			     .cpuset = "node 0",
			     .mems = "node 0",
			     .workers = WORKERS({ .work = "numa_working_set set=1MiB",
						  .count = "per-cpu" }) },
			   { .name = "second",
			     .cpuset = "node 1",
			     .mems = "node 1",
			     .workers = WORKERS({ .work = "numa_working_set set=1MiB",
						  .count = "per-cpu" }) }),
	.hold = "1s",
	.checks = CHECKS("isolation", "locality min=950permille", "share distance=80permille"),
};

SCENARIO(numa_bound_memory) = {
	.summary = "memory bound to the node where its hogs run stays local",
	.topology = "2n2l2c1t",
	.needs = { .nodes = 2 },
	.cgroups = CGROUPS({ .name = "g",
			     .workers = WORKERS({ .work = "numa_working_set set=1MiB",
						  .count = "2",
						  .affinity = "node 1",
						  .memory_policy = "bind node 1" }) }),
	.hold = "1s",
	.checks = CHECKS("isolation", "locality min=950permille"),
};

SCENARIO(numa_weights) = {
	.summary = "a cgroup of weight 300 gets three quarters of both nodes, not of one",
	.topology = "2n2l2c1t",
	.needs = { .nodes = 2 },
	.cgroups = CGROUPS({ .name = "light",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
			   { .name = "heavy",
			     .weight = 300,
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=100permille"),
};

SCENARIO(numa_nodes_share) = {
	.summary = "hogs bound to node 0 fill it; free ones go to node 1 and get as much",
	.topology = "2n2l2c1t",
	.needs = { .nodes = 2 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "bound", .work = "spin", .count = "4", .affinity = "node 0" },
			  { .name = "free", .work = "spin", .count = "2" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille", "isolation"),
};
