// SPDX-License-Identifier: GPL-2.0-only
/* Shares: does CPU time follow weights? Claims about guest CPU time, which stand under steal.
 *
 * Bounds. On one CPU the ideal is exact and a hold of a second is hundreds of slices: what is left is
 * one slice at each end for everybody, some 10 permille. On more CPUs a cgroup's weight is split over
 * them from load averages that need some 100 ms to settle, and the balancer moves whole tasks: 80. */
#include <ktstr/scenario.h>

SCENARIO(two_cgroups) = {
	.summary = "two equal cgroups with a hog for every CPU get half of the machine each",
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS(
		{ .name = "left", .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
		{ .name = "right", .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille"),
};

SCENARIO(weighted_cgroups) = {
	.summary = "three cgroups of weight 100, 200 and 300 get 1/6, 2/6 and 3/6",
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "low",
			     .weight = 100,
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
			   { .name = "middle",
			     .weight = 200,
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
			   { .name = "high",
			     .weight = 300,
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille"),
};

SCENARIO(nice_pair) = {
	.summary = "nice 0 against nice 5 on one CPU: 75.4 to 24.6 percent",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .name = "nice0", .work = "spin" },
						{ .name = "nice5", .work = "spin", .nice = 5 }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=40permille", "starvation gap=300ms"),
};

SCENARIO(nested_weights) = {
	.summary = "weights count among siblings only: 3/4 of the upper half, not 3/5 of the CPU",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "a" }, { .name = "a/light", .workers = WORKERS({ .work = "spin" }) },
		{ .name = "a/heavy", .weight = 300, .workers = WORKERS({ .work = "spin" }) },
		{ .name = "b", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=40permille"),
};

SCENARIO(crowd_and_loner) = {
	.summary = "eight hogs in one cgroup get no more than the one hog in the other",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "crowd",
			     .workers = WORKERS({ .work = "spin", .count = "8" }) },
			   { .name = "loner", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=40permille", "starvation gap=500ms of=loner"),
};

SCENARIO(inert_weight) = {
	.summary = "with a CPU for each hog weight 50 gets as much as weight 150",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups =
		CGROUPS({ .name = "light", .weight = 50, .workers = WORKERS({ .work = "spin" }) },
			{ .name = "heavy", .weight = 150, .workers = WORKERS({ .work = "spin" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille"),
};

SCENARIO(idle_cgroup) = {
	.summary = "a cgroup with cpu.idle gets the crumbs beside a normal one",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "idle", .is_idle = true, .workers = WORKERS({ .work = "spin" }) },
			{ .name = "normal", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=40permille"),
};

SCENARIO(slice_is_not_share) = {
	.summary = "a slice of 1 ms and one of 20 ms change how often one runs, not how much",
	.topology = "1n1l1c1t",
	.needs = { .kernel = "6.12" },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .workers = WORKERS({ .name = "short", .work = "spin", .slice = "1ms" },
				     { .name = "long", .work = "spin", .slice = "20ms" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=40permille", "starvation gap=300ms"),
};

SCENARIO(reweight_live) = {
	.summary = "a weight that is changed under two running hogs counts at once, up and down",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "changed", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "steady", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .name = "equal", .hold = "1s" },
		       { .name = "up", .ops = OPS("set changed weight=400"), .hold = "1s" },
		       { .name = "down", .ops = OPS("set changed weight=25"), .hold = "1s" }),
	.checks = CHECKS("share distance=40permille", "starvation gap=300ms"),
	.fixes = FIXES("commit eab03c23c2a1 (sched/eevdf: Fix vruntime adjustment on reweight)"),
};

SCENARIO(newcomers) = {
	.summary = "a cgroup that joins two long-running ones gets its third from then on",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "old", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "older", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "new",
			     .workers = WORKERS({ .name = "late", .work = "spin" }) }),
	.steps = STEPS({ .name = "two", .hold = "1s" },
		       { .name = "three", .ops = OPS("spawn new/late"), .hold = "1s" },
		       { .name = "two-again", .ops = OPS("stop new/late"), .hold = "500ms" }),
	.checks = CHECKS("share distance=40permille", "starvation gap=300ms"),
};

SCENARIO(equal_hogs) = {
	.summary = "six equal hogs on one CPU stay within a few slices of each other",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "six", .workers = WORKERS({ .work = "spin", .count = "6" }) }),
	.hold = "1s",
	.checks = CHECKS("spread max=150permille", "starvation gap=300ms"),
	.fixes = FIXES("commit 8dafa9d0eb1a (sched/eevdf: Fix min_deadline heap integrity)"),
};
