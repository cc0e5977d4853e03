// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr show`: a scenario as the file that would run the same. */
#include "cli/command.h"

#include "harness/registry.h"
#include "harness/yaml_show.h"

#include <argp.h>
#include <stdio.h>

struct show_options {
	char **patterns;
	size_t pattern_count;
};

static const struct argp_option show_options[] = {
	{ "yaml", 'y', NULL, 0, "As a scenario file (the default, and the only form)", 0 },
	{ 0 },
};

static error_t show_option(int key, char *arg, struct argp_state *state)
{
	struct show_options *options = state->input;

	switch (key) {
	case 'y':
		return 0;
	case ARGP_KEY_ARGS:
		options->patterns = state->argv + state->next;
		options->pattern_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a scenario; `ktstr list` names them all");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp show_argp = {
	.options = show_options,
	.parser = show_option,
	.args_doc = "NAME|GLOB|FILE.yaml[:NAME]|FILE.json...",
	.doc = "Print scenarios as a scenario file that runs the same: a start for one's own.",
};

static int show_run(const struct command *self, int argc, char **argv)
{
	struct show_options options = { 0 };
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	int r;

	command_parse(self, argc, argv, &options);
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
