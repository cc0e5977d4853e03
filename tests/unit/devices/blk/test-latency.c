// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/latency.h"

#include "base/util.h"

#include "test.h"

static struct blk_latency model_of(const char *text)
{
	struct blk_latency_spec spec;
	struct blk_latency l;

	assert_int_equal(blk_latency_parse(text, &spec), 0);
	blk_latency_init(&l, &spec);
	return l;
}

TEST(a_fixed_latency_is_the_same_each_time)
{
	struct blk_latency l = model_of("5ms");
	struct blk_latency m = model_of("fixed:1.5us");

	for (int i = 0; i < 3; i++) {
		assert_int_equal(blk_latency_next(&l), 5 * NSEC_PER_MSEC);
		assert_int_equal(blk_latency_next(&m), 1500);
	}
}

TEST(a_table_is_walked_round_and_round)
{
	struct blk_latency l = model_of("table:1ms/2ms/0");

	for (int round = 0; round < 3; round++) {
		assert_int_equal(blk_latency_next(&l), NSEC_PER_MSEC);
		assert_int_equal(blk_latency_next(&l), 2 * NSEC_PER_MSEC);
		assert_int_equal(blk_latency_next(&l), 0);
	}
}

TEST(a_uniform_latency_reaches_both_ends_and_repeats_by_seed)
{
	struct blk_latency l = model_of("uniform:10ns-13ns,seed=7");
	struct blk_latency m = model_of("uniform:10ns-13ns,seed=7");
	struct blk_latency n = model_of("uniform:10ns-13ns,seed=8");
	unsigned seen = 0, differences = 0;

	for (int i = 0; i < 200; i++) {
		uint64_t ns = blk_latency_next(&l);

		assert_in_range(ns, 10, 13);
		assert_int_equal(ns, blk_latency_next(&m));
		differences += ns != blk_latency_next(&n);
		seen |= 1u << (ns - 10);
	}
	assert_int_equal(seen, 15);
	assert_true(differences > 50);
}

TEST(an_exponential_latency_has_its_mean)
{
	struct blk_latency l = model_of("exp:1ms,seed=3");
	uint64_t sum_ns = 0;

	for (int i = 0; i < 20000; i++)
		sum_ns += blk_latency_next(&l);
	assert_in_range(sum_ns / 20000, 970000, 1030000);
}

TEST(bad_models_are_refused_in_words)
{
	static const char *const bad[] = { "",
					   "5",
					   "fixed:",
					   "fixed:1ms/2ms",
					   "gauss:1ms",
					   "table:",
					   "uniform:1ms",
					   "uniform:2ms-1ms",
					   "5ms,speed=2",
					   "5ms,seed",
					   "exp:1ms-2ms",
					   "table:1ms//2ms" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct blk_latency_spec spec;

		err_clear();
		assert_true(blk_latency_parse(bad[i], &spec) < 0);
		assert_true(err_text()[0]);
	}
}

TESTS(T(a_fixed_latency_is_the_same_each_time), T(a_table_is_walked_round_and_round),
      T(a_uniform_latency_reaches_both_ends_and_repeats_by_seed),
      T(an_exponential_latency_has_its_mean), T(bad_models_are_refused_in_words))
