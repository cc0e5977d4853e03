// SPDX-License-Identifier: GPL-2.0-only
/* A work list of files: each is read once, what it names is looked up and appended, until the
 * list's end is reached (breadth first, as ld.so loads). Whoever brought an object in is its
 * parent, because DT_RPATH is inherited along that line.
 *
 * Lookup order, ld.so(8): an object of that name that is already there; DT_RPATH of the object and
 * of its parents (unless the object has a DT_RUNPATH); DT_RUNPATH; the directories of ld.so.conf
 * (the text that the binary ld.so.cache is made from); the default directories. */
#include "image/closure.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/util.h"
#include "image/dynamic.h"
#include "image/path.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OBJECTS_MAX = 4096, CONF_DEPTH_MAX = 8, NO_PARENT = -1 };
static const size_t conf_max = MIB;

static const char default_dirs[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:"
				   "/usr/lib64:/lib:/usr/lib";
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct object {
	char *path;
	char *rpath; /* DT_RPATH; NULL also if there is a DT_RUNPATH, which disables it */
	char *runpath;
	int parent;
};

/* State of one closure_find(). */
struct search {
	const char *root;
	struct object objects[OBJECTS_MAX];
	int count;
	struct buf conf_dirs; /* "/a:/b" */
};

static void search_freep(struct search **sp)
{
	struct search *s = *sp;

	if (!s)
		return;
	for (int i = 0; i < s->count; i++) {
		free(s->objects[i].path);
		free(s->objects[i].rpath);
		free(s->objects[i].runpath);
	}
	buf_deinit(&s->conf_dirs);
	free(s);
}

void closure_deinit(struct closure *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->paths[i]);
	free(c->paths);
	*c = CLOSURE_NULL;
}

static int add_object(struct search *s, const char *path, int parent)
{
	struct object *o = &s->objects[s->count];

	for (int i = 0; i < s->count; i++)
		if (!strcmp(s->objects[i].path, path))
			return 0;
	if (s->count == OBJECTS_MAX)
		return err_new(-E2BIG, "%s needs more than %d files", s->objects[0].path,
			       OBJECTS_MAX);
	*o = (struct object){ .path = strdup(path), .parent = parent };
	if (!o->path)
		return err_new(-ENOMEM, "out of memory for %s", path);
	s->count++;
	return 0;
}

static bool host_path(const struct search *s, const char *path, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s%s", s->root, path) < PATH_MAX;
}

