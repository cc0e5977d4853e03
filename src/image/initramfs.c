// SPDX-License-Identifier: GPL-2.0-only
/* Entries are collected first, in the order in which callers think of them, and written in the
 * order of their names: parents come before children, and the same content gives the same archive.
 *
 *   header: "070701" and 13 fields of 8 hex digits | name NUL, padded to 4 | data, padded to 4 |
 * ... | entry TRAILER!!!  | zeros to 512
 *
 * Adding a name again is answered by looking it up in the list of names, which is kept sorted. */
#include "image/initramfs.h"

#include "base/str.h"
#include "base/util.h"
#include "image/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	CPIO_FIELDS = 13,
	CPIO_ALIGN = 4,
	CPIO_BLOCK = 512,
	DIR_MODE = 0755,
};

enum entry_kind { ENTRY_DIR, ENTRY_DATA, ENTRY_LINK, ENTRY_FILE };

struct entry {
	char *name; /* absolute */
	enum entry_kind kind;
	mode_t mode;	 /* with the type */
	bool is_implied; /* a directory that nobody asked for by name */
	struct buf data; /* bytes, link target or host path */
};

struct initramfs {
	struct entry **entries; /* sorted by name */
	size_t count;
	size_t cap;
};

int initramfs_new(struct initramfs **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : err_new(-ENOMEM, "out of memory for an initramfs");
}

static void entry_freep(struct entry **ep)
{
	if (!*ep)
		return;
	free((*ep)->name);
	buf_deinit(&(*ep)->data);
	free(*ep);
}

struct initramfs *initramfs_free(struct initramfs *fs)
{
	for (size_t i = 0; fs && i < fs->count; i++)
		entry_freep(&fs->entries[i]);
	if (fs)
		free(fs->entries);
	free(fs);
	return NULL;
}

void initramfs_freep(struct initramfs **fs)
{
	*fs = initramfs_free(*fs);
}

