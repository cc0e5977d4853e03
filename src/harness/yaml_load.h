/* SPDX-License-Identifier: GPL-2.0-only */
/* Scenario files: YAML with the model of ktstr/scenario.h, key by key. Strict: an unknown key, a key
 * given twice, a value of the wrong kind or grammar is an error with file, line and column.
 *
 *   scenario: two_cgroups
 *   summary: two equal cgroups get equal parts
 *   cgroups:
 *     - { name: left, workers: [{ work: spin, count: per-cpu }] }
 *     - { name: right, workers: [{ work: spin, count: per-cpu }] }
 *   hold: 1s
 *   checks: [share distance=50permille]
 *
 * A file may hold several scenarios, one document each ("---" between them). */
#pragma once

#include "base/err.h"

#include <ktstr/scenario.h>

#include <stddef.h>

/* The scenarios of one file, and all the memory they are made of. */
struct scenario_file;

/* Read @path; one that ends in .json is a workload of rt-app (rtapp.h). Returns 0; the file's own error; -EINVAL with words "PATH:LINE:COLUMN: ..."; -EFBIG
 * over 1 MiB; -ENOMEM. @ret is freed by scenario_file_free(), and its records die with it. */
int scenario_file_load(const char *path, struct scenario_file **ret) must_check;

/* The same for text in memory; @path is for messages. For tests and fuzzing. */
int scenario_file_parse(const char *path, const char *text, size_t len,
			struct scenario_file **ret) must_check;

size_t scenario_file_count(const struct scenario_file *f);
const struct ktstr_record *scenario_file_record(const struct scenario_file *f, size_t index);

struct scenario_file *scenario_file_free(struct scenario_file *f);
static inline void scenario_file_freep(struct scenario_file **f)
{
	*f = scenario_file_free(*f);
}
