// SPDX-License-Identifier: GPL-2.0-only
/* The whole program, as a function: `ktstr` and every test author's program have a main() that is
 * nothing but a call of this. */
#include "cli/command.h"

#include "guest/init.h"
#include "host/carrier_init.h"

#include <ktstr/ktstr.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command *command_of_argv(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return &cmd_help;
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return &cmd_version;
	return command_find(argv[1]);
}

int ktstr_main(int argc, char **argv)
{
	const struct command *command;

	if (carrier_init_is_wanted())
		carrier_init_main();
	if (getpid() == 1)
		guest_init_main();
	command = command_of_argv(argc, argv);
	argp_err_exit_status = EXIT_USAGE;
	if (!command) {
		fprintf(stderr, "ktstr: no command is named %s; `ktstr help` names them all\n",
			argv[1]);
		return EXIT_USAGE;
	}
	if (argc < 2 || argv[1][0] == '-')
		return command->run(command, 1, argv);
	return command->run(command, argc - 1, argv + 1);
}
