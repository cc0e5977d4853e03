// SPDX-License-Identifier: GPL-2.0-only
/* Who is held back by the scenario itself, and what the claims make of that. */
#include "stage.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <string.h>

#define PAIR WORKERS({ .name = "p", .work = "periodic run=1ms period=10ms", .count = "2" })
#define TURNS(...) STEPS({ .hold = "1s", .loop = OPS(__VA_ARGS__), .every = "500ms" })
#define RHYTHM(...)                                                                                \
	{                                                                                          \
		.topology = "1n1l1c1t", .cgroups = CGROUPS({ .name = "a", .workers = PAIR }),      \
		.checks = CHECKS("deadline_misses max=2"), __VA_ARGS__                             \
	}

/* One of two does all its work, the other comes to nothing. */
struct misses_case {
	struct ktstr_scenario scenario;
	enum verdict verdict;
};

static const struct misses_case misses[] = {
	{ RHYTHM(.hold = "1s"), VERDICT_FAIL },
	{ RHYTHM(.steps = TURNS("mark x")), VERDICT_FAIL },
	{ RHYTHM(.steps = TURNS("set a weight=10", "set a weight=100")), VERDICT_FAIL },
	{ RHYTHM(.steps = TURNS("freeze a", "thaw a")), VERDICT_PASS },
	{ RHYTHM(.steps = TURNS("signal a/p STOP", "signal a/p CONT")), VERDICT_PASS },
};

TEST(periods_are_forgiven_to_who_is_held_back_only)
{
	for (size_t i = 0; i < ARRAY_SIZE(misses); i++) {
		cleanup(stage_deinit) struct stage s;

		stage_set(&s, &misses[i].scenario);
		*stage_report(&s, 0, 1) = (struct wire_report){
			.worker = 1,
			.start_ns = stage_window(&s, 0)->begin_ns,
			.end_ns = stage_window(&s, 0)->end_ns,
		};
		if (stage_verdict(&s) != misses[i].verdict)
			fail_msg("case %zu: %s", i, verdict_name(s.result.verdict));
	}
}

/* ---- waits ---- */

#define A_AND_B(work_)                                                                             \
	.topology = "1n1l1c1t",                                                                    \
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .name = "h", .work = work_ }) },    \
			   { .name = "b", .workers = WORKERS({ .name = "h", .work = work_ }) })
#define HOLDS(held, freed)                                                                         \
	STEPS({ .hold = "400ms" }, { .ops = OPS(held), .hold = "1s" },                             \
	      { .ops = OPS(freed), .hold = "600ms" })
#define WAITS(of, ...)                                                                             \
	{                                                                                          \
		A_AND_B("spin"), .checks = CHECKS("starvation gap=300ms" of), __VA_ARGS__          \
	}

static const struct ktstr_scenario frozen = WAITS("", .steps = HOLDS("freeze a", "thaw a"));
static const struct ktstr_scenario frozen_of = WAITS(" of=a", .steps = HOLDS("freeze a", "thaw a"));
static const struct ktstr_scenario stopped =
	WAITS("", .steps = HOLDS("signal a/h STOP", "signal a/h CONT"));
static const struct ktstr_scenario moved = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .name = "h", .work = "spin" }) },
			   { .name = "b", .workers = WORKERS({ .name = "h", .work = "spin" }) },
			   { .name = "c" }),
	.steps = STEPS({ .hold = "400ms" },
		       { .ops = OPS("freeze c", "move a/h to c"), .hold = "1s" },
		       { .ops = OPS("move a/h to b"), .hold = "600ms" }),
	.checks = CHECKS("starvation gap=300ms"),
};

/* It makes no progress in the window, from its begin to its end. */
static void starve(struct stage *s, uint32_t window, uint32_t worker)
{
	struct window_data *d = stage_window(s, window);
	struct wire_report *r = stage_report(s, window, worker);

	r->checkpoints = r->iterations = 0;
	r->gap = (struct wire_gap){ .length_ns = d->end_ns - d->begin_ns,
				    .start_ns = d->begin_ns,
				    .is_open = 1 };
}

TEST(nobody_is_starved_by_the_scenario_itself)
{
	static const struct ktstr_scenario *const all[] = { &frozen, &stopped, &moved };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		cleanup(stage_deinit) struct stage s;

		stage_set(&s, all[i]);
		starve(&s, 1, 0);
		if (stage_verdict(&s) != VERDICT_PASS)
			fail_msg("case %zu: %s", i, verdict_name(s.result.verdict));
		assert_int_equal(stage_finding(&s, "starvation", 1)->samples, 1000);
	}
}

