// SPDX-License-Identifier: GPL-2.0-only
#include "base/parse.h"

#include "test.h"

#include <errno.h>

struct parse_case {
	const char *in;
	int r;
	uint64_t value;
};

TEST(numbers_are_read_strictly)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "0x64", -EINVAL, 0 },
		{ "010", -EINVAL, 0 },
		{ "00", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1a", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(parse_u64(cases[i].in, &v), cases[i].r);
		assert_int_equal(v, cases[i].value);
	}
}

TEST(a_range_is_kept)
{
	uint64_t v = 0;

	assert_int_equal(parse_u64_in("16", 1, 16, &v), 0);
	assert_int_equal(parse_u64_in("17", 1, 16, &v), -ERANGE);
	assert_int_equal(parse_u64_in("0", 1, 16, &v), -ERANGE);
	assert_int_equal(v, 16);
}

TEST(bytes_take_binary_suffixes)
{
	static const struct parse_case cases[] = {
		{ "64M", 0, 64 << 20 },		{ "1KiB", 0, 1024 },	{ "512", 0, 512 },
		{ "2G", 0, UINT64_C(2) << 30 }, { "1kb", -EINVAL, 0 },	{ "M", -EINVAL, 0 },
		{ "16777216T", -ERANGE, 0 },	{ "064M", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(parse_bytes(cases[i].in, &v), cases[i].r);
		assert_int_equal(v, cases[i].value);
	}
}

TEST(sizes_need_their_unit)
{
	static const struct parse_case cases[] = {
		{ "64M", 0, 64 << 20 }, { "64B", 0, 64 },	{ "0", 0, 0 },
		{ "512", -EINVAL, 0 },	{ "0x40", -EINVAL, 0 }, { "16777216T", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(parse_size(cases[i].in, &v), cases[i].r);
		assert_int_equal(v, cases[i].value);
	}
}

TEST(durations_need_their_unit)
{
	static const struct parse_case cases[] = {
		{ "50ms", 0, 50000000 }, { "1.5ms", 0, 1500000 }, { "0.000000001s", 0, 1 },
		{ "0", 0, 0 },		 { "7ns", 0, 7 },	  { "50", -EINVAL, 0 },
		{ "1.ms", -EINVAL, 0 },	 { "1m", -EINVAL, 0 },	  { "99999999999999s", -ERANGE, 0 },
		{ "01s", -EINVAL, 0 },	 { "00.5s", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(parse_duration_ns(cases[i].in, &v), cases[i].r);
		assert_int_equal(v, cases[i].value);
	}
}

TESTS(T(numbers_are_read_strictly), T(a_range_is_kept), T(bytes_take_binary_suffixes),
      T(sizes_need_their_unit), T(durations_need_their_unit))
