/* SPDX-License-Identifier: GPL-2.0-only */
/* Debian's archive, through apt's own programs: which kernel packages exist, and one of them as a file.
 * apt checks the signature of the index and the hash of the download; nothing is installed, and no
 * privilege is needed. The system's package lists are used; if they do not know an answer, lists of our
 * own are fetched into the cache. */
#pragma once

#include "base/err.h"
#include "image/cache.h"
#include "image/kernel.h"
#include "image/package.h"
#include "image/sha256.h"

#include <stdbool.h>
#include <stdint.h>

struct apt_package {
	struct package package;
	uint64_t download_bytes;
	uint64_t installed_bytes;
	char sha256[SHA256_HEX_BYTES];
	bool is_in_own_lists;
};

#define APT_PACKAGE_NULL ((struct apt_package){ 0 })

void apt_package_deinit(struct apt_package *p);

/* The newest package that @spec means. @is_fresh: ask the archive anew. -ENOENT if there is none (or no apt
 * here), -EIO with apt's words. The cache is locked. */
int apt_find(const struct cache *c, const char *spec, enum kernel_flavour flavour, bool is_fresh,
	     const struct kernel_progress *progress, struct apt_package *ret) must_check;

/* Download it into the directory @dir; @ret is the file's path, its hash checked. */
int apt_download(const struct cache *c, const struct apt_package *p, const char *dir,
		 char **ret) must_check;

/* Read the description of packages in the form of `apt-cache show`, and keep the newest that @spec means.
 * False if none does. Public for its test. */
bool apt_newest(char *text, const char *spec, enum kernel_flavour flavour, struct apt_package *ret);
