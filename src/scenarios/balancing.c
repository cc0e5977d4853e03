// SPDX-License-Identifier: GPL-2.0-only
/* Balancing: does the load find the CPUs? Where it can be said by shares it is: a task that is left on
 * a crowded CPU beside an idle one costs its entry CPU time, and that claim stands under steal. Spread
 * of equals and migrations are claims about time, undecided on a host with fewer CPUs than these. */
#include <ktstr/scenario.h>

SCENARIO(born_together) = {
	.summary = "four hogs born on CPU 0 and then released have all four CPUs within a second",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS({ .name = "g",
			     .workers = WORKERS({ .name = "hogs",
						  .work = "spin",
						  .count = "4",
						  .affinity = "cpu 0" }) }),
	.steps = STEPS({ .name = "together", .hold = "300ms" },
		       { .name = "released", .ops = OPS("affinity g/hogs all"), .hold = "3s" }),
	.checks = CHECKS("spread max=350permille"),
	.fixes = FIXES("commit 16b0a7a1a0af (sched/fair: Ensure tasks spreading in LLC during LB)"),
};

SCENARIO(free_beside_bound) = {
	.summary = "free hogs leave the CPU of bound ones, which the balancer cannot move",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "bound", .work = "spin", .count = "4", .affinity = "cpu 0" },
			  { .name = "free", .work = "spin", .count = "3" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille", "isolation"),
	.fixes = FIXES("commit b0defa7ae03e (sched/fair: Make sure to try to detach at least one "
		       "movable task)"),
};

SCENARIO(heavy_and_light) = {
	.summary = "one hog at nice -10 has a CPU for itself, four at nice 0 share the other",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups =
		CGROUPS({ .name = "g",
			  .workers = WORKERS({ .name = "heavy", .work = "spin", .nice = -10 },
					     { .name = "light", .work = "spin", .count = "4" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille"),
};

SCENARIO(idle_hogs_do_not_count) = {
	.summary = "SCHED_IDLE hogs everywhere do not keep two normal hogs from a CPU each",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "idle", .work = "spin", .count = "6", .policy = "idle" },
			  { .name = "normal", .work = "spin", .count = "2" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille"),
};

SCENARIO(balance_between_caches) = {
	.summary = "eight hogs over two caches: the one with room takes from the crowded one",
	.topology = "1n2l2c1t",
	.needs = { .llcs = 2 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "bound", .work = "spin", .count = "2", .affinity = "llc 0" },
			  { .name = "free", .work = "spin", .count = "2" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille", "isolation"),
};

SCENARIO(smt_siblings_are_used) = {
	/* Beside a heavy hog a free one has a tenth of a CPU, on an idle sibling all of it. No more hogs
	 * than CPUs: where bound ones make a core look crowded, an idle sibling in the other one may leave
	 * two free hogs on theirs for good. That a free hog takes an idle core rather than the sibling of
	 * a busy one is not claimed: a vCPU gives no less for it. */
	.summary = "a heavy hog on the first thread of each core is left for the idle siblings",
	.topology = "1n1l2c2t",
	.needs = { .cpus = 4, .threads_per_core = 2 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "first", .work = "spin", .affinity = "cpu 0", .nice = -10 },
			  { .name = "second", .work = "spin", .affinity = "cpu 2", .nice = -10 },
			  { .name = "free", .work = "spin", .count = "2" }) }),
	.hold = "3s",
	.checks = CHECKS("share distance=80permille", "isolation"),
};

SCENARIO(no_needless_migration) = {
	.summary = "a hog for each CPU: once they have one each nobody has a reason to move",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "g",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("migration_ratio max=10permille"),
};
