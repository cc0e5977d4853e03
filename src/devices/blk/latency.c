// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/latency.h"

#include "base/parse.h"
#include "base/util.h"
#include "devices/blk/options.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct model {
	const char *name;
	enum blk_latency_kind kind;
	char separator; /* between points */
	unsigned min_points;
	unsigned max_points;
	const char *form;
};

static const struct model models[] = {
	{ "fixed", BLK_LATENCY_FIXED, '\0', 1, 1, "fixed:TIME" },
	{ "table", BLK_LATENCY_TABLE, '/', 1, BLK_LATENCY_POINTS_MAX, "table:TIME/TIME/..." },
	{ "uniform", BLK_LATENCY_UNIFORM, '-', 2, 2, "uniform:MIN-MAX" },
	{ "exp", BLK_LATENCY_EXPONENTIAL, '\0', 1, 1, "exp:MEAN" },
};

static int set_seed(void *target, const struct blk_option *option, const char *value)
{
	struct blk_latency_spec *spec = target;

	return parse_u64(value, &spec->seed);
}

static const struct blk_option latency_rows[] = {
	{ "seed", "NUMBER", set_seed, 0 },
};

const struct blk_option_table blk_latency_options = {
	.what = "latency",
	.rows = latency_rows,
	.count = ARRAY_SIZE(latency_rows),
};

/* Read "TIME<separator>TIME..." in place. */
static int read_points(char *text, char separator, struct blk_latency_spec *spec)
{
	while (text) {
		char *end = separator ? strchr(text, separator) : NULL;
		int r;

		if (end)
			*end++ = '\0';
		if (spec->count == BLK_LATENCY_POINTS_MAX)
			return -ERANGE;
		r = parse_duration_ns(text, &spec->points_ns[spec->count++]);
		if (r < 0)
			return r;
		text = end;
	}
	return 0;
}

static int read_model(const struct model *m, char *points, struct blk_latency_spec *ret)
{
	struct blk_latency_spec spec = { .kind = m->kind };
	int r = read_points(points, m->separator, &spec);

	if (r < 0)
		return r;
	if (spec.count < m->min_points || spec.count > m->max_points)
		return -EINVAL;
	if (m->kind == BLK_LATENCY_UNIFORM && spec.points_ns[0] > spec.points_ns[1])
		return -EINVAL;
	*ret = spec;
	return 0;
}

static const struct model *model_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		if (!strcmp(models[i].name, name))
			return &models[i];
	}
	return NULL;
}

int blk_latency_parse_model(const char *text, struct blk_latency_spec *ret)
{
	char copy[2048];
	const struct model *m = &models[0];
	char *points = copy;
	char *colon;
	int r;

	if (strlen(text) >= sizeof(copy))
		return err_new(-EINVAL, "latency is longer than %zu bytes", sizeof(copy));
	strcpy(copy, text);
	colon = strchr(copy, ':');
	if (colon) {
		*colon = '\0';
		points = colon + 1;
		m = model_find(copy);
	}
	if (!m)
		return err_new(-EINVAL,
			       "latency \"%s\": there are TIME, fixed:TIME, table:TIME/TIME/..., "
			       "uniform:MIN-MAX, exp:MEAN",
			       text);
	r = read_model(m, points, ret);
	if (r < 0)
		return err_new(r, "latency \"%s\": it is %s, with times like 1.5ms", text, m->form);
	return 0;
}

int blk_latency_parse(const char *text, struct blk_latency_spec *ret)
{
	char model[2048];
	const char *comma = strchrnul(text, ',');
	struct blk_latency_spec spec;
	int r;

	if ((size_t)(comma - text) >= sizeof(model))
		return err_new(-EINVAL, "latency is longer than %zu bytes", sizeof(model));
	memcpy(model, text, (size_t)(comma - text));
	model[comma - text] = '\0';
	r = blk_latency_parse_model(model, &spec);
	if (r == 0 && *comma)
		r = blk_options_parse(&blk_latency_options, &spec, comma + 1);
	if (r < 0)
		return err_trace(r);
	*ret = spec;
	return 0;
}

void blk_latency_init(struct blk_latency *l, const struct blk_latency_spec *spec)
{
	*l = (struct blk_latency){ .spec = *spec, .rng = { .state = spec->seed } };
}

static uint64_t draw_exponential(struct blk_rng *rng, uint64_t mean_ns)
{
	/* (0, 1]: 53 bits, the most a double holds, and never 0, whose logarithm is infinite. */
	double u = ((double)(blk_rng_next(rng) >> 11) + 1) * 0x1p-53;

	return (uint64_t)(-log(u) * (double)mean_ns);
}

uint64_t blk_latency_next(struct blk_latency *l)
{
	const uint64_t *points_ns = l->spec.points_ns;
	uint64_t ns;

	switch (l->spec.kind) {
	case BLK_LATENCY_NONE:
		return 0;
	case BLK_LATENCY_FIXED:
		return points_ns[0];
	case BLK_LATENCY_TABLE:
		ns = points_ns[l->next];
		l->next = (l->next + 1) % l->spec.count;
		return ns;
	case BLK_LATENCY_UNIFORM:
		return points_ns[0] + blk_rng_below(&l->rng, points_ns[1] - points_ns[0] + 1);
	case BLK_LATENCY_EXPONENTIAL:
		return draw_exponential(&l->rng, points_ns[0]);
	}
	return 0;
}
