// SPDX-License-Identifier: GPL-2.0-only
/* What a host that took less than noise= allows explains of a broken bound, and what it does not. */
#include "stage.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <string.h>

/* The host takes @taken_ms of a second from CPU @cpu. */
static void take(struct stage *s, unsigned cpu, uint64_t taken_ms)
{
	stage_window(s, 0)->host_delay_end_ns[cpu] = taken_ms * NSEC_PER_MSEC;
}

static enum verdict verdict_with_words(struct stage *s)
{
	const char *evidence;

	stage_verdict(s);
	evidence = buf_text(&s->result.findings[0].evidence);
	assert_int_equal(!!strstr(evidence, "which may be what breaks the bound"),
			 s->result.verdict == VERDICT_UNDECIDED);
	return s->result.verdict;
}

#define RHYTHM(name_, check, ...)                                                                  \
	static const struct ktstr_scenario name_ = {                                               \
		.topology = "1n1l2c1t",                                                            \
		.cgroups = CGROUPS({ .name = "a",                                                  \
				     .workers = WORKERS({ .work = "periodic run=1ms period=10ms",  \
							  __VA_ARGS__ }) }),                       \
		.hold = "1s",                                                                      \
		.checks = CHECKS(check),                                                           \
	}

RHYTHM(rhythm, "deadline_misses max=0", .count = "1");
RHYTHM(rhythm_on_one, "deadline_misses max=0", .affinity = "cpu 1");
RHYTHM(rhythm_decided, "deadline_misses max=0 noise=1000permille", .count = "1");

static enum verdict verdict_of_misses(const struct ktstr_scenario *scenario, uint64_t missed,
				      uint64_t taken_ms)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, scenario);
	take(&s, 0, taken_ms);
	stage_report(&s, 0, 0)->deadline_misses = missed;
	return verdict_with_words(&s);
}

TEST(misses_that_the_host_explains_are_undecided)
{
	assert_int_equal(verdict_of_misses(&rhythm, 0, 90), VERDICT_PASS);
	assert_int_equal(verdict_of_misses(&rhythm, 1, 0), VERDICT_FAIL);
	assert_int_equal(verdict_of_misses(&rhythm, 10, 90), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_misses(&rhythm, 11, 90), VERDICT_FAIL);
	assert_int_equal(verdict_of_misses(&rhythm_decided, 1, 90), VERDICT_FAIL);
	/* From a CPU that it may not run on. */
	assert_int_equal(verdict_of_misses(&rhythm_on_one, 1, 90), VERDICT_FAIL);
}

RHYTHM(rate, "throughput min=1000", .count = "1");

static enum verdict verdict_of_rate(uint64_t iterations, uint64_t taken_ms)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &rate);
	take(&s, 0, taken_ms);
	stage_report(&s, 0, 0)->iterations = iterations;
	return verdict_with_words(&s);
}

TEST(a_rate_that_the_host_explains_is_undecided)
{
	assert_int_equal(verdict_of_rate(1000, 90), VERDICT_PASS);
	assert_int_equal(verdict_of_rate(999, 0), VERDICT_FAIL);
	assert_int_equal(verdict_of_rate(910, 90), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_rate(900, 90), VERDICT_FAIL);
}

static const struct ktstr_scenario equals = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("spread max=50permille"),
};

/* The host takes so much from one CPU, and from the other; the unluckier has so much less. */
static enum verdict verdict_of_spread(uint64_t first_ms, uint64_t second_ms, uint64_t less_ms)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &equals);
	take(&s, 0, first_ms);
	take(&s, 1, second_ms);
	stage_report(&s, 0, 1)->cpu_ns -= less_ms * NSEC_PER_MSEC;
	return verdict_with_words(&s);
}

TEST(a_spread_that_an_uneven_host_explains_is_undecided)
{
	assert_int_equal(verdict_of_spread(0, 0, 50), VERDICT_PASS);
	assert_int_equal(verdict_of_spread(0, 90, 90), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_spread(0, 90, 140), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_spread(0, 90, 150), VERDICT_FAIL);
	assert_int_equal(verdict_of_spread(90, 90, 90), VERDICT_FAIL);
}

TESTS(T(misses_that_the_host_explains_are_undecided), T(a_rate_that_the_host_explains_is_undecided),
      T(a_spread_that_an_uneven_host_explains_is_undecided))
