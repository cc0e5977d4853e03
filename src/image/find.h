/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of finding a kernel that fetching one needs too: packages in the cache, and a tree as a
 * package lays it out. */
#pragma once

#include "base/err.h"
#include "image/cache.h"
#include "image/kernel.h"
#include "image/package.h"

#include <stddef.h>

enum { FIND_ABSENT = 1 };

struct packages {
	struct package *all; /* newest first */
	size_t count;
};

#define PACKAGES_NULL ((struct packages){ 0 })

void packages_deinit(struct packages *p);

/* All packages in the cache; none if there is no cache. */
int packages_cached(const struct cache *c, struct packages *ret) must_check;

/* The newest package of @from that @spec means; NULL if none. Borrowed from @from. */
const struct package *packages_match(const struct packages *from, const char *spec,
				     enum kernel_flavour flavour);

/* Where the cache has that package, or would. */
int find_package_dir(const struct cache *c, const struct package *p, char **ret) must_check;

/* The kernel in the unpacked package tree @tree: file names and release, its vmlinux not looked for.
 * -EBADMSG if it is not laid out as a kernel package. */
int find_in_tree(const char *tree, const struct package *p, struct kernel_image *ret) must_check;

/* The cached package that @spec means, with its vmlinux. FIND_ABSENT if there is none. */
int find_cached(struct cache *c, const char *spec, enum kernel_flavour flavour,
		const struct kernel_progress *progress, struct kernel_image *ret) must_check;

/* The kernel this host runs, its vmlinux not looked for. -ENOENT, -EACCES with the way out. */
int find_host(struct kernel_image *ret) must_check;
