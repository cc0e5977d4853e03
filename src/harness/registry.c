// SPDX-License-Identifier: GPL-2.0-only
/* The linker's section as a sorted array. __start_ and __stop_ are weak: a program without any
 * scenario links, and lists none. */
#include "harness/registry.h"

#include "base/buf.h"
#include "harness/yaml_load.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

extern const struct ktstr_record __start_ktstr_records[] __attribute__((weak));
extern const struct ktstr_record __stop_ktstr_records[] __attribute__((weak));

static int by_name(const void *a, const void *b)
{
	const struct ktstr_record *const *left = a;
	const struct ktstr_record *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int refuse_twins(const struct registry *r)
{
	for (size_t i = 1; i < r->count; i++) {
		const struct ktstr_record *a = r->records[i - 1], *b = r->records[i];

		if (strcmp(a->name, b->name) == 0)
			return err_new(-EEXIST, "two scenarios are named %s: %s:%d and %s:%d",
				       a->name, a->file, a->line, b->file, b->line);
	}
	return 0;
}

int registry_from(const struct ktstr_record *records, size_t count, struct registry *ret)
{
	struct registry r = { .records = calloc(count + 1, sizeof(struct ktstr_record *)),
			      .count = count };
	int err;

	if (!r.records)
		return err_new(-ENOMEM, "out of memory for %zu scenarios", count);
	for (size_t i = 0; i < count; i++)
		r.records[i] = &records[i];
	qsort(r.records, count, sizeof(struct ktstr_record *), by_name);
	err = refuse_twins(&r);
	if (err < 0) {
		registry_deinit(&r);
		return err_trace(err);
	}
	*ret = r;
	return 0;
}

int registry_load(struct registry *ret)
{
	size_t count = (size_t)(__stop_ktstr_records - __start_ktstr_records);

	return registry_from(__start_ktstr_records, count, ret);
}

void registry_deinit(struct registry *r)
{
	for (size_t i = 0; i < r->file_count; i++)
		scenario_file_free(r->files[i]);
	free(r->files);
	free(r->records);
	*r = REGISTRY_NULL;
}

bool registry_is_file(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

/* A pattern that is FILE or FILE:NAME. */
struct file_pattern {
	const char *path; /* NULL: it is neither */
	const char *name; /* or a glob; "*" for all of the file */
	char *copy;	  /* what both are parts of, if it was split */
};

static void file_pattern_deinit(struct file_pattern *p)
{
	free(p->copy);
}

/* A colon splits it if what stands before is a file; the last such, as a path may have colons too. */
static int split_pattern(const char *pattern, struct file_pattern *ret)
{
	struct file_pattern p = { .name = "*" };

	*ret = (struct file_pattern){ .path = pattern, .name = "*" };
	if (registry_is_file(pattern))
		return 0;
	p.copy = strdup(pattern);
	if (!p.copy)
		return err_new(-ENOMEM, "out of memory");
	for (char *colon; !p.path && (colon = strrchr(p.copy, ':'));) {
		*colon = '\0';
		if (registry_is_file(p.copy)) {
			p.path = p.copy;
			p.name = pattern + (colon + 1 - p.copy);
		}
	}
	*ret = p;
	return 0;
}

static int keep_file(struct registry *r, struct scenario_file *file)
{
	struct scenario_file **files = realloc(r->files, (r->file_count + 1) * sizeof(*files));

	if (!files) {
		scenario_file_free(file);
		return err_new(-ENOMEM, "out of memory");
	}
	r->files = files;
	r->files[r->file_count++] = file;
	return 0;
}

/* The file of that path, read once. */
static int find_file(struct registry *r, const char *path, struct scenario_file **ret)
{
	int err;

	for (size_t i = 0; i < r->file_count; i++) {
		*ret = r->files[i];
		if (strcmp(scenario_file_record(*ret, 0)->file, path) == 0)
			return 0;
	}
	err = scenario_file_load(path, ret);
	return err < 0 ? err_trace(err) : keep_file(r, *ret);
}

static bool has_record(const struct registry *r, const struct ktstr_record *record)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->records[i] == record)
			return true;
	}
	return false;
}

static int refuse_unknown_name(const struct scenario_file *file, const struct file_pattern *p)
{
	cleanup(buf_deinit) struct buf names = BUF_NULL;

	for (size_t i = 0; i < scenario_file_count(file); i++)
		buf_printf(&names, "%s%s", i ? ", " : "", scenario_file_record(file, i)->name);
	return err_new(-ENOENT, "no scenario of %s is named %s; it has %s", p->path, p->name,
		       buf_text(&names));
}

