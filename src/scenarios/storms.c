// SPDX-License-Identifier: GPL-2.0-only
/* Storms: events in masses on one side, a bystander in a cgroup of the same weight on the other. A
 * storm may use its half, and what the bystander leaves; the bystander's half is its own. */
#include <ktstr/scenario.h>

SCENARIO(yield_storm) = {
	.summary = "tasks that yield without a pause do not take a bystander's half",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "storm",
			     .workers = WORKERS({ .work = "yield", .count = "4" }) },
			   { .name = "bystander", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=60permille", "starvation gap=300ms of=bystander"),
};

SCENARIO(preemption_storm) = {
	.summary = "a FIFO task that wakes every 2 ms interrupts fair hogs, and starves none",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "storm",
			     .workers = WORKERS({ .work = "preempt_storm interval=2ms work=256",
						  .count = "3" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=300ms"),
};

SCENARIO(epoll_storm_beside_hog) = {
	.summary = "many wake-ups of one epoll set leave the bystander its half",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "storm",
			     .workers = WORKERS({ .work = "epoll_storm producers=1 consumers=4",
						  .count = "5" }) },
			   { .name = "bystander", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms of=bystander"),
	.fixes = FIXES("commit 412895f03cbf (epoll: atomically remove wait entry on wake up)"),
};

SCENARIO(herd_beside_hog) = {
	.summary =
		"fifteen tasks woken at the same instant all run, and leave the bystander its half",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "herd",
			  .workers = WORKERS({ .work = "thundering_herd waiters=15 interval=20ms",
					       .count = "16" }) },
			{ .name = "bystander", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms"),
	.fixes = FIXES("commit 66951e4860d3 (sched/fair: Fix update_cfs_group() vs DELAY_DEQUEUE)"),
};

SCENARIO(fork_storm) = {
	.summary = "tasks that fork and reap without a pause leave the bystander its half",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "storm",
			     .workers = WORKERS({ .work = "fork_exit", .count = "2" }) },
			   { .name = "bystander", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=300ms of=bystander", "throughput min=10 of=storm"),
};

SCENARIO(fault_storm) = {
	.summary = "page faults in masses are booked on who takes them: half for the bystander",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "storm",
			     .workers = WORKERS({ .work = "page_fault_churn", .count = "2" }) },
			   { .name = "bystander", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms of=bystander"),
};
