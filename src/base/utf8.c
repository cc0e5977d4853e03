// SPDX-License-Identifier: GPL-2.0-only
#include "base/utf8.h"

#include "base/util.h"

#include <inttypes.h>

size_t utf8_decode(const char *text, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead, len;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		uint32_t code = s[0] & (unsigned char)~forms[i].mask;

		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (size_t k = 1; k < forms[i].len; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[k] & 0x3f);
		}
		if (code < forms[i].min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			return 0;
		*ret = code;
		return forms[i].len;
	}
	return 0;
}

bool utf8_is_printable(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} others[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	/* C0, DEL, C1 with NEL */
		{ 0x2028, 0x2029 },			/* ends of lines and paragraphs */
		{ 0x202a, 0x202e }, { 0x2066, 0x2069 }, /* other direction */
		{ 0xfdd0, 0xfdef },			/* non-characters, here and below */
		{ 0xfeff, 0xfeff },			/* byte order mark */
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (code >= others[i].first && code <= others[i].last)
			return false;
	return (code & 0xfffe) != 0xfffe;
}

void utf8_add_escape(struct buf *out, uint32_t code)
{
	if (code < 0x100)
		buf_printf(out, "\\x%02" PRIx32, code);
	else if (code < 0x10000)
		buf_printf(out, "\\u%04" PRIx32, code);
	else
		buf_printf(out, "\\U%08" PRIx32, code);
}

void utf8_add_printable(struct buf *out, const char *text)
{
	while (*text) {
		uint32_t code;
		size_t len = utf8_decode(text, &code);

		if (!len)
			utf8_add_escape(out, (unsigned char)*text);
		else if (utf8_is_printable(code))
			buf_add(out, text, len);
		else
			utf8_add_escape(out, code);
		text += len ? len : 1;
	}
}
