// SPDX-License-Identifier: GPL-2.0-only
/* Real time and deadline: do priorities and reservations hold, and does something remain for the rest?
 *
 * Facts. Fair tasks keep 5 % beside a FIFO hog: 50 ms of each second, by RT throttling before 6.12
 * (sched_rt_runtime_us), by the fair server since. SCHED_RR takes turns of 100 ms. */
#include <ktstr/scenario.h>

SCENARIO(rt_leaves_room) = {
	.summary = "a fair hog beside a FIFO hog waits a second at most, not for ever",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "g",
			  .workers = WORKERS({ .name = "rt", .work = "spin", .policy = "fifo 10" },
					     { .name = "fair", .work = "spin" }) }),
	.hold = "3s",
	.checks = CHECKS("starvation gap=1500ms of=g/fair"),
	.fixes = FIXES("commit b53127db1dbf (sched/dlserver: Fix dlserver double enqueue)",
		       "commit c7f7e9c73178 (sched/dlserver: Fix dlserver time accounting)"),
};

SCENARIO(rr_turns) = {
	.summary = "two SCHED_RR hogs of one priority take turns",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "g",
		  .workers = WORKERS({ .name = "one", .work = "spin", .policy = "rr 10" },
				     { .name = "two", .work = "spin", .policy = "rr 10" }) }),
	.hold = "3s",
	.checks = CHECKS("share distance=80permille"),
};

SCENARIO(fifo_is_prompt) = {
	.summary = "a FIFO task that wakes runs at once beside four hogs",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "g",
			  .workers = WORKERS({ .name = "rt",
					       .work = "timer_latency interval=5ms",
					       .policy = "fifo 50" },
					     { .name = "hogs", .work = "spin", .count = "4" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=4ms p99=30ms"),
};

SCENARIO(fifo_rhythm) = {
	/* A stop of the host as long as a period, 50 permille of the hold, makes the one miss. */
	.summary = "FIFO work of 10 ms in each 50 is done in time beside four hogs",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "g",
			  .workers = WORKERS({ .name = "rt",
					       .work = "periodic run=10ms period=50ms",
					       .policy = "fifo 50" },
					     { .name = "hogs", .work = "spin", .count = "4" }) }),
	.hold = "1s",
	.checks = CHECKS("deadline_misses max=1 noise=50permille"),
};

SCENARIO(deadline_reservation) = {
	/* A stop of the host as long as a period, 50 permille of the hold, makes the one miss. */
	.summary = "a reservation of 30 in 100 ms is enough for 10 ms of work beside hogs and RT",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "g",
			  .workers = WORKERS({ .name = "reserved",
					       .work = "periodic run=10ms period=100ms",
					       .policy = "deadline 30ms/100ms/100ms" },
					     { .name = "rt",
					       .work = "bursty burst=60ms sleep=60ms",
					       .policy = "fifo 50" },
					     { .name = "hogs", .work = "spin", .count = "2" }) }),
	.hold = "2s",
	.checks = CHECKS("deadline_misses max=1 of=g/reserved noise=50permille"),
};

SCENARIO(deadline_is_capped) = {
	.summary = "a deadline hog is stopped when its reservation is used, and leaves the rest",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "g",
			     .workers = WORKERS({ .name = "reserved",
						  .work = "spin",
						  .policy = "deadline 20ms/100ms/100ms" },
						{ .name = "fair", .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=200ms"),
};
