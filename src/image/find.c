// SPDX-License-Identifier: GPL-2.0-only
/* Kernels by path, by host and in the cache. All ways end in find_file(), which looks at the file. */
#include "image/find.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "base/util.h"
#include "image/bzimage.h"
#include "image/elf_file.h"
#include "image/vmlinux.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const uint64_t segment_max = 256 * MIB;

void kernel_image_deinit(struct kernel_image *k)
{
	free(k->name);
	free(k->release);
	free(k->package);
	free(k->bzimage);
	free(k->vmlinux);
	free(k->modules_dir);
	*k = KERNEL_IMAGE_NULL;
}

void packages_deinit(struct packages *p)
{
	for (size_t i = 0; i < p->count; i++)
		package_deinit(&p->all[i]);
	free(p->all);
	*p = PACKAGES_NULL;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int add_package(struct packages *list, const char *name)
{
	cleanup(package_deinit) struct package p = PACKAGE_NULL;
	struct package *all;
	int r = package_parse(name, &p);

	if (r)
		return r < 0 ? r : 0;
	all = reallocarray(list->all, list->count + 1, sizeof(*all));
	if (!all)
		return err_new(-ENOMEM, "out of memory for a list of packages");
	list->all = all;
	list->all[list->count++] = p;
	p = PACKAGE_NULL;
	return 0;
}

int packages_cached(const struct cache *c, struct packages *ret)
{
	cleanup(packages_deinit) struct packages list = PACKAGES_NULL;
	cleanup(closedirp) DIR *dir = NULL;
	cleanup(freep) char *path = NULL;
	struct dirent *d;
	int r = str_printf(&path, "%s/packages", c->dir);

	if (r < 0)
		return r;
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return err_new(-errno, "cache: open %s: %s", path, strerror(errno));
	while (dir && !r && (d = readdir(dir)))
		r = add_package(&list, d->d_name);
	if (r < 0)
		return err_trace(r);
	if (list.count)
		qsort(list.all, list.count, sizeof(*list.all), package_compare);
	*ret = list;
	list = PACKAGES_NULL;
	return 0;
}

const struct package *packages_match(const struct packages *from, const char *spec,
				     enum kernel_flavour flavour)
{
	for (size_t i = 0; i < from->count; i++)
		if (package_matches(&from->all[i], spec, flavour))
			return &from->all[i];
	return NULL;
}

static int read_head(const char *path, struct buf *head, uint64_t *file_bytes_ret)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_new(-errno, "kernel %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_new(-ENOEXEC, "kernel %s: not a regular file", path);
	if (!buf_space(head, BZIMAGE_HEAD_BYTES))
		return buf_ok(head);
	n = pread(fd, head->data, head->len, 0);
	if (n < 0)
		return err_new(-errno, "kernel %s: %s", path, strerror(errno));
	head->len = (size_t)n;
	*file_bytes_ret = (uint64_t)st.st_size;
	return 0;
}

/* One segment of the file, searched for the banner. */
static int segment_release(int fd, const Elf64_Phdr *segment, const char *path,
			   char ret[KERNEL_RELEASE_BYTES], bool *found_ret)
{
	cleanup(buf_deinit) struct buf bytes = BUF_NULL;
	uint64_t len = MIN(segment->p_filesz, segment_max);
	ssize_t n;

	if (!buf_space(&bytes, (size_t)len))
		return buf_ok(&bytes);
	n = pread(fd, bytes.data, (size_t)len, (off_t)segment->p_offset);
	if (n < 0)
		return err_new(-errno, "kernel %s: %s", path, strerror(errno));
	*found_ret = kernel_banner_release(bytes.data, (size_t)n, ret);
	return 0;
}

static int elf_release(const char *path, const struct buf *head, char ret[KERNEL_RELEASE_BYTES])
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr segment;
	bool found = false;
	struct elf e;
	int r = elf_open(head->data, head->len, path, &e);

	if (fd < 0)
		return err_new(-errno, "kernel %s: %s", path, strerror(errno));
	for (unsigned i = 0; !r && !found && elf_segment(&e, i, &segment); i++)
		if (segment.p_type == PT_LOAD)
			r = segment_release(fd, &segment, path, ret, &found);
	if (r < 0)
		return err_trace(r);
	return found ? 0 : err_new(-ENOEXEC, "kernel %s: no \"Linux version\" banner in it", path);
}

