// SPDX-License-Identifier: GPL-2.0-only
#include "harness/metric.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

/* A decimal number and nothing else: strtod() alone would take "nan", "infinity" and "0x1". */
static bool read_number(const char *text, double *ret)
{
	size_t len = strlen(text);
	char *end;

	if (!len || strspn(text, "+-.0123456789eE") != len)
		return false;
	*ret = strtod(text, &end);
	return !*end && isfinite(*ret);
}

int metric_add(struct metric_values *v, const char *text)
{
	double value;

	if (!read_number(text, &value))
		return err_new(-ENODATA, "\"%.40s\" is no number", text);
	if (v->count == METRIC_VALUES_MAX)
		return err_new(-ENODATA, "more than %d values", METRIC_VALUES_MAX);
	/* Powers of two: it grows when it is full. */
	if (!(v->count & (v->count - 1))) {
		size_t cap = v->count ? v->count * 2 : 1;
		double *grown = realloc(v->list, cap * sizeof(*grown));

		if (!grown)
			return err_new(-ENOMEM, "out of memory for values");
		v->list = grown;
	}
	v->list[v->count++] = value;
	return 0;
}

int metric_visit(struct metric_values *v)
{
	if (++v->visits <= METRIC_VISITS_MAX)
		return 0;
	return err_new(-ENODATA, "more than %d places to look at", METRIC_VISITS_MAX);
}

/* ---- one of several ---- */

struct fold {
	const char *word;
	double (*take)(const double *list, size_t count);
};

static double take_first(const double *list, size_t count)
{
	return list[0];
}

static double take_last(const double *list, size_t count)
{
	return list[count - 1];
}

static double take_min(const double *list, size_t count)
{
	double least = list[0];

	for (size_t i = 1; i < count; i++)
		least = MIN(least, list[i]);
	return least;
}

static double take_max(const double *list, size_t count)
{
	double most = list[0];

	for (size_t i = 1; i < count; i++)
		most = MAX(most, list[i]);
	return most;
}

static double take_sum(const double *list, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += list[i];
	return sum;
}

static double take_mean(const double *list, size_t count)
{
	return take_sum(list, count) / (double)count;
}

static const struct fold folds[] = {
	{ "first", take_first }, { "last", take_last }, { "min", take_min },
	{ "max", take_max },	 { "sum", take_sum },	{ "mean", take_mean },
};

static const struct fold *find_fold(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(folds); i++) {
		if (strcmp(folds[i].word, word) == 0)
			return &folds[i];
	}
	return NULL;
}

static int fold_values(const struct ktstr_metric *m, const struct metric_values *v, double *ret)
{
	double value;

	if (!v->count)
		return err_new(-ENODATA, "there is no such value");
	if (v->count > 1 && !m->take)
		return err_new(-ENODATA, "there are %zu values; say which one with take", v->count);
	value = m->take ? find_fold(m->take)->take(v->list, v->count) : v->list[0];
	if (!isfinite(value))
		return err_new(-ENODATA, "the %s of the values is no number", m->take);
	*ret = value;
	return 0;
}

/* ---- paths ---- */

/* A key in quotes: up to the closing one. */
static size_t quoted_length(const char *path)
{
	const char *end = strchr(path + 1, '"');

	return end ? (size_t)(end - path) - 1 : 0;
}

int metric_take_part(const char **path, struct metric_part *ret)
{
	bool is_quoted = **path == '"';
	const char *key = *path + is_quoted;
	size_t len = is_quoted ? quoted_length(*path) : strcspn(key, ".");
	const char *end = key + len + is_quoted;
	uint64_t position;

	if (!len || len >= METRIC_KEY_BYTES || (*end && *end != '.') || (*end == '.' && !end[1]))
		return err_new(-EINVAL, "expected keys between dots, at \"%.40s\"", *path);
	*ret = (struct metric_part){ .is_any = !is_quoted && len == 1 && *key == '*' };
	memcpy(ret->key, key, len);
	ret->is_position =
		!is_quoted && isdigit((unsigned char)*key) && parse_u64(ret->key, &position) == 0;
	if (ret->is_position)
		ret->position = position;
	*path = end + (*end == '.');
	return 0;
}

static int check_path(const char *path)
{
	struct metric_part part;
	const char *rest = path;
	int r;

	do
		r = metric_take_part(&rest, &part);
	while (r == 0 && *rest);
	return r < 0 ? err_prefix(r, "\"%s\": ", path) : 0;
}

/* ---- the metric ---- */

static const char *const source_names[METRIC_STREAMS] = { "stdout", "stderr", "file" };

/* Which of the streams, or -1. */
static int find_source(const struct ktstr_payload *payload, const struct ktstr_metric *m)
{
	if (!m->source)
		return payload->file ? 2 : 0;
	for (int i = 0; i < METRIC_STREAMS; i++) {
		if (strcmp(source_names[i], m->source) == 0)
			return i;
	}
	return -1;
}

static int check_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			return err_new(-EINVAL, "name \"%s\": it has letters, digits, _ - .", name);
	}
	return *name ? 0 : err_new(-EINVAL, "name \"\": it has letters, digits, _ - .");
}

static int check_place(const struct ktstr_metric *m)
{
	int r;

	if (!!m->json + !!m->yaml + !!m->pattern != 1)
		return err_new(-EINVAL, "expected one of json, yaml and pattern");
	if (m->pattern)
		r = metric_pattern_check(m->pattern);
	else
		r = check_path(m->json ? m->json : m->yaml);
	return r < 0 ? err_prefix(r, "%s ", m->pattern ? "pattern" : m->json ? "json" : "yaml") : 0;
}

int metric_check(const struct ktstr_payload *payload, const struct ktstr_metric *m)
{
	int source = find_source(payload, m);
	int r = check_name(m->name);

	if (r == 0)
		r = check_place(m);
	if (r < 0)
		return err_trace(r);
	if (source < 0)
		return err_new(-EINVAL, "source \"%s\": expected stdout, stderr or file",
			       m->source);
	if (source == 2 && !payload->file)
		return err_new(-EINVAL, "source \"file\": the payload has none");
	if (m->take && !find_fold(m->take))
		return err_new(-EINVAL, "take \"%s\": expected first, last, min, max, sum or mean",
			       m->take);
	return 0;
}

static int read_values(const struct ktstr_metric *m, const struct metric_text *text,
		       struct metric_values *ret)
{
	if (m->json)
		return metric_json(m->json, text, ret);
	if (m->yaml)
		return metric_yaml(m->yaml, text, ret);
	return metric_pattern(m->pattern, text, ret);
}

int metric_read(const struct ktstr_payload *payload, const struct ktstr_metric *m,
		const struct metric_text texts[METRIC_STREAMS], double *ret)
{
	int source = find_source(payload, m);
	const struct metric_text *text = &texts[source];
	struct metric_values values = { 0 };
	int r = read_values(m, text, &values);

	if (r == 0)
		r = fold_values(m, &values, ret);
	free(values.list);
	if (r == -ENODATA && text->is_cut)
		r = err_prefix(r, "it was cut at %zu bytes, and ", text->len);
	return r < 0 ? err_prefix(r, "%s: ", source_names[source]) : 0;
}
