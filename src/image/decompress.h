/* SPDX-License-Identifier: GPL-2.0-only */
/* The compressions that kernels and modules come in, behind one function. The format is known by
 * its magic number, never by a file name. The input is hostile: output is bounded by the caller,
 * and so is the memory that a format may ask for.
 *
 * To add a format: a row in the table in decompress.c, with its function; a case in the unit test.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The name of the format in which @data starts ("xz"), NULL if it is none that is known. */
const char *compression_name(const void *data, size_t len);

/* Unpack @data, appending at most @max_bytes to @ret; bytes behind the end of the compressed stream
 * are ignored, except for lz4, whose kernel form has no end mark. @what names the data in errors.
 * -ENOEXEC: no known format, or one that is known but not supported (bzip2, lzma, lzo); -EBADMSG:
 * truncated or damaged; -EFBIG: more than @max_bytes; -ENOMEM. On an error @ret has some of the
 * output. Any thread. */
int decompress(const void *data, size_t len, size_t max_bytes, const char *what,
	       struct buf *ret) must_check;
