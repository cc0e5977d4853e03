// SPDX-License-Identifier: GPL-2.0-only
/* Churn: settings that change all the time. A task that leaves a run queue and comes back must neither
 * gain nor lose by it: its rival in the other cgroup keeps its half, and nobody is lost. That somebody
 * is lost shows as no throughput at all: such a bound stands under much noise. */
#include <ktstr/scenario.h>

SCENARIO(affinity_churn) = {
	/* A migration that is lost stops its task for good: a hundredth of the usual rate is asked. */
	.summary = "tasks that bind themselves to CPU after CPU are never stuck between two",
	.topology = "1n1l2c1t",
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "churners",
			     .workers = WORKERS({ .work = "affinity_churn", .count = "2" },
						{ .work = "cross_affinity_churn", .count = "2" }) },
			   { .name = "rivals",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=20 of=churners/affinity_churn noise=700permille",
			 "throughput min=20 of=churners/cross_affinity_churn noise=700permille"),
	.fixes = FIXES("commit 8a6edb5257e2 (sched: Fix migration_cpu_stop() requeueing)"),
};

SCENARIO(cgroup_churn_is_fair) = {
	.summary = "moving between child cgroups neither wins nor loses against who stays",
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "churner",
			  .workers = WORKERS({ .work = "cgroup_churn cgroups=4 interval=100ms" }) },
			{ .name = "rival", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms"),
};

SCENARIO(weight_churn) = {
	.summary = "a weight that is rewritten all the time keeps what both have earned",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "changed", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "steady", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .name = "churn",
			 .hold = "1s",
			 .loop = OPS("set changed weight=10", "set changed weight=1000",
				     "set changed weight=100"),
			 .every = "10ms" }),
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms"),
	.fixes = FIXES("commit eab03c23c2a1 (sched/eevdf: Fix vruntime adjustment on reweight)",
		       "commit afae8002b4fd (sched/eevdf: Fix miscalculation in reweight_entity() "
		       "when se is not curr)"),
};

SCENARIO(freeze_and_thaw) = {
	.summary = "who was frozen gets its third again after the thaw, not what it missed",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "frozen", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "rival", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "other", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .name = "before", .hold = "500ms" },
		       { .name = "frozen", .ops = OPS("freeze frozen"), .hold = "500ms" },
		       { .name = "thawed", .ops = OPS("thaw frozen"), .hold = "1s" }),
	.checks = CHECKS("share distance=60permille", "starvation gap=300ms of=rival"),
};

SCENARIO(move_churn) = {
	.summary =
		"a hog that is moved between two cgroups ten times a second is not lost on the way",
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .name = "mover", .work = "spin" }) },
			   { .name = "b", .workers = WORKERS({ .name = "local", .work = "spin" }) },
			   { .name = "c" }),
	.steps = STEPS({ .name = "moving",
			 .hold = "1s",
			 .loop = OPS("move a/mover to c", "move a/mover to a"),
			 .every = "100ms" }),
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms"),
};
