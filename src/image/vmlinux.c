// SPDX-License-Identifier: GPL-2.0-only
/* Two names lead to an unpacked kernel: the hash of the bzImage's content, and (so that the content need
 * not be read each time) a hash of the file's path, size and times, as a symbolic link to the first. A
 * file that changes has another ctime, so the second name never lies. */
#include "image/vmlinux.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/util.h"
#include "image/bzimage.h"
#include "image/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ELF_HEAD_BYTES = 4096 };
static const size_t bzimage_max = GIB;

static int seen_name(const char *path, char **ret)
{
	cleanup(freep) char *key = NULL;
	char hex[SHA256_HEX_BYTES];
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return err_new(-errno, "%s: %s", path, strerror(errno));
	r = str_printf(&key, "%s %lld %lld.%09ld %lld.%09ld", path, (long long)st.st_size,
		       (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		       (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (r < 0)
		return r;
	sha256_of(key, strlen(key), hex);
	return str_printf(ret, "seen/%s", hex);
}

/* A file that somebody cut or overwrote is made again rather than booted. */
static bool is_whole(const char *path)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t head[ELF_HEAD_BYTES];
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	n = read(fd, head, sizeof(head));
	r = n < 0 ? -errno : vmlinux_check(head, (size_t)n, (uint64_t)st.st_size, path);
	if (r < 0)
		err_clear();
	return !r;
}

int vmlinux_cached(const struct cache *c, const char *path, char **ret)
{
	cleanup(freep) char *name = NULL;
	cleanup(freep) char *seen = NULL;
	char *real;
	int r = seen_name(path, &name);

	if (!r)
		r = str_printf(&seen, "%s/%s", c->dir, name);
	if (r < 0)
		return err_trace(r);
	real = realpath(seen, NULL);
	if (real && is_whole(real)) {
		*ret = real;
		return 0;
	}
	free(real);
	return VMLINUX_ABSENT;
}

/* Unpack @bytes, whose hash is @hex, unless that was done for another file with the same content. */
static int unpack(const struct cache *c, const char *path, const struct buf *bytes,
		  const char *name)
{
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	cleanup(freep) char *there = NULL;
	int r = str_printf(&there, "%s/%s", c->dir, name);

	if (r < 0 || is_whole(there))
		return r;
	r = bzimage_unpack(bytes->data, bytes->len, path, &elf);
	if (!r)
		r = cache_need(c, elf.len);
	return r ? r : cache_write(c, name, elf.data, elf.len);
}

static int make(const struct cache *c, const char *path)
{
	cleanup(buf_deinit) struct buf bytes = BUF_NULL;
	cleanup(freep) char *name = NULL;
	cleanup(freep) char *seen = NULL;
	cleanup(freep) char *target = NULL;
	char hex[SHA256_HEX_BYTES];
	int r = seen_name(path, &seen);

	if (!r)
		r = buf_read_file(&bytes, path, bzimage_max);
	if (r < 0)
		return err_trace(r);
	sha256_of(bytes.data, bytes.len, hex);
	r = str_printf(&name, "vmlinux/%s", hex);
	if (!r)
		r = str_printf(&target, "../%s", name);
	if (!r)
		r = unpack(c, path, &bytes, name);
	if (!r)
		r = cache_link(c, target, seen);
	return r < 0 ? err_trace(r) : 0;
}

static void say_unpacking(const struct kernel_progress *progress, const char *path)
{
	cleanup(freep) char *line = NULL;

	if (progress && progress->say && !str_printf(&line, "unpacking %s", path))
		progress->say(progress->ctx, line);
}

int vmlinux_get(struct cache *c, const char *path, const struct kernel_progress *progress,
		char **ret)
{
	int r = vmlinux_cached(c, path, ret);

	if (r != VMLINUX_ABSENT)
		return r;
	r = cache_lock(c, progress);
	if (r < 0)
		return err_trace(r);
	r = vmlinux_cached(c, path, ret);
	if (r != VMLINUX_ABSENT)
		return r;
	say_unpacking(progress, path);
	r = make(c, path);
	if (r < 0)
		return err_trace(r);
	r = vmlinux_cached(c, path, ret);
	return r == VMLINUX_ABSENT ? err_new(-EAGAIN, "%s: changed while it was unpacked", path)
				   : r;
}
