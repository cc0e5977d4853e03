// SPDX-License-Identifier: GPL-2.0-only
#include "harness/cpuspec.h"

#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <string.h>

struct spec_case {
	const char *topology;
	const char *spec;
	const char *expected; /* list form, or the words of the error */
};

static int resolve(const struct spec_case *c, struct cpu_mask *mask)
{
	struct topology t;

	assert_int_equal(topology_parse(c->topology, &t), 0);
	return cpuspec_resolve(c->spec, &t, mask);
}

TEST(specifications_name_the_cpus_they_say)
{
	static const struct spec_case cases[] = {
		{ "1n2l4c1t", "all", "0-7" },
		{ "1n2l4c1t", "llc 0", "0-3" },
		{ "1n2l4c1t", "llc 1", "4-7" },
		{ "2n4l2c1t", "node 1", "4-7" },
		{ "2n4l2c1t", "llc 0,2-3", "0-1,4-7" },
		{ "1n2l2c2t", "core 1", "2-3" },
		{ "1n2l2c2t", "core 3", "6-7" },
		{ "1n2l2c2t", "thread 0", "0,2,4,6" },
		{ "1n2l2c2t", "cpu 0-1,5", "0-1,5" },
		{ "1n2l4c1t", "fraction 1/4..1/2", "2-3" },
		{ "1n2l4c1t", "fraction 0/1..1/1", "0-7" },
		{ "1n2l4c1t", "part 1/3", "0-1" },
		{ "1n2l4c1t", "part 3/3", "5-7" },
		{ "1n2l4c1t", "part 1/2 overlap=1", "0-4" },
		{ "1n2l4c1t", "part 2/2 overlap=3", "4-7" },
	};
	char text[MASK_TEXT_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpu_mask mask;

		assert_int_equal(resolve(&cases[i], &mask), 0);
		assert_string_equal(mask_format(&mask, text), cases[i].expected);
	}
}

TEST(bad_specifications_are_refused_with_value_and_reason)
{
	static const struct spec_case cases[] = {
		{ "1n2l4c1t", "llc 7", "\"llc 7\": machine 1n2l4c1t has LLCs 0-1" },
		{ "1n2l4c1t", "node 1", "\"node 1\": machine 1n2l4c1t has nodes 0-0" },
		{ "1n2l4c1t", "cpu 3-1", "\"cpu 3-1\": a range ends before it begins" },
		{ "1n2l4c1t", "cpu", "\"cpu\": a number is missing" },
		{ "1n2l4c1t", "cpu 1,", "\"cpu 1,\": a number is missing" },
		{ "1n2l4c1t", "cpu 1 ", "\"cpu 1 \": expected a list such as 0,2-3" },
		{ "1n2l4c1t", "cpu 99999999999999999999",
		  "\"cpu 99999999999999999999\": a number is too large" },
		{ "1n2l4c1t", "all 1", "\"all 1\": nothing may follow \"all\"" },
		{ "1n2l4c1t", "socket 0",
		  "\"socket 0\": expected all, node, llc, core, thread, cpu, fraction or part" },
		{ "1n2l4c1t", "",
		  "\"\": expected all, node, llc, core, thread, cpu, fraction or part" },
		{ "1n1l1c1t", "fraction 0/4..1/4",
		  "\"fraction 0/4..1/4\": names no CPU of machine 1n1l1c1t" },
		{ "1n2l4c1t", "fraction 1/4",
		  "\"fraction 1/4\": expected a range such as 1/4..1/2" },
		{ "1n2l4c1t", "fraction 1/0..1/1",
		  "\"fraction 1/0..1/1\": a ratio must lie between 0 and 1" },
		{ "1n2l4c1t", "part 0/2", "\"part 0/2\": parts are counted from 1" },
		{ "1n2l4c1t", "part 3/2", "\"part 3/2\": a ratio must lie between 0 and 1" },
		{ "1n2l4c1t", "part 1/2 more",
		  "\"part 1/2 more\": only overlap=CPUS may follow a part" },
		{ "1n2l4c1t", "part 2", "\"part 2\": expected a ratio such as 1/4" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpu_mask mask;

		assert_int_equal(resolve(&cases[i], &mask), -EINVAL);
		assert_string_equal(err_text(), cases[i].expected);
	}
}

TESTS(T(specifications_name_the_cpus_they_say),
      T(bad_specifications_are_refused_with_value_and_reason))