TEST(who_runs_beside_the_frozen_is_judged)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &frozen);
	starve(&s, 1, 1);
	assert_int_equal(stage_verdict(&s), VERDICT_FAIL);
}

TEST(who_was_thawed_is_judged_again)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &frozen_of);
	starve(&s, 1, 0);
	starve(&s, 2, 0);
	assert_int_equal(stage_verdict(&s), VERDICT_FAIL);
	assert_null(stage_finding(&s, "starvation", 1));
	assert_int_equal(stage_finding(&s, "starvation", 2)->verdict, VERDICT_FAIL);
}

/* A turn of the loop takes little, and leaves a running: what is longer is not the loop's. */
static const struct ktstr_scenario blinks = WAITS("", .steps = TURNS("freeze a", "thaw a"));

static enum verdict verdict_of_blinks(uint64_t wait_ms, uint64_t frozen_ms)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &blinks);
	stage_report(&s, 0, 0)->gap.length_ns = wait_ms * NSEC_PER_MSEC;
	stage_window(&s, 0)->turns.ns[0] = frozen_ms * NSEC_PER_MSEC;
	stage_window(&s, 0)->turns.ns[1] = (1000 - frozen_ms) * NSEC_PER_MSEC;
	return stage_verdict(&s);
}

TEST(a_wait_that_a_loop_may_have_made_is_undecided)
{
	assert_int_equal(verdict_of_blinks(300, 20), VERDICT_PASS);
	assert_int_equal(verdict_of_blinks(320, 20), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_blinks(321, 20), VERDICT_FAIL);
}

static const struct ktstr_scenario never =
	WAITS(" of=a", .steps = STEPS({ .ops = OPS("freeze a"), .hold = "1s" }, { .hold = "1s" }));

static const struct ktstr_scenario never_signalled =
	WAITS(" of=a", .steps = STEPS({ .ops = OPS("signal a/h STOP"), .hold = "1s" }));

static const struct ktstr_scenario seldom =
	WAITS("", .steps = TURNS("signal a/h CONT", "signal a/h STOP"));

TEST(what_the_scenario_never_lets_run_cannot_be_claimed_of)
{

	assert_non_null(strstr(stage_refusal(&never), "holds its workers back in every hold"));
	assert_non_null(
		strstr(stage_refusal(&never_signalled), "holds its workers back in every hold"));
	assert_non_null(strstr(stage_refusal(&seldom),
			       "its loop holds workers back (freeze, signal STOP) for 500 ms"));
}

static const struct ktstr_scenario equals = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "a", .workers = WORKERS({ .name = "h", .work = "spin", .count = "2" }) },
		{ .name = "b", .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.steps = STEPS({ .ops = OPS("signal a/h STOP"), .hold = "1s" }),
	.checks = CHECKS("spread max=50permille"),
};

/* A signal takes its time: one of two still ran for 3 ms. */
TEST(what_the_stopped_still_got_is_not_compared)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &equals);
	stage_report(&s, 0, 0)->cpu_ns = 3 * NSEC_PER_MSEC;
	stage_report(&s, 0, 1)->cpu_ns = 0;
	assert_int_equal(stage_verdict(&s), VERDICT_PASS);
	assert_int_equal(stage_finding(&s, "spread", 0)->samples, 2);
}

/* ---- wake-ups ---- */

static const struct ktstr_scenario wakes = {
	A_AND_B("timer_latency interval=10ms"),
	.steps = HOLDS("freeze a", "thaw a"),
	.checks = CHECKS("wake_latency max=300ms of=a"),
};

/* Of a, the wake-up after the thaw took @first_ms, of which the window has @inside_ms. */
static enum verdict verdict_of_thawed(uint64_t first_ms, uint64_t inside_ms, bool others)
{
	cleanup(stage_deinit) struct stage s;
	struct wire_report *r;

	stage_set(&s, &wakes);
	r = stage_report(&s, 2, 0);
	stage_wake(&s, 0, 0, 20, NSEC_PER_MSEC);
	starve(&s, 1, 0);
	stage_report(&s, 1, 0)->gap.is_wake = 1;
	if (others)
		stage_wake(&s, 2, 0, 20, NSEC_PER_MSEC);
	stage_wake(&s, 2, 0, 1, first_ms * NSEC_PER_MSEC);
	r->wake_max_at_ns = stage_window(&s, 2)->begin_ns + (inside_ms - first_ms) * NSEC_PER_MSEC;
	stage_verdict(&s);
	assert_null(stage_finding(&s, "wake_latency", 1));
	return s.result.verdict;
}

