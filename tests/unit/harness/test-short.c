// SPDX-License-Identifier: GPL-2.0-only
/* Windows in which nothing can break a bound on a wait: shorter than that, or without the workers. */
#include "stage.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#define UNTIL "until a/h iterations=1 max=2s"
#define PAIR(topology_, check, ...)                                                                \
	{                                                                                          \
		.topology = topology_,                                                             \
		.cgroups = CGROUPS(                                                                \
			{ .name = "a",                                                             \
			  .workers = WORKERS({ .name = "h", .work = "spin", .count = "2" }) }),    \
		.checks = CHECKS(check), .steps = STEPS(__VA_ARGS__)                               \
	}

static const struct ktstr_scenario waits =
	PAIR("1n1l1c1t", "starvation gap=300ms", { .hold = UNTIL });
static const struct ktstr_scenario waits_twice =
	PAIR("1n1l1c1t", "starvation gap=300ms", { .hold = UNTIL }, { .hold = "1s" });
static const struct ktstr_scenario idles =
	PAIR("1n1l2c1t", "work_conservation gap=300ms", { .hold = UNTIL });

/* The condition came after so long; the second worker did not come to run until then. */
static void end_after(struct stage *s, uint64_t ms)
{
	struct window_data *d = stage_window(s, 0);

	d->is_condition_met = true;
	d->end_ns = d->begin_ns + ms * NSEC_PER_MSEC;
	stage_report(s, 0, 1)->checkpoints = 0;
	stage_report(s, 0, 1)->gap = (struct wire_gap){ .length_ns = ms * NSEC_PER_MSEC,
							.start_ns = d->begin_ns,
							.is_open = 1 };
}

TEST(a_window_no_longer_than_the_bound_is_undecided)
{
	static const struct {
		uint64_t ms;
		enum verdict verdict;
	} cases[] = { { 10, VERDICT_UNDECIDED },
		      { 300, VERDICT_UNDECIDED },
		      { 301, VERDICT_FAIL } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(stage_deinit) struct stage s;
		bool is_short = cases[i].verdict == VERDICT_UNDECIDED;

		stage_set(&s, &waits);
		end_after(&s, cases[i].ms);
		assert_int_equal(stage_verdict(&s), cases[i].verdict);
		assert_int_equal(is_short, !!strstr(buf_text(&s.result.findings[0].evidence),
						    "no longer than the bound"));
		assert_false(s.result.findings[0].holds);
	}
}

TEST(a_longer_window_of_the_claim_decides)
{
	cleanup(stage_deinit) struct stage good = { 0 }, bad = { 0 };

	stage_set(&good, &waits_twice);
	end_after(&good, 10);
	assert_int_equal(stage_verdict(&good), VERDICT_PASS);
	assert_int_equal(good.result.finding_count, 1);
	assert_null(stage_finding(&good, "starvation", 0));

	stage_set(&bad, &waits_twice);
	end_after(&bad, 10);
	stage_report(&bad, 1, 1)->gap.length_ns = NSEC_PER_SEC;
	assert_int_equal(stage_verdict(&bad), VERDICT_FAIL);
}

/* Both ticks of the window's edges. */
static void add_edges(struct stage *s)
{
	struct window_data *d = stage_window(s, 0);

	d->cpu_ticks = d->task_ticks = 2;
	for (unsigned i = 0; i < 2; i++) {
		d->ticks[i].ns = d->ticks[i].ns_end = i ? d->end_ns : d->begin_ns;
		d->ticks[i].cpus = calloc(s->t.cpu_count, sizeof(*d->ticks[i].cpus));
		d->ticks[i].tasks = calloc(s->t.worker_count, sizeof(*d->ticks[i].tasks));
		assert_true(d->ticks[i].cpus && d->ticks[i].tasks);
	}
}

TEST(a_window_without_a_tick_inside_is_too_short_and_no_trouble_of_the_guest)
{
	cleanup(stage_deinit) struct stage s = { 0 }, silent = { 0 };

	stage_set(&s, &idles);
	end_after(&s, 10);
	add_edges(&s);
	assert_int_equal(stage_verdict(&s), VERDICT_UNDECIDED);
	assert_string_equal(buf_text(&s.result.findings[0].figures), "the window was too short");

	stage_set(&silent, &idles);
	end_after(&silent, 10);
	assert_int_equal(stage_verdict(&silent), VERDICT_INFRA);
}

#define ONLY_SHORT(check)                                                                          \
	{                                                                                          \
		.topology = "1n1l1c1t",                                                            \
		.cgroups = CGROUPS({ .name = "b", .workers = WORKERS({ .work = "spin" }) }),       \
		.steps = STEPS({ .cgroups = CGROUPS(                                               \
					 { .name = "a", .workers = WORKERS({ .work = "spin" }) }), \
				 .hold = "250ms" },                                                \
			       { .hold = "2s" }),                                                  \
		.checks = CHECKS(check)                                                            \
	}

static const struct ktstr_scenario brief_waits = ONLY_SHORT("starvation gap=500ms of=a");
static const struct ktstr_scenario brief_idles = ONLY_SHORT("work_conservation gap=500ms of=a");
static const struct ktstr_scenario long_waits = ONLY_SHORT("starvation gap=500ms of=b");

TEST(a_hold_without_the_workers_is_none_of_the_claims)
{
	static const char words[] = "gap: no hold that has its workers is longer than the bound";

	assert_non_null(strstr(stage_refusal(&brief_waits), words));
	assert_non_null(strstr(stage_refusal(&brief_idles), words));
	assert_string_equal(stage_refusal(&long_waits), "");
}

TESTS(T(a_window_no_longer_than_the_bound_is_undecided), T(a_longer_window_of_the_claim_decides),
      T(a_window_without_a_tick_inside_is_too_short_and_no_trouble_of_the_guest),
      T(a_hold_without_the_workers_is_none_of_the_claims))