/* Look at the kernel file @path. BZIMAGE_OTHER (and words) never leaves: it is an error here. */
static int find_file(const char *path, char release[KERNEL_RELEASE_BYTES], bool *is_elf_ret)
{
	cleanup(buf_deinit) struct buf head = BUF_NULL;
	uint64_t file_bytes = 0;
	struct bzimage image;
	int r = read_head(path, &head, &file_bytes);

	if (r < 0)
		return err_trace(r);
	r = bzimage_parse(head.data, head.len, file_bytes, path, &image);
	if (r != BZIMAGE_OTHER) {
		*is_elf_ret = false;
		if (!r)
			memcpy(release, image.release, sizeof(image.release));
		return r;
	}
	r = vmlinux_check(head.data, head.len, file_bytes, path);
	if (r == BZIMAGE_OTHER)
		return err_new(-ENOEXEC,
			       "kernel %s: not a kernel for x86 (neither a bzImage nor an ELF "
			       "vmlinux)",
			       path);
	*is_elf_ret = true;
	return r < 0 ? r : elf_release(path, &head, release);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Modules installed beside the kernel: in a package's tree, or a root's. */
static int modules_beside(const char *kernel, const char *release, char **ret)
{
	static const char *const places[] = { "/../lib/modules/", "/../usr/lib/modules/" };
	int dir_len = (int)(strrchr(kernel, '/') - kernel);

	for (size_t i = 0; !*ret && i < ARRAY_SIZE(places); i++) {
		cleanup(freep) char *path = NULL;
		int r = str_printf(&path, "%.*s%s%s", dir_len, kernel, places[i], release);

		if (r < 0)
			return r;
		*ret = realpath(path, NULL);
	}
	return 0;
}

/* Modules built beside the kernel: its own build tree, which lists them at its top. */
static int modules_in_build_tree(const char *kernel, char **ret)
{
	static const char bzimage_end[] = "/arch/x86/boot/bzImage";
	cleanup(freep) char *list = NULL;
	int top_len = str_ends_with(kernel, bzimage_end)
			      ? (int)(strlen(kernel) - strlen(bzimage_end))
			      : (int)(strrchr(kernel, '/') - kernel);
	int r = str_printf(&list, "%.*s/modules.order", top_len, kernel);

	return r < 0 || access(list, F_OK) ? r : str_printf(ret, "%.*s", top_len, kernel);
}

static int modules_of_host(const char *release, char **ret)
{
	cleanup(freep) char *path = NULL;
	int r = str_printf(&path, "/lib/modules/%s", release);

	if (!r && is_dir(path))
		*ret = steal_ptr(&path);
	return r;
}

static int find_modules(const char *kernel, const char *release, char **ret)
{
	int r;

	*ret = NULL;
	r = modules_beside(kernel, release, ret);
	if (!r && !*ret)
		r = modules_in_build_tree(kernel, ret);
	if (!r && !*ret)
		r = modules_of_host(release, ret);
	return r;
}

static int dup_to(const char *s, char **ret)
{
	return str_printf(ret, "%s", s);
}

/* Fill in all but the vmlinux of a bzImage. @path is absolute. */
static int describe_file(const char *path, const char *name, struct kernel_image *ret)
{
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	char release[KERNEL_RELEASE_BYTES];
	bool is_elf = false;
	int r = find_file(path, release, &is_elf);

	if (!r)
		r = dup_to(path, is_elf ? &k.vmlinux : &k.bzimage);
	if (!r)
		r = dup_to(name, &k.name);
	if (!r)
		r = dup_to(release, &k.release);
	if (!r)
		r = find_modules(path, release, &k.modules_dir);
	if (r < 0)
		return err_trace(r);
	*ret = k;
	k = KERNEL_IMAGE_NULL;
	return 0;
}

int find_in_tree(const char *tree, const struct package *p, struct kernel_image *ret)
{
	const char *release = package_release(p->name);
	cleanup(freep) char *path = NULL;
	struct stat st;
	int r = str_printf(&path, "%s/boot/vmlinuz-%s", tree, release);

	if (r < 0)
		return r;
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(-EBADMSG, "package %s: no kernel boot/vmlinuz-%s in it", p->name,
			       release);
	r = describe_file(path, release, ret);
	if (!r)
		r = str_printf(&ret->package, "%s_%s", p->name, p->version);
	return r < 0 ? err_trace(r) : 0;
}

static int with_vmlinux(struct cache *c, const struct kernel_progress *progress,
			struct kernel_image *k)
{
	return k->vmlinux ? 0 : vmlinux_get(c, k->bzimage, progress, &k->vmlinux);
}

int find_package_dir(const struct cache *c, const struct package *p, char **ret)
{
	return str_printf(ret, "%s/packages/%s_%s_amd64", c->dir, p->name, p->version);
}

int find_cached(struct cache *c, const char *spec, enum kernel_flavour flavour,
		const struct kernel_progress *progress, struct kernel_image *ret)
{
	cleanup(packages_deinit) struct packages cached = PACKAGES_NULL;
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(freep) char *tree = NULL;
	const struct package *p;
	int r = packages_cached(c, &cached);

	if (r < 0)
		return err_trace(r);
	p = packages_match(&cached, spec, flavour);
	if (!p)
		return FIND_ABSENT;
	r = find_package_dir(c, p, &tree);
	if (!r)
		r = find_in_tree(tree, p, &k);
	if (!r)
		r = with_vmlinux(c, progress, &k);
	if (r < 0)
		return err_trace(r);
	*ret = k;
	k = KERNEL_IMAGE_NULL;
	return 0;
}

int find_host(struct kernel_image *ret)
{
	struct utsname u;
	char path[2][PATH_MAX];

	uname(&u);
	snprintf(path[0], PATH_MAX, "/boot/vmlinuz-%s", u.release);
	snprintf(path[1], PATH_MAX, "/lib/modules/%s/vmlinuz", u.release);
	for (size_t i = 0; i < ARRAY_SIZE(path); i++) {
		if (access(path[i], F_OK))
			continue;
		if (access(path[i], R_OK))
			return err_new(-errno,
				       "kernel %s: %s (make it readable for you, or use another "
				       "kernel: ktstr kernel fetch)",
				       path[i], strerror(errno));
		return describe_file(path[i], "host", ret);
	}
	return err_new(
		-ENOENT,
		"the host's kernel %s is in neither %s nor %s (get another one: ktstr kernel "
		"fetch)",
		u.release, path[0], path[1]);
}

/* A kernel tree stands for what was built in it. */
static int describe_dir(const char *dir, const char *name, struct kernel_image *ret)
{
	static const char *const built[] = { "arch/x86/boot/bzImage", "vmlinux" };

	for (size_t i = 0; i < ARRAY_SIZE(built); i++) {
		cleanup(freep) char *path = NULL;
		int r = str_printf(&path, "%s/%s", dir, built[i]);

		if (r < 0 || !access(path, F_OK))
			return r < 0 ? r : describe_file(path, name, ret);
	}
	return err_new(-ENOENT, "kernel %s: a directory without %s and without %s", name, built[0],
		       built[1]);
}

static int describe_path(const char *spec, struct kernel_image *ret)
{
	cleanup(freep) char *real = realpath(spec, NULL);

	if (!real)
		return err_new(-errno,
			       "kernel %s: %s (a VERSION of `ktstr kernel list`, a PATH, or host)",
			       spec, strerror(errno));
	return is_dir(real) ? describe_dir(real, spec, ret) : describe_file(real, real, ret);
}

static int absent(const char *spec, enum kernel_flavour flavour)
{
	if (!spec)
		return err_new(-ENOENT,
			       "no 6.12 %s kernel in the cache (get one: ktstr kernel fetch%s)",
			       flavour == KERNEL_CLOUD ? "cloud" : "generic",
			       flavour == KERNEL_CLOUD ? "" : " --generic");
	return err_new(
		-ENOENT,
		"no kernel %s in the cache (see: ktstr kernel list; get it: ktstr kernel fetch "
		"%s)",
		spec, spec);
}

static bool is_version(const char *spec)
{
	return isdigit((unsigned char)spec[0]) && !strchr(spec, '/') && access(spec, F_OK);
}

int kernel_find(const char *spec, enum kernel_flavour flavour,
		const struct kernel_progress *progress, struct kernel_image *ret)
{
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(cache_close) struct cache c = CACHE_NULL;
	int r = cache_open(&c);

	if (r < 0)
		return err_trace(r);
	if (!spec || is_version(spec)) {
		r = find_cached(&c, spec, flavour, progress, ret);
		if (r == -EBADMSG)
			return err_prefix(r, "damaged in the cache (get it again: ktstr kernel "
					     "fetch): ");
		return r == FIND_ABSENT ? absent(spec, flavour) : r;
	}
	r = strcmp(spec, "host") ? describe_path(spec, &k) : find_host(&k);
	if (!r)
		r = with_vmlinux(&c, progress, &k);
	if (r < 0)
		return err_trace(r);
	*ret = k;
	k = KERNEL_IMAGE_NULL;
	return 0;
}
