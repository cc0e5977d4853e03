// SPDX-License-Identifier: GPL-2.0-only
/* CPU hotplug: do tasks leave a CPU that goes and use one that comes back, whatever holds them? */
#include <ktstr/scenario.h>

SCENARIO(cpu_goes_and_returns) = {
	.summary = "two cgroups share what is there: two CPUs, one, and two again",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .count = "2" }) },
			   { .name = "b",
			     .weight = 200,
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.steps = STEPS({ .name = "two", .hold = "1s" },
		       { .name = "one", .ops = OPS("offline cpu 1"), .hold = "1s" },
		       { .name = "two-again", .ops = OPS("online cpu 1"), .hold = "2s" }),
	.checks = CHECKS("share distance=100permille", "isolation"),
};

SCENARIO(quota_and_hotplug) = {
	.summary = "hogs that are throttled on a CPU that goes offline are not lost with it",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "capped",
			     .max = "20ms/100ms",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) },
			   { .name = "free",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.steps = STEPS(
		{ .name = "two", .hold = "500ms" },
		{ .name = "one", .ops = OPS("offline cpu 1"), .hold = "1s" },
		{ .name = "back", .ops = OPS("online cpu 1", "set capped max=max"), .hold = "2s" }),
	.checks = CHECKS("throughput min=20 of=capped noise=700permille"),
};

SCENARIO(hotplug_loop) = {
	.summary = "a CPU that goes and comes all the time takes nobody with it",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .count = "3" }) },
			   { .name = "b",
			     .workers = WORKERS({ .work = "pipe_pingpong", .count = "2" }) }),
	.steps = STEPS({ .name = "plugging",
			 .hold = "2s",
			 .loop = OPS("offline cpu 1", "online cpu 1"),
			 .every = "300ms" }),
	.checks = CHECKS("isolation", "throughput min=10 of=b noise=700permille"),
	.fixes = FIXES("commit 475ea6c60279 (sched: Don't defer CPU pick to migration_cpu_stop())"),
};

SCENARIO(cpuset_and_hotplug) = {
	.summary = "a cpuset that loses one of its CPUs keeps its tasks on the one that is left",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .cpuset = "cpu 2-3",
		  .workers = WORKERS({ .work = "spin", .count = "2" }) },
		{ .name = "rest", .cpuset = "cpu 0-1", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .name = "all", .hold = "500ms" },
		       { .name = "less", .ops = OPS("offline cpu 3"), .hold = "1s" },
		       { .name = "all-again", .ops = OPS("online cpu 3"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
};

SCENARIO(smt_off_and_on) = {
	/* The heavy hogs make it seen: beside one a free hog has a tenth of a CPU, and of two on one
	 * sibling, while the other that came back is idle, each has a half. */
	.summary = "the second threads of all cores go and come back: free hogs have them again",
	.topology = "1n1l2c2t",
	.needs = { .cpus = 4, .threads_per_core = 2 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "first", .work = "spin", .affinity = "cpu 0", .nice = -10 },
			  { .name = "second", .work = "spin", .affinity = "cpu 2", .nice = -10 },
			  { .name = "free", .work = "spin", .count = "2" }) }),
	.steps = STEPS({ .name = "off", .ops = OPS("offline thread 1"), .hold = "1s" },
		       { .name = "on-again", .ops = OPS("online thread 1"), .hold = "3s" }),
	.checks = CHECKS("share distance=80permille", "isolation"),
};

SCENARIO(rt_and_hotplug) = {
	.summary = "a FIFO and a deadline task go on when their CPU goes",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "g",
			     .workers = WORKERS({ .name = "rt",
						  .work = "bursty burst=5ms sleep=20ms",
						  .count = "2",
						  .policy = "fifo 20" },
						{ .name = "reserved",
						  .work = "periodic run=5ms period=100ms",
						  .policy = "deadline 20ms/100ms/100ms" },
						{ .name = "hog", .work = "spin" }) }),
	.steps = STEPS({ .name = "two", .hold = "500ms" },
		       { .name = "one", .ops = OPS("offline cpu 1"), .hold = "1s" },
		       { .name = "two-again", .ops = OPS("online cpu 1"), .hold = "500ms" }),
	.checks = CHECKS("throughput min=3 of=g/reserved noise=700permille",
			 "throughput min=5 of=g/rt noise=700permille"),
	.fixes = FIXES("commit 53916d5fd3c0 (sched/deadline: Check bandwidth overflow earlier for "
		       "hotplug)"),
};
