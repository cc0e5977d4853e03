// SPDX-License-Identifier: GPL-2.0-only
/* Files of the cache: locked, flushed, renamed. */
#include "image/cache.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { REMOVE_FDS = 16 };
static const char temp_start[] = "tmp.";
static const char *const subdirs[] = { "packages", "vmlinux", "seen" };

int cache_open(struct cache *ret)
{
	cleanup(buf_deinit) struct buf path = BUF_NULL;
	int r = xdg_path(XDG_CACHE, "kernels", &path);

	if (r < 0)
		return err_trace(r);
	*ret = (struct cache){ .dir = steal_ptr(&path.data), .lock_fd = -1 };
	return 0;
}

void cache_close(struct cache *c)
{
	free(c->dir);
	fd_close(c->lock_fd);
	*c = CACHE_NULL;
}

static int make_places(const struct cache *c)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(subdirs); i++) {
		cleanup(freep) char *path = NULL;

		r = str_printf(&path, "%s/%s", c->dir, subdirs[i]);
		if (!r)
			r = make_dirs(path);
	}
	return r < 0 ? err_prefix(r, "cache: ") : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	remove(path);
	return 0;
}

void cache_remove(const char *path)
{
	nftw(path, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS);
}

static void remove_leftovers(const struct cache *c)
{
	DIR *dir = opendir(c->dir);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		cleanup(freep) char *path = NULL;

		if (str_starts_with(d->d_name, temp_start) &&
		    !str_printf(&path, "%s/%s", c->dir, d->d_name))
			cache_remove(path);
	}
	if (dir)
		closedir(dir);
}

static int wait_for_lock(int fd, const char *path, const struct kernel_progress *progress)
{
	int r;

	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK && progress && progress->say)
		progress->say(progress->ctx, "waiting for another ktstr that fills the cache");
	while ((r = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
		;
	return r < 0 ? err_new(-errno, "cache: lock %s: %s", path, strerror(errno)) : 0;
}

int cache_lock(struct cache *c, const struct kernel_progress *progress)
{
	cleanup(freep) char *path = NULL;
	cleanup(fd_closep) int fd = -1;
	int r;

	if (c->lock_fd >= 0)
		return 0;
	r = make_places(c);
	if (!r)
		r = str_printf(&path, "%s/lock", c->dir);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_new(-errno, "cache: open %s: %s", path, strerror(errno));
	r = wait_for_lock(fd, path, progress);
	if (r < 0)
		return r;
	c->lock_fd = steal_fd(&fd);
	remove_leftovers(c);
	return 0;
}

int cache_need(const struct cache *c, uint64_t bytes)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (statvfs(c->dir, &fs) < 0)
		return err_new(-errno, "cache: %s: %s", c->dir, strerror(errno));
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes >= bytes)
		return 0;
	return err_new(-ENOSPC,
		       "no space in the cache %s: %llu MiB are needed, %llu MiB are free (set "
		       "XDG_CACHE_HOME to use another place)",
		       c->dir, (unsigned long long)(bytes / MIB + 1),
		       (unsigned long long)(free_bytes / MIB));
}

int cache_temp_dir(const struct cache *c, char **ret)
{
	cleanup(freep) char *path = NULL;
	int r = str_printf(&path, "%s/%sXXXXXX", c->dir, temp_start);

	if (r < 0)
		return r;
	if (!mkdtemp(path))
		return err_new(-errno, "cache: make %s: %s", path, strerror(errno));
	/* mkdtemp() makes it private; it becomes what other users of a shared cache read. */
	if (chmod(path, 0755) < 0)
		return err_new(-errno, "cache: %s: %s", path, strerror(errno));
	*ret = steal_ptr(&path);
	return 0;
}

static int publish(const struct cache *c, const char *temp, const char *name)
{
	cleanup(freep) char *path = NULL;
	int r = str_printf(&path, "%s/%s", c->dir, name);

	if (!r && rename(temp, path) < 0)
		r = err_new(-errno, "cache: rename to %s: %s", path, strerror(errno));
	return r;
}

static int write_flushed(int fd, const char *path, const void *data, size_t len)
{
	int r = write_all(fd, data, len);

	if (!r && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	return r < 0 ? err_new(r, "cache: write %s: %s", path, strerror(-r)) : 0;
}

int cache_write(const struct cache *c, const char *name, const void *data, size_t len)
{
	cleanup(freep) char *temp = NULL;
	cleanup(fd_closep) int fd = -1;
	int r = str_printf(&temp, "%s/%sXXXXXX", c->dir, temp_start);

	if (r < 0)
		return r;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return err_new(-errno, "cache: make %s: %s", temp, strerror(errno));
	r = write_flushed(fd, temp, data, len);
	if (!r)
		r = publish(c, temp, name);
	if (r < 0)
		unlink(temp);
	return r;
}

int cache_link(const struct cache *c, const char *target, const char *name)
{
	cleanup(freep) char *temp = NULL;
	int r = str_printf(&temp, "%s/%slink", c->dir, temp_start);

	if (r < 0)
		return r;
	unlink(temp);
	if (symlink(target, temp) < 0)
		return err_new(-errno, "cache: make %s: %s", temp, strerror(errno));
	r = publish(c, temp, name);
	if (r < 0)
		unlink(temp);
	return r;
}

int cache_publish_dir(const char *temp, const char *final)
{
	cleanup(fd_closep) int fd = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0)
		return err_new(-errno, "cache: flush %s: %s", temp, strerror(errno));
	cache_remove(final);
	if (rename(temp, final) < 0)
		return err_new(-errno, "cache: rename to %s: %s", final, strerror(errno));
	return 0;
}
