// SPDX-License-Identifier: GPL-2.0-only
#include "harness/program.h"

#include "base/util.h"
#include "harness/spec.h"
#include "wire/workloads.h"

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

TEST(phases_are_read_in_order)
{
	struct program p;

	assert_int_equal(program_parse("run:2ms,sleep:1ms,yield:3,timer:10ms,io:2,loop:1x4", &p),
			 0);
	assert_int_equal(p.count, 6);
	assert_int_equal(p.phases[0].kind, PHASE_RUN);
	assert_int_equal(p.phases[0].value, 2 * NSEC_PER_MSEC);
	assert_int_equal(p.phases[3].kind, PHASE_TIMER);
	assert_int_equal(p.phases[4].value, 2);
	assert_int_equal(p.phases[5].kind, PHASE_LOOP);
	assert_int_equal(p.phases[5].to, 1);
	assert_int_equal(p.phases[5].value, 4);
}

TEST(a_bad_phase_is_named)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "no phases" },
		{ "run", "KIND:VALUE" },
		{ "run:5", "run \"5\": expected a duration" },
		{ "run:0ms", "not 0" },
		{ "jump:3", "\"jump\"" },
		{ "loop:0x2", "an earlier phase" },
		{ "run:1ms,loop:1x2", "an earlier phase" },
		{ "run:1ms,loop:0", "KxN" },
		{ "yield:-1", "a number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct program p;

		assert_int_equal(program_parse(cases[i].text, &p), -EINVAL);
		if (!strstr(err_text(), cases[i].words))
			fail_msg("\"%s\": %s", cases[i].text, err_text());
	}
}

TEST(a_work_carries_its_text)
{
	uint64_t params[PLAN_PARAMS];
	char *text = NULL;
	uint32_t id;

	assert_int_equal(spec_work("custom function=lookup a=7", &id, params), 0);
	assert_int_equal(id, WORK_CUSTOM);
	assert_int_equal(params[0], 7);
	assert_int_equal(spec_work_text("custom function=lookup a=7", &text), 0);
	assert_string_equal(text, "lookup");
	free(text);
	assert_int_equal(spec_work("sequence phases=run:1ms,sleep:1ms", &id, params), 0);
	assert_int_equal(spec_work("sequence", &id, params), -EINVAL);
	assert_non_null(strstr(err_text(), "needs phases="));
	assert_int_equal(spec_work("sequence phases=walk:1ms", &id, params), -EINVAL);
	assert_int_equal(spec_work("spin function=x", &id, params), -EINVAL);
	assert_int_equal(spec_work_text("spin", &text), -EINVAL);
}

TESTS(T(phases_are_read_in_order), T(a_bad_phase_is_named), T(a_work_carries_its_text))
