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

void hist_drop_max(struct hist *h)
{
	unsigned bucket = hist_bucket(h->max_ns);

	if (!h->count)
		return;
	h->count--;
	h->sum_ns -= h->max_ns < h->sum_ns ? h->max_ns : h->sum_ns;
	h->buckets[bucket] -= h->buckets[bucket] > 0;
	while (bucket && !h->buckets[bucket])
		bucket--;
	if (!h->count)
		*h = HIST_EMPTY;
	else if (hist_bucket_floor(bucket + 1) - 1 < h->max_ns)
		h->max_ns = hist_bucket_floor(bucket + 1) - 1;
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

uint64_t hist_excess_ns(const struct hist *h, unsigned permille, uint64_t bound_ns)
{
	double may_be_above = (double)bucket_total(h) * (1000 - permille) / 1000.0, above = 0;
	uint64_t excess_ns = 0;

	if (hist_quantile_ns(h, permille) <= bound_ns)
		return 0;
	/* From the longest on: so many may stay above, the rest have to come down. */
	for (unsigned i = HIST_BUCKETS; i-- > hist_bucket(bound_ns);) {
		uint64_t end_ns = clamp(hist_bucket_floor(i + 1), bound_ns, h->max_ns);
		double here = h->buckets[i], may_stay = may_be_above - above;

		above += here;
		if (may_stay < here && end_ns > bound_ns)
			excess_ns += (uint64_t)((may_stay > 0 ? here - may_stay : here) *
						(double)(end_ns - bound_ns));
	}
	return excess_ns;
}

uint64_t hist_mean_ns(const struct hist *h)
{
	return h->count ? h->sum_ns / h->count : 0;
}
