// SPDX-License-Identifier: GPL-2.0-only
/* Names come from the index of the modules directory, dependencies from each module's .modinfo section,
 * which the kernel's build wrote ("depends=a,b", "softdep=pre: c"). So a package works as it is unpacked:
 * only modules.dep would need depmod.
 *
 *   modules.dep      "kernel/fs/9p/9p.ko.xz: ..."   what depmod made, if it ran: names the files as they are
 *   modules.order    "kernel/fs/9p/9p.ko"           in every package: names before compression
 *                    "fs/9p/9p.o"                   the same in a build tree: the module is 9p.ko
 *   modules.builtin  the form of modules.order      what need not be loaded
 *
 * Source: Linux, Documentation/kbuild/kbuild.rst; depmod(8), modules.dep(5). */
#include "image/modules.h"

#include "base/str.h"
#include "base/util.h"
#include "image/decompress.h"
#include "image/elf_file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, NAME_BYTES = 64 };
static const size_t index_max = 64 * MIB;
static const size_t module_file_max = 256 * MIB;
static const size_t module_max = 512 * MIB;

/* State of one modules_closure(). */
struct modules {
	const char *dir;
	struct buf index;   /* modules.dep or modules.order */
	struct buf builtin; /* modules.builtin */
	struct module_list list;
};

static void modules_deinit(struct modules *m)
{
	buf_deinit(&m->index);
	buf_deinit(&m->builtin);
	module_list_deinit(&m->list);
}

void module_list_deinit(struct module_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->all[i].name);
		free(list->all[i].path);
		buf_deinit(&list->all[i].bytes);
	}
	free(list->all);
	*list = MODULE_LIST_NULL;
}

/* The name in the form the kernel uses: up to the first dot of the last component, with underscores. False
 * if it does not fit. */
static bool name_of(const char *path, size_t len, char ret[NAME_BYTES])
{
	const char *slash = memrchr(path, '/', len);
	const char *start = slash ? slash + 1 : path;
	size_t n = 0, left = len - (size_t)(start - path);

	for (; n < left && start[n] != '.'; n++) {
		if (n == NAME_BYTES - 1)
			return false;
		ret[n] = start[n] == '-' ? '_' : start[n];
	}
	ret[n] = '\0';
	return n > 0;
}

/* The path in the index whose module is called @name: the line's text up to a colon. */
static bool find_line(const struct buf *index, const char *name, const char **path_ret,
		      size_t *len_ret)
{
	const char *line = buf_text(index);
	char have[NAME_BYTES];

	while (*line) {
		size_t line_len = strcspn(line, "\n"), len = strcspn(line, ":\n");

		if (name_of(line, len, have) && !strcmp(have, name)) {
			*path_ret = line;
			*len_ret = len;
			return true;
		}
		line += line_len + (line[line_len] == '\n');
	}
	return false;
}

static bool is_builtin(const struct modules *m, const char *name)
{
	const char *path;
	size_t len;

	return find_line(&m->builtin, name, &path, &len);
}

/* An index that names no compression is tried with all; one that names the object file has the module
 * beside it. */
static int find_path(const struct modules *m, const char *name, char **ret)
{
	static const char *const suffixes[] = { "", ".xz", ".zst", ".gz" };
	const char *path, *stem_end = "";
	size_t len;

	if (!find_line(&m->index, name, &path, &len))
		return err_new(-ENOENT, "module %s is neither in %s nor built in", name, m->dir);
	if (len > 2 && !memcmp(path + len - 2, ".o", 2)) {
		len -= 2;
		stem_end = ".ko";
	}
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		cleanup(freep) char *full = NULL;
		int r = str_printf(&full, "%s/%.*s%s%s", m->dir, (int)len, path, stem_end,
				   suffixes[i]);

		if (r < 0)
			return r;
		if (access(full, F_OK))
			continue;
		*ret = steal_ptr(&full);
		return 0;
	}
	return err_new(-ENOENT, "module %s: %s/%.*s does not exist", name, m->dir, (int)len, path);
}

int modules_read(const char *path, struct buf *ret)
{
	cleanup(buf_deinit) struct buf bytes = BUF_NULL;
	int r = buf_read_file(&bytes, path, module_file_max);

	if (r < 0)
		return err_trace(r);
	if (bytes.len >= 4 && !memcmp(bytes.data,
				      "\x7f"
				      "ELF",
				      4)) {
		buf_add(ret, bytes.data, bytes.len);
		return buf_ok(ret);
	}
	r = decompress(bytes.data, bytes.len, module_max, path, ret);
	return r < 0 ? err_trace(r) : 0;
}

static bool is_listed(const struct modules *m, const char *name)
{
	for (size_t i = 0; i < m->list.count; i++)
		if (!strcmp(m->list.all[i].name, name))
			return true;
	return false;
}

