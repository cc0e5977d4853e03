/* SPDX-License-Identifier: GPL-2.0-only */
/* Made at test time: compressed data in each format, a vmlinux of a few KiB and a bzImage around it, a
 * temporary directory. */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum fixture_format { FIXTURE_GZIP, FIXTURE_XZ, FIXTURE_ZSTD, FIXTURE_LZ4, FIXTURE_FORMATS };

/* @data compressed with the real library, in the form a kernel build uses. */
void fixture_compress(enum fixture_format format, const void *data, size_t len, struct buf *ret);

/* A kernel ELF: one segment at the kernel text mapping, which holds the banner. */
void fixture_vmlinux(const char *release, struct buf *ret);

/* A bzImage around @payload as it would be appended (with its size field). */
void fixture_bzimage_around(const char *release, const void *payload, size_t len, struct buf *ret);

/* fixture_vmlinux() compressed, with its size field, in a bzImage. */
void fixture_bzimage(const char *release, enum fixture_format format, struct buf *ret);

/* A new directory; remove it with fixture_remove(). */
char *fixture_dir(void);
void fixture_remove(char *dir);
void fixture_removep(char **dir);
/* Write a file, making parents; @path is formatted. */
void fixture_write(const void *data, size_t len, int mode, const char *path_fmt, ...);
