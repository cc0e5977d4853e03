// SPDX-License-Identifier: GPL-2.0-only
#include "harness/carrier_image.h"

#include "image/initramfs.h"
#include "image/modules.h"

#include <errno.h>
#include <stdio.h>

static int add_module(struct initramfs *fs, const struct module_file *module, size_t index,
		      struct buf *list)
{
	char path[160];

	snprintf(path, sizeof(path), CARRIER_MODULES_DIR "/%02zu-%s.ko", index, module->name);
	buf_printf(list, "%s\n", path + sizeof(CARRIER_MODULES_DIR));
	return initramfs_add_data(fs, path, module->bytes.data, module->bytes.len, 0644);
}

static int add_modules(struct initramfs *fs, const char *modules_dir)
{
	cleanup(module_list_deinit) struct module_list modules = MODULE_LIST_NULL;
	cleanup(buf_deinit) struct buf list = BUF_NULL;
	size_t count = 0;

	while (carrier_modules[count])
		count++;
	int r = modules_closure(modules_dir, carrier_modules, count, &modules);
	for (size_t i = 0; r == 0 && i < modules.count; i++)
		r = add_module(fs, &modules.all[i], i, &list);
	if (r < 0)
		return err_trace(r);
	return initramfs_add_data(fs, CARRIER_MODULES_LIST, buf_text(&list), list.len, 0644);
}

static int build_initramfs(const struct kernel_image *kernel, struct buf *ret)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	int r = initramfs_new(&fs);

	if (r == 0)
		r = initramfs_add_host_file(fs, "/init", "/proc/self/exe", 0755);
	if (r == 0)
		r = initramfs_add_dir(fs, "/dev", 0755);
	if (r == 0)
		r = add_modules(fs, kernel->modules_dir);
	if (r == 0)
		r = initramfs_finish(fs, ret);
	return r < 0 ? err_trace(r) : 0;
}

int carrier_image_make(const char *kernel, const struct kernel_progress *progress,
		       struct carrier_image *ret)
{
	cleanup(carrier_image_deinit) struct carrier_image image = CARRIER_IMAGE_NULL;
	int r = kernel_find(kernel, KERNEL_GENERIC, progress, &image.kernel);

	if (r == -ENOENT && !kernel)
		r = kernel_fetch(NULL, KERNEL_GENERIC, 0, progress, &image.kernel);
	if (r == 0)
		r = build_initramfs(&image.kernel, &image.initramfs);
	if (r < 0)
		return err_prefix(err_trace(r), "carrier: ");
	*ret = image;
	image = CARRIER_IMAGE_NULL;
	return 0;
}

void carrier_image_deinit(struct carrier_image *image)
{
	kernel_image_deinit(&image->kernel);
	buf_deinit(&image->initramfs);
	*image = CARRIER_IMAGE_NULL;
}

struct carrier_desc carrier_image_desc(const struct carrier_image *image)
{
	return (struct carrier_desc){
		.kernel_path = image->kernel.vmlinux,
		.initramfs = image->initramfs.data,
		.initramfs_bytes = image->initramfs.len,
		.signal_fd = -1,
	};
}
