// SPDX-License-Identifier: GPL-2.0-only
/* Scenario to YAML, in block style. Texts are written in double quotes unless they are plain words,
 * so that no text can turn into another kind of value, and what is no printable character (NEL would be
 * read as a blank) as an escape (YAML 1.1, 5.1, 5.7 and 7.3.1). */
#include "harness/yaml_show.h"

#include "base/utf8.h"
#include "base/util.h"
#include "harness/schema.h"

#include <ctype.h>

enum { INDENT = 2 };

static bool is_plain(const char *text)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no",
					     "on",   "off",   "y",    "n" };

	if (!isalnum((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(text, words[i]))
			return false;
	for (const char *p = text; *p; p++) {
		bool is_inner_blank = *p == ' ' && p[1] && p[1] != '#';

		if (!isalnum((unsigned char)*p) && !strchr("_-./=%+", *p) && !is_inner_blank)
			return false;
	}
	return true;
}

static void add_text(struct buf *out, const char *text)
{
	if (is_plain(text)) {
		buf_str(out, text);
		return;
	}
	buf_str(out, "\"");
	while (*text) {
		uint32_t code = 0xfffd; /* for what no file of text can hold */
		size_t len = utf8_decode(text, &code);

		if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else if (len && utf8_is_printable(code))
			buf_add(out, text, len);
		else
			utf8_add_escape(out, code);
		text += len ? len : 1;
	}
	buf_str(out, "\"");
}

static bool is_zero(const void *record, size_t bytes)
{
	const unsigned char *p = record;

	for (size_t i = 0; i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

static size_t field_bytes(const struct field *field)
{
	switch (field->kind) {
	case FIELD_UNSIGNED:
		return sizeof(unsigned);
	case FIELD_INT:
		return sizeof(int);
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_RECORD:
		return field->record->bytes;
	case FIELD_TEXT:
	case FIELD_TEXTS:
	case FIELD_RECORDS:
		break;
	}
	return sizeof(void *);
}

static void add_record(struct buf *out, const struct schema *schema, const void *record,
		       unsigned depth, const char *first_indent);

static void add_indent(struct buf *out, unsigned depth)
{
	buf_printf(out, "%*s", (int)(depth * INDENT), "");
}

static void add_texts(struct buf *out, const char *const *texts, unsigned depth)
{
	buf_str(out, "\n");
	for (; *texts; texts++) {
		add_indent(out, depth);
		buf_str(out, "- ");
		add_text(out, *texts);
		buf_str(out, "\n");
	}
}

static void add_records(struct buf *out, const struct schema *schema, const char *records,
			unsigned depth)
{
	buf_str(out, "\n");
	for (; !is_zero(records, schema->bytes); records += schema->bytes) {
		add_indent(out, depth);
		add_record(out, schema, records, depth + 1, "- ");
	}
}

/* The value behind "key:", with its line end. */
static void add_value(struct buf *out, const struct field *field, const void *member,
		      unsigned depth)
{
	switch (field->kind) {
	case FIELD_TEXT:
		buf_str(out, " ");
		add_text(out, *(const char *const *)member);
		break;
	case FIELD_UNSIGNED:
		buf_printf(out, " %u", *(const unsigned *)member);
		break;
	case FIELD_INT:
		buf_printf(out, " %d", *(const int *)member);
		break;
	case FIELD_BOOL:
		buf_str(out, " true");
		break;
	case FIELD_TEXTS:
		add_texts(out, *(const char *const *const *)member, depth);
		return;
	case FIELD_RECORDS:
		add_records(out, field->record, *(const char *const *)member, depth);
		return;
	case FIELD_RECORD:
		buf_str(out, "\n");
		add_indent(out, depth);
		add_record(out, field->record, member, depth, "");
		return;
	}
	buf_str(out, "\n");
}

/* The cursor stands behind the indentation of the first key; later keys are indented by @depth. */
static void add_record(struct buf *out, const struct schema *schema, const void *record,
		       unsigned depth, const char *first_indent)
{
	bool is_first = true;

	buf_str(out, first_indent);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		const void *member = (const char *)record + field->offset;

		if (is_zero(member, field_bytes(field)))
			continue;
		if (!is_first)
			add_indent(out, depth);
		is_first = false;
		buf_printf(out, "%s:", field->key);
		add_value(out, field, member, depth + 1);
	}
}

void scenario_show_yaml(const struct ktstr_record *record, struct buf *out)
{
	buf_printf(out, "scenario: %s\n", record->name);
	add_record(out, &schema_scenario, record->scenario, 0, "");
}