/* What the dynamic loader would take: a regular file that is x86-64 ELF. Others are passed over. */
static bool is_library(const struct search *s, const char *path)
{
	cleanup(fd_closep) int fd = -1;
	char full[PATH_MAX];
	Elf64_Ehdr h;
	struct stat st;

	if (!host_path(s, path, full) || stat(full, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &h, sizeof(h)) == sizeof(h) &&
	       !memcmp(h.e_ident, ELFMAG, SELFMAG) && h.e_ident[EI_CLASS] == ELFCLASS64 &&
	       h.e_machine == EM_X86_64;
}

static bool is_program(const struct search *s, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return host_path(s, path, full) && !stat(full, &st) && S_ISREG(st.st_mode);
}

/* The directory that $ORIGIN stands for: of the program, after symbolic links, because the kernel
 * resolves them before ld.so asks; of a library, as it was found. */
static void origin_of(const struct search *s, int index, char ret[PATH_MAX])
{
	char full[PATH_MAX];
	const char *path = s->objects[index].path;
	cleanup(freep) char *real = NULL;

	if (s->objects[index].parent == NO_PARENT && host_path(s, path, full)) {
		real = realpath(full, NULL);
		if (real && str_starts_with(real, s->root))
			path = real + strlen(s->root);
	}
	snprintf(ret, PATH_MAX, "%.*s", (int)(strrchr(path, '/') - path), path);
}

/* Replace $ORIGIN and ${ORIGIN} in @entry. False if it does not fit, or holds other variables:
 * those name directories by CPU, which the default directories cover. */
static bool expand(const struct search *s, int index, const char *entry, char ret[PATH_MAX])
{
	static const char *const forms[] = { "${ORIGIN}", "$ORIGIN" };
	char origin[PATH_MAX];
	size_t used = 0;

	origin_of(s, index, origin);
	while (*entry) {
		const char *piece = entry;
		size_t len = strcspn(entry, "$"), skip = len;

		for (size_t i = 0; !len && !skip && i < ARRAY_SIZE(forms); i++)
			if (str_starts_with(entry, forms[i]))
				skip = strlen(forms[i]);
		if (!skip)
			return false;
		if (!len) {
			piece = origin;
			len = strlen(origin);
		}
		if (used + len >= PATH_MAX)
			return false;
		memcpy(ret + used, piece, len);
		used += len;
		entry += skip;
	}
	ret[used] = '\0';
	return used > 0;
}

typedef bool accept_fn(const struct search *s, const char *path);

/* Look for @name in the directories of the list @dirs ("/a:/b"), which belongs to object @index.
 * Relative entries are refused: they would depend on where the program is started. */
static bool find_in(const struct search *s, const char *dirs, int index, const char *name,
		    accept_fn *accept, char ret[PATH_MAX])
{
	char entry[PATH_MAX], dir[PATH_MAX], path[PATH_MAX];

	for (; dirs && *dirs; dirs += strcspn(dirs, ":"), dirs += *dirs == ':') {
		size_t len = strcspn(dirs, ":");

		if (!len || len >= sizeof(entry))
			continue;
		memcpy(entry, dirs, len);
		entry[len] = '\0';
		if (!expand(s, index, entry, dir) || dir[0] != '/' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
		    !path_normalise(path, ret))
			continue;
		if (accept(s, ret))
			return true;
	}
	return false;
}

static bool is_there(const struct search *s, const char *name)
{
	for (int i = 0; i < s->count; i++)
		if (!strcmp(strrchr(s->objects[i].path, '/') + 1, name))
			return true;
	return false;
}

static bool find_library(const struct search *s, int index, const char *name, char ret[PATH_MAX])
{
	const struct object *o = &s->objects[index];

	if (strchr(name, '/'))
		return name[0] == '/' && path_normalise(name, ret) && is_library(s, ret);
	for (int i = index; !o->runpath && i != NO_PARENT; i = s->objects[i].parent)
		if (find_in(s, s->objects[i].rpath, i, name, is_library, ret))
			return true;
	return find_in(s, o->runpath, index, name, is_library, ret) ||
	       find_in(s, buf_text(&s->conf_dirs), index, name, is_library, ret) ||
	       find_in(s, default_dirs, index, name, is_library, ret);
}

static int read_conf(struct search *s, const char *path, unsigned depth);

static int include_conf(struct search *s, const char *pattern, unsigned depth)
{
	char full[PATH_MAX];
	glob_t found;
	int r = 0;

	if (depth == CONF_DEPTH_MAX || pattern[0] != '/' || !host_path(s, pattern, full))
		return 0;
	if (glob(full, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && !r; i++)
		r = read_conf(s, found.gl_pathv[i], depth + 1);
	globfree(&found);
	return r;
}

/* ldconfig(8): a directory in each line, "include PATTERN", comments. A file that cannot be read is
 * passed over, as by ldconfig. */
static int read_conf(struct search *s, const char *path, unsigned depth)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char *line, *rest;

	if (buf_read_file(&text, path, conf_max) < 0) {
		err_clear();
		return 0;
	}
	for (rest = text.data; rest && (line = strsep(&rest, "\n"));) {
		int r = 0;

		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t");
		if (str_starts_with(line, "include") && strspn(line + 7, " \t"))
			r = include_conf(s, line + 7 + strspn(line + 7, " \t"), depth);
		else if (line[0] == '/')
			buf_printf(&s->conf_dirs, "%.*s:", (int)strcspn(line, " \t:=,"), line);
		if (r < 0)
			return r;
	}
	return buf_ok(&s->conf_dirs);
}

static int add_needed(struct search *s, int index, const char *name)
{
	char path[PATH_MAX];

	if (is_there(s, name))
		return 0;
	if (!find_library(s, index, name, path))
		return err_new(-ENOENT, "%s needs the library %s, which is not to be found",
			       s->objects[index].path, name);
	return add_object(s, path, index);
}

static int keep_paths(struct search *s, int index, const struct dynamic *d)
{
	struct object *o = &s->objects[index];

	if (d->rpath && !d->runpath)
		o->rpath = strdup(d->rpath);
	if (d->runpath)
		o->runpath = strdup(d->runpath);
	return (d->rpath && !d->runpath && !o->rpath) || (d->runpath && !o->runpath)
		       ? err_new(-ENOMEM, "out of memory for the paths of %s", o->path)
		       : 0;
}

static int add_interpreter(struct search *s, int index, const char *interpreter)
{
	char path[PATH_MAX];

	if (!path_normalise(interpreter, path) || !is_program(s, path))
		return err_new(-ENOENT, "%s needs %s, which does not exist", s->objects[index].path,
			       interpreter);
	return add_object(s, path, NO_PARENT);
}

static int take_script(struct search *s, int index, const struct script *script)
{
	char path[PATH_MAX];
	int r = add_interpreter(s, index, script->interpreter);

	if (r < 0 || !script->env_program[0])
		return r;
	if (script->env_program[0] == '/')
		return add_interpreter(s, index, script->env_program);
	if (!find_in(s, default_path, index, script->env_program, is_program, path))
		return err_new(-ENOENT, "%s needs %s, which is not to be found in %s",
			       s->objects[index].path, script->env_program, default_path);
	return add_object(s, path, NO_PARENT);
}

static int take_elf(struct search *s, int index, const struct dynamic *d)
{
	int r = keep_paths(s, index, d);

	if (!r && d->interpreter)
		r = add_interpreter(s, index, d->interpreter);
	for (unsigned i = 0; !r && i < d->needed_count; i++)
		r = add_needed(s, index, d->needed[i]);
	return r;
}

static int open_object(const char *path, int *fd_ret, size_t *bytes_ret)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_new(-errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_new(-EINVAL, "%s: not a regular file", path);
	*bytes_ret = (size_t)st.st_size;
	*fd_ret = steal_fd(&fd);
	return 0;
}

/* No ELF file: a script, or something that needs nothing. */
static int take_other(struct search *s, int index, int fd)
{
	char line[SCRIPT_LINE_BYTES];
	struct script script;
	ssize_t n = pread(fd, line, sizeof(line), 0);

	if (n < 0)
		return err_new(-errno, "%s: %s", s->objects[index].path, strerror(errno));
	return script_parse(line, (size_t)n, &script) ? 0 : take_script(s, index, &script);
}

static int take_object(struct search *s, int index)
{
	cleanup(elf_close) struct elf e = ELF_NULL;
	cleanup(fd_closep) int fd = -1;
	const char *name = s->objects[index].path;
	char full[PATH_MAX];
	struct dynamic d;
	size_t bytes = 0;
	int r;

	if (!host_path(s, name, full))
		return err_new(-ENAMETOOLONG, "%s: the path is too long", name);
	r = open_object(full, &fd, &bytes);
	if (!r)
		r = elf_open_fd(fd, bytes, name, &e);
	if (r == ELF_OTHER)
		return take_other(s, index, fd);
	if (!r)
		r = dynamic_parse(&e, &d);
	return r < 0 ? err_trace(r) : take_elf(s, index, &d);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Objects 1.. become the result; 0 is the program itself. */
static int results_of(struct search *s, struct closure *ret)
{
	struct closure c = { calloc((size_t)s->count, sizeof(*c.paths)), 0 };

	if (!c.paths)
		return err_new(-ENOMEM, "out of memory for a list of files");
	for (int i = 1; i < s->count; i++)
		c.paths[c.count++] = steal_ptr(&s->objects[i].path);
	qsort(c.paths, c.count, sizeof(*c.paths), compare_paths);
	*ret = c;
	return 0;
}

int closure_find(const char *root, const char *program, struct closure *ret)
{
	cleanup(search_freep) struct search *s = calloc(1, sizeof(*s));
	char conf[PATH_MAX], path[PATH_MAX];
	int r;

	if (!s)
		return err_new(-ENOMEM, "out of memory for a list of files");
	s->root = root;
	if (program[0] != '/' || !path_normalise(program, path))
		return err_new(-EINVAL, "%s: not an absolute path", program);
	r = add_object(s, path, NO_PARENT);
	if (!r && host_path(s, "/etc/ld.so.conf", conf))
		r = read_conf(s, conf, 0);
	for (int i = 0; !r && i < s->count; i++)
		r = take_object(s, i);
	return r < 0 ? err_trace(r) : results_of(s, ret);
}
