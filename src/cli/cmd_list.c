// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr list`: the scenarios of this program, from their tables. */
#include "cli/command.h"

#include "base/json.h"
#include "harness/registry.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THEME_BYTES = 32 };

struct list_options {
	bool is_json;
	char **patterns;
	size_t pattern_count;
};

static const struct argp_option list_options[] = {
	{ "json", 'j', NULL, 0, "Print the tables as JSON", 0 },
	{ 0 },
};

static error_t list_option(int key, char *arg, struct argp_state *state)
{
	struct list_options *options = state->input;

	switch (key) {
	case 'j':
		options->is_json = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->patterns = state->argv + state->next;
		options->pattern_count = (size_t)(state->argc - state->next);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp list_argp = {
	.options = list_options,
	.parser = list_option,
	.args_doc = "[NAME|GLOB|FILE.yaml|FILE.json...]",
	.doc = "List the scenarios of this program: theme (the file that each stands in), name, "
	       "summary. Without a name those that `ktstr run` runs; "
	       "fixtures, which are made to fail, appear when a name or glob matches them.",
};

/* A scenario's theme is the file that it stands in, without folder and ending. */
static const char *theme(const struct ktstr_record *record, char *text)
{
	const char *slash = strrchr(record->file, '/');
	const char *base = slash ? slash + 1 : record->file;

	snprintf(text, THEME_BYTES, "%.*s", (int)strcspn(base, "."), base);
	return text;
}

static int by_theme(const void *a, const void *b)
{
	const struct ktstr_record *left = *(const struct ktstr_record *const *)a;
	const struct ktstr_record *right = *(const struct ktstr_record *const *)b;
	char l[THEME_BYTES], r[THEME_BYTES];
	int order = strcmp(theme(left, l), theme(right, r));

	return order ? order : strcmp(left->name, right->name);
}

static void print_strings(struct json *j, const char *key, const char *const *strings)
{
	if (!strings)
		return;
	json_array(j, key);
	for (; *strings; strings++)
		json_str(j, NULL, *strings);
	json_array_end(j);
}

static void print_json(const struct registry *r)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);
	char text[THEME_BYTES];

	json_array(&j, NULL);
	for (size_t i = 0; i < r->count; i++) {
		const struct ktstr_scenario *s = r->records[i]->scenario;

		json_object(&j, NULL);
		json_str(&j, "name", r->records[i]->name);
		json_str(&j, "theme", theme(r->records[i], text));
		json_str(&j, "summary", s->summary);
		json_str(&j, "topology", s->topology);
		json_bool(&j, "fixture", s->is_fixture);
		print_strings(&j, "disks", s->disks);
		print_strings(&j, "checks", s->checks);
		print_strings(&j, "fixes", s->fixes);
		json_object_end(&j);
	}
	json_array_end(&j);
	puts(buf_text(&out));
}

static void print_lines(const struct registry *r)
{
	char text[THEME_BYTES];

	for (size_t i = 0; i < r->count; i++)
		printf("%-10s %-24s %s\n", theme(r->records[i], text), r->records[i]->name,
		       r->records[i]->scenario->summary);
}

static int list_run(const struct command *self, int argc, char **argv)
{
	struct list_options options = { 0 };
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	int r;

	command_parse(self, argc, argv, &options);
	r = registry_choose(options.patterns, options.pattern_count, &all, &chosen);
	if (r < 0)
		return command_fail(self, false, EXIT_USAGE);
	if (chosen.count)
		qsort(chosen.records, chosen.count, sizeof(*chosen.records), by_theme);
	if (options.is_json)
		print_json(&chosen);
	else
		print_lines(&chosen);
	return 0;
}

const struct command cmd_list = {
	.name = "list",
	.summary = "the scenarios of this program",
	.argp = &list_argp,
	.run = list_run,
};
