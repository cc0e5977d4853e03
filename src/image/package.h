/* SPDX-License-Identifier: GPL-2.0-only */
/* Debian kernel packages by name: what a name says, which one a VERSION means, which is newer. Text only.
 * Source: Debian Policy 5.6.12 (versions), deb-version(7). */
#pragma once

#include "image/kernel.h"

#include <stdbool.h>

/* The order of two Debian versions: negative, 0 or positive, as strcmp(). */
int debian_version_compare(const char *a, const char *b);

struct package {
	char *name;    /* linux-image-6.12.117+deb12-cloud-amd64 */
	char *version; /* 6.12.117-1~deb12u1 */
};

#define PACKAGE_NULL ((struct package){ 0 })

void package_deinit(struct package *p);

/* "linux-image-" cut off; NULL if @name is not that of a kernel image for amd64 (debug symbols, unsigned
 * twins and meta packages are none). Points into @name. */
const char *package_release(const char *name);

/* Does @spec (a VERSION of image/kernel.h, NULL for the default) mean this package? A spec that is the
 * whole release decides alone, else @flavour has to fit. */
bool package_matches(const struct package *p, const char *spec, enum kernel_flavour flavour);

/* Newer versions first, then by name: for qsort(). */
int package_compare(const void *a, const void *b);

/* Split NAME_VERSION_amd64, the name of a directory in the cache. Returns 0; PACKAGE_OTHER if it is not of
 * that form; -ENOMEM. */
enum { PACKAGE_OTHER = 1 };
int package_parse(const char *text, struct package *ret) must_check;

/* May @name and @version, read from a file, become part of a path? */
bool package_is_sane(const struct package *p);
