// SPDX-License-Identifier: GPL-2.0-only
/* The JSON writer (RFC 8259). */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

/* Length of the UTF-8 sequence at @s (RFC 3629: no overlong forms, no surrogates, at most
 * U+10FFFF), 0 if it is not one. */
static size_t utf8_len(const unsigned char *s)
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

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
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
		return forms[i].len;
	}
	return 0;
}

static void quoted(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_str(out, "\"");
	while (*s) {
		size_t len = utf8_len(s);

		if (!len)
			buf_str(out, "\\ufffd");
		else if (*s == '"' || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else if (*s == '\n')
			buf_str(out, "\\n");
		else if (*s < 0x20 || *s == 0x7f)
			buf_printf(out, "\\u%04x", *s);
		else
			buf_add(out, s, len);
		s += len ? len : 1;
	}
	buf_str(out, "\"");
}

static void begin_value(struct json *j, const char *key)
{
	if (j->needs_comma)
		buf_str(j->out, ",");
	j->needs_comma = true;
	if (key) {
		quoted(j->out, key);
		buf_str(j->out, ":");
	}
}

static void open_group(struct json *j, const char *key, const char *bracket)
{
	begin_value(j, key);
	buf_str(j->out, bracket);
	j->needs_comma = false;
}

static void close_group(struct json *j, const char *bracket)
{
	buf_str(j->out, bracket);
	j->needs_comma = true;
}

void json_object(struct json *j, const char *key)
{
	open_group(j, key, "{");
}

void json_object_end(struct json *j)
{
	close_group(j, "}");
}

void json_array(struct json *j, const char *key)
{
	open_group(j, key, "[");
}

void json_array_end(struct json *j)
{
	close_group(j, "]");
}

void json_str(struct json *j, const char *key, const char *value)
{
	begin_value(j, key);
	if (value)
		quoted(j->out, value);
	else
		buf_str(j->out, "null");
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	buf_printf(j->out, "%" PRIu64, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	buf_printf(j->out, "%" PRId64, value);
}

void json_double(struct json *j, const char *key, double value)
{
	begin_value(j, key);
	if (isfinite(value))
		buf_printf(j->out, "%.10g", value);
	else
		buf_str(j->out, "null");
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_str(j->out, value ? "true" : "false");
}

void json_raw(struct json *j, const char *key, const char *text)
{
	begin_value(j, key);
	buf_str(j->out, text);
}
