/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of this process, to be run again somewhere else. */
#pragma once

#include "base/err.h"

/* Program, command, @extra (NULL: none), then the rest of @argv (argv[0] is the command's name), NULL.
 * *@ret is one allocation with its strings where they were; *@program_ret is the program's path. Both
 * are the caller's to free. 0 or a negative errno with words. */
int reexec_argv(int argc, char **argv, const char *extra, const char ***ret,
		char **program_ret) must_check;
