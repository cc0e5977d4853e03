/* SPDX-License-Identifier: GPL-2.0-only */
/* Metrics: figures read from what a payload wrote. Every byte of that is the guest's, so it may be
 * anything: the readers bound their work and memory by its length, and take nothing but a number.
 *
 *   metric.c          the metric as a scenario has it: its words, its source, one value of many
 *   metric_json.c     paths into JSON (jansson)
 *   metric_yaml.c     paths into YAML (libyaml)
 *   metric_pattern.c  regular expressions, line by line */
#pragma once

#include "base/err.h"

#include <ktstr/payload.h>

#include <stdbool.h>
#include <stddef.h>

enum { METRIC_STREAMS = 3 }; /* stdout, stderr, file */

/* What a payload wrote. */
struct metric_text {
	const char *data;
	size_t len;
	bool is_cut; /* there was more */
};

/* Check what a scenario says about a metric of @payload. 0, or -EINVAL with words that begin with the
 * field. */
int metric_check(const struct ktstr_payload *payload, const struct ktstr_metric *m) must_check;

/* Read the value of a metric that has been checked. 0; -ENODATA with words that say why there is none:
 * text that does not parse, no such place, several values where one was expected, no number there;
 * -ENOMEM. Any thread. */
int metric_read(const struct ktstr_payload *payload, const struct ktstr_metric *m,
		const struct metric_text texts[METRIC_STREAMS], double *ret) must_check;

/* ---- private to the parts ---- */

enum { METRIC_VALUES_MAX = 65536, METRIC_VISITS_MAX = 1 << 20, METRIC_KEY_BYTES = 128 };

/* The values found. */
struct metric_values {
	double *list;
	size_t count;
	size_t visits; /* of nodes: aliases can make a small document a large walk */
};

/* Take one value in, as text. -ENODATA with words if it is no number. */
int metric_add(struct metric_values *v, const char *text) must_check;
/* Count a visit. -ENODATA with words when there were too many. */
int metric_visit(struct metric_values *v) must_check;

/* One part of a path. */
struct metric_part {
	char key[METRIC_KEY_BYTES];
	bool is_any;	  /* "*" */
	bool is_position; /* the key is a number: of a list's entry, too */
	size_t position;
};

/* Take the next part of *@path, which is not empty. -EINVAL with words if there is none. */
int metric_take_part(const char **path, struct metric_part *ret) must_check;

int metric_json(const char *path, const struct metric_text *text,
		struct metric_values *ret) must_check;
int metric_yaml(const char *path, const struct metric_text *text,
		struct metric_values *ret) must_check;
int metric_pattern_check(const char *pattern) must_check;
int metric_pattern(const char *pattern, const struct metric_text *text,
		   struct metric_values *ret) must_check;
