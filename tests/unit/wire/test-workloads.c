// SPDX-License-Identifier: GPL-2.0-only
#include "wire/workloads.h"

#include "test.h"

#include <errno.h>
#include <string.h>

TEST(every_workload_is_complete_and_its_defaults_are_valid)
{
	for (uint32_t id = 1; id < WORK_END; id++) {
		const struct workload *w = workload_by_id(id);
		uint64_t params[PLAN_PARAMS];
		uint32_t found = 0;

		assert_non_null(w);
		assert_non_null(w->summary);
		workload_defaults(w, params);
		assert_int_equal(workload_check(w, params), 0);
		assert_true(workload_ensemble(w, params) >= 1);
		assert_int_equal(!w->text_name,
				 !(w->flags & (WORKLOAD_HAS_PHASES | WORKLOAD_HAS_FUNCTION)));
		assert_int_equal(!w->text_name, !w->text_help);
		assert_ptr_equal(workload_by_name(w->name, &found), w);
		assert_int_equal(found, id);
		for (unsigned i = 0; i < w->param_count; i++) {
			assert_non_null(w->params[i].help);
			assert_int_equal(workload_param_index(w, w->params[i].name), i);
		}
	}
}

TEST(a_value_outside_its_range_is_named_with_workload_and_parameter)
{
	uint32_t id = 0;
	const struct workload *w = workload_by_name("bursty", &id);
	uint64_t params[PLAN_PARAMS];

	assert_int_equal(id, WORK_BURSTY);
	workload_defaults(w, params);
	params[1] = 0;
	assert_int_equal(workload_check(w, params), -EINVAL);
	assert_non_null(strstr(err_text(), "bursty: sleep 0"));
}

TEST(members_add_to_the_ensemble)
{
	const struct workload *w = workload_by_id(WORK_THUNDERING_HERD);
	uint64_t params[PLAN_PARAMS];

	workload_defaults(w, params);
	assert_int_equal(workload_ensemble(w, params), 8);
	params[0] = UINT64_MAX;
	assert_int_equal(workload_ensemble(w, params), 257);
}

TEST(unknown_ones_are_not_found)
{
	assert_null(workload_by_id(0));
	assert_null(workload_by_id(WORK_END));
	assert_null(workload_by_name("spi", NULL));
	assert_int_equal(workload_param_index(workload_by_id(WORK_SPIN), "burst"), -1);
}

TESTS(T(every_workload_is_complete_and_its_defaults_are_valid),
      T(a_value_outside_its_range_is_named_with_workload_and_parameter),
      T(members_add_to_the_ensemble), T(unknown_ones_are_not_found))
