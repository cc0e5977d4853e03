// SPDX-License-Identifier: GPL-2.0-only
/* Shares: does CPU time follow weights? */
#include <ktstr/scenario.h>

SCENARIO(two_cgroups) = {
	.summary = "two equal cgroups with a hog for every CPU get half of the machine each",
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS(
		{ .name = "left", .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
		{ .name = "right", .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("share distance=80permille", "starvation gap=300ms"),
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
	.checks = CHECKS("share distance=80permille", "starvation gap=500ms"),
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
