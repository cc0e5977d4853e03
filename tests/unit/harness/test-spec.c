// SPDX-License-Identifier: GPL-2.0-only
#include "harness/spec.h"

#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

TEST(a_spec_is_a_name_and_settings)
{
	struct spec s;

	assert_int_equal(spec_parse("bursty  burst=50ms sleep=1s", &s), 0);
	assert_string_equal(s.name, "bursty");
	assert_int_equal(s.count, 2);
	assert_string_equal(s.args[1].key, "sleep");
	assert_string_equal(s.args[1].value, "1s");
	spec_deinit(&s);
}

TEST(malformed_specs_are_refused)
{
	static const char *const bad[] = { "",	      "   ",	 "a=b",	     "name word",
					   "name =v", "name k=", "n k=1 k=2" };
	struct spec s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(spec_parse(bad[i], &s), -EINVAL);
}

TEST(work_fills_in_defaults_and_takes_units)
{
	uint64_t params[PLAN_PARAMS];
	uint32_t id;

	assert_int_equal(spec_work("bursty burst=2ms", &id, params), 0);
	assert_int_equal(id, WORK_BURSTY);
	assert_int_equal(params[0], 2 * NSEC_PER_MSEC);
	assert_int_equal(params[1], 100 * NSEC_PER_MSEC);
}

struct bad_case {
	const char *text;
	const char *words;
};

TEST(bad_work_is_refused_with_value_and_reason)
{
	static const struct bad_case cases[] = {
		{ "spinn", "\"spinn\": no workload has that name; `ktstr workloads` lists them" },
		{ "bursty brust=1ms",
		  "\"bursty brust=1ms\": \"brust\": workload bursty has no such parameter" },
		{ "bursty burst=50", "\"bursty burst=50\": burst \"50\": expected a duration with "
				     "its unit, such as 50ms" },
	};
	uint64_t params[PLAN_PARAMS];
	uint32_t id;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(spec_work(cases[i].text, &id, params), -EINVAL);
		assert_string_equal(err_text(), cases[i].words);
	}
}

TEST(counts_are_numbers_or_relative_to_the_cpus)
{
	uint32_t n;

	assert_int_equal(spec_count(NULL, 8, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(spec_count("12", 8, &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(spec_count("per-cpu", 8, &n), 0);
	assert_int_equal(n, 8);
	assert_int_equal(spec_count("150%", 3, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(spec_count("1%", 2, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(spec_count("0", 8, &n), -EINVAL);
	assert_int_equal(spec_count("-1", 8, &n), -EINVAL);
	assert_int_equal(spec_count("many", 8, &n), -EINVAL);
	assert_int_equal(spec_count("100000%", 512, &n), -EINVAL);
	assert_int_equal(spec_count("%", 8, &n), -EINVAL);
}

TEST(policies_carry_their_priority)
{
	struct plan_sched s;

	assert_int_equal(spec_sched(NULL, 0, &s), 0);
	assert_int_equal(s.flags, 0);
	assert_int_equal(spec_sched(NULL, 5, &s), 0);
	assert_int_equal(s.nice, 5);
	assert_int_equal(spec_sched("fifo 50", 0, &s), 0);
	assert_int_equal(s.policy, SCHED_FIFO);
	assert_int_equal(s.priority, 50);
	assert_int_equal(spec_sched("batch", -3, &s), 0);
	assert_int_equal(s.policy, SCHED_BATCH);
	assert_int_equal(s.nice, -3);
	assert_int_equal(spec_sched("ext", 7, &s), 0);
	assert_int_equal(s.policy, POLICY_EXT);
	assert_int_equal(s.nice, 7);
	assert_int_equal(s.flags, SCHED_HAS_POLICY | SCHED_HAS_NICE);
}

TEST(bad_policies_are_refused)
{
	static const char *const bad[] = { "fifo",
					   "fifo 0",
					   "fifo 100",
					   "rr x",
					   "normal 1",
					   "rt",
					   "ext 1",
					   "external",
					   "",
					   "deadline",
					   "deadline 1ms/2ms",
					   "deadline 1ms/2ms/3ms/4ms",
					   "deadline 100ns/1ms/1ms" };
	struct plan_sched s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(spec_sched(bad[i], 0, &s), -EINVAL);
	assert_int_equal(spec_sched("fifo 1", 5, &s), -EINVAL);
	assert_int_equal(spec_sched(NULL, 20, &s), -EINVAL);
	assert_int_equal(spec_sched(NULL, -21, &s), -EINVAL);
}

TEST(cpu_max_is_a_quota_and_its_period)
{
	uint64_t quota, period;

	assert_int_equal(spec_max("10ms/100ms", &quota, &period), 0);
	assert_int_equal(quota, 10000);
	assert_int_equal(period, 100000);
	assert_int_equal(spec_max("max", &quota, &period), 0);
	assert_true(quota == PLAN_MAX);
	assert_int_equal(spec_max("10ms", &quota, &period), -EINVAL);
	assert_int_equal(spec_max("10/100", &quota, &period), -EINVAL);
	assert_int_equal(spec_max("10us/100ms", &quota, &period), -EINVAL);
	assert_int_equal(spec_max("10ms/2s", &quota, &period), -EINVAL);
	assert_int_equal(spec_max("", &quota, &period), -EINVAL);
}

TEST(decimals_are_thousandths)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },		{ "0.5", 0, 500 },	  { "0.005", 0, 5 },
		{ "12", 0, 12000 },	{ "12.34", 0, 12340 },	  { "010", -EINVAL, 0 },
		{ "00.5", -EINVAL, 0 }, { "1.2345", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(spec_value(cases[i].text, PARAM_MILLI, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

TESTS(T(decimals_are_thousandths), T(a_spec_is_a_name_and_settings), T(malformed_specs_are_refused),
      T(work_fills_in_defaults_and_takes_units), T(bad_work_is_refused_with_value_and_reason),
      T(counts_are_numbers_or_relative_to_the_cpus), T(policies_carry_their_priority),
      T(bad_policies_are_refused), T(cpu_max_is_a_quota_and_its_period))
