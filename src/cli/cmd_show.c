// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr show`: a scenario as the file that would run the same; with --keys what such a file can say,
 * whose --man form is a section of ktstr(1), made at build time. */
#include "cli/command.h"

#include "harness/registry.h"
#include "harness/schema_show.h"
#include "harness/yaml_show.h"

#include <argp.h>
#include <stdio.h>

struct show_options {
	char **patterns;
	size_t pattern_count;
	bool has_keys;
	bool is_json;
	bool is_man;
};

static const struct argp_option show_options[] = {
	{ "yaml", 'y', NULL, 0, "As a scenario file (the default, and the only form)", 0 },
	{ "keys", 'k', NULL, 0,
	  "Print what a scenario file can say, instead: every key, the forms of values, the rules",
	  0 },
	{ "json", 'j', NULL, 0, "The keys as JSON", 0 },
	{ "man", 'm', NULL, 0, "The keys as a section of a scdoc manual page", 0 },
	{ 0 },
};

static void check_arguments(const struct show_options *options, struct argp_state *state)
{
	if (options->has_keys && options->pattern_count)
		argp_error(state, "--keys takes no names: %s", options->patterns[0]);
	if (options->is_json && !options->has_keys)
		argp_error(state, "--json is for --keys; a scenario is shown as YAML");
	if (!options->has_keys && !options->pattern_count)
		argp_error(state, "name a scenario; `ktstr list` names them all");
}

static error_t show_option(int key, char *arg, struct argp_state *state)
{
	struct show_options *options = state->input;

	switch (key) {
	case 'y':
		return 0;
	case 'k':
		options->has_keys = true;
		return 0;
	case 'j':
		options->is_json = true;
		return 0;
	case 'm':
		options->has_keys = options->is_man = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->patterns = state->argv + state->next;
		options->pattern_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		check_arguments(options, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp show_argp = {
	.options = show_options,
	.parser = show_option,
	.args_doc = "--keys\nNAME|GLOB|FILE.yaml[:NAME]|FILE.json...",
	.doc = "Print scenarios as a scenario file that runs the same: a start for one's own. "
	       "--keys says what else can stand there.",
};

static void show_keys(const struct show_options *options, struct buf *out)
{
	if (options->is_man)
		schema_show_man(out);
	else if (options->is_json)
		schema_show_json(out);
	else
		schema_show_text(out);
}

static int show_run(const struct command *self, int argc, char **argv)
{
	struct show_options options = { 0 };
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	int r = 0;

	command_parse(self, argc, argv, &options);
	if (options.has_keys)
		show_keys(&options, &out);
	else
		r = registry_choose(options.patterns, options.pattern_count, &all, &chosen);
	for (size_t i = 0; r == 0 && i < chosen.count; i++) {
		buf_str(&out, i ? "---\n" : "");
		scenario_show_yaml(chosen.records[i], &out);
	}
	if (r == 0)
		r = buf_ok(&out);
	if (r < 0)
		return command_fail(self, false, EXIT_USAGE);
	fputs(buf_text(&out), stdout);
	return 0;
}

const struct command cmd_show = {
	.name = "show",
	.summary = "a scenario as a file",
	.argp = &show_argp,
	.run = show_run,
};
