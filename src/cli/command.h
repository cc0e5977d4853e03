/* SPDX-License-Identifier: GPL-2.0-only */
/* A command of the program: `ktstr NAME ...`.
 *
 * To add one: write src/cli/cmd_NAME.c with a `const struct command cmd_NAME`, declare it below,
 * put it into the table of commands.c (which is also what `ktstr help` prints) and into
 * src/cli/meson.build. */
#pragma once

#include "base/err.h"

#include <argp.h>
#include <stdbool.h>

struct command {
	const char *name;
	const char *summary; /* one line of `ktstr help` */
	const struct argp *argp;
	bool is_in_order; /* options end at the first argument, the rest is a command line */
	/* Returns the exit status. argv[0] is the command's name; the usual first line is
	 * command_parse(). */
	int (*run)(const struct command *self, int argc, char **argv);
};

/* Exit statuses that are not a verdict's (harness/verdict.h has those). */
enum { EXIT_USAGE = 2, EXIT_INFRA = 3, EXIT_INTERRUPTED = 130 };

extern const struct command cmd_blk;
extern const struct command cmd_carrier;
extern const struct command cmd_doctor;
extern const struct command cmd_checks;
extern const struct command cmd_exec;
extern const struct command cmd_help;
extern const struct command cmd_kernel;
extern const struct command cmd_list;
extern const struct command cmd_results;
extern const struct command cmd_run;
extern const struct command cmd_shell;
extern const struct command cmd_show;
extern const struct command cmd_version;
extern const struct command cmd_workloads;

/* The table, ended by NULL. */
const struct command *const *command_table(void);
/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* Parse the options of @self into @input. Exits with EXIT_USAGE after a message
 * on bad options, and with 0 after --help: this is cli/, which may. */
void command_parse(const struct command *self, int argc, char **argv, void *input);

/* Print "ktstr NAME: <words of the error trail>" on stderr, then the places of the error if
 * @is_verbose. Returns @status, so that a command ends with `return command_fail(...)`. */
int command_fail(const struct command *self, bool is_verbose, int status);

/* The exit status for an error before anything ran: EXIT_USAGE for what the user said (a file that is
 * not there, a value), EXIT_INFRA for what this host cannot do. */
int command_status_of_error(int r);
