// SPDX-License-Identifier: GPL-2.0-only
/* Latency: how long from a wake-up to running? */
#include <ktstr/scenario.h>

SCENARIO(wake_pingpong) = {
	.summary = "pairs that wake each other by pipe and futex run soon after each wake-up",
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "pairs",
			     .workers = WORKERS({ .work = "pipe_pingpong" },
						{ .work = "futex_pingpong" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=5ms p99=50ms", "starvation gap=300ms"),
};
