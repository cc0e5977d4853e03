// SPDX-License-Identifier: GPL-2.0-only
/* Programs of the host beside workers. Those here are of every host; what others bring (stress-ng,
 * hackbench, cyclictest, fio) is in the examples of the manual page. */
#include <ktstr/ktstr.h>

SCENARIO(payload_beside_hogs) = {
	.summary = "a program of light weight gets through its work beside hogs of all weights",
	.topology = "1n1l2c1t",
	.cgroups =
		CGROUPS({ .name = "hogs",
			  .weight = 300,
			  .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
			{ .name = "light",
			  .weight = 100,
			  .payloads = PAYLOADS({ .name = "count",
						 .command = "sh -c 'i=0; while [ $i -lt 200 ]; do "
							    "i=$((i+1)); done; echo turns=$i'",
						 .metrics = METRICS({ .name = "turns",
								      .pattern = "^turns=([0-9]+)",
								      .is_exact = true }) }) }),
	.hold = "until payload count exit max=30s",
	.checks = CHECKS("metric name=turns min=200 max=200", "isolation"),
};
