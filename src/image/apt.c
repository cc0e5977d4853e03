// SPDX-License-Identifier: GPL-2.0-only
/* apt-cache and apt-get as children. Source: apt-cache(8), apt-get(8), apt.conf(5), deb-control(5). */
#include "image/apt.h"

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 4096 };

/* apt's programs with the options that point it at our lists. */
struct apt {
	const char *args[ARGS_MAX + 1];
	size_t count;
	char *lists_option;
	char *cache_option;
};

static void apt_freep(struct apt **ap)
{
	if (!*ap)
		return;
	free((*ap)->lists_option);
	free((*ap)->cache_option);
	free(*ap);
}

void apt_package_deinit(struct apt_package *p)
{
	package_deinit(&p->package);
	*p = APT_PACKAGE_NULL;
}

static void add_arg(struct apt *a, const char *arg)
{
	if (a->count < ARGS_MAX)
		a->args[a->count++] = arg;
}

static void add_option(struct apt *a, const char *option)
{
	add_arg(a, "-o");
	add_arg(a, option);
}

/* As root, apt would download as user _apt, who may not write into our directory. */
static int apt_new(const struct cache *c, const char *program, bool is_own, struct apt **ret)
{
	cleanup(apt_freep) struct apt *a = calloc(1, sizeof(*a));
	int r = 0;

	if (!a)
		return err_new(-ENOMEM, "out of memory to start %s", program);
	add_arg(a, program);
	add_arg(a, "-q");
	add_option(a, "APT::Sandbox::User=root");
	if (is_own) {
		r = str_printf(&a->lists_option, "Dir::State::lists=%s/apt/lists", c->dir);
		if (!r)
			r = str_printf(&a->cache_option, "Dir::Cache=%s/apt/cache", c->dir);
		add_option(a, a->lists_option);
		add_option(a, a->cache_option);
	}
	if (!r)
		*ret = steal_ptr(&a);
	return r;
}

static int apt_run(struct apt *a, const char *dir, struct buf *out)
{
	a->args[a->count] = NULL;
	return child_run(a->args, dir, out);
}

static int make_own_dirs(const struct cache *c)
{
	static const char *const dirs[] = { "lists/partial", "cache/archives/partial" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup(freep) char *path = NULL;
		int r = str_printf(&path, "%s/apt/%s", c->dir, dirs[i]);

		if (!r)
			r = make_dirs(path);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/* Without the option, apt-get says 0 even if it could fetch nothing. */
static int update_own_lists(const struct cache *c, const struct kernel_progress *progress)
{
	cleanup(apt_freep) struct apt *a = NULL;
	int r = make_own_dirs(c);

	if (!r)
		r = apt_new(c, "apt-get", true, &a);
	if (r < 0)
		return err_trace(r);
	if (progress && progress->say)
		progress->say(progress->ctx, "fetching the list of Debian packages");
	add_option(a, "APT::Update::Error-Mode=any");
	add_arg(a, "update");
	return apt_run(a, NULL, NULL);
}

/* The value of "Name: value", NULL if @line is another field. */
static const char *field(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " ");
}

struct stanza {
	const char *name, *version, *size, *installed_kib, *sha256;
};

static bool take_stanza(const struct stanza *s, const char *spec, enum kernel_flavour flavour,
			struct apt_package *best)
{
	struct package p = { (char *)(uintptr_t)s->name, (char *)(uintptr_t)s->version };
	uint64_t kib;

	if (!s->sha256 || strlen(s->sha256) != SHA256_HEX_BYTES - 1 || !s->size ||
	    !s->installed_kib || parse_u64_in(s->installed_kib, 0, UINT32_MAX, &kib) ||
	    !package_is_sane(&p) || !package_matches(&p, spec, flavour) ||
	    (best->package.name && package_compare(&p, &best->package) >= 0))
		return true;
	apt_package_deinit(best);
	if (parse_u64(s->size, &best->download_bytes))
		return true;
	best->installed_bytes = kib * KIB;
	strcpy(best->sha256, s->sha256);
	best->package = (struct package){ strdup(p.name), strdup(p.version) };
	return best->package.name && best->package.version;
}

bool apt_newest(char *text, const char *spec, enum kernel_flavour flavour, struct apt_package *ret)
{
	struct stanza s = { 0 };
	const char *value;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if ((value = field(line, "Package")))
			s = (struct stanza){ .name = value };
		else if ((value = field(line, "Version")))
			s.version = value;
		else if ((value = field(line, "Size")))
			s.size = value;
		else if ((value = field(line, "Installed-Size")))
			s.installed_kib = value;
		else if ((value = field(line, "SHA256")))
			s.sha256 = value;
		if ((*line && text) || !s.name)
			continue;
		if (!take_stanza(&s, spec, flavour, ret))
			break;
		s = (struct stanza){ 0 };
	}
	return ret->package.name && ret->package.version;
}