/* Where @name is, or would be put. */
static size_t position_of(const struct initramfs *fs, const char *name, bool *is_there)
{
	size_t low = 0, high = fs->count;

	*is_there = false;
	while (low < high && !*is_there) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(fs->entries[middle]->name, name);

		*is_there = !order;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

static int make_room(struct initramfs *fs)
{
	size_t cap = fs->cap ? fs->cap * 2 : 64;
	struct entry **entries;

	if (fs->count < fs->cap)
		return 0;
	entries = reallocarray(fs->entries, cap, sizeof(*entries));
	if (!entries)
		return err_new(-ENOMEM, "out of memory for an initramfs");
	fs->entries = entries;
	fs->cap = cap;
	return 0;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->kind == b->kind && a->mode == b->mode && a->data.len == b->data.len &&
	       (!a->data.len || !memcmp(a->data.data, b->data.data, a->data.len));
}

/* Both are called @e->name: fine if they are directories (the explicit mode wins) or the same. */
static int merge(struct entry *old, const struct entry *e)
{
	if (old->kind == ENTRY_DIR && e->kind == ENTRY_DIR) {
		if (old->is_implied && !e->is_implied) {
			old->mode = e->mode;
			old->is_implied = false;
		}
		return 0;
	}
	return is_same(old, e)
		       ? 0
		       : err_new(-EEXIST, "initramfs: %s would be two different things", e->name);
}

/* Take over @ep. Its parents are there. */
static int insert(struct initramfs *fs, struct entry **ep)
{
	bool is_there;
	size_t at = position_of(fs, (*ep)->name, &is_there);
	int r;

	if (is_there)
		return merge(fs->entries[at], *ep);
	r = make_room(fs);
	if (r < 0)
		return r;
	memmove(fs->entries + at + 1, fs->entries + at, (fs->count - at) * sizeof(*fs->entries));
	fs->entries[at] = steal_ptr(ep);
	fs->count++;
	return 0;
}

static int entry_new(const char *name, enum entry_kind kind, mode_t mode, const void *data,
		     size_t len, struct entry **ret)
{
	cleanup(entry_freep) struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return err_new(-ENOMEM, "out of memory for an initramfs");
	e->kind = kind;
	e->mode = mode;
	e->name = strdup(name);
	if (!e->name)
		return err_new(-ENOMEM, "out of memory for an initramfs");
	buf_add(&e->data, data, len);
	*ret = steal_ptr(&e);
	return buf_ok(&(*ret)->data);
}

static int add_parents(struct initramfs *fs, const char *name)
{
	for (const char *p = name + 1; (p = strchr(p, '/')); p++) {
		cleanup(entry_freep) struct entry *e = NULL;
		char dir[PATH_MAX];
		int r;

		snprintf(dir, sizeof(dir), "%.*s", (int)(p - name), name);
		r = entry_new(dir, ENTRY_DIR, S_IFDIR | DIR_MODE, NULL, 0, &e);
		if (r < 0)
			return r;
		e->is_implied = true;
		r = insert(fs, &e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Guest paths come from us and from the user's host paths, in normal form. */
static int check_name(const char *name)
{
	char normal[PATH_MAX];

	if (!path_normalise(name, normal) || strcmp(name, normal) || !name[1])
		return err_new(-EINVAL, "initramfs: \"%s\" is not an absolute path in normal form",
			       name);
	return 0;
}

static int add(struct initramfs *fs, const char *name, enum entry_kind kind, mode_t mode,
	       const void *data, size_t len)
{
	cleanup(entry_freep) struct entry *e = NULL;
	int r = check_name(name);

	if (!r)
		r = add_parents(fs, name);
	if (!r)
		r = entry_new(name, kind, mode, data, len, &e);
	if (!r)
		r = insert(fs, &e);
	return r < 0 ? err_trace(r) : 0;
}

int initramfs_add_dir(struct initramfs *fs, const char *dst, mode_t mode)
{
	return add(fs, dst, ENTRY_DIR, S_IFDIR | (mode & 07777), NULL, 0);
}

int initramfs_add_data(struct initramfs *fs, const char *dst, const void *data, size_t len,
		       mode_t mode)
{
	if (len > UINT32_MAX)
		return err_new(-EFBIG, "initramfs: %s is 4 GiB or larger", dst);
	return add(fs, dst, ENTRY_DATA, S_IFREG | (mode & 07777), data, len);
}

int initramfs_add_symlink(struct initramfs *fs, const char *dst, const char *target)
{
	return add(fs, dst, ENTRY_LINK, S_IFLNK | 0777, target, strlen(target));
}

int initramfs_add_host_file(struct initramfs *fs, const char *dst, const char *src, mode_t mode)
{
	struct stat st;

	if (stat(src, &st) < 0)
		return err_new(-errno, "%s: %s", src, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_new(-EINVAL, "%s: not a regular file", src);
	if ((uint64_t)st.st_size > UINT32_MAX)
		return err_new(-EFBIG, "%s: 4 GiB or larger, which an initramfs cannot hold", src);
	if (!mode)
		mode = st.st_mode;
	return add(fs, dst, ENTRY_FILE, S_IFREG | (mode & 07777), src, strlen(src));
}

bool initramfs_has(const struct initramfs *fs, const char *dst)
{
	bool is_there;

	position_of(fs, dst, &is_there);
	return is_there;
}

bool initramfs_is_below_link(const struct initramfs *fs, const char *dst)
{
	char dir[PATH_MAX];

	for (const char *p = dst + 1; (p = strchr(p, '/')); p++) {
		bool is_there;
		size_t at;

		snprintf(dir, sizeof(dir), "%.*s", (int)(p - dst), dst);
		at = position_of(fs, dir, &is_there);
		if (is_there && fs->entries[at]->kind == ENTRY_LINK)
			return true;
	}
	return false;
}

struct cpio_fields {
	uint32_t inode, mode, links, file_bytes, name_bytes;
};

static void write_header(struct buf *out, const struct cpio_fields *f)
{
	const uint32_t fields[CPIO_FIELDS] = {
		[0] = f->inode,	     [1] = f->mode,	   [4] = f->links,
		[6] = f->file_bytes, [11] = f->name_bytes,
	};

	buf_str(out, "070701");
	for (int i = 0; i < CPIO_FIELDS; i++)
		buf_printf(out, "%08x", fields[i]);
}

static void pad(struct buf *out, size_t start, size_t to)
{
	buf_zeros(out, (size_t)align_up(out->len - start, to) - (out->len - start));
}

/* Exactly @len bytes of the host file: it was measured, and the header says so already. */
static int read_exactly(int fd, const char *path, uint64_t len, struct buf *out)
{
	char *p = buf_space(out, (size_t)len);

	if (!p)
		return buf_ok(out);
	while (len) {
		ssize_t n = read(fd, p, (size_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(-errno, "read %s: %s", path, strerror(errno));
		if (!n)
			return err_new(-EIO, "%s: became shorter while it was read", path);
		p += n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* The file of an ENTRY_FILE, opened; its size now. */
static int open_source(const char *path, uint64_t *bytes_ret, int *fd_ret)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > UINT32_MAX)
		return err_new(-EFBIG, "%s: not a regular file below 4 GiB any more", path);
	*bytes_ret = (uint64_t)st.st_size;
	*fd_ret = steal_fd(&fd);
	return 0;
}

static void write_name(struct buf *out, size_t start, struct cpio_fields *f, const char *name)
{
	f->name_bytes = (uint32_t)strlen(name) + 1;
	write_header(out, f);
	buf_add(out, name, f->name_bytes);
	pad(out, start, CPIO_ALIGN);
}

static int write_entry(struct buf *out, size_t start, uint32_t inode, const struct entry *e)
{
	struct cpio_fields f = { .inode = inode, .mode = e->mode, .links = 1 };
	cleanup(fd_closep) int fd = -1;
	uint64_t bytes = e->data.len;
	int r = 0;

	if (e->kind == ENTRY_DIR)
		f.links = 2;
	if (e->kind == ENTRY_FILE)
		r = open_source(buf_text(&e->data), &bytes, &fd);
	if (r < 0)
		return r;
	f.file_bytes = (uint32_t)bytes;
	write_name(out, start, &f, e->name + 1);
	if (fd >= 0)
		r = read_exactly(fd, buf_text(&e->data), bytes, out);
	else
		buf_add(out, buf_text(&e->data), e->data.len);
	pad(out, start, CPIO_ALIGN);
	return r;
}

int initramfs_finish(struct initramfs *fs, struct buf *ret)
{
	struct cpio_fields trailer = { .links = 1 };
	size_t start = ret->len;

	for (size_t i = 0; i < fs->count; i++) {
		int r = write_entry(ret, start, (uint32_t)i + 1, fs->entries[i]);

		if (r < 0)
			return err_trace(r);
	}
	write_name(ret, start, &trailer, "TRAILER!!!");
	pad(ret, start, CPIO_BLOCK);
	return buf_ok(ret);
}
