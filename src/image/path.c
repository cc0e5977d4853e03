// SPDX-License-Identifier: GPL-2.0-only
/* Paths, component by component. */
#include "image/path.h"

#include <stddef.h>
#include <string.h>

/* Cut the last component off the path of @used bytes; the length that stays. */
static size_t parent_len(const char *path, size_t used)
{
	while (used && path[used - 1] != '/')
		used--;
	return used ? used - 1 : 0;
}

bool path_normalise(const char *path, char ret[PATH_MAX])
{
	size_t used = 0;

	if (path[0] != '/')
		return false;
	while (*path) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && !strncmp(path, "..", 2)) {
			used = parent_len(ret, used);
		} else if (len && !(len == 1 && *path == '.')) {
			if (used + 1 + len >= PATH_MAX)
				return false;
			ret[used] = '/';
			memmove(ret + used + 1, path, len);
			used += 1 + len;
		}
		path += len;
	}
	if (!used)
		ret[used++] = '/';
	ret[used] = '\0';
	return true;
}

bool path_relative(const char *from, const char *to, char ret[PATH_MAX])
{
	size_t common = 0, used = 0;

	for (size_t i = 0; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			common = i + 1;
	for (const char *p = from + common; (p = strchr(p, '/')); p++) {
		if (used + 3 >= PATH_MAX)
			return false;
		memcpy(ret + used, "../", 3);
		used += 3;
	}
	if (used + strlen(to + common) >= PATH_MAX)
		return false;
	strcpy(ret + used, to + common);
	return true;
}
