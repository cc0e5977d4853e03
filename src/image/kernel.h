/* SPDX-License-Identifier: GPL-2.0-only */
/* Which kernel a machine boots: find one by name, fetch one, list what is there. A kernel is named
 * by
 *
 *   NULL                  the newest cached 6.12 of the flavour that the caller wants
 *   VERSION               a cached Debian package by the beginning of its release or of its package
 *                         version, cut at a component: 6.12, 6.12.117, 6.1.192-2,
 *                         6.12.117+deb12-amd64
 *   host                  the kernel this host runs: /boot/vmlinuz-RELEASE,
 * /lib/modules/RELEASE/vmlinuz PATH                  a bzImage, an ELF vmlinux, or a kernel tree
 * with one of them in it
 *
 * Finding never uses the network. All that is found was checked: it is a whole x86-64 kernel, and
 * its vmlinux is unpacked, once, in the cache (image/cache.h). A cache that is read-only is fine as
 * long as nothing new has to go into it. */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Debian builds each version in flavours: cloud (small, virtio only: what a guest boots) and
 * generic (with KVM and 9p modules: what the carrier boots). A VERSION that ends in a flavour
 * overrides it. */
enum kernel_flavour { KERNEL_CLOUD, KERNEL_GENERIC };

struct kernel_image {
	char *name;    /* what --kernel takes to find this one again: release, "host" or path */
	char *release; /* as `uname -r` says it inside: 6.12.117+deb12-cloud-amd64 */
	char *package; /* PACKAGE_VERSION of a cached Debian package, NULL for other kernels */
	char *bzimage; /* absolute path, NULL if only an ELF exists */
	char *vmlinux; /* absolute path of the ELF; only kernel_list() may leave it NULL (not
			    * unpacked yet) */
	char *modules_dir; /* .../lib/modules/RELEASE or the top of a build tree, NULL if there is none */
	bool is_default; /* kernel_list(): what NULL finds */
};

#define KERNEL_IMAGE_NULL ((struct kernel_image){ 0 })

void kernel_image_deinit(struct kernel_image *k);

/* Where lines for a person go while something takes long ("fetching linux-image-..., 34 MB"); @say
 * may be NULL. */
struct kernel_progress {
	void (*say)(void *ctx, const char *line);
	void *ctx;
};

/* Find the kernel named by @spec and make sure that its vmlinux is unpacked (the first time 1-2 s,
 * then no work at all). @progress may be NULL. Returns 0 and fills @ret, which the caller owns.
 * -ENOENT: no such kernel, the words say how to get it; -ENOEXEC: not a kernel, or a kernel that
 * cannot be booted here; -EBADMSG: truncated or damaged; -EACCES; -ENOSPC and other file errors.
 * Nothing half-made stays behind. Any thread; other processes may do the same at the same time. */
int kernel_find(const char *spec, enum kernel_flavour flavour,
		const struct kernel_progress *progress, struct kernel_image *ret) must_check;

enum { KERNEL_FETCH_NEWER = 1 };

/* Put a Debian kernel package into the cache, without installing it, and find it. @spec is NULL
 * (6.12), a VERSION as above, or the path of a .deb file. If the cache holds a match, that is the
 * answer and no network is used, unless @flags has KERNEL_FETCH_NEWER. The download is apt's: the
 * archive's signature and the package's hash are checked. Returns as kernel_find(); -ENOENT: the
 * archive has no such version; -EIO: apt-get or dpkg-deb failed, with their words. */
int kernel_fetch(const char *spec, enum kernel_flavour flavour, unsigned flags,
		 const struct kernel_progress *progress, struct kernel_image *ret) must_check;

struct kernel_images {
	struct kernel_image *all;
	size_t count;
};

#define KERNEL_IMAGES_NULL ((struct kernel_images){ 0 })

void kernel_images_deinit(struct kernel_images *images);

/* All kernels at hand: the cached packages, newest first, then the host's if it can be read. An
 * empty cache is no error. Unpacks nothing. */
int kernel_list(struct kernel_images *ret) must_check;

/* One array with an object for each image; what `ktstr kernel list --json` prints. */
void kernel_list_json(const struct kernel_images *images, struct json *j);
