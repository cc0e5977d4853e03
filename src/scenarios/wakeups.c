// SPDX-License-Identifier: GPL-2.0-only
/* Wake-ups: does every one arrive, whoever sends it to whomever, and do the woken not take more than
 * their part? A wake-up that is lost stops a chain, a ring or a queue for good: it shows as
 * starvation (the partner's stamp says since when) and as no throughput in the rest of the hold. */
#include <ktstr/scenario.h>

SCENARIO(wake_chain_beside_hog) = {
	.summary =
		"a token goes round eight tasks, each wakes the next, beside a hog: it never stops",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "chain",
			     .workers = WORKERS({ .work = "wake_chain depth=8", .count = "8" }) },
			   { .name = "hog", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=50 of=chain", "starvation gap=300ms"),
};

SCENARIO(queue_keeps_up) = {
	/* A queue that nobody empties drops 56 of 120 items. Producers wait for the CPU as well: a
	 * period is far longer than beside one hog they should, and some may be late even so. */
	.summary = "a consumer keeps a bounded queue from overflowing beside a hog",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "queue",
			     .workers = WORKERS({ .work = "producer_consumer rate=20 work=256",
						  .count = "3" }) },
			   { .name = "hog", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "3s",
	.checks = CHECKS("deadline_misses max=10 of=queue", "starvation gap=300ms"),
};

SCENARIO(message_threads) = {
	.summary = "message threads and their workers, as schbench: every request is answered soon",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "bench",
			     .workers = WORKERS({ .work = "schbench workers=4 work=10000 think=5ms",
						  .count = "5" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=10ms p99=80ms", "throughput min=50"),
};

SCENARIO(interrupt_wakes) = {
	.summary = "wake-ups from timer interrupts reach their task beside two hogs",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "irq", .workers = WORKERS({ .work = "irq_wake interval=10ms" }) },
			{ .name = "hogs", .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=12ms p99=60ms", "starvation gap=300ms"),
};

SCENARIO(wakers_across_cpus) = {
	.summary = "rings and pairs over two CPUs: a remote wake-up is never lost",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS(
			  { .work = "wake_chain depth=4", .count = "4", .affinity = "each" },
			  { .work = "pipe_pingpong", .count = "2", .affinity = "each" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=50 noise=700permille", "isolation"),
	.fixes = FIXES("commit b6e13e85829f (sched/core: Fix ttwu() race)"),
};
