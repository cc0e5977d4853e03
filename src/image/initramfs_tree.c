// SPDX-License-Identifier: GPL-2.0-only
/* Whole programs and directory trees of the host as entries of an initramfs: the part that looks
 * around. What is found goes through the plain initramfs_add_...() functions.
 *
 * A host path that is a symbolic link to a program becomes a link in the guest too, and the program
 * is put where it really is: its $ORIGIN has to stay what it was. Links are made relative, so that
 * they hold with and without the prefix as the root directory. */
#include "image/initramfs.h"

#include "base/str.h"
#include "base/util.h"
#include "image/closure.h"
#include "image/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TREE_DEPTH_MAX = 64 };

static int join(const char *a, const char *b, char ret[PATH_MAX])
{
	if (snprintf(ret, PATH_MAX, "%s%s", a, b) >= PATH_MAX)
		return err_new(-ENAMETOOLONG, "%s%s: the path is too long", a, b);
	return 0;
}

static int add_link_to(struct initramfs *fs, const char *dst, const char *real_dst)
{
	char target[PATH_MAX];

	if (!path_relative(dst, real_dst, target))
		return err_new(-ENAMETOOLONG, "%s: the path is too long", dst);
	return initramfs_add_symlink(fs, dst, target);
}

/* The host file @path (normal form) under @prefix: the file at its real place, and a link from @path
 * to there if that is another one and cannot be reached yet. */
static int add_program_file(struct initramfs *fs, const char *prefix, const char *path)
{
	cleanup(freep) char *real = realpath(path, NULL);
	char dst[PATH_MAX], real_dst[PATH_MAX];
	int r;

	if (!real)
		return err_new(-errno, "%s: %s", path, strerror(errno));
	r = join(prefix, path, dst);
	if (!r)
		r = join(prefix, real, real_dst);
	if (!r && !initramfs_has(fs, real_dst))
		r = initramfs_add_host_file(fs, real_dst, real, 0);
	if (r < 0 || initramfs_has(fs, dst) || initramfs_is_below_link(fs, dst))
		return r;
	return add_link_to(fs, dst, real_dst);
}

/* The current directory is where a relative path of the user starts. */
static int absolute(const char *path, char ret[PATH_MAX])
{
	cleanup(freep) char *cwd = NULL;
	char joined[PATH_MAX] = "";
	int r = 0;

	if (path[0] != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_new(-errno, "current directory: %s", strerror(errno));
		r = join(cwd, "/", joined);
	}
	if (!r && strlen(joined) + strlen(path) < sizeof(joined))
		strcat(joined, path);
	else
		r = -ENAMETOOLONG;
	return !r && path_normalise(joined, ret)
		       ? 0
		       : err_new(-ENAMETOOLONG, "%s: the path is too long", path);
}

int initramfs_add_closure(struct initramfs *fs, const char *prefix, const char *src)
{
	cleanup(closure_deinit) struct closure c = CLOSURE_NULL;
	char path[PATH_MAX];
	int r = absolute(src, path);

	if (!r)
		r = closure_find("", path, &c);
	for (size_t i = 0; !r && i < c.count; i++)
		r = add_program_file(fs, prefix, c.paths[i]);
	return r < 0 ? err_trace(r) : 0;
}

struct tree {
	struct initramfs *fs;
	const char *src; /* real path of the top */
	const char *dst;
	char **programs; /* host paths of the executable files */
	size_t program_count;
};

static void tree_deinit(struct tree *t)
{
	for (size_t i = 0; i < t->program_count; i++)
		free(t->programs[i]);
	free(t->programs);
}

/* Where a real host path is in the guest; false if it is not in the tree. */
static bool place_in_tree(const struct tree *t, const char *real, char ret[PATH_MAX])
{
	size_t len = strcmp(t->src, "/") ? strlen(t->src) : 0;

	return !strncmp(real, t->src, len) && (real[len] == '/' || !real[len]) &&
	       snprintf(ret, PATH_MAX, "%s%s", strcmp(t->dst, "/") ? t->dst : "", real + len) <
		       PATH_MAX &&
	       *ret;
}

