// SPDX-License-Identifier: GPL-2.0-only
/* A test program of one's own: scenarios, and the line that makes a program of them. It is the host's
 * command line (run, list, exec, ...) and, inside the machine, process 1. */
#include <ktstr/ktstr.h>

SCENARIO(batch_beside_service) = {
	.summary = "a service of weight 400 beside a batch job of weight 100 gets four fifths",
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS(
		{ .name = "service",
		  .weight = 400,
		  .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
		{ .name = "batch",
		  .weight = 100,
		  .workers = WORKERS({ .work = "spin", .count = "per-cpu", .policy = "batch" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=80permille", "isolation"),
};

KTSTR_MAIN