TEST(a_wakeup_that_was_due_while_frozen_is_not_charged)
{
	assert_int_equal(verdict_of_thawed(1098, 95, true), VERDICT_PASS);
	assert_int_equal(verdict_of_thawed(400, 400, true), VERDICT_FAIL);
	assert_int_equal(verdict_of_thawed(1098, 95, false), VERDICT_UNDECIDED);
}

static const struct ktstr_scenario free_ones = {
	A_AND_B("timer_latency interval=10ms"),
	.steps = STEPS({ .hold = "1s" }, { .ops = OPS("mark x"), .hold = "1s" }),
	.checks = CHECKS("wake_latency max=300ms of=a"),
};

TEST(a_wakeup_from_before_the_window_of_who_was_never_held_is_charged)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &free_ones);
	stage_wake(&s, 0, 0, 20, NSEC_PER_MSEC);
	stage_wake(&s, 1, 0, 20, NSEC_PER_MSEC);
	stage_wake(&s, 1, 0, 1, NSEC_PER_SEC);
	stage_report(&s, 1, 0)->wake_max_at_ns = stage_window(&s, 1)->begin_ns - 1;
	assert_int_equal(stage_verdict(&s), VERDICT_FAIL);
}

static const struct ktstr_scenario asleep_or_hog = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS(
		{ .name = "a", .workers = WORKERS({ .name = "t", .work = "timer_latency" }) },
		{ .name = "b", .workers = WORKERS({ .work = "spin" }) }),
	.steps = HOLDS("signal a/t STOP", "signal a/t CONT"),
	.checks = CHECKS("wake_latency max=300ms"),
};

TEST(hogs_have_no_wakeups_to_judge_while_the_sleepers_are_held)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &asleep_or_hog);
	stage_wake(&s, 0, 0, 20, NSEC_PER_MSEC);
	stage_wake(&s, 2, 0, 20, NSEC_PER_MSEC);
	assert_int_equal(stage_verdict(&s), VERDICT_PASS);
	assert_null(stage_finding(&s, "wake_latency", 1));
}

static const struct ktstr_scenario rhythm_and_hog = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = PAIR },
			   { .name = "b", .workers = WORKERS({ .work = "spin" }) }),
	.steps = HOLDS("signal a/p STOP", "signal a/p CONT"),
	.checks = CHECKS("deadline_misses max=2"),
};

TEST(nor_deadlines_while_those_who_have_some_are_held)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &rhythm_and_hog);
	assert_int_equal(stage_verdict(&s), VERDICT_PASS);
	assert_null(stage_finding(&s, "deadline_misses", 1));
}

/* ---- deadlines ---- */

static const struct ktstr_scenario rhythm = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = PAIR }),
	.steps = HOLDS("freeze a", "thaw a"),
	.checks = CHECKS("deadline_misses max=2"),
};

static enum verdict verdict_of_thawed_rhythm(uint64_t missed)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &rhythm);
	/* The rig's holds are 10 s apart, from begin to begin. */
	stage_window(&s, 1)->begin_ns = stage_window(&s, 2)->begin_ns - NSEC_PER_SEC;
	stage_window(&s, 1)->end_ns = stage_window(&s, 2)->begin_ns;
	stage_window(&s, 0)->begin_ns = stage_window(&s, 1)->begin_ns - 400 * NSEC_PER_MSEC;
	stage_window(&s, 0)->end_ns = stage_window(&s, 1)->begin_ns;
	stage_report(&s, 2, 0)->deadline_misses = missed;
	return stage_verdict(&s);
}

TEST(periods_missed_while_frozen_are_not_charged_after)
{
	assert_int_equal(verdict_of_thawed_rhythm(2), VERDICT_PASS);
	assert_int_equal(verdict_of_thawed_rhythm(100), VERDICT_UNDECIDED);
	assert_int_equal(verdict_of_thawed_rhythm(120), VERDICT_FAIL);
}

TESTS(T(what_the_stopped_still_got_is_not_compared),
      T(periods_are_forgiven_to_who_is_held_back_only), T(nobody_is_starved_by_the_scenario_itself),
      T(who_runs_beside_the_frozen_is_judged), T(who_was_thawed_is_judged_again),
      T(a_wait_that_a_loop_may_have_made_is_undecided),
      T(what_the_scenario_never_lets_run_cannot_be_claimed_of),
      T(a_wakeup_that_was_due_while_frozen_is_not_charged),
      T(a_wakeup_from_before_the_window_of_who_was_never_held_is_charged),
      T(hogs_have_no_wakeups_to_judge_while_the_sleepers_are_held),
      T(nor_deadlines_while_those_who_have_some_are_held),
      T(periods_missed_while_frozen_are_not_charged_after))
