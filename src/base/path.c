// SPDX-License-Identifier: GPL-2.0-only
/* XDG directories and mkdir -p. */
#include "base/path.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int xdg_path(enum xdg_kind kind, const char *name, struct buf *ret)
{
	static const struct {
		const char *variable, *below_home;
	} kinds[] = {
		[XDG_CACHE] = { "XDG_CACHE_HOME", ".cache" },
		[XDG_STATE] = { "XDG_STATE_HOME", ".local/state" },
	};
	const char *dir = getenv(kinds[kind].variable);
	const char *home = getenv("HOME");

	if (dir && dir[0] == '/')
		buf_printf(ret, "%s/ktstr/%s", dir, name);
	else if (home && home[0] == '/')
		buf_printf(ret, "%s/%s/ktstr/%s", home, kinds[kind].below_home, name);
	else
		return err_new(-ENOENT, "no place for %s: set HOME or %s", name,
			       kinds[kind].variable);
	return buf_ok(ret);
}

static int make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	/* A parent on a read-only file system answers EROFS even where the directory exists. */
	if (errno == EROFS && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_new(-errno, "make directory %s: %s", path, strerror(errno));
}

int make_dirs(const char *path)
{
	cleanup(freep) char *copy = strdup(path);

	if (!copy)
		return err_new(-ENOMEM, "out of memory");
	for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
		int r;

		*slash = '\0';
		r = make_dir(copy);
		*slash = '/';
		if (r)
			return err_trace(r);
	}
	return make_dir(copy);
}

int make_parents(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup(freep) char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	if (!dir)
		return err_new(-ENOMEM, "out of memory");
	return *dir ? make_dirs(dir) : 0;
}
