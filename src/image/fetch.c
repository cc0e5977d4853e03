// SPDX-License-Identifier: GPL-2.0-only
/* From a version to an unpacked package in the cache: ask apt, download, unpack with dpkg-deb beside the
 * final place, look at it, rename. What is interrupted leaves only a tmp.* directory, which the next one
 * to take the lock removes. */
#include "image/kernel.h"

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/util.h"
#include "image/apt.h"
#include "image/cache.h"
#include "image/find.h"
#include "image/package.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The vmlinux, and the file system's own needs. */
static const uint64_t reserve_bytes = 128 * MIB;

struct fetch {
	struct cache cache;
	const struct kernel_progress *progress;
	char *temp; /* directory in the making */
};

static void fetch_deinit(struct fetch *f)
{
	if (f->temp)
		cache_remove(f->temp);
	free(f->temp);
	cache_close(&f->cache);
}

static void say(const struct fetch *f, const char *fmt, ...) printf_like(2, 3);
static void say(const struct fetch *f, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!f->progress || !f->progress->say)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	f->progress->say(f->progress->ctx, line);
}

/* One field of the package file's control data. */
static int deb_field(const char *deb, const char *name, char **ret)
{
	const char *argv[] = { "dpkg-deb", "--field", deb, name, NULL };
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	int r = child_run(argv, NULL, &out);

	if (r < 0)
		return err_trace(r);
	return str_printf(ret, "%.*s", (int)strcspn(buf_text(&out), "\n"), buf_text(&out));
}

/* What the file says that it is; the answer decides its place in the cache, so it has to be sane. */
static int deb_describe(const char *deb, struct package *ret, uint64_t *installed_bytes_ret)
{
	cleanup(package_deinit) struct package p = PACKAGE_NULL;
	cleanup(freep) char *arch = NULL;
	cleanup(freep) char *size = NULL;
	uint64_t kib = 0;
	int r = deb_field(deb, "Package", &p.name);

	if (!r)
		r = deb_field(deb, "Version", &p.version);
	if (!r)
		r = deb_field(deb, "Architecture", &arch);
	if (!r)
		r = deb_field(deb, "Installed-Size", &size);
	if (r < 0)
		return err_trace(r);
	if (!package_is_sane(&p) || strcmp(arch, "amd64"))
		return err_new(-ENOEXEC, "%s: not a Debian kernel package for amd64", deb);
	if (parse_u64_in(size, 0, UINT32_MAX, &kib))
		kib = 0;
	*installed_bytes_ret = kib * KIB;
	*ret = p;
	p = PACKAGE_NULL;
	return 0;
}

static int unpack_deb(const struct fetch *f, const char *deb, const char *tree)
{
	const char *argv[] = { "dpkg-deb", "--extract", deb, tree, NULL };
	int r = child_run(argv, NULL, NULL);

	return r < 0 ? err_trace(r) : 0;
}

/* Does the cache hold this package, undamaged? Others may be booting it: it is not to be replaced. */
static bool is_cached(const struct fetch *f, const struct package *p)
{
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(freep) char *tree = NULL;
	int r = find_package_dir(&f->cache, p, &tree);

	if (!r)
		r = find_in_tree(tree, p, &k);
	if (r < 0)
		err_clear();
	return !r;
}

/* Unpack the package file @deb, which says that it is @p, into the cache. */
static int unpack_package(const struct fetch *f, const char *deb, const struct package *p)
{
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(freep) char *tree = NULL;
	cleanup(freep) char *final = NULL;
	int r = str_printf(&tree, "%s/tree", f->temp);

	if (!r)
		r = find_package_dir(&f->cache, p, &final);
	if (r < 0)
		return err_trace(r);
	say(f, "unpacking %s %s", p->name, p->version);
	r = unpack_deb(f, deb, tree);
	if (!r)
		r = find_in_tree(tree, p, &k);
	if (!r && strcmp(k.release, package_release(p->name)))
		r = err_new(-EBADMSG, "%s: holds the kernel %s", deb, k.release);
	if (!r)
		r = cache_publish_dir(tree, final);
	return r < 0 ? err_trace(r) : 0;
}

