/* SPDX-License-Identifier: GPL-2.0-only */
/* The ELF inside of a bzImage, unpacked into the cache once for each content. */
#pragma once

#include "base/err.h"
#include "image/cache.h"

enum { VMLINUX_ABSENT = 1 };

/* The unpacked kernel of the bzImage file @path, if the cache has it whole. Returns 0 and its path, which
 * the caller frees; VMLINUX_ABSENT; negative if @path cannot be looked at. Reads only. */
int vmlinux_cached(const struct cache *c, const char *path, char **ret) must_check;

/* The same; unpacks it if the cache does not have it, for which it takes the lock. */
int vmlinux_get(struct cache *c, const char *path, const struct kernel_progress *progress,
		char **ret) must_check;
