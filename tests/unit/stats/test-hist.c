// SPDX-License-Identifier: GPL-2.0-only
#include "stats/hist.h"

#include "test.h"

#include <string.h>

TEST(every_value_lies_in_its_bucket)
{
	for (unsigned shift = 0; shift < 40; shift++) {
		for (uint64_t step = 0; step < 16; step++) {
			uint64_t ns = (UINT64_C(1) << shift) + step * (UINT64_C(1) << shift) / 16;
			unsigned b = hist_bucket(ns);

			assert_true(hist_bucket_floor(b) <= ns);
			assert_true(ns < hist_bucket_floor(b + 1));
		}
	}
}

TEST(buckets_join_without_a_gap)
{
	for (unsigned b = 1; b < HIST_BUCKETS; b++) {
		assert_int_equal(hist_bucket(hist_bucket_floor(b)), b);
		assert_int_equal(hist_bucket(hist_bucket_floor(b) - 1), b - 1);
	}
}

TEST(a_value_beyond_the_range_falls_into_the_last_bucket)
{
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

TEST(an_empty_histogram_reads_zero)
{
	struct hist h = HIST_EMPTY;

	assert_int_equal(hist_quantile_ns(&h, 500), 0);
	assert_int_equal(hist_mean_ns(&h), 0);
}

TEST(quantiles_of_a_uniform_ramp_are_exact_to_a_bucket)
{
	static const unsigned permilles[] = { 10, 250, 500, 900, 990, 999 };
	struct hist h = HIST_EMPTY;

	for (uint64_t ns = 1; ns <= 100000; ns++)
		hist_add(&h, ns);
	for (unsigned i = 0; i < 6; i++) {
		double want = 100.0 * permilles[i];
		double got = (double)hist_quantile_ns(&h, permilles[i]);

		assert_true(got > want * 0.93 && got < want * 1.07);
	}
	assert_int_equal(hist_quantile_ns(&h, 1000), 100000);
	assert_int_equal(hist_mean_ns(&h), 50000);
}

TEST(one_value_is_every_quantile)
{
	struct hist h = HIST_EMPTY;

	hist_add(&h, 12345);
	assert_int_equal(hist_quantile_ns(&h, 1), 12345);
	assert_int_equal(hist_quantile_ns(&h, 999), 12345);
}

TEST(merging_equals_adding_everything_to_one)
{
	struct hist a = HIST_EMPTY, b = HIST_EMPTY, all = HIST_EMPTY;

	for (uint64_t i = 0; i < 1000; i++) {
		hist_add(i % 3 ? &a : &b, i * i);
		hist_add(&all, i * i);
	}
	hist_merge(&a, &b);
	assert_memory_equal(&a, &all, sizeof(a));
}

TEST(a_full_bucket_stays_full)
{
	struct hist a = HIST_EMPTY, b = HIST_EMPTY;

	a.buckets[3] = UINT32_MAX - 1;
	b.buckets[3] = 5;
	hist_merge(&a, &b);
	assert_int_equal(a.buckets[3], UINT32_MAX);
}

TEST(without_its_largest_value_the_next_one_counts)
{
	struct hist h = HIST_EMPTY;

	hist_drop_max(&h);
	assert_memory_equal(&h, &HIST_EMPTY, sizeof(h));
	hist_add(&h, 10);
	hist_add(&h, 1000);
	hist_add(&h, 50000);
	hist_drop_max(&h);
	assert_int_equal(h.count, 2);
	assert_in_range(h.max_ns, 1000, 1000 + 1000 / HIST_SUB);
	hist_drop_max(&h);
	assert_int_equal(h.max_ns, 10);
	hist_drop_max(&h);
	assert_memory_equal(&h, &HIST_EMPTY, sizeof(h));
}

/* Ten values of 1 to 10 ms: five may stay above the median's bound. */
TEST(the_excess_is_what_the_values_next_to_the_bound_are_over_it)
{
	static const uint64_t ms = 1000000;
	struct hist h = HIST_EMPTY;

	for (uint64_t i = 1; i <= 10; i++)
		hist_add(&h, i * ms);
	assert_int_equal(hist_excess_ns(&h, 500, 6 * ms), 0);
	/* Above 2 ms are eight: 3, 4 and 5 have to come down, by 1, 2 and 3. */
	assert_in_range(hist_excess_ns(&h, 500, 2 * ms), 6 * ms, 7 * ms + ms / 2);
	assert_in_range(hist_excess_ns(&h, 1000, 9 * ms), ms, 2 * ms);
	assert_int_equal(hist_excess_ns(&h, 1000, 10 * ms), 0);
	assert_int_equal(hist_excess_ns(&HIST_EMPTY, 500, 0), 0);
}

TESTS(T(every_value_lies_in_its_bucket), T(buckets_join_without_a_gap),
      T(a_value_beyond_the_range_falls_into_the_last_bucket), T(an_empty_histogram_reads_zero),
      T(quantiles_of_a_uniform_ramp_are_exact_to_a_bucket), T(one_value_is_every_quantile),
      T(merging_equals_adding_everything_to_one), T(a_full_bucket_stays_full),
      T(without_its_largest_value_the_next_one_counts),
      T(the_excess_is_what_the_values_next_to_the_bound_are_over_it))
