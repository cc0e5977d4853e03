// SPDX-License-Identifier: GPL-2.0-only
/* All kernels at hand, and their description as JSON. */
#include "image/kernel.h"

#include "base/cleanup.h"
#include "image/cache.h"
#include "image/find.h"
#include "image/vmlinux.h"

#include <errno.h>
#include <stdlib.h>

void kernel_images_deinit(struct kernel_images *images)
{
	for (size_t i = 0; i < images->count; i++)
		kernel_image_deinit(&images->all[i]);
	free(images->all);
	*images = KERNEL_IMAGES_NULL;
}

/* Its vmlinux, if that is there already. */
static void look_for_vmlinux(const struct cache *c, struct kernel_image *k)
{
	if (!k->vmlinux && vmlinux_cached(c, k->bzimage, &k->vmlinux) < 0)
		err_clear();
}

/* A package that was damaged after it was unpacked is left out: it cannot be booted. */
static void add_package_image(const struct cache *c, const struct package *p,
			      struct kernel_images *images)
{
	struct kernel_image *k = &images->all[images->count];
	cleanup(freep) char *tree = NULL;

	if (find_package_dir(c, p, &tree) < 0 || find_in_tree(tree, p, k) < 0) {
		err_clear();
		return;
	}
	look_for_vmlinux(c, k);
	images->count++;
}

int kernel_list(struct kernel_images *ret)
{
	cleanup(kernel_images_deinit) struct kernel_images images = KERNEL_IMAGES_NULL;
	cleanup(packages_deinit) struct packages cached = PACKAGES_NULL;
	cleanup(cache_close) struct cache c = CACHE_NULL;
	const struct package *first;
	int r = cache_open(&c);

	if (!r)
		r = packages_cached(&c, &cached);
	if (r < 0)
		return err_trace(r);
	images.all = calloc(cached.count + 1, sizeof(*images.all));
	if (!images.all)
		return err_new(-ENOMEM, "out of memory for a list of kernels");
	first = packages_match(&cached, NULL, KERNEL_CLOUD);
	for (size_t i = 0; i < cached.count; i++) {
		size_t before = images.count;

		add_package_image(&c, &cached.all[i], &images);
		if (images.count > before)
			images.all[before].is_default = &cached.all[i] == first;
	}
	if (find_host(&images.all[images.count]))
		err_clear();
	else
		look_for_vmlinux(&c, &images.all[images.count++]);
	*ret = images;
	images = KERNEL_IMAGES_NULL;
	return 0;
}

void kernel_list_json(const struct kernel_images *images, struct json *j)
{
	json_array(j, NULL);
	for (size_t i = 0; i < images->count; i++) {
		const struct kernel_image *k = &images->all[i];

		json_object(j, NULL);
		json_str(j, "name", k->name);
		json_str(j, "release", k->release);
		json_str(j, "package", k->package);
		json_str(j, "bzimage", k->bzimage);
		json_str(j, "vmlinux", k->vmlinux);
		json_str(j, "modules", k->modules_dir);
		json_bool(j, "default", k->is_default);
		json_object_end(j);
	}
	json_array_end(j);
}
