// SPDX-License-Identifier: GPL-2.0-only
#include "harness/schema_show.h"

#include "base/json.h"
#include "base/util.h"
#include "harness/schema.h"

#include <string.h>

enum { SCHEMAS_MAX = 16, TEXT_COLUMNS = 100, HELP_INDENT = 8 };

static const char *const rules[] = {
	"A file has one scenario in each document (`---` between them); FILE.yaml:NAME is one "
	"of them. A file has at most 1 MiB.",
	"It is YAML of which the plain part is taken: mappings, lists and single values, in "
	"block or in flow style, with comments. Anchors, aliases and tags are refused, and so "
	"are an unknown key, a key given twice and a value of the wrong kind, each with line "
	"and column.",
	"A key that is left out and an empty list mean the same: the default; so does a number "
	"of 0, where it may be one. A number is decimal, without sign (but nice), unit or "
	"leading 0; a truth value is true or false, in these words.",
	"A file whose name ends in .json is rt-app's. A scenario in JSON, which is YAML as "
	"well, is to be named .yaml.",
	"A scenario has either a hold or steps. Its own cgroups, workers and payloads live "
	"across all steps. A step does its ops, makes its own cgroups with all that is in "
	"them, then holds; at its end they are removed, and workers that an operation has "
	"moved there end with them. A step without a hold has ops only.",
	"There is one list of claims, and every hold of every step is judged by all of it: "
	"what holds in one step only has to be a scenario of its own.",
	"A loop has to end where it began: when a turn is over, workers may use the CPUs that "
	"they might use before it, and what it added or spawned it has removed or stopped.",
	"CPU 0 cannot go offline, nor a CPU when nothing else is left of a cpuset, an "
	"affinity or a worker's own CPUs. All CPUs are back at the end of the scenario.",
};

/* Every record of the model, each once, those that others are made of behind them. */
struct schemas {
	const struct schema *list[SCHEMAS_MAX];
	size_t count;
};

static void add_schema(struct schemas *all, const struct schema *s)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i] == s)
			return;
	if (all->count < SCHEMAS_MAX)
		all->list[all->count++] = s;
}

static struct schemas every_schema(void)
{
	struct schemas all = { .list = { &schema_scenario }, .count = 1 };

	for (size_t i = 0; i < all.count; i++)
		for (size_t k = 0; k < all.list[i]->field_count; k++)
			if (all.list[i]->fields[k].record)
				add_schema(&all, all.list[i]->fields[k].record);
	return all;
}

/* The one key that is no member of the struct: it is the record's name. */
static const struct field name_field = { .key = "scenario",
					 .help = "its name: letters, digits and _" };

static size_t field_count(const struct schema *s)
{
	return s->field_count + (s == &schema_scenario);
}

static const struct field *field_at(const struct schema *s, size_t i)
{
	if (s != &schema_scenario)
		return &s->fields[i];
	return i ? &s->fields[i - 1] : &name_field;
}

static bool is_list(const struct field *f)
{
	return f->kind == FIELD_TEXTS || f->kind == FIELD_RECORDS;
}

/* What one value is: a form's name, "number", or the name of a record. */
static const char *value_name(const struct field *f)
{
	switch (f->kind) {
	case FIELD_UNSIGNED:
		return f->least ? "number above 0" : "number";
	case FIELD_INT:
		return "number with sign";
	case FIELD_BOOL:
		return "true or false";
	case FIELD_RECORD:
	case FIELD_RECORDS:
		return f->record->name;
	case FIELD_TEXT:
	case FIELD_TEXTS:
		break;
	}
	return schema_form(f->form)->name;
}

static bool is_required(const struct schema *s, const struct field *f)
{
	return f == &name_field || (s->required && strcmp(s->required, f->key) == 0);
}

/* ---- for a terminal ---- */

/* @text in lines that begin at @indent; the cursor stands there. */
static void add_wrapped(struct buf *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > TEXT_COLUMNS) {
			buf_printf(out, "\n%*s", indent, "");
			column = indent;
		}
		buf_printf(out, "%s%.*s", column > indent ? " " : "", len, text);
		column += len + (column > indent);
		text += len;
		text += strspn(text, " ");
	}
	buf_str(out, "\n");
}

