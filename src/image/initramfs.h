/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's first file system, built in memory as a newc cpio archive (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). The same input gives the same bytes:
 * entries are sorted, times are 0, owners are root. Parents are made as needed (0755). Adding the
 * same thing twice is fine; adding two different things under one name is -EEXIST. Paths in the
 * guest are absolute and may hold neither "." nor "..". Host files are read in initramfs_finish().
 * Errors of all functions: -ENOMEM; what stat(), open() and read() say, with the path; -EINVAL for
 * a bad guest path; -EFBIG for a file of 4 GiB or more. One thread at a time. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct initramfs;

int initramfs_new(struct initramfs **ret) must_check;
struct initramfs *initramfs_free(struct initramfs *fs);
void initramfs_freep(struct initramfs **fs);

int initramfs_add_dir(struct initramfs *fs, const char *dst, mode_t mode) must_check;
/* The bytes are copied. @mode holds permissions only. */
int initramfs_add_data(struct initramfs *fs, const char *dst, const void *data, size_t len,
		       mode_t mode) must_check;
int initramfs_add_symlink(struct initramfs *fs, const char *dst, const char *target) must_check;
/* The regular file @src (symbolic links are followed); @mode 0: permissions as on the host. */
int initramfs_add_host_file(struct initramfs *fs, const char *dst, const char *src,
			    mode_t mode) must_check;
/* Is anything called @dst? */
bool initramfs_has(const struct initramfs *fs, const char *dst);
/* Is a directory on the way to @dst a symbolic link? Nothing can be put there by that path. */
bool initramfs_is_below_link(const struct initramfs *fs, const char *dst);
/* What the program @src needs beside itself (image/closure.h), each file under @prefix ("" or an
 * absolute guest path) + its host path. */
int initramfs_add_closure(struct initramfs *fs, const char *prefix, const char *src) must_check;
/* All of the host directory @src as @dst. Symbolic links that lead to something inside @src still lead
 * there (directly); those that lead to a file outside become that file; all others stay as they are.
 * Sockets, pipes and device nodes are left out, and what is there already by the same name is kept.
 * Programs bring their closure along under @prefix, as far as it exists. */
int initramfs_add_tree(struct initramfs *fs, const char *prefix, const char *dst,
		       const char *src) must_check;
/* --include: a file (with its closure) or a tree, under @prefix + its own absolute path. */
int initramfs_add_include(struct initramfs *fs, const char *prefix, const char *src) must_check;

/* Append the archive to @ret, padded to a multiple of 512 bytes. @fs stays valid and may be
 * finished again. */
int initramfs_finish(struct initramfs *fs, struct buf *ret) must_check;
