// SPDX-License-Identifier: GPL-2.0-only
/* Cpusets and affinity: does everybody stay where it may run, also while that changes, and is the
 * place shared fairly? Isolation has no bound: one look outside is one too many. */
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
	.checks = CHECKS("isolation", "share distance=80permille"),
};

SCENARIO(cpuset_overlap) = {
	.summary = "two cgroups that share CPUs in the middle: nobody leaves, the middle is shared",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS({ .name = "low",
			     .cpuset = "part 1/2 overlap=1",
			     .workers = WORKERS({ .work = "spin", .count = "200%" }) },
			   { .name = "high",
			     .cpuset = "part 2/2 overlap=1",
			     .workers = WORKERS({ .work = "spin", .count = "200%" }) }),
	/* Were the middle one cgroup's alone, it would be off by 250. Evenly it is shared when the
	 * balancer has found three hogs for each of two CPUs and two for each of the others; that takes
	 * it seconds: with 2, 2, 3 (one of them a rival) and 3 it is content for long, and low has 64 %. */
	.hold = "4s",
	.checks = CHECKS("isolation", "share distance=200permille"),
};

SCENARIO(cpuset_shrink_and_grow) = {
	.summary = "a cpuset shrinks to one CPU under its hogs, and grows again",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS({ .name = "changed",
			     .cpuset = "all",
			     .workers = WORKERS({ .work = "spin", .count = "4" }) },
			   { .name = "steady",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.steps =
		STEPS({ .name = "wide", .hold = "1s" },
		      { .name = "narrow", .ops = OPS("set changed cpuset=cpu 0"), .hold = "1s" },
		      { .name = "wide-again", .ops = OPS("set changed cpuset=all"), .hold = "2s" }),
	.checks = CHECKS("isolation", "share distance=100permille"),
	.fixes = FIXES(
		"commit 0258bdfaff5b (sched/fair: Fix unfairness caused by missing load decay)"),
};

SCENARIO(cpuset_swap) = {
	.summary =
		"two cgroups exchange their CPUs, and back, ten times: who is told to go has gone",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "a",
			     .cpuset = "part 1/2",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) },
			   { .name = "b",
			     .cpuset = "part 2/2",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.steps = STEPS({ .name = "swapping",
			 .hold = "1s",
			 .loop = OPS("swap a b", "swap a b"),
			 .every = "100ms" },
		       { .name = "swapped", .ops = OPS("swap a b"), .hold = "500ms" }),
	.checks = CHECKS("isolation"),
};

SCENARIO(cpuset_move) = {
	.summary =
		"tasks that are moved to a cgroup with other CPUs are there when the write returns",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups =
		CGROUPS({ .name = "from",
			  .cpuset = "part 1/2",
			  .workers = WORKERS({ .name = "mover", .work = "spin", .count = "2" }) },
			{ .name = "to",
			  .cpuset = "part 2/2",
			  .workers = WORKERS({ .name = "local", .work = "spin" }) }),
	.steps = STEPS({ .name = "before", .hold = "500ms" },
		       { .name = "after", .ops = OPS("move from/mover to to"), .hold = "500ms" },
		       { .name = "back", .ops = OPS("move from/mover to from"), .hold = "500ms" }),
	.checks = CHECKS("isolation"),
};

SCENARIO(affinity_survives_cpuset) = {
	.summary = "an affinity that a cpuset change cuts away holds again when the cpuset is back",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4, .kernel = "6.2" },
	.cgroups = CGROUPS({ .name = "g",
			     .cpuset = "all",
			     .workers = WORKERS({ .name = "bound",
						  .work = "spin",
						  .count = "2",
						  .affinity = "cpu 0-1" }) }),
	.steps = STEPS({ .name = "before", .hold = "300ms" },
		       { .name = "cut", .ops = OPS("set g cpuset=cpu 1-3"), .hold = "300ms" },
		       { .name = "back", .ops = OPS("set g cpuset=all"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
	.fixes = FIXES("commit 8f9ea86fdf99 (sched: Always preserve the user requested cpumask)"),
};
