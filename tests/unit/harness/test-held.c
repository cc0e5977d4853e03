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

TESTS(T(periods_are_forgiven_to_who_is_held_back_only))