static int add_link(const struct tree *t, const char *dst, const char *src)
{
	cleanup(freep) char *real = realpath(src, NULL);
	char target[PATH_MAX];
	struct stat st;
	ssize_t n = readlink(src, target, sizeof(target) - 1);

	if (n < 0)
		return err_new(-errno, "%s: %s", src, strerror(errno));
	target[n] = '\0';
	if (initramfs_has(t->fs, dst))
		return 0;
	if (real && place_in_tree(t, real, target))
		return add_link_to(t->fs, dst, target);
	if (real && !stat(real, &st) && S_ISREG(st.st_mode))
		return initramfs_add_host_file(t->fs, dst, real, 0);
	return initramfs_add_symlink(t->fs, dst, target);
}

static int add_tree_file(struct tree *t, const char *dst, const char *src, const struct stat *st)
{
	int r = initramfs_has(t->fs, dst) ? 0 : initramfs_add_host_file(t->fs, dst, src, 0);
	char **programs;

	if (r < 0 || !(st->st_mode & 0111))
		return r;
	programs = reallocarray(t->programs, t->program_count + 1, sizeof(*programs));
	if (!programs)
		return err_new(-ENOMEM, "out of memory for a list of programs");
	t->programs = programs;
	r = str_printf(&t->programs[t->program_count], "%s", src);
	if (!r)
		t->program_count++;
	return r;
}

/* In a tree, a program whose libraries are missing is taken as it is: it may be there for another
 * machine, and it does not run here either. */
static int add_tree_closures(const struct tree *t, const char *prefix)
{
	for (size_t i = 0; i < t->program_count; i++) {
		int r = initramfs_add_closure(t->fs, prefix, t->programs[i]);

		if (r == -ENOENT || r == -ENOEXEC || r == -EBADMSG)
			err_clear();
		else if (r < 0)
			return r;
	}
	return 0;
}

static int add_tree_dir(struct tree *t, const char *dst, const char *src, unsigned depth);

static int add_tree_entry(struct tree *t, const char *dst, const char *src, unsigned depth)
{
	struct stat st;

	if (lstat(src, &st) < 0)
		return err_new(-errno, "%s: %s", src, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		int r = initramfs_add_dir(t->fs, dst, st.st_mode);

		return r < 0 ? r : add_tree_dir(t, dst, src, depth + 1);
	}
	if (S_ISLNK(st.st_mode))
		return add_link(t, dst, src);
	return S_ISREG(st.st_mode) ? add_tree_file(t, dst, src, &st) : 0;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int add_tree_dir(struct tree *t, const char *dst, const char *src, unsigned depth)
{
	cleanup(closedirp) DIR *dir = opendir(src);
	struct dirent *d;
	int r = 0;

	if (!dir)
		return err_new(-errno, "%s: %s", src, strerror(errno));
	if (depth > TREE_DEPTH_MAX)
		return err_new(-ELOOP, "%s: deeper than %d directories", src, TREE_DEPTH_MAX);
	while (!r && (d = readdir(dir))) {
		cleanup(freep) char *from = NULL;
		cleanup(freep) char *to = NULL;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		r = str_printf(&from, "%s/%s", src, d->d_name);
		if (!r)
			r = str_printf(&to, "%s/%s", strcmp(dst, "/") ? dst : "", d->d_name);
		if (!r)
			r = add_tree_entry(t, to, from, depth);
	}
	return r;
}

int initramfs_add_tree(struct initramfs *fs, const char *prefix, const char *dst, const char *src)
{
	cleanup(freep) char *real = realpath(src, NULL);
	cleanup(tree_deinit) struct tree t = { .fs = fs, .src = real, .dst = dst };
	struct stat st;
	int r = 0;

	if (!real || stat(real, &st) < 0)
		return err_new(-errno, "%s: %s", src, strerror(errno));
	if (strcmp(dst, "/"))
		r = initramfs_add_dir(fs, dst, st.st_mode);
	if (!r)
		r = add_tree_dir(&t, dst, real, 0);
	if (!r)
		r = add_tree_closures(&t, prefix);
	return r < 0 ? err_trace(r) : 0;
}

int initramfs_add_include(struct initramfs *fs, const char *prefix, const char *src)
{
	char path[PATH_MAX], dst[PATH_MAX];
	struct stat st;
	int r = absolute(src, path);

	if (r < 0)
		return err_trace(r);
	if (stat(path, &st) < 0)
		return err_new(-errno, "%s: %s", src, strerror(errno));
	r = join(prefix, path, dst);
	if (!r && S_ISDIR(st.st_mode))
		return initramfs_add_tree(fs, prefix, dst, path);
	if (!r)
		r = add_program_file(fs, prefix, path);
	if (!r)
		r = initramfs_add_closure(fs, prefix, path);
	return r < 0 ? err_trace(r) : 0;
}
