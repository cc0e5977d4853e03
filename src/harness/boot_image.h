/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine boots: a kernel that was found, and the initramfs for it, made in memory: this very
 * program as /init, the modules that its devices need, and what the user includes. Made once for
 * all machines of a run: nothing in it depends on a scenario. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "image/kernel.h"

#include <stdbool.h>
#include <stddef.h>

struct boot_image_desc {
	const char *kernel; /* as kernel_find() takes it */
	const char *const
		*includes; /* host files and directories, at their own paths in the guest */
	size_t include_count;
	const char *const *modules; /* of the kernel, to load besides the machine's own drivers */
	size_t module_count;
	bool has_shell; /* bring busybox, and its names as links */
	const struct kernel_progress *progress;
};

struct boot_image {
	struct kernel_image kernel;
	struct buf initramfs;
};

#define BOOT_IMAGE_NULL ((struct boot_image){ 0 })

/* 0; kernel_find()'s errors; those of missing files, with words; -ENOENT without busybox. */
int boot_image_make(const struct boot_image_desc *desc, struct boot_image *ret) must_check;

void boot_image_deinit(struct boot_image *b);
