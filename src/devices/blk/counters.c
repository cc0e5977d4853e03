// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/counters.h"

#include "base/util.h"

#include <stdio.h>

#define X(id, name) [id] = name,
static const char *const counter_names[] = { BLK_COUNTERS(X) };
static const char *const span_names[] = { BLK_SPANS(X) };
#undef X

/* The sum over all sets of the counter that lies @offset bytes into each. */
static uint64_t sum(const struct blk_counters *const *sets, unsigned count, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < count; i++)
		total += counter_get((const counter_t *)((const char *)sets[i] + offset));
	return total;
}

/* A histogram as its buckets up to the last one that is not empty. */
static void span_json(const struct blk_counters *const *sets, unsigned count, enum blk_span span,
		      struct json *j)
{
	uint64_t buckets[BLK_LOG2_BUCKETS];
	unsigned used = 0;

	for (unsigned b = 0; b < BLK_LOG2_BUCKETS; b++) {
		buckets[b] = sum(sets, count, offsetof(struct blk_counters, spans[span][b]));
		if (buckets[b])
			used = b + 1;
	}
	json_array(j, span_names[span]);
	for (unsigned b = 0; b < used; b++)
		json_u64(j, NULL, buckets[b]);
	json_array_end(j);
}

void blk_counters_members(const struct blk_counters *const *sets, unsigned count, struct json *j)
{
	for (unsigned i = 0; i < BLK_COUNTER_COUNT; i++)
		json_u64(j, counter_names[i],
			 sum(sets, count, offsetof(struct blk_counters, events[i])));
	json_u64(j, "currently_throttled",
		 sum(sets, count, offsetof(struct blk_counters, currently_throttled)));
	for (unsigned i = BLK_ACCEPTED + 1; i < BLK_REFUSAL_COUNT; i++) {
		char name[64];

		snprintf(name, sizeof(name), "refused_%s", blk_refusal_name(i));
		json_u64(j, name, sum(sets, count, offsetof(struct blk_counters, refusals[i])));
	}
	json_object(j, "latency_log2_ns");
	for (unsigned i = 0; i < BLK_SPAN_COUNT; i++)
		span_json(sets, count, i, j);
	json_object_end(j);
}
