// SPDX-License-Identifier: GPL-2.0-only
#include "cli/reexec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int reexec_argv(int argc, char **argv, const char *extra, const char ***ret, char **program_ret)
{
	char *program = realpath("/proc/self/exe", NULL);
	const char **all = calloc((size_t)argc + 3, sizeof(*all));
	int n = 0;

	if (!program || !all) {
		int r = err_new(-errno, "the path of this program: %s", strerror(errno));

		free(program);
		free(all);
		return r;
	}
	all[n++] = program;
	all[n++] = argv[0];
	if (extra)
		all[n++] = extra;
	for (int i = 1; i < argc; i++)
		all[n++] = argv[i];
	*ret = all;
	*program_ret = program;
	return 0;
}
