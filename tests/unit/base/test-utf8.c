// SPDX-License-Identifier: GPL-2.0-only
#include "base/utf8.h"

#include "test.h"

#include <string.h>

TEST(characters_are_read_and_others_refused)
{
	static const struct {
		const char *text;
		size_t len;
		uint32_t code;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "", 1, 0 },
		{ "\xc2\x85", 2, 0x85 },
		{ "\xef\xbf\xbe", 3, 0xfffe },
		{ "\xf0\x9f\x98\x80", 4, 0x1f600 },
		{ "\x80", 0, 0 },	      /* a middle without its begin */
		{ "\xc2", 0, 0 },	      /* a begin without its end */
		{ "\xc0\x80", 0, 0 },	      /* overlong */
		{ "\xed\xa0\x80", 0, 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0, 0 }, /* above U+10FFFF */
		{ "\xff", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t code = 0;

		assert_int_equal(utf8_decode(cases[i].text, &code), cases[i].len);
		assert_int_equal(code, cases[i].code);
	}
}

TEST(what_a_terminal_would_obey_is_escaped)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "plain, with caf\xc3\xa9 \xf0\x9f\x98\x80",
		  "plain, with caf\xc3\xa9 \xf0\x9f\x98\x80" },
		{ "a\033[31m\n\t\x7f", "a\\x1b[31m\\x0a\\x09\\x7f" },
		{ "\xc2\x85\xc2\x9b", "\\x85\\x9b" },
		{ "\xe2\x80\xa8\xe2\x80\xae\xef\xbf\xbf", "\\u2028\\u202e\\uffff" },
		{ "\xf0\x9f\xbf\xbe", "\\U0001fffe" },
		{ "\x9b\x80", "\\x9b\\x80" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(buf_deinit) struct buf out = BUF_NULL;

		utf8_add_printable(&out, cases[i].text);
		assert_string_equal(buf_text(&out), cases[i].printed);
	}
}

TESTS(T(characters_are_read_and_others_refused), T(what_a_terminal_would_obey_is_escaped))