static int add_file(struct registry *r, const struct file_pattern *p)
{
	const struct ktstr_record **records;
	struct scenario_file *file;
	bool is_known = false;
	int err = find_file(r, p->path, &file);

	if (err < 0)
		return err_trace(err);
	records =
		realloc(r->records, (r->count + scenario_file_count(file) + 1) * sizeof(*records));
	if (!records)
		return err_new(-ENOMEM, "out of memory");
	r->records = records;
	for (size_t i = 0; i < scenario_file_count(file); i++) {
		const struct ktstr_record *record = scenario_file_record(file, i);

		if (fnmatch(p->name, record->name, 0) != 0)
			continue;
		is_known = true;
		if (!has_record(r, record))
			r->records[r->count++] = record;
	}
	return is_known ? 0 : refuse_unknown_name(file, p);
}

static int add_pattern(struct registry *r, const char *pattern)
{
	cleanup(file_pattern_deinit) struct file_pattern p = { 0 };
	int err = split_pattern(pattern, &p);

	return err == 0 && p.path ? add_file(r, &p) : err;
}

static bool is_replaced_by(const struct ktstr_record *own, const struct ktstr_record *other)
{
	return strcmp(own->name, other->name) == 0 && registry_is_file(other->file) &&
	       !registry_is_file(own->file);
}

/* Of sorted records: those of the program make way for a file's of the same name. */
static void drop_replaced(struct registry *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct ktstr_record *record = r->records[i];

		if ((kept > 0 && is_replaced_by(record, r->records[kept - 1])) ||
		    (i + 1 < r->count && is_replaced_by(record, r->records[i + 1])))
			continue;
		r->records[kept++] = record;
	}
	r->count = kept;
}

int registry_add_files(struct registry *r, char *const *patterns, size_t pattern_count)
{
	for (size_t i = 0; i < pattern_count; i++) {
		int err = add_pattern(r, patterns[i]);

		if (err < 0)
			return err_trace(err);
	}
	qsort(r->records, r->count, sizeof(struct ktstr_record *), by_name);
	drop_replaced(r);
	return refuse_twins(r);
}

const struct ktstr_record *registry_find(const struct registry *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->records[i]->name, name) == 0)
			return r->records[i];
	}
	return NULL;
}

static bool is_match(const char *pattern, const struct ktstr_record *record)
{
	size_t len = strlen(record->file);

	if (fnmatch(pattern, record->name, 0) == 0)
		return true;
	if (strncmp(pattern, record->file, len) != 0)
		return false;
	return !pattern[len] ||
	       (pattern[len] == ':' && fnmatch(pattern + len + 1, record->name, 0) == 0);
}

static bool is_chosen(const struct ktstr_record *record, char *const *patterns, size_t count)
{
	if (count == 0)
		return !record->scenario->is_fixture;
	for (size_t i = 0; i < count; i++) {
		if (is_match(patterns[i], record))
			return true;
	}
	return false;
}

/* Edit distance (Levenshtein), for names of at most 63 characters; longer ones are far from all. */
static size_t name_distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	size_t row[MAX], la = strlen(a), lb = strlen(b);

	if (la >= MAX || lb >= MAX)
		return MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			best = above + 1 < best ? above + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[lb];
}

static const char *nearest_name(const struct registry *r, const char *name)
{
	const char *best = NULL;
	size_t best_distance = strlen(name) / 3 + 2;

	for (size_t i = 0; i < r->count; i++) {
		size_t d = name_distance(name, r->records[i]->name);

		if (d < best_distance) {
			best_distance = d;
			best = r->records[i]->name;
		}
	}
	return best;
}

static int refuse_idle_pattern(const struct registry *r, char *pattern)
{
	const char *near;

	for (size_t i = 0; i < r->count; i++) {
		if (is_chosen(r->records[i], &pattern, 1))
			return 0;
	}
	near = nearest_name(r, pattern);
	if (near)
		return err_new(-ENOENT, "no scenario is named %s; did you mean %s?", pattern, near);
	return err_new(-ENOENT, "no scenario is named %s; `ktstr list` names them all", pattern);
}

int registry_select(const struct registry *r, char *const *patterns, size_t pattern_count,
		    struct registry *ret)
{
	struct registry chosen;

	for (size_t i = 0; i < pattern_count; i++) {
		int err = refuse_idle_pattern(r, patterns[i]);

		if (err < 0)
			return err_trace(err);
	}
	chosen =
		(struct registry){ .records = calloc(r->count + 1, sizeof(struct ktstr_record *)) };
	if (!chosen.records)
		return err_new(-ENOMEM, "out of memory for %zu scenarios", r->count);
	for (size_t i = 0; i < r->count; i++) {
		if (is_chosen(r->records[i], patterns, pattern_count))
			chosen.records[chosen.count++] = r->records[i];
	}
	*ret = chosen;
	return 0;
}

int registry_choose(char *const *patterns, size_t pattern_count, struct registry *all_ret,
		    struct registry *ret)
{
	int err = registry_load(all_ret);

	if (err == 0)
		err = registry_add_files(all_ret, patterns, pattern_count);
	return err < 0 ? err_trace(err) : registry_select(all_ret, patterns, pattern_count, ret);
}