/* Names of all kernel packages in the lists, as arguments: they point into @text. */
static void add_names(struct apt *a, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		line[strcspn(line, " ")] = '\0';
		if (package_release(line))
			add_arg(a, line);
	}
}

static int find_in_lists(const struct cache *c, const char *spec, enum kernel_flavour flavour,
			 bool is_own, struct apt_package *ret)
{
	cleanup(buf_deinit) struct buf names = BUF_NULL, text = BUF_NULL;
	cleanup(apt_freep) struct apt *search = NULL, *show = NULL;
	size_t before;
	int r = apt_new(c, "apt-cache", is_own, &search);

	if (!r)
		r = apt_new(c, "apt-cache", is_own, &show);
	if (r < 0)
		return err_trace(r);
	add_arg(search, "--names-only");
	add_arg(search, "search");
	add_arg(search, "^linux-image-[0-9].*-amd64$");
	r = apt_run(search, NULL, &names);
	if (r < 0)
		return err_trace(r);
	add_arg(show, "--no-all-versions");
	add_arg(show, "show");
	before = show->count;
	if (names.len)
		add_names(show, names.data);
	if (show->count == before)
		return err_new(-ENOENT, "apt knows no kernel packages");
	r = apt_run(show, NULL, &text);
	if (r < 0)
		return err_trace(r);
	if (text.len && apt_newest(text.data, spec, flavour, ret)) {
		ret->is_in_own_lists = is_own;
		return 0;
	}
	return err_new(-ENOENT, "Debian's archive has no %s kernel %s for amd64",
		       flavour == KERNEL_CLOUD ? "cloud" : "generic", spec ? spec : "6.12");
}

/* A list that could not be fetched is only a failure if the answer was not in the others. */
static int find_in_own_lists(const struct cache *c, const char *spec, enum kernel_flavour flavour,
			     const struct kernel_progress *progress, struct apt_package *ret)
{
	cleanup(freep) char *why = NULL;
	int r, update = update_own_lists(c, progress);

	if (update < 0)
		why = strdup(err_text());
	r = find_in_lists(c, spec, flavour, true, ret);
	return r < 0 && why ? err_adopt(update, why) : r;
}

int apt_find(const struct cache *c, const char *spec, enum kernel_flavour flavour, bool is_fresh,
	     const struct kernel_progress *progress, struct apt_package *ret)
{
	cleanup(apt_package_deinit) struct apt_package p = APT_PACKAGE_NULL;
	int r = is_fresh ? -ENOENT : find_in_lists(c, spec, flavour, false, &p);

	if (r == -ENOENT)
		r = find_in_own_lists(c, spec, flavour, progress, &p);
	if (r < 0)
		return err_trace(r);
	*ret = p;
	p = APT_PACKAGE_NULL;
	return 0;
}

static int only_deb_in(const char *dir, char **ret)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	*ret = NULL;
	while (d && !r && !*ret && (e = readdir(d)))
		if (str_ends_with(e->d_name, ".deb"))
			r = str_printf(ret, "%s/%s", dir, e->d_name);
	if (d)
		closedir(d);
	if (!r && !*ret)
		r = err_new(-EIO, "apt-get download left no package in %s", dir);
	return r;
}

int apt_download(const struct cache *c, const struct apt_package *p, const char *dir, char **ret)
{
	cleanup(apt_freep) struct apt *a = NULL;
	cleanup(freep) char *what = NULL;
	cleanup(freep) char *path = NULL;
	char hex[SHA256_HEX_BYTES];
	int r = apt_new(c, "apt-get", p->is_in_own_lists, &a);

	if (!r)
		r = str_printf(&what, "%s=%s", p->package.name, p->package.version);
	if (r < 0)
		return err_trace(r);
	add_arg(a, "download");
	add_arg(a, what);
	r = apt_run(a, dir, NULL);
	if (!r)
		r = only_deb_in(dir, &path);
	if (!r)
		r = sha256_of_file(path, hex);
	if (r < 0)
		return err_trace(r);
	if (strcmp(hex, p->sha256))
		return err_new(-EBADMSG, "%s: its SHA-256 is not that of the archive's index",
			       path);
	*ret = steal_ptr(&path);
	return 0;
}
