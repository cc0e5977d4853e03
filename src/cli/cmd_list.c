// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr list`: the scenarios of this program, from their tables; and the kernel features that they can
 * need, whose --man form is a section of ktstr(1), made at build time. */
#include "cli/command.h"

#include "base/json.h"
#include "base/utf8.h"
#include "harness/registry.h"
#include "wire/feature.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THEME_BYTES = 32 };

struct list_options {
	bool is_json;
	bool is_man;
	bool has_features;
	char **patterns;
	size_t pattern_count;
};

static const struct argp_option list_options[] = {
	{ "json", 'j', NULL, 0, "Print the tables as JSON", 0 },
	{ "features", 'F', NULL, 0, "List the kernel features that a scenario can need, instead",
	  0 },
	{ "man", 'm', NULL, 0, "The features as a section of a scdoc manual page", 0 },
	{ 0 },
};

static error_t list_option(int key, char *arg, struct argp_state *state)
{
	struct list_options *options = state->input;

	switch (key) {
	case 'j':
		options->is_json = true;
		return 0;
	case 'F':
		options->has_features = true;
		return 0;
	case 'm':
		options->has_features = options->is_man = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->patterns = state->argv + state->next;
		options->pattern_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (options->has_features && options->pattern_count)
			argp_error(state, "--features takes no names: %s", options->patterns[0]);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp list_argp = {
	.options = list_options,
	.parser = list_option,
	.args_doc = "[NAME|GLOB|FILE.yaml[:NAME]|FILE.json...]",
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

/* A file's words are whatever its author wrote, escape sequences, too. */
static void print_lines(const struct registry *r)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	char text[THEME_BYTES];

	for (size_t i = 0; i < r->count; i++) {
		cleanup(buf_deinit) struct buf name = BUF_NULL;

		utf8_add_printable(&name, theme(r->records[i], text));
		buf_printf(&out, "%-10s %-24s ", buf_text(&name), r->records[i]->name);
		utf8_add_printable(&out, r->records[i]->scenario->summary);
		buf_str(&out, "\n");
	}
	fputs(buf_text(&out), stdout);
}

static void print_features_json(void)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);

	json_array(&j, NULL);
	for (unsigned id = 0; id < FEATURE_COUNT; id++) {
		const struct feature *f = feature_at(id);

		json_object(&j, NULL);
		json_str(&j, "name", f->name);
		json_str(&j, "path", f->path);
		json_str(&j, "help", f->help);
		json_object_end(&j);
	}
	json_array_end(&j);
	puts(buf_text(&out));
}

/* In scdoc an underscore in bold text would begin an emphasis. */
static void print_bold(const char *text)
{
	putchar('*');
	for (; *text; text++)
		printf(*text == '_' ? "\\_" : "%c", *text);
	putchar('*');
}

static void print_features_man(void)
{
	puts("# KERNEL FEATURES\n\nWhat _needs.features_ of a scenario can name. The guest looks "
	     "for the "
	     "path after it has booted; a kernel without it makes the verdict SKIP.\n");
	for (unsigned id = 0; id < FEATURE_COUNT; id++) {
		print_bold(feature_at(id)->name);
		printf("\n\t%s: ", feature_at(id)->help);
		print_bold(feature_at(id)->path);
		puts("\n");
	}
}

static void print_features(const struct list_options *options)
{
	if (options->is_json) {
		print_features_json();
		return;
	}
	if (options->is_man) {
		print_features_man();
		return;
	}
	for (unsigned id = 0; id < FEATURE_COUNT; id++)
		printf("%-20s %s (%s)\n", feature_at(id)->name, feature_at(id)->help,
		       feature_at(id)->path);
}

static int list_run(const struct command *self, int argc, char **argv)
{
	struct list_options options = { 0 };
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	int r;

	command_parse(self, argc, argv, &options);
	if (options.has_features) {
		print_features(&options);
		return 0;
	}
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
