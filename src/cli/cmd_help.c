// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr help [COMMAND]` and `ktstr version`. */
#include "cli/command.h"

#include <stdio.h>

static error_t help_option(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG && state->arg_num)
		argp_error(state, "one name is enough: %s", arg);
	return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

static const struct argp help_argp = {
	.parser = help_option,
	.args_doc = "[COMMAND]",
	.doc = "Say what the commands are, or what one of them takes.",
};

static int help_run(const struct command *self, int argc, char **argv)
{
	const struct command *of = argc > 1 ? command_find(argv[1]) : NULL;

	/* An option, --help in the first place, or too many names. */
	if (argc > 2 || (argc > 1 && argv[1][0] == '-')) {
		command_parse(self, argc, argv, NULL);
		return 0;
	}
	if (argc > 1 && !of) {
		fprintf(stderr, "ktstr help: no command is named %s\n", argv[1]);
		return EXIT_USAGE;
	}
	if (of) {
		char name[64];

		snprintf(name, sizeof(name), "ktstr %s", of->name);
		argp_help(of->argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK, name);
		return 0;
	}
	puts("ktstr: boot a real Linux kernel in a machine of its own and judge its scheduler\n\n"
	     "  ktstr COMMAND [OPTION...] [ARGUMENT...]\n");
	for (const struct command *const *c = command_table(); *c; c++)
		printf("  %-10s %s\n", (*c)->name, (*c)->summary);
	puts("\n`ktstr help COMMAND` says what a command takes; ktstr(1) is the manual.");
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.summary = "this list, or the help of one command",
	.argp = &help_argp,
	.run = help_run,
};

static const struct argp version_argp = { .doc = "Print the version." };

static int version_run(const struct command *self, int argc, char **argv)
{
	command_parse(self, argc, argv, NULL);
	printf("ktstr %s\n", KTSTR_VERSION);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.summary = "print the version",
	.argp = &version_argp,
	.run = version_run,
};
