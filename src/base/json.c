// SPDX-License-Identifier: GPL-2.0-only
/* The JSON writer (RFC 8259). */
#include "base/json.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static void quoted(struct buf *out, const char *s)
{
	buf_str(out, "\"");
	while (*s) {
		uint32_t code = 0;
		size_t len = utf8_decode(s, &code);

		if (!len)
			buf_str(out, "\\ufffd");
		else if (*s == '"' || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else if (*s == '\n')
			buf_str(out, "\\n");
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			buf_printf(out, "\\u%04x", code);
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
