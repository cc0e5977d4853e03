// SPDX-License-Identifier: GPL-2.0-only
/* Quota (cpu.max): does it cap, only what it must, and does the throttled one come back? Shares are
 * judged against the ideal with the quota in it, throttling by the kernel's own count.
 *
 * Bounds. A quota is handed to CPUs in slices of 5 ms and checked at ticks: per period some
 * milliseconds too much, which the next period pays back. */
#include <ktstr/scenario.h>

SCENARIO(quota_caps) = {
	.summary = "a hog with 20 of 100 ms gets a fifth of the CPU, its free rival the rest",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "capped", .max = "20ms/100ms", .workers = WORKERS({ .work = "spin" }) },
		{ .name = "free", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=40permille", "throttling min=10"),
};

SCENARIO(quota_tiny) = {
	.summary = "one millisecond in a hundred is one percent, not a slice in each period",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "capped", .max = "1ms/100ms", .workers = WORKERS({ .work = "spin" }) },
		{ .name = "free", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=40permille", "throttling min=5"),
};

SCENARIO(quota_across_cpus) = {
	/* No claim about its share: a quota is of the clock, and what the host leaves to four vCPUs is not. */
	.summary = "20 ms in each 100 are one quota for four CPUs together, not one for each",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS(
		{ .name = "capped",
		  .max = "20ms/100ms",
		  .workers = WORKERS({ .work = "spin", .count = "per-cpu", .affinity = "each" }) }),
	.hold = "2s",
	.checks = CHECKS("throttling min=10", "isolation"),
};

SCENARIO(quota_unused) = {
	/* Four CPUs take a slice of 20 ms each, more than the quota. If what they leave of it expired
	 * with the period, the last one would be throttled in each of twenty. The slice is 5 ms by
	 * default; longer ones leave room for an emulated CPU, on which each burst costs 4 ms. */
	.summary = "small bursts on four CPUs, a fraction of the quota in all, are not throttled",
	.topology = "1n1l4c1t",
	.needs = { .cpus = 4 },
	.cgroups = CGROUPS({ .name = "g",
			     .max = "70ms/100ms",
			     .workers = WORKERS({ .work = "periodic run=100us period=100ms",
						  .count = "per-cpu",
						  .affinity = "each" }) }),
	.steps = STEPS({ .ops = OPS("write /proc/sys/kernel/sched_cfs_bandwidth_slice_us=20000"),
			 .hold = "2s" }),
	.checks = CHECKS("throttling max=5"),
	.fixes = FIXES("commit de53fd7aedb1 (sched/fair: Fix low cpu usage with high throttling by "
		       "removing expiration of cpu-local slices)"),
};

SCENARIO(quota_burst) = {
	.summary = "bursts above the quota are covered by what was saved before",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "g",
			     .max = "20ms/100ms",
			     .max_burst = "20ms",
			     .workers = WORKERS({ .work = "bursty burst=24ms sleep=270ms" }) }),
	.hold = "3s",
	.checks = CHECKS("throttling max=2"),
};

SCENARIO(quota_lifted) = {
	.summary = "a hog that was throttled gets its half as soon as the quota is lifted",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "capped", .max = "5ms/100ms", .workers = WORKERS({ .work = "spin" }) },
		{ .name = "free", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .name = "capped", .hold = "1s" },
		       { .name = "lifted", .ops = OPS("set capped max=max"), .hold = "1s" }),
	.checks = CHECKS("share distance=40permille", "starvation gap=300ms of=free"),
	.fixes = FIXES("commit a7b359fc6a37 (sched/fair: Correctly insert cfs_rq's to list on "
		       "unthrottle)"),
};

SCENARIO(quota_nested) = {
	.summary = "a quota above two cgroups: they share what it leaves by their weights",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "top", .max = "40ms/100ms" },
		{ .name = "top/light", .workers = WORKERS({ .work = "spin" }) },
		{ .name = "top/heavy", .weight = 300, .workers = WORKERS({ .work = "spin" }) },
		{ .name = "free", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=40permille", "throttling min=5 of=top"),
	.fixes = FIXES(
		"commit 39f23ce07b93 (sched/fair: Fix unthrottle_cfs_rq() for leaf_cfs_rq list)",
		"commit fdaba61ef8a2 (sched/fair: Ensure that the CFS parent is added after "
		"unthrottling)"),
};

SCENARIO(quota_escape) = {
	.summary = "a throttled hog that is moved out of its cgroup runs again at once",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "capped",
			     .max = "2ms/100ms",
			     .workers = WORKERS({ .name = "mover", .work = "spin" }) },
			   { .name = "free",
			     .workers = WORKERS({ .name = "rival", .work = "spin" }) }),
	.steps =
		STEPS({ .name = "inside", .hold = "500ms" },
		      { .name = "outside", .ops = OPS("move capped/mover to free"), .hold = "1s" }),
	.checks = CHECKS("share distance=40permille", "starvation gap=300ms of=free"),
};
