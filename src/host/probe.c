// SPDX-License-Identifier: GPL-2.0-only
/* Facts about this host from /proc, /sys and PATH. The KVM part is kvm_probe.c. */
#include "host/probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int host_find_program(const char *name, char **ret)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];

	if (strchr(name, '/')) {
		if (!is_program(name))
			return -ENOENT;
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	for (const char *at = path && *path ? path : "/usr/bin:/bin"; at;) {
		size_t length = strcspn(at, ":");

		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, at, name);
		if (is_program(candidate)) {
			*ret = strdup(candidate);
			return *ret ? 0 : -ENOMEM;
		}
		at = at[length] ? at + length + 1 : NULL;
	}
	return -ENOENT;
}
