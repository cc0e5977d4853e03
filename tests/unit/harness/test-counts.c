// SPDX-License-Identifier: GPL-2.0-only
/* Claims that are one figure made of counters: how it is rounded, and what it counts. */
#include "stage.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <string.h>

static const struct ktstr_scenario exact = {
	.topology = "2n2l2c1t",
	.cgroups = CGROUPS(
		{ .name = "a", .workers = WORKERS({ .work = "numa_working_set", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("migration_ratio max=0permille", "spread max=0permille",
			 "locality min=1000permille"),
};

static void spoil(struct stage *s, uint64_t migrations, uint64_t less_ns, uint64_t remote)
{
	for (uint32_t w = 0; w < 2; w++) {
		stage_report(s, 0, w)->checkpoints = 5000;
		stage_report(s, 0, w)->cpu_ns = NSEC_PER_SEC;
		stage_report(s, 0, w)->pages_local = 5000;
	}
	stage_report(s, 0, 0)->migrations = migrations;
	stage_report(s, 0, 1)->cpu_ns -= less_ns;
	stage_report(s, 0, 1)->pages_local -= remote;
	stage_report(s, 0, 1)->pages_remote += remote;
}

TEST(a_bound_that_is_broken_by_less_than_a_permille_is_broken)
{
	static const char *const checks[] = { "migration_ratio", "spread", "locality" };

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		cleanup(stage_deinit) struct stage s, well;

		stage_set(&s, &exact);
		spoil(&s, i == 0 ? 9 : 0, i == 1 ? 10 : 0, i == 2 ? 1 : 0);
		assert_int_equal(stage_verdict(&s), VERDICT_FAIL);
		assert_int_equal(stage_finding(&s, checks[i], 0)->verdict, VERDICT_FAIL);
		assert_int_equal(stage_finding(&s, checks[i], 0)->observed, i == 2 ? 999 : 1);
		stage_set(&well, &exact);
		spoil(&well, 0, 0, 0);
		assert_int_equal(stage_verdict(&well), VERDICT_PASS);
	}
}

static const struct ktstr_scenario within = {
	.topology = "1n1l3c1t",
	.cgroups = CGROUPS({ .name = "a",
			     .cpuset = "cpu 1-2",
			     .workers = WORKERS({ .name = "h", .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("isolation within=cpu:0"),
};

TEST(cpus_outside_of_within_are_counted_as_cpus)
{
	cleanup(stage_deinit) struct stage s, both;
	const struct finding *f;

	stage_set(&s, &within);
	mask_set(&stage_report(&s, 0, 0)->cpus_used, 1);
	mask_set(&stage_report(&s, 0, 1)->cpus_used, 1);
	assert_int_equal(stage_verdict(&s), VERDICT_FAIL);
	f = stage_finding(&s, "isolation", 0);
	assert_int_equal(f->observed, 1);
	assert_string_equal(f->unit, "CPUs");
	assert_string_equal(buf_text(&f->figures),
			    "0 of 2000 looks found a worker outside its CPUs, some found one on "
			    "CPUs 1, outside \"cpu 0\"");

	stage_set(&both, &within);
	mask_set(&stage_report(&both, 0, 0)->cpus_used, 1);
	stage_report(&both, 0, 1)->outside_count = 7;
	assert_int_equal(stage_verdict(&both), VERDICT_FAIL);
	f = stage_finding(&both, "isolation", 0);
	assert_int_equal(f->observed, 7);
	assert_string_equal(f->unit, "times");
}

TESTS(T(cpus_outside_of_within_are_counted_as_cpus),
      T(a_bound_that_is_broken_by_less_than_a_permille_is_broken))
