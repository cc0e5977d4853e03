// SPDX-License-Identifier: GPL-2.0-only
/* What a count of the kernel's says of cgroups that come and go, and nothing if nobody read it. */
#include "stage.h"

#include "base/cleanup.h"

#include "test.h"

#include <string.h>

#define LIVES(checks_, ...)                                                                        \
	{                                                                                          \
		.topology = "1n1l1c1t",                                                            \
		.cgroups = CGROUPS({ .name = "top/a",                                              \
				     .max = "10ms/100ms",                                          \
				     .workers = WORKERS({ .name = "h", .work = "spin" }) },        \
				   { .name = "b", .workers = WORKERS({ .work = "spin" }) }),       \
		.checks = CHECKS(checks_), __VA_ARGS__                                             \
	}
#define TURNS(...)                                                                                 \
	STEPS({ .name = "lives", .hold = "1s", .loop = OPS(__VA_ARGS__), .every = "500ms" })

static const struct ktstr_scenario again =
	LIVES("throttling max=5", .steps = TURNS("remove top/a", "add top/a"));
static const struct ktstr_scenario brief =
	LIVES("throttling min=1 of=top/a", .steps = TURNS("add top/a", "remove top/a"));
static const struct ktstr_scenario above =
	LIVES("throttling min=1 of=top/a", .steps = TURNS("remove top", "add top"));
static const struct ktstr_scenario elsewhere =
	LIVES("throttling max=0 of=b", .steps = TURNS("remove top/a", "add top/a"));
static const struct ktstr_scenario between =
	LIVES("throttling max=5",
	      .steps = STEPS({ .hold = "1s" },
			     { .ops = OPS("remove top/a", "add top/a"), .hold = "1s" }));

TEST(a_count_over_several_lives_is_refused)
{
	static const struct ktstr_scenario *const refused[] = { &again, &brief, &above };

	for (size_t i = 0; i < 3; i++) {
		const char *words = stage_refusal(refused[i]);

		if (!strstr(words, "step lives: its loop ") ||
		    !strstr(words, "top/a, whose count begins anew"))
			fail_msg("case %zu: %s", i, words);
	}
	assert_string_equal(stage_refusal(&elsewhere), "");
	assert_string_equal(stage_refusal(&between), "");
}

static const struct ktstr_scenario least = LIVES("throttling min=1 of=top/a", .hold = "1s");
static const struct ktstr_scenario most = LIVES("throttling max=1", .hold = "1s");

TEST(a_count_that_nobody_read_decides_nothing)
{
	static const struct ktstr_scenario *const both[] = { &least, &most };

	for (size_t i = 0; i < 2; i++) {
		cleanup(stage_deinit) struct stage s;
		uint32_t a = 1;

		stage_set(&s, both[i]);
		assert_string_equal(s.result.cell.plan.cgroups[a].path, "top/a");
		stage_window(&s, 0)->cgroups_begin[a].is_there = false;
		assert_int_equal(stage_verdict(&s), VERDICT_UNDECIDED);
		assert_non_null(strstr(buf_text(&s.result.findings[0].evidence),
				       "top/a: its count was not read at the window's begin"));
	}
}

TESTS(T(a_count_over_several_lives_is_refused), T(a_count_that_nobody_read_decides_nothing))