static void text_record(struct buf *out, const struct schema *s)
{
	buf_printf(out, "%s%s\n", s == &schema_scenario ? "" : "\n", s->name);
	for (size_t i = 0; i < field_count(s); i++) {
		const struct field *f = field_at(s, i);

		buf_printf(out, "  %s: %s%s%s\n%*s", f->key, is_list(f) ? "list of " : "",
			   value_name(f), is_required(s, f) ? ", required" : "", HELP_INDENT, "");
		add_wrapped(out, f->help, HELP_INDENT);
	}
}

void schema_show_text(struct buf *out)
{
	const struct schemas all = every_schema();

	for (size_t i = 0; i < all.count; i++)
		text_record(out, all.list[i]);
	buf_str(out, "\nvalues\n");
	for (int id = FORM_ANY + 1; id < FORM_IDS; id++) {
		buf_printf(out, "  %s\n%*s", schema_form(id)->name, HELP_INDENT, "");
		add_wrapped(out, schema_form(id)->help, HELP_INDENT);
	}
	buf_str(out, "\nrules\n");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		buf_str(out, "  - ");
		add_wrapped(out, rules[i], 4);
	}
}

/* ---- JSON ---- */

static void json_record(struct json *j, const struct schema *s)
{
	json_object(j, NULL);
	json_str(j, "name", s->name);
	json_array(j, "keys");
	for (size_t i = 0; i < field_count(s); i++) {
		const struct field *f = field_at(s, i);

		json_object(j, NULL);
		json_str(j, "key", f->key);
		json_str(j, "value", value_name(f));
		json_bool(j, "list", is_list(f));
		json_bool(j, "required", is_required(s, f));
		json_str(j, "help", f->help);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

void schema_show_json(struct buf *out)
{
	const struct schemas all = every_schema();
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_array(&j, "records");
	for (size_t i = 0; i < all.count; i++)
		json_record(&j, all.list[i]);
	json_array_end(&j);
	json_array(&j, "values");
	for (int id = FORM_ANY; id < FORM_IDS; id++) {
		json_object(&j, NULL);
		json_str(&j, "name", schema_form(id)->name);
		json_str(&j, "help", schema_form(id)->help);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_array(&j, "rules");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		json_str(&j, NULL, rules[i]);
	json_array_end(&j);
	json_object_end(&j);
	buf_str(out, "\n");
}

/* ---- the manual page ---- */

/* With a backslash before what scdoc would take for markup. */
static void add_escaped(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_printf(out, strchr("_*\\[]#`-|", *text) ? "\\%c" : "%c", *text);
}

static void man_record(struct buf *out, const struct schema *s)
{
	buf_printf(out, "## %s\n\n", s->name);
	for (size_t i = 0; i < field_count(s); i++) {
		const struct field *f = field_at(s, i);

		buf_str(out, "*");
		add_escaped(out, f->key);
		buf_printf(out, "*: %s_%s_%s\n\t", is_list(f) ? "list of " : "", value_name(f),
			   is_required(s, f) ? ", required" : "");
		add_escaped(out, f->help);
		buf_str(out, "\n\n");
	}
}

void schema_show_man(struct buf *out)
{
	const struct schemas all = every_schema();

	buf_str(out, "# SCENARIO FILES\n\nWhat *ktstr show --keys* prints: every key of a scenario "
		     "file, how values are written, and the rules.\n\n");
	for (size_t i = 0; i < all.count; i++)
		man_record(out, all.list[i]);
	buf_str(out, "## values\n\n");
	for (int id = FORM_ANY + 1; id < FORM_IDS; id++) {
		buf_printf(out, "_%s_\n\t", schema_form(id)->name);
		add_escaped(out, schema_form(id)->help);
		buf_str(out, "\n\n");
	}
	buf_str(out, "## rules\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		buf_str(out, "- ");
		add_escaped(out, rules[i]);
		buf_str(out, "\n");
	}
	buf_str(out, "\n");
}
