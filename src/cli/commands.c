// SPDX-License-Identifier: GPL-2.0-only
/* The table of commands, and what all of them share. */
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One command in a line, in the order of `ktstr help`. */
/* clang-format off */
static const struct command *const commands[] = {
	&cmd_run,
	&cmd_exec,
	&cmd_shell,
	&cmd_list,
	&cmd_show,
	&cmd_results,
	&cmd_workloads,
	&cmd_checks,
	&cmd_kernel,
	&cmd_doctor,
	&cmd_blk,
	&cmd_carrier,
	&cmd_version,
	&cmd_help,
	NULL,
};
/* clang-format on */

const struct command *const *command_table(void)
{
	return commands;
}

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

void command_parse(const struct command *self, int argc, char **argv, void *input)
{
	char name[64];
	char *plain_name = argv[0];

	snprintf(name, sizeof(name), "ktstr %s", self->name);
	argv[0] = name;
	argp_parse(self->argp, argc, argv, self->is_in_order ? ARGP_IN_ORDER : 0, NULL, input);
	argv[0] = plain_name;
}

int command_fail(const struct command *self, bool is_verbose, int status)
{
	fprintf(stderr, "ktstr %s: %s\n", self->name, err_text());
	if (is_verbose)
		fprintf(stderr, "  at %s\n", err_places());
	return status;
}

/* What the user can mend is usage; the rest is this host. */
int command_status_of_error(int r)
{
	switch (r) {
	case -EINVAL:
	case -ERANGE:
	case -ENOENT:
	case -ENOEXEC:
	case -EBADMSG:
	case -EISDIR:
	case -EEXIST:
	case -E2BIG:
	case -ENOMEM:
	case -EACCES:
	case -EROFS:
		return EXIT_USAGE;
	default:
		return EXIT_INFRA;
	}
}
