// SPDX-License-Identifier: GPL-2.0-only
#include "harness/patience.h"

#include "base/util.h"
#include "test.h"

#include <sched.h>

static const struct topology one = { 1, 1, 1, 1 };
static const struct topology sixty_four = { 2, 4, 8, 2 };

/* This process on one CPU of those it has. */
static int squeeze(void **state)
{
	cpu_set_t have, single;

	CPU_ZERO(&single);
	if (sched_getaffinity(0, sizeof(have), &have) < 0)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&single); cpu++) {
		if (CPU_ISSET(cpu, &have))
			CPU_SET(cpu, &single);
	}
	return sched_setaffinity(0, sizeof(single), &single);
}

TEST(a_machine_with_a_cpu_for_each_vcpu_gets_no_extra_time)
{
	assert_int_equal(patience_crowding(&one), 1);
	assert_int_equal(patience_run_ns(&one), 0);
	assert_int_equal(patience_report_ns(&one), 0);
	assert_false(patience_boots_alone(&one));
}

TEST(a_crowded_machine_is_waited_for)
{
	assert_int_equal(patience_crowding(&sixty_four), 64);
	assert_true(patience_boots_alone(&sixty_four));
	assert_true(patience_run_ns(&sixty_four) > 10 * 60 * NSEC_PER_SEC);
	assert_true(patience_report_ns(&sixty_four) > 60 * NSEC_PER_SEC);
	assert_true(patience_boot_ns(&sixty_four) > patience_boot_ns(&one));
}

TESTS(T(a_machine_with_a_cpu_for_each_vcpu_gets_no_extra_time),
      cmocka_unit_test_setup(a_crowded_machine_is_waited_for, squeeze))
