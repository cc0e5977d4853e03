/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of things that are made once: $XDG_CACHE_HOME/ktstr/kernels, or
 * ~/.cache/ktstr/kernels.
 *
 *   packages/NAME_VERSION_amd64/     a Debian kernel package, unpacked
 *   vmlinux/SHA256                   the ELF from the bzImage with that hash
 *   seen/SHA256                      symbolic link to ../vmlinux/..., named by path, size and times of a
 *                                    bzImage, so that it need not be read again to know its hash
 *   apt/                             package lists of our own, if the system's know too little
 *   lock                             held while anything is made
 *   tmp.*                            being made; whoever takes the lock removes what a killed run left
 *
 * What has its final name is complete: it was made under another one, flushed and renamed. So readers
 * need no lock, and a cache that is read-only serves what it has. One thread for each object. */
#pragma once

#include "base/err.h"
#include "image/kernel.h"

#include <stddef.h>

struct cache {
	char *dir;
	int lock_fd;
};

#define CACHE_NULL ((struct cache){ .dir = NULL, .lock_fd = -1 })

/* Only finds out where it is; it need not exist. -ENOENT if neither variable says so. */
int cache_open(struct cache *ret) must_check;
void cache_close(struct cache *c);

/* Make the directories, wait until no other process is filling the cache (saying so), remove leftovers.
 * Does nothing if the lock is held by @c already. -EACCES, -EROFS, -ENOSPC... with the path. */
int cache_lock(struct cache *c, const struct kernel_progress *progress) must_check;

/* The following need the lock. */

/* -ENOSPC with words if fewer than @bytes are free. */
int cache_need(const struct cache *c, uint64_t bytes) must_check;
/* A new directory for something in the making; @ret is the caller's to free, cache_lock() or
 * cache_remove() removes it. */
int cache_temp_dir(const struct cache *c, char **ret) must_check;
/* Make the file @name (relative to the cache) with these bytes, whole or not at all. */
int cache_write(const struct cache *c, const char *name, const void *data, size_t len) must_check;
/* Make the symbolic link @name, replacing an old one. */
int cache_link(const struct cache *c, const char *target, const char *name) must_check;
/* Flush the finished directory @temp and give it the name @final (both absolute). If there is one by that
 * name, it is replaced. */
int cache_publish_dir(const char *temp, const char *final) must_check;
/* Remove a file or a tree (absolute path, inside the cache); what cannot be removed stays. */
void cache_remove(const char *path);
