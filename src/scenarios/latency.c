// SPDX-License-Identifier: GPL-2.0-only
/* Latency: how long from being due to running, beside others who want the CPU?
 *
 * Bounds. A slice is 3 ms (base_slice, sched_min_granularity before it), and ends at a tick, 4 ms on
 * HZ=250: beside n equal hogs a task that wakes waits a few such slices at worst, and preempts at once
 * where it has the right to. One CPU, so that the host has no second vCPU to keep from running. */
#include <ktstr/scenario.h>

SCENARIO(timer_beside_hogs) = {
	.summary = "a sleeper that hardly runs is not made to wait for a round of four hogs",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "sleeper", .work = "timer_latency interval=10ms" },
			  { .name = "hogs", .work = "spin", .count = "4", .policy = "batch" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=12ms p99=50ms"),
};

SCENARIO(short_slice) = {
	.summary = "a sleeper that asks for a slice of 500 us is picked before hogs with 20 ms",
	.topology = "1n1l1c1t",
	.needs = { .kernel = "6.12" },
	.cgroups = CGROUPS({ .name = "g",
			     .workers = WORKERS({ .name = "short",
						  .work = "timer_latency interval=10ms",
						  .slice = "500us" },
						{ .name = "long",
						  .work = "spin",
						  .count = "3",
						  .slice = "20ms" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=8ms p99=60ms"),
};

SCENARIO(sleeper_over_idle) = {
	.summary = "a normal task that wakes takes the CPU from SCHED_IDLE hogs at once",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .name = "sleeper", .work = "timer_latency interval=10ms" },
			  { .name = "hogs", .work = "spin", .count = "3", .policy = "idle" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=4ms p99=40ms"),
};

SCENARIO(sleeper_over_idle_cgroup) = {
	.summary = "a task of a normal cgroup that wakes takes the CPU from a cpu.idle one at once",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "normal",
			     .workers = WORKERS({ .work = "timer_latency interval=10ms" }) },
			   { .name = "idle",
			     .is_idle = true,
			     .workers = WORKERS({ .work = "spin", .count = "3" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=4ms p99=40ms"),
	.fixes = FIXES("commit faa42d29419d (sched/fair: Make SCHED_IDLE entity be preempted in "
		       "strict hierarchy)"),
};

SCENARIO(steady_rhythm) = {
	/* A stop of the host as long as a period, 30 permille of the hold, makes the one miss. */
	.summary = "work of 10 ms in each 100 is done in time beside three hogs: it has a quarter",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS({ .name = "rhythm", .work = "periodic run=10ms period=100ms" },
				     { .name = "hogs", .work = "spin", .count = "3" }) }),
	.hold = "3s",
	.checks = CHECKS("deadline_misses max=1 noise=30permille", "starvation gap=300ms"),
};

SCENARIO(wake_pingpong) = {
	.summary = "pairs that wake each other by pipe and futex run soon after each wake-up",
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "pairs",
			     .workers = WORKERS({ .work = "pipe_pingpong" },
						{ .work = "futex_pingpong" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=5ms p99=50ms", "starvation gap=300ms"),
};
