// SPDX-License-Identifier: GPL-2.0-only
/* Made to fail, one for each check: a harness that cannot say FAIL proves nothing. They run only
 * when named (ktstr run 'must_fail_*'). Claims about time take any noise (noise=1000permille): they
 * are so wrong that none makes them true. No kernel is at fault. */
#include <ktstr/scenario.h>

SCENARIO(must_fail_share) = {
	.summary = "a claim of equal parts, beside a real-time hog",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .name = "normal", .work = "spin" },
						{ .name = "realtime",
						  .work = "spin",
						  .policy = "fifo 10" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=100permille"),
};

SCENARIO(must_fail_starvation) = {
	.summary = "a claim that nobody waits, below a real-time hog",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .name = "normal", .work = "spin" },
						{ .name = "realtime",
						  .work = "spin",
						  .policy = "fifo 10" }) }),
	.hold = "2s",
	.checks = CHECKS("starvation gap=200ms noise=1000permille of=pair/normal"),
};

SCENARIO(must_fail_isolation) = {
	.summary = "a claim that two pinned workers stay on one CPU",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .workers = WORKERS({ .work = "spin", .count = "2", .affinity = "each" }) }),
	.hold = "500ms",
	.checks = CHECKS("isolation within=cpu:0"),
};

SCENARIO(must_fail_wake_latency) = {
	.summary = "a claim that no machine can keep: woken and running within 100 ns",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair", .workers = WORKERS({ .work = "pipe_pingpong" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=100ns noise=1000permille"),
};

/* Load balancing is off in an isolated partition, which the claim does not know: both hogs stay
 * where they were born. Root keeps CPU 0, as the kernel wants it. */
SCENARIO(must_fail_work_conservation) = {
	.summary = "a claim that the balancer spreads hogs, in a partition that has none",
	.topology = "1n1l3c1t",
	.is_fixture = true,
	.needs = { .cpus = 3 },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .cpuset = "cpu 1-2",
		  .workers = WORKERS({ .work = "spin", .count = "2", .affinity = "cpu 1" }) }),
	.steps = STEPS({ .ops = OPS("write /sys/fs/cgroup/pair/cpuset.cpus.partition=isolated",
				    "affinity pair/spin cpu 1-2"),
			 .hold = "2s" }),
	.checks = CHECKS("work_conservation gap=500ms noise=1000permille"),
};

SCENARIO(must_pass_work_conservation) = {
	.summary = "hogs that were born on one CPU are spread over all",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "hogs",
			     .workers = WORKERS({ .work = "spin",
						  .count = "per-cpu",
						  .affinity = "cpu 0" }) }),
	.steps = STEPS({ .name = "born", .hold = "300ms" },
		       { .name = "free", .ops = OPS("affinity hogs/spin all"), .hold = "2s" }),
	.checks = CHECKS("work_conservation gap=1s noise=1000permille"),
};

SCENARIO(must_fail_alive) = {
	.summary = "a kernel that dies in the middle",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.steps =
		STEPS({ .name = "before", .hold = "200ms" },
		      { .name = "death", .ops = OPS("write /proc/sysrq-trigger=c"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
};