/* Put the package file into the cache, if it is not there, and say which it is. */
static int take_deb(const struct fetch *f, const char *deb, struct package *ret)
{
	cleanup(package_deinit) struct package p = PACKAGE_NULL;
	uint64_t installed_bytes = 0;
	int r = deb_describe(deb, &p, &installed_bytes);

	if (!r && !is_cached(f, &p)) {
		r = cache_need(&f->cache, installed_bytes + reserve_bytes);
		if (!r)
			r = unpack_package(f, deb, &p);
	}
	if (r < 0)
		return err_trace(r);
	*ret = p;
	p = PACKAGE_NULL;
	return 0;
}

/* The newest in the archive; unless the cache has it, download it. */
static int take_from_archive(const struct fetch *f, const char *spec, enum kernel_flavour flavour,
			     bool is_fresh, struct package *ret)
{
	cleanup(apt_package_deinit) struct apt_package found = APT_PACKAGE_NULL;
	cleanup(freep) char *deb = NULL;
	int r = apt_find(&f->cache, spec, flavour, is_fresh, f->progress, &found);

	if (r < 0)
		return err_trace(r);
	if (is_cached(f, &found.package)) {
		*ret = found.package;
		found.package = PACKAGE_NULL;
		return 0;
	}
	r = cache_need(&f->cache, found.download_bytes + found.installed_bytes + reserve_bytes);
	if (r < 0)
		return err_trace(r);
	say(f, "fetching %s %s (%llu MB)", found.package.name, found.package.version,
	    (unsigned long long)(found.download_bytes / 1000000));
	r = apt_download(&f->cache, &found, f->temp, &deb);
	if (!r)
		r = take_deb(f, deb, ret);
	return r < 0 ? err_trace(r) : 0;
}

static bool is_deb(const char *spec)
{
	return spec && str_ends_with(spec, ".deb");
}

/* As find_cached(); a package that was damaged in the cache counts as absent, to be fetched again. */
static int find_whole(struct fetch *f, const char *spec, enum kernel_flavour flavour,
		      struct kernel_image *ret)
{
	int r = find_cached(&f->cache, spec, flavour, f->progress, ret);

	if (r != -EBADMSG)
		return r;
	err_clear();
	return FIND_ABSENT;
}

static int fetch_locked(struct fetch *f, const char *spec, enum kernel_flavour flavour,
			bool is_fresh, struct kernel_image *ret)
{
	cleanup(package_deinit) struct package p = PACKAGE_NULL;
	int r = cache_temp_dir(&f->cache, &f->temp);

	if (r < 0)
		return err_trace(r);
	r = is_deb(spec) ? take_deb(f, spec, &p)
			 : take_from_archive(f, spec, flavour, is_fresh, &p);
	if (!r)
		r = find_cached(&f->cache, package_release(p.name), flavour, f->progress, ret);
	return r == FIND_ABSENT ? err_new(-EIO, "%s is not in the cache after all", p.name) : r;
}

int kernel_fetch(const char *spec, enum kernel_flavour flavour, unsigned flags,
		 const struct kernel_progress *progress, struct kernel_image *ret)
{
	cleanup(fetch_deinit) struct fetch f = { .cache = CACHE_NULL, .progress = progress };
	bool is_fresh = flags & KERNEL_FETCH_NEWER;
	bool may_be_cached = !is_deb(spec) && !is_fresh;
	int r = cache_open(&f.cache);

	if (r < 0)
		return err_trace(r);
	r = may_be_cached ? find_whole(&f, spec, flavour, ret) : FIND_ABSENT;
	if (r != FIND_ABSENT)
		return r;
	r = cache_lock(&f.cache, progress);
	if (r < 0)
		return err_trace(r);
	/* Another process may have fetched it while we waited for the lock. */
	r = may_be_cached ? find_whole(&f, spec, flavour, ret) : FIND_ABSENT;
	if (r == FIND_ABSENT)
		r = fetch_locked(&f, spec, flavour, is_fresh, ret);
	return r < 0 ? err_trace(r) : 0;
}
