// SPDX-License-Identifier: GPL-2.0-only
/* Cpusets: does everybody stay where it may run, and is the place shared fairly? */
#include <ktstr/scenario.h>

SCENARIO(cpuset_split) = {
	.summary = "two cgroups with a cache each: nobody leaves, everybody gets its part",
	.topology = "1n2l2c1t",
	.needs = { .llcs = 2 },
	.cgroups = CGROUPS({ .name = "first",
			     .cpuset = "llc 0",
			     .workers = WORKERS({ .work = "spin", .count = "150%" }) },
			   { .name = "second",
			     .cpuset = "llc 1",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("isolation", "share distance=80permille", "starvation gap=300ms"),
};
