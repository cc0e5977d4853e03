// SPDX-License-Identifier: GPL-2.0-only
#include "harness/boot_image.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "host/probe.h"
#include "image/initramfs.h"
#include "image/modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The drivers of the machine's devices; those built into a kernel need no file. */
static const char *const driver_modules[] = { "virtio_mmio", "virtio_console", "virtio_blk" };

static int add_module(struct initramfs *fs, const struct module_file *module, size_t index,
		      struct buf *list)
{
	char name[128], path[160];

	snprintf(name, sizeof(name), "%02zu-%s.ko", index, module->name);
	snprintf(path, sizeof(path), "/ktstr/modules/%s", name);
	buf_printf(list, "%s\n", name);
	return initramfs_add_data(fs, path, module->bytes.data, module->bytes.len, 0644);
}

static int find_modules(const struct boot_image_desc *desc, const struct kernel_image *kernel,
			struct module_list *ret)
{
	size_t own = ARRAY_SIZE(driver_modules), count = own + desc->module_count;
	cleanup(freep) const char **names = calloc(count, sizeof(*names));

	if (!names)
		return err_new(-ENOMEM, "out of memory for %zu modules", count);
	memcpy(names, driver_modules, sizeof(driver_modules));
	for (size_t i = 0; i < desc->module_count; i++)
		names[own + i] = desc->modules[i];
	return modules_closure(kernel->modules_dir, names, count, ret);
}

static int add_modules(struct initramfs *fs, const struct boot_image_desc *desc,
		       const struct kernel_image *kernel)
{
	cleanup(module_list_deinit) struct module_list modules = MODULE_LIST_NULL;
	cleanup(buf_deinit) struct buf list = BUF_NULL;
	int r = find_modules(desc, kernel, &modules);

	for (size_t i = 0; i < modules.count && r == 0; i++)
		r = add_module(fs, &modules.all[i], i, &list);
	if (r < 0)
		return err_trace(r);
	return initramfs_add_data(fs, "/ktstr/modules.list", buf_text(&list), list.len, 0644);
}

/* Below these the guest's init mounts its own. */
static const char *const guests_own[] = { "/proc", "/sys", "/dev", "/init", "/ktstr" };

static int add_include(struct initramfs *fs, const char *name)
{
	cleanup(freep) char *path = NULL;

	/* A path that is absolute keeps its name, even if that is a link. */
	path = name[0] == '/' && access(name, F_OK) == 0 ? strdup(name) : realpath(name, NULL);
	if (!path)
		return err_new(-errno, "include %s: %s", name, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(guests_own); i++) {
		size_t len = strlen(guests_own[i]);

		if (strncmp(path, guests_own[i], len) == 0 && (!path[len] || path[len] == '/'))
			return err_new(-EINVAL, "include %s: the guest has its own %s", name,
				       guests_own[i]);
	}
	return initramfs_add_include(fs, "", path);
}

static int add_includes(struct initramfs *fs, const struct boot_image_desc *desc)
{
	int r = 0;

	for (size_t i = 0; i < desc->include_count && r == 0; i++)
		r = add_include(fs, desc->includes[i]);
	return r;
}

/* What a person expects to find in a shell. */
static const char *const applets[] = { "sh",	"ls",	 "cat",	  "ps",	     "top",	"dmesg",
				       "mount", "grep",	 "vi",	  "find",    "head",	"tail",
				       "sleep", "kill",	 "echo",  "mkdir",   "rm",	"cp",
				       "mv",	"ln",	 "chmod", "df",	     "free",	"id",
				       "uname", "wc",	 "sort",  "more",    "taskset", "nproc",
				       "lsmod", "touch", "dd",	  "hexdump", "less" };

static int add_shell(struct initramfs *fs)
{
	cleanup(freep) char *busybox = NULL;
	int r = host_find_program("busybox", &busybox);

	if (r == -ENOENT)
		return err_new(r, "no busybox on this host; install the package busybox-static");
	if (r == 0)
		r = initramfs_add_host_file(fs, "/bin/busybox", busybox, 0755);
	if (r == 0)
		r = initramfs_add_closure(fs, "", busybox);
	for (size_t i = 0; i < ARRAY_SIZE(applets) && r == 0; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/bin/%s", applets[i]);
		r = initramfs_add_symlink(fs, path, "busybox");
	}
	return r;
}

static int fill(struct initramfs *fs, const struct boot_image_desc *desc,
		const struct kernel_image *kernel)
{
	int r = initramfs_add_host_file(fs, "/init", "/proc/self/exe", 0755);

	if (r == 0)
		r = add_modules(fs, desc, kernel);
	if (r == 0)
		r = add_includes(fs, desc);
	if (r == 0 && desc->has_shell)
		r = add_shell(fs);
	return r;
}

int boot_image_make(const struct boot_image_desc *desc, struct boot_image *ret)
{
	cleanup(boot_image_deinit) struct boot_image b = BOOT_IMAGE_NULL;
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	int r = kernel_find(desc->kernel, KERNEL_CLOUD, desc->progress, &b.kernel);

	if (r == 0)
		r = initramfs_new(&fs);
	if (r == 0)
		r = fill(fs, desc, &b.kernel);
	if (r == 0)
		r = initramfs_finish(fs, &b.initramfs);
	if (r < 0)
		return err_trace(r);
	*ret = b;
	b = BOOT_IMAGE_NULL;
	return 0;
}

void boot_image_deinit(struct boot_image *b)
{
	kernel_image_deinit(&b->kernel);
	buf_deinit(&b->initramfs);
	*b = BOOT_IMAGE_NULL;
}
