// SPDX-License-Identifier: GPL-2.0-only
/* Merging and reading; filling is inline in the header, for workers. */
#include "stats/hist.h"

void hist_merge(struct hist *h, const struct hist *other)
{
	h->count += other->count;
	h->sum_ns += other->sum_ns;
	h->min_ns = other->min_ns < h->min_ns ? other->min_ns : h->min_ns;
	h->max_ns = other->max_ns > h->max_ns ? other->max_ns : h->max_ns;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		uint32_t room = UINT32_MAX - h->buckets[i];

		h->buckets[i] += other->buckets[i] < room ? other->buckets[i] : room;
	}
}

static uint64_t clamp(uint64_t v, uint64_t low, uint64_t high)
{
	if (v < low)
		return low;
	return v > high ? high : v;
}

/* Buckets may have stopped counting where count has not: the ranks are those of the buckets. */
static uint64_t bucket_total(const struct hist *h)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		total += h->buckets[i];
	return total;
}

uint64_t hist_quantile_ns(const struct hist *h, unsigned permille)
{
	double rank, below = 0;

	if (h->count == 0)
		return 0;
	if (permille >= 1000)
		return h->max_ns;
	rank = (double)bucket_total(h) * permille / 1000.0;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		double here = h->buckets[i];

		if (here > 0 && below + here >= rank) {
			uint64_t low = hist_bucket_floor(i);
			double width = (double)(hist_bucket_floor(i + 1) - low);
			double into = (rank - below) / here * width;

			return clamp(low + (uint64_t)into, h->min_ns, h->max_ns);
		}
		below += here;
	}
	return h->max_ns;
}

uint64_t hist_mean_ns(const struct hist *h)
{
	return h->count ? h->sum_ns / h->count : 0;
}