/* Take over @pathp and the memory of @bytes. */
static int append(struct modules *m, const char *name, char **pathp, struct buf *bytes)
{
	struct module_file *all = reallocarray(m->list.all, m->list.count + 1, sizeof(*all));
	char *copy = strdup(name);

	if (all)
		m->list.all = all;
	if (!all || !copy) {
		free(copy);
		return err_new(-ENOMEM, "out of memory for a list of modules");
	}
	m->list.all[m->list.count++] = (struct module_file){ copy, steal_ptr(pathp), *bytes };
	*bytes = BUF_NULL;
	return 0;
}

/* The modules whose dependencies are being added, innermost first: soft dependencies may be mutual. */
struct visit {
	const char *name;
	unsigned depth;
	const struct visit *outer;
};

static bool is_visited(const struct visit *v, const char *name)
{
	for (; v; v = v->outer)
		if (!strcmp(v->name, name))
			return true;
	return false;
}

static int add(struct modules *m, const char *name, const struct visit *outer);

/* The modules of @names, separated by any of @separators. A soft dependency (@is_soft) may be missing. */
static int add_all(struct modules *m, const char *names, const char *separators, bool is_soft,
		   const struct visit *v)
{
	char name[NAME_BYTES];

	while (*(names += strspn(names, separators))) {
		size_t len = strcspn(names, separators);
		int r = 0;

		if (is_soft && len && names[len - 1] == ':') {
			if (strncmp(names, "pre:", len))
				return 0;
		} else if (name_of(names, len, name)) {
			r = add(m, name, v);
		}
		if (r == -ENOENT && is_soft)
			err_clear();
		else if (r < 0)
			return r;
		names += len;
	}
	return 0;
}

/* .modinfo is a row of "key=value" strings, each with a NUL. */
static int add_dependencies(struct modules *m, const char *path, const struct span *info,
			    const struct visit *v)
{
	for (size_t at = 0; at < info->len;) {
		const char *s = elf_string(info, at);
		int r = 0;

		if (!s)
			return err_new(-EBADMSG, "%s: damaged module information", path);
		if (str_starts_with(s, "depends="))
			r = add_all(m, s + 8, ",", false, v);
		else if (str_starts_with(s, "softdep="))
			r = add_all(m, s + 8, " ", true, v);
		if (r < 0)
			return r;
		at += strlen(s) + 1;
	}
	return 0;
}

static int add_dependencies_of(struct modules *m, const char *path, const struct buf *bytes,
			       const struct visit *v)
{
	struct span info;
	struct elf e;
	int r = elf_open(bytes->data, bytes->len, path, &e);

	if (r == ELF_OTHER || (!r && !elf_section(&e, ".modinfo", &info)))
		return err_new(-EBADMSG, "%s: not a kernel module", path);
	return r < 0 ? err_trace(r) : add_dependencies(m, path, &info, v);
}

/* Depth first: what a module needs is in the list before it. */
static int add(struct modules *m, const char *name, const struct visit *outer)
{
	struct visit v = { name, outer ? outer->depth + 1 : 0, outer };
	cleanup(buf_deinit) struct buf bytes = BUF_NULL;
	cleanup(freep) char *path = NULL;
	int r;

	if (is_listed(m, name) || is_builtin(m, name) || is_visited(outer, name))
		return 0;
	if (v.depth == DEPTH_MAX)
		return err_new(-EBADMSG, "module %s: dependencies deeper than %d", name, DEPTH_MAX);
	r = find_path(m, name, &path);
	if (!r)
		r = modules_read(path, &bytes);
	if (!r)
		r = add_dependencies_of(m, path, &bytes, &v);
	return r < 0 ? r : append(m, name, &path, &bytes);
}

/* @name of the modules directory; a file that does not exist is empty. */
static int read_index(const char *dir, const char *name, struct buf *ret)
{
	cleanup(freep) char *path = NULL;
	int r = str_printf(&path, "%s/%s", dir, name);

	if (!r)
		r = buf_read_file(ret, path, index_max);
	if (r == -ENOENT) {
		err_clear();
		return 0;
	}
	return r < 0 ? err_trace(r) : 0;
}

static int open_modules(const char *dir, struct modules *m)
{
	int r = read_index(dir, "modules.builtin", &m->builtin);

	m->dir = dir;
	if (!r)
		r = read_index(dir, "modules.dep", &m->index);
	if (!r && !m->index.len)
		r = read_index(dir, "modules.order", &m->index);
	if (!r && !m->index.len && !m->builtin.len)
		r = err_new(
			-ENOENT,
			"%s is no modules directory: it has neither modules.dep nor modules.order",
			dir);
	return r;
}

int modules_closure(const char *modules_dir, const char *const *names, size_t count,
		    struct module_list *ret)
{
	cleanup(modules_deinit) struct modules m = { 0 };
	int r = 0;

	if (modules_dir)
		r = open_modules(modules_dir, &m);
	for (size_t i = 0; modules_dir && !r && i < count; i++) {
		char name[NAME_BYTES];

		if (name_of(names[i], strlen(names[i]), name))
			r = add(&m, name, NULL);
		else
			r = err_new(-EINVAL, "\"%s\" is no name of a module", names[i]);
	}
	if (r < 0)
		return err_trace(r);
	*ret = m.list;
	m.list = MODULE_LIST_NULL;
	return 0;
}
