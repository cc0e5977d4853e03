// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/throttle.h"

#include "base/util.h"

#include "test.h"

#include <stdio.h>

/* A throttle and the virtual time it lives in. */
struct bench {
	struct blk_throttle t;
	uint64_t now_ns;
};

static struct bench bench_of(const char *text)
{
	struct blk_throttle_spec spec;
	struct bench b = { .now_ns = 12345 };

	assert_int_equal(blk_throttle_parse(text, &spec), 0);
	blk_throttle_init(&b.t, &spec, b.now_ns);
	return b;
}

/* Wait exactly as long as the throttle says, then be admitted. Returns the wait. */
static uint64_t admit(struct bench *b, bool is_write, uint64_t bytes)
{
	uint64_t retry_ns = b->now_ns, none;
	uint64_t start_ns = b->now_ns;

	if (blk_throttle_admit(&b->t, is_write, bytes, b->now_ns, &retry_ns))
		return 0;
	assert_true(retry_ns > b->now_ns);
	/* One nanosecond earlier is too early, that very one is enough. */
	assert_false(blk_throttle_admit(&b->t, is_write, bytes, retry_ns - 1, &none));
	assert_int_equal(none, retry_ns);
	assert_true(blk_throttle_admit(&b->t, is_write, bytes, retry_ns, &none));
	b->now_ns = retry_ns;
	return retry_ns - start_ns;
}

