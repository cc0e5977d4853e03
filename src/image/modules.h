/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel modules as a package ships them: which files have to be loaded, in which order, for some
 * modules to work, and their bytes. Nothing has to be installed and depmod is not needed: names
 * come from modules.dep or modules.order, dependencies from each module's own .modinfo section. In
 * names `-` and `_` are the same, as for modprobe. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct module_file {
	char *name;	  /* with underscores: "kvm_amd" */
	char *path;	  /* of the file, compressed as it is */
	struct buf bytes; /* decompressed */
};

struct module_list {
	struct module_file *all;
	size_t count;
};

#define MODULE_LIST_NULL ((struct module_list){ 0 })

void module_list_deinit(struct module_list *list);

/* The files to load for @names (an array of @count), dependencies and soft dependencies ("pre:")
 * first, each file once; modules that are built in are left out. @modules_dir is
 * kernel_image.modules_dir; NULL means a kernel without modules, of which the list is empty.
 * Returns 0; -ENOENT if a named module or one it needs is neither there nor built in; -EBADMSG if a
 * module file is damaged. The caller owns @ret. Any thread. */
int modules_closure(const char *modules_dir, const char *const *names, size_t count,
		    struct module_list *ret) must_check;

/* Append the decompressed bytes of the module file @path (.ko, .ko.xz, .ko.zst, .ko.gz) to @ret;
 * modules_closure() has done that for its list. -EBADMSG if it is damaged. Any thread. */
int modules_read(const char *path, struct buf *ret) must_check;
