/* SPDX-License-Identifier: GPL-2.0-only */
/* What a carrier boots, made ready: its kernel from the cache (fetched the first time), and an
 * initramfs of this very program and the modules of host/carrier.h. The bridge between rooms image
 * and host, which do not know each other. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "host/carrier.h"
#include "image/kernel.h"

struct carrier_image {
	struct kernel_image kernel;
	struct buf initramfs;
};

#define CARRIER_IMAGE_NULL ((struct carrier_image){ 0 })

/* Find or fetch the newest Debian kernel with KVM modules and build the initramfs around it.
 * @kernel is a --kernel specification, NULL for the default; @progress may be NULL. Errors of
 * kernel_find() and kernel_fetch(); -ENOENT if that kernel has no KVM or 9p modules. The caller
 * owns @ret. */
int carrier_image_make(const char *kernel, const struct kernel_progress *progress,
		       struct carrier_image *ret) must_check;
void carrier_image_deinit(struct carrier_image *image);

/* A description that boots @image, which it borrows; the caller fills in the rest. */
struct carrier_desc carrier_image_desc(const struct carrier_image *image);
