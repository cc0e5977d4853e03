// SPDX-License-Identifier: GPL-2.0-only
#include "base/json.h"

#include "test.h"

#include <math.h>

TEST(nested_values_get_their_commas)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	struct json j = json_to(&b);

	json_object(&j, NULL);
	json_u64(&j, "a", UINT64_MAX);
	json_array(&j, "b");
	json_i64(&j, NULL, -1);
	json_object(&j, NULL);
	json_object_end(&j);
	json_bool(&j, NULL, false);
	json_array_end(&j);
	json_str(&j, "c", NULL);
	json_double(&j, "d", 0.5);
	json_double(&j, "e", NAN);
	json_raw(&j, "f", "[{}]");
	json_object_end(&j);
	assert_string_equal(buf_text(&b), "{\"a\":18446744073709551615,\"b\":[-1,{},false],\"c\":"
					  "null,\"d\":0.5,\"e\":null,\"f\":[{}]}");
}

TEST(any_bytes_become_a_valid_string)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "\"plain\"" },
		{ "q\"b\\n\n\t\x7f", "\"q\\\"b\\\\n\\n\\u0009\\u007f\"" },
		{ "\xc3\xa4", "\"\xc3\xa4\"" },
		{ "\xff"
		  "x",
		  "\"\\ufffdx\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },		 /* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* surrogate */
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },		 /* cut short */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(buf_deinit) struct buf b = BUF_NULL;
		struct json j = json_to(&b);

		json_str(&j, NULL, cases[i].in);
		assert_string_equal(buf_text(&b), cases[i].out);
	}
}

TESTS(T(nested_values_get_their_commas), T(any_bytes_become_a_valid_string))
