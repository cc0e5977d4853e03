/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a request seems to take: a time for each admitted request, from a fixed value, a table
 * walked round and round, or a seeded distribution. The completion is held back until that much
 * device time has passed since admission, so that a scheduler test knows its I/O waits. A host that
 * is slower than the model wins: a completion is never early and never invented. */
#pragma once

#include "base/err.h"
#include "devices/blk/rng.h"

#include <stdint.h>

enum blk_latency_kind {
	BLK_LATENCY_NONE,
	BLK_LATENCY_FIXED,	 /* points_ns[0] */
	BLK_LATENCY_TABLE,	 /* points_ns[0], [1], ... and again from the first */
	BLK_LATENCY_UNIFORM,	 /* points_ns[0] to points_ns[1], both possible */
	BLK_LATENCY_EXPONENTIAL, /* mean points_ns[0] */
};

enum { BLK_LATENCY_POINTS_MAX = 64 };

struct blk_latency_spec {
	enum blk_latency_kind kind;
	uint64_t points_ns[BLK_LATENCY_POINTS_MAX];
	unsigned count;
	uint64_t seed;
};

struct blk_latency {
	struct blk_latency_spec spec;
	struct blk_rng rng;
	unsigned next; /* of the table */
};

extern const struct blk_option_table blk_latency_options;

/* Read "5ms" or "fixed:5ms", "table:1ms/2ms/5ms", "uniform:1ms-5ms", "exp:2ms"; the last two may be
 * followed by ",seed=S". 0, -EINVAL or -ERANGE with words. Any thread. */
int blk_latency_parse(const char *text, struct blk_latency_spec *ret) must_check;

/* Read the model without its seed, the part before the first comma. */
int blk_latency_parse_model(const char *model, struct blk_latency_spec *ret) must_check;

void blk_latency_init(struct blk_latency *l, const struct blk_latency_spec *spec);

/* The next request's time. The same seed gives the same sequence. The caller serialises calls. */
uint64_t blk_latency_next(struct blk_latency *l);
