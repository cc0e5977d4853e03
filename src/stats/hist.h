/* SPDX-License-Identifier: GPL-2.0-only */
/* A log-linear histogram of durations: each power of two is cut into HIST_SUB equal parts, so that
 * a bucket is at most 1/16 of its value wide, from 1 ns to 18 minutes, in a fixed array. Two
 * histograms merge by addition, on either side of the wire: workers fill them, the harness adds
 * them up. Exact count, minimum, maximum and sum go along; a quantile is exact to one bucket. */
#pragma once

#include <stdint.h>

enum {
	HIST_SUB_BITS = 4,
	HIST_SUB = 1 << HIST_SUB_BITS,
	HIST_OCTAVES = 37,
	HIST_BUCKETS = HIST_OCTAVES * HIST_SUB, /* 592 */
};

struct hist {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t min_ns; /* UINT64_MAX when empty */
	uint64_t max_ns;
	uint32_t buckets[HIST_BUCKETS]; /* each stops at UINT32_MAX */
};

#define HIST_EMPTY ((struct hist){ .min_ns = UINT64_MAX })

/* The bucket of a value; values beyond the range fall into the last one. A few instructions: it is
 * called by workers on their hot path. Any thread. */
static inline unsigned hist_bucket(uint64_t ns)
{
	unsigned octave, bucket;

	if (ns < HIST_SUB)
		return (unsigned)ns;
	octave = 63U - (unsigned)__builtin_clzll(ns) - HIST_SUB_BITS;
	bucket = (octave + 1) * HIST_SUB + (unsigned)((ns >> octave) & (HIST_SUB - 1));
	return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

/* The least value of bucket @bucket; of HIST_BUCKETS: the end of the range. */
static inline uint64_t hist_bucket_floor(unsigned bucket)
{
	unsigned octave = bucket / HIST_SUB;

	if (octave == 0)
		return bucket;
	return (uint64_t)(HIST_SUB + bucket % HIST_SUB) << (octave - 1);
}

static inline void hist_add(struct hist *h, uint64_t ns)
{
	unsigned bucket = hist_bucket(ns);

	h->count++;
	h->sum_ns += ns;
	h->min_ns = ns < h->min_ns ? ns : h->min_ns;
	h->max_ns = ns > h->max_ns ? ns : h->max_ns;
	h->buckets[bucket] += h->buckets[bucket] != UINT32_MAX;
}

/* Add @other to @h. */
void hist_merge(struct hist *h, const struct hist *other);

/* Take the largest value out again. The next largest is known to its bucket, and taken for the bucket's
 * end. Nothing if @h is empty. */
void hist_drop_max(struct hist *h);

/* The value at @permille of the way (500: the median, 990: p99), linear inside its bucket, never
 * outside min and max; 0 when empty. 1000 is the maximum. */
uint64_t hist_quantile_ns(const struct hist *h, unsigned permille);

/* By how much the values above @bound_ns have to be shorter, in sum and at least, for the quantile at
 * @permille to be no more than the bound: the fewest of them, those next to it. Each value counts as
 * its bucket's end. 0 if the quantile is within the bound. */
uint64_t hist_excess_ns(const struct hist *h, unsigned permille, uint64_t bound_ns);

/* Arithmetic mean, 0 when empty. */
uint64_t hist_mean_ns(const struct hist *h);
