/* SPDX-License-Identifier: GPL-2.0-only */
/* The scenarios that are linked into this program: records in a linker section, sorted by name, and
 * the choice among them by name or glob. */
#pragma once

#include "base/err.h"

#include <ktstr/scenario.h>

#include <stdbool.h>
#include <stddef.h>

struct scenario_file;

struct registry {
	const struct ktstr_record **records; /* sorted by name; the array is owned here */
	size_t count;
	struct scenario_file **files; /* what registry_add_files() read, owned here */
	size_t file_count;
};

#define REGISTRY_NULL ((struct registry){ 0 })

/* All records of the program. 0; -ENOMEM; -EEXIST if two scenarios share a name, with both places.
 * Free with registry_deinit(). */
int registry_load(struct registry *ret) must_check;
/* The same from a given array: what tests use. */
int registry_from(const struct ktstr_record *records, size_t count,
		  struct registry *ret) must_check;
void registry_deinit(struct registry *r);

/* Is it the name of a scenario file: does it end in .yaml, .yml or .json? */
bool registry_is_file(const char *path);

/* Read every pattern that names a scenario file and add its scenarios: FILE adds all of them, and
 * chooses them in registry_select(); FILE:NAME, where NAME may be a glob, does so with those of that
 * name alone. A scenario of a file takes the place of the program's own of that name, so that what
 * `ktstr show` prints can be run as it is. The records live as long as @r. 0; the errors of
 * scenario_file_load(); -ENOENT if the file has no such scenario; -EEXIST as registry_load(). */
int registry_add_files(struct registry *r, char *const *patterns, size_t pattern_count) must_check;

/* The record of that name, or NULL. */
const struct ktstr_record *registry_find(const struct registry *r, const char *name);

/* Choose: every record that one of @patterns (names, globs, FILE or FILE:NAME) matches, each once, sorted; with no
 * pattern all but the fixtures. 0; -ENOENT naming a pattern that matches nothing (with the nearest
 * name, if one is near); -ENOMEM. @ret is another registry. */
int registry_select(const struct registry *r, char *const *patterns, size_t pattern_count,
		    struct registry *ret) must_check;

/* All three steps of a command: load, add the files among @patterns, select. @ret's records live as
 * long as @all_ret; both are the caller's to deinit, also after an error. */
int registry_choose(char *const *patterns, size_t pattern_count, struct registry *all_ret,
		    struct registry *ret) must_check;
