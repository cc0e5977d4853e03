/* SPDX-License-Identifier: GPL-2.0-only */
/* The system tests as data: the list, and what one of them said. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum suite_where {
	WHERE_MACHINE, /* needs KVM that boots kernels: in a carrier if the host has none */
	WHERE_HOST,    /* on the host itself: tests of carriers, of refusals, of files */
};

struct suite_test {
	char *name;
	enum suite_where where;
	uint64_t timeout_ns;
	char *command; /* for sh -c */
};

struct suite {
	struct suite_test *tests;
	size_t count;
};

#define SUITE_NULL ((struct suite){ 0 })

/* Read the list @path: lines of NAME WHERE TIMEOUT_S COMMAND..., # comments. Only tests whose name
 * matches one of @globs, all if there is none. -EINVAL names a bad line; -ENOENT if nothing
 * matches. */
int suite_load(struct suite *s, const char *path, char *const *globs, size_t glob_count) must_check;
void suite_deinit(struct suite *s);

enum suite_verdict { SUITE_OK, SUITE_FAIL, SUITE_SKIP };

struct suite_outcome {
	int exit_status;   /* as a shell gives it */
	const char *cause; /* NULL, or why there is no exit status: "timeout after 60 s" */
};

/* Judge a test by its @outcome and its output @log: append one "ok|FAIL|skip NAME ..." line to
 * @lines, or one for each "ok|FAIL|skip SUB" line of the log. A test that ends badly has a FAIL
 * line whatever its log says. */
enum suite_verdict suite_judge(const struct suite_test *t, const struct suite_outcome *outcome,
			       const char *log, double took_s, struct buf *lines);
