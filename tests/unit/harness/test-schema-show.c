// SPDX-License-Identifier: GPL-2.0-only
#include "harness/schema.h"
#include "harness/schema_show.h"

#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void every_key_is_in(const struct schema *s, const char *text)
{
	for (size_t i = 0; i < s->field_count; i++) {
		const struct field *f = &s->fields[i];
		char line[128];

		assert_non_null(f->help);
		snprintf(line, sizeof(line), "\n  %s: ", f->key);
		if (!strstr(text, line))
			fail_msg("key %s of a %s is missing", f->key, s->name);
		if (f->record)
			every_key_is_in(f->record, text);
	}
}

TEST(every_key_and_every_form_is_printed)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	schema_show_text(&out);
	every_key_is_in(&schema_scenario, buf_text(&out));
	assert_non_null(strstr(buf_text(&out), "scenario: text, required"));
	assert_non_null(strstr(buf_text(&out), "weight: number above 0\n"));
	for (int id = FORM_ANY + 1; id < FORM_IDS; id++) {
		const struct value_form *form = schema_form(id);
		char line[128];

		snprintf(line, sizeof(line), "\n  %s\n        ", form->name);
		assert_non_null(strstr(buf_text(&out), line));
		assert_non_null(form->help);
	}
}

/* What a key's value is called is a record or a form that the reference explains, or a plain kind. */
static bool is_explained(const json_t *root, const char *name)
{
	static const char *const lists[] = { "records", "values" };
	static const char *const kinds[] = { "number", "number above 0", "number with sign",
					     "true or false" };
	const json_t *entry;
	size_t i;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (strcmp(kinds[k], name) == 0)
			return true;
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
		json_array_foreach(
			json_object_get(root, lists[k]), i,
			entry) if (strcmp(json_string_value(json_object_get(entry, "name")),
					  name) == 0) return true;
	return false;
}

TEST(every_value_of_the_json_form_is_explained_in_it)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const json_t *record, *key;
	json_t *root;
	size_t i, k;

	schema_show_json(&out);
	root = json_loads(buf_text(&out), 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "records")), 7);
	assert_true(json_array_size(json_object_get(root, "rules")) > 0);
	json_array_foreach(json_object_get(root, "records"), i,
			   record) json_array_foreach(json_object_get(record, "keys"), k, key)
		assert_true(is_explained(root, json_string_value(json_object_get(key, "value"))));
	json_decref(root);
}

TEST(markup_of_the_manual_page_is_escaped)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	schema_show_man(&out);
	assert_non_null(strstr(buf_text(&out), "# SCENARIO FILES\n"));
	assert_non_null(strstr(buf_text(&out), "\n*threads\\_per\\_core*: _number_\n\t"));
}

TESTS(T(every_key_and_every_form_is_printed), T(every_value_of_the_json_form_is_explained_in_it),
      T(markup_of_the_manual_page_is_escaped))