TEST(a_burst_goes_at_once_and_the_next_waits_one_token)
{
	struct bench b = bench_of("iops=100,iops-burst=10");

	for (int i = 0; i < 10; i++)
		assert_int_equal(admit(&b, false, 4096), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(admit(&b, true, 4096), 10 * NSEC_PER_MSEC);
}

TEST(without_a_burst_one_goes_and_the_next_waits_one_token)
{
	struct bench b = bench_of("iops=100");

	assert_int_equal(admit(&b, false, 512), 0);
	assert_int_equal(admit(&b, false, 512), 10 * NSEC_PER_MSEC);
	b.now_ns += NSEC_PER_SEC; /* idle time is not saved */
	assert_int_equal(admit(&b, false, 512), 0);
	assert_int_equal(admit(&b, false, 512), 10 * NSEC_PER_MSEC);
}

TEST(ten_operations_in_ten_ms_give_a_thousand_a_second)
{
	struct bench b = bench_of("iops=1000,iops-burst=10");
	uint64_t start_ns = b.now_ns;
	unsigned done = 0;

	while (b.now_ns - start_ns < NSEC_PER_SEC) {
		assert_true(admit(&b, false, 512) <= NSEC_PER_MSEC);
		done++;
	}
	assert_in_range(done, 1000, 1011);
}

TEST(no_rate_drifts)
{
	/* A third of a nanosecond is kept: after 3 * 10^6 operations the clock is exact. */
	struct bench b = bench_of("iops=3000000000");
	uint64_t start_ns = b.now_ns;

	for (int i = 0; i < 3000000; i++)
		admit(&b, false, 512);
	assert_in_range(b.now_ns - start_ns, 999999, 1000000);
}

TEST(the_rate_is_kept_within_one_percent_for_any_rate)
{
	static const uint64_t rates[] = { 100, 333, 1000, 7777, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		char text[64];
		struct bench b;
		uint64_t start_ns, done = 0;

		snprintf(text, sizeof(text), "iops=%lu", rates[i]);
		b = bench_of(text);
		start_ns = b.now_ns;
		for (; b.now_ns - start_ns < NSEC_PER_SEC; done++)
			assert_true(admit(&b, false, 512) <= NSEC_PER_SEC / rates[i] + 1);
		assert_in_range(done, rates[i], rates[i] + rates[i] / 100 + 1);
	}
}

TEST(an_oversized_request_leaves_a_debt)
{
	struct bench b = bench_of("bps=1000000,bps-burst=1000");

	/* More than the burst: admitted at a balance that is not negative... */
	assert_int_equal(admit(&b, true, 1000000), 0);
	/* ...and paid back before anything else: 999000 owed, 500 wanted. */
	assert_int_equal(admit(&b, true, 500), 999500 * NSEC_PER_USEC);
	/* The balance is 0 again: the next large one goes at once. */
	assert_int_equal(admit(&b, true, 4096), 0);
}

TEST(a_request_within_the_burst_waits_for_its_whole_cost)
{
	struct bench b = bench_of("bps=1000,bps-burst=4096");

	assert_int_equal(admit(&b, true, 4000), 0);
	assert_int_equal(admit(&b, true, 4096), 4000 * NSEC_PER_MSEC);
}

TEST(both_limits_are_tested_before_either_is_spent)
{
	struct bench b = bench_of("iops=1000,iops-burst=2,bps=1000,bps-burst=1000");
	uint64_t retry_ns;

	assert_true(blk_throttle_admit(&b.t, false, 1000, b.now_ns, &retry_ns));
	/* Refused by bytes, ten times: the operation that is left must not be spent on it. */
	for (int i = 0; i < 10; i++)
		assert_false(blk_throttle_admit(&b.t, false, 1000, b.now_ns, &retry_ns));
	assert_int_equal(retry_ns, b.now_ns + NSEC_PER_SEC);
	assert_true(blk_throttle_admit(&b.t, false, 0, b.now_ns, &retry_ns));
	assert_false(blk_throttle_admit(&b.t, false, 0, b.now_ns, &retry_ns));
}

TEST(reads_and_writes_have_limits_of_their_own)
{
	struct bench b = bench_of("read-iops=10,write-iops=1000,write-bps=1000");

	assert_int_equal(admit(&b, false, 512), 0);
	assert_int_equal(admit(&b, true, 500), 0);
	assert_int_equal(admit(&b, true, 500), 500 * NSEC_PER_MSEC);
	b.now_ns = 12345;
	b = bench_of("read-iops=10,write-iops=1000");
	assert_int_equal(admit(&b, false, 512), 0);
	assert_int_equal(admit(&b, false, 512), 100 * NSEC_PER_MSEC);
	assert_int_equal(admit(&b, true, 512), 0);
}

TEST(a_live_change_gives_no_windfall)
{
	struct bench b = bench_of("iops=10,iops-burst=10");
	struct blk_throttle_spec more, none = { 0 };

	assert_int_equal(blk_throttle_parse("iops=10,iops-burst=1000", &more), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(admit(&b, false, 512), 0);
	/* Raising the burst, or taking the limit away and giving it again, fills nothing. */
	blk_throttle_set(&b.t, &more, b.now_ns);
	assert_int_equal(admit(&b, false, 512), 100 * NSEC_PER_MSEC);
	blk_throttle_set(&b.t, &none, b.now_ns);
	assert_int_equal(admit(&b, false, 512), 0);
	blk_throttle_set(&b.t, &more, b.now_ns);
	assert_int_equal(admit(&b, false, 512), 100 * NSEC_PER_MSEC);
}

TEST(a_live_change_keeps_a_debt_and_cuts_savings)
{
	struct bench b = bench_of("bps=1000");
	struct blk_throttle_spec spec;

	assert_int_equal(admit(&b, false, 5000), 0);
	assert_int_equal(blk_throttle_parse("bps=5000", &spec), 0);
	blk_throttle_set(&b.t, &spec, b.now_ns);
	assert_int_equal(admit(&b, false, 512), NSEC_PER_SEC);

	b = bench_of("iops=10,iops-burst=10");
	assert_int_equal(blk_throttle_parse("iops=10,iops-burst=2", &spec), 0);
	blk_throttle_set(&b.t, &spec, b.now_ns);
	assert_int_equal(admit(&b, false, 512), 0);
	assert_int_equal(admit(&b, false, 512), 0);
	assert_int_equal(admit(&b, false, 512), 100 * NSEC_PER_MSEC);
}

TEST(a_clock_that_steps_back_earns_nothing)
{
	struct bench b = bench_of("iops=10");
	uint64_t retry_ns;

	assert_int_equal(admit(&b, false, 512), 0);
	assert_false(blk_throttle_admit(&b.t, false, 512, b.now_ns - 5000, &retry_ns));
	assert_int_equal(retry_ns, b.now_ns + 100 * NSEC_PER_MSEC);
}

TEST(extremes_do_not_wrap)
{
	struct bench b = bench_of("bps=1,iops=1000000000000000");
	uint64_t retry_ns;

	assert_true(blk_throttle_admit(&b.t, false, UINT64_MAX, b.now_ns, &retry_ns));
	assert_false(blk_throttle_admit(&b.t, false, UINT64_MAX, b.now_ns, &retry_ns));
	assert_int_equal(retry_ns, UINT64_MAX);
	assert_false(blk_throttle_admit(&b.t, false, 1, UINT64_MAX, &retry_ns));
}

TEST(bad_texts_are_refused_in_words)
{
	static const char *const bad[] = {
		"",
		"iops",
		"iops=",
		"iops=x",
		"iops-burst=5",
		"bps=-1",
		"bogus=1",
		"iops=1,,bps=2",
		"bps=1kb",
		"iops=1000000000000001",
		"iops=1K",
		"read-iops-burst=1,iops=4",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct blk_throttle_spec spec;

		err_clear();
		assert_true(blk_throttle_parse(bad[i], &spec) < 0);
		assert_true(err_text()[0]);
	}
}

TESTS(T(a_burst_goes_at_once_and_the_next_waits_one_token),
      T(without_a_burst_one_goes_and_the_next_waits_one_token),
      T(ten_operations_in_ten_ms_give_a_thousand_a_second), T(no_rate_drifts),
      T(the_rate_is_kept_within_one_percent_for_any_rate), T(an_oversized_request_leaves_a_debt),
      T(a_request_within_the_burst_waits_for_its_whole_cost),
      T(both_limits_are_tested_before_either_is_spent),
      T(reads_and_writes_have_limits_of_their_own), T(a_live_change_gives_no_windfall),
      T(a_live_change_keeps_a_debt_and_cuts_savings), T(a_clock_that_steps_back_earns_nothing),
      T(extremes_do_not_wrap), T(bad_texts_are_refused_in_words))
