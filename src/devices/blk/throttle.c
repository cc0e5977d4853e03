// SPDX-License-Identifier: GPL-2.0-only
/* GCRA in integer nanoseconds; see throttle.h for the model. Not here: waiting. The caller is told
 * when to come back. */
#include "devices/blk/throttle.h"

#include "base/parse.h"
#include "base/util.h"
#include "devices/blk/options.h"

#include <errno.h>

static const __int128 token = 1000000000; /* billionths */
static const uint64_t rate_max = UINT64_C(1000000000000000);

enum { LIMIT_IS_BURST = 0x100 };

static bool counts_bytes(unsigned kind)
{
	static const unsigned kinds =
		1u << BLK_LIMIT_BYTES | 1u << BLK_LIMIT_READ_BYTES | 1u << BLK_LIMIT_WRITE_BYTES;

	return kinds >> kind & 1;
}

static int set_limit(void *target, const struct blk_option *option, const char *value)
{
	struct blk_throttle_spec *spec = target;
	unsigned kind = option->arg & 0xff;
	uint64_t v;
	int r = counts_bytes(kind) ? parse_bytes(value, &v) : parse_u64(value, &v);

	if (r < 0)
		return r;
	if (v == 0 || v > rate_max)
		return -ERANGE;
	if (option->arg & LIMIT_IS_BURST)
		spec->limits[kind].burst = v;
	else
		spec->limits[kind].rate = v;
	return 0;
}

#define LIMIT_ROWS(name, form, kind)                                                               \
	{ name, form, set_limit, kind },                                                           \
	{                                                                                          \
		name "-burst", form, set_limit, (kind) | LIMIT_IS_BURST                            \
	}

static const struct blk_option limit_rows[] = {
	LIMIT_ROWS("iops", "N", BLK_LIMIT_OPS),
	LIMIT_ROWS("bps", "BYTES", BLK_LIMIT_BYTES),
	LIMIT_ROWS("read-iops", "N", BLK_LIMIT_READ_OPS),
	LIMIT_ROWS("read-bps", "BYTES", BLK_LIMIT_READ_BYTES),
	LIMIT_ROWS("write-iops", "N", BLK_LIMIT_WRITE_OPS),
	LIMIT_ROWS("write-bps", "BYTES", BLK_LIMIT_WRITE_BYTES),
};

const struct blk_option_table blk_throttle_options = {
	.what = "throttle",
	.rows = limit_rows,
	.count = ARRAY_SIZE(limit_rows),
};

int blk_throttle_check(const struct blk_throttle_spec *spec)
{
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		if (spec->limits[kind].burst && !spec->limits[kind].rate)
			return err_new(-EINVAL, "throttle option %s without %s",
				       limit_rows[2 * kind + 1].key, limit_rows[2 * kind].key);
	}
	return 0;
}

int blk_throttle_parse(const char *text, struct blk_throttle_spec *ret)
{
	struct blk_throttle_spec spec = { 0 };
	int r = blk_options_parse(&blk_throttle_options, &spec, text);

	if (r == 0)
		r = blk_throttle_check(&spec);
	if (r < 0)
		return err_trace(r);
	*ret = spec;
	return 0;
}

bool blk_throttle_is_limited(const struct blk_throttle_spec *spec)
{
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		if (spec->limits[kind].rate)
			return true;
	}
	return false;
}

static bool applies_to(unsigned kind, bool is_write)
{
	bool is_for_reads = kind == BLK_LIMIT_READ_OPS || kind == BLK_LIMIT_READ_BYTES;
	bool is_for_writes = kind == BLK_LIMIT_WRITE_OPS || kind == BLK_LIMIT_WRITE_BYTES;

	return is_write ? !is_for_reads : !is_for_writes;
}

static void settle(struct blk_bucket *b, uint64_t now_ns)
{
	if (now_ns <= b->settled_ns)
		return;
	b->balance += (__int128)(now_ns - b->settled_ns) * b->rate;
	b->balance = MIN(b->balance, b->savings_max);
	b->settled_ns = now_ns;
}

/* Put @spec in force, with what the buckets hold. The most that can be saved is the burst, and what
 * is earned in less than one nanosecond: without the latter every wait would lose the fraction by
 * which it was rounded up. */
static void set_spec(struct blk_throttle *t, const struct blk_throttle_spec *spec)
{
	t->spec = *spec;
	t->kind_counts[false] = t->kind_counts[true] = 0;
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		const struct blk_limit *limit = &spec->limits[kind];

		t->buckets[kind].rate = limit->rate;
		if (!limit->rate)
			continue;
		t->buckets[kind].burst = limit->burst * token;
		t->buckets[kind].savings_max = limit->burst * token + limit->rate - 1;
		for (unsigned is_write = 0; is_write < 2; is_write++)
			if (applies_to(kind, is_write))
				t->kinds[is_write][t->kind_counts[is_write]++] = (uint8_t)kind;
	}
}

void blk_throttle_init(struct blk_throttle *t, const struct blk_throttle_spec *spec,
		       uint64_t now_ns)
{
	*t = (struct blk_throttle){ .spec = *spec };
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++)
		t->buckets[kind] = (struct blk_bucket){
			.balance = spec->limits[kind].burst * token,
			.settled_ns = now_ns,
		};
	set_spec(t, spec);
}

void blk_throttle_set(struct blk_throttle *t, const struct blk_throttle_spec *spec, uint64_t now_ns)
{
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		struct blk_bucket *b = &t->buckets[kind];

		settle(b, now_ns);
		b->balance = b->rate ? MIN(b->balance, spec->limits[kind].burst * token) : 0;
		b->settled_ns = MAX(b->settled_ns, now_ns);
	}
	set_spec(t, spec);
}

/* What the balance must be for a request of @cost, which is not 0. */
static __int128 needed_for(const struct blk_bucket *b, __int128 cost)
{
	return cost <= b->burst ? cost : 0;
}

/* First nanosecond at which a settled bucket can admit @cost; 0 = now. */
static uint64_t ready_ns(const struct blk_bucket *b, __int128 cost)
{
	__int128 missing = needed_for(b, cost) - b->balance;
	__int128 at;

	if (missing <= 0 || cost == 0)
		return 0;
	at = b->settled_ns + (missing + b->rate - 1) / b->rate;
	return at < UINT64_MAX ? (uint64_t)at : UINT64_MAX;
}

static inline __int128 cost_of(unsigned kind, uint64_t bytes)
{
	return counts_bytes(kind) ? bytes * token : token;
}

static uint64_t latest_ready_ns(const struct blk_throttle *t, bool is_write, uint64_t bytes)
{
	uint64_t latest_ns = 0;

	for (unsigned i = 0; i < t->kind_counts[is_write]; i++) {
		unsigned kind = t->kinds[is_write][i];

		latest_ns = MAX(latest_ns, ready_ns(&t->buckets[kind], cost_of(kind, bytes)));
	}
	return latest_ns;
}

/* Settle limit @kind and say whether it would let @cost pass. */
static inline bool is_ready(struct blk_throttle *t, unsigned kind, __int128 cost, uint64_t now_ns)
{
	struct blk_bucket *b = &t->buckets[kind];

	settle(b, now_ns);
	return b->balance >= needed_for(b, cost) || cost == 0;
}

static bool admit_by_all(struct blk_throttle *t, bool is_write, uint64_t bytes, uint64_t now_ns)
{
	const uint8_t *kinds = t->kinds[is_write];
	const unsigned count = t->kind_counts[is_write];
	bool is_admitted = true;

	for (unsigned i = 0; i < count; i++)
		is_admitted &= is_ready(t, kinds[i], cost_of(kinds[i], bytes), now_ns);
	for (unsigned i = 0; is_admitted && i < count; i++)
		t->buckets[kinds[i]].balance -= cost_of(kinds[i], bytes);
	return is_admitted;
}

static bool admit_by_one(struct blk_throttle *t, unsigned kind, uint64_t bytes, uint64_t now_ns)
{
	const __int128 cost = cost_of(kind, bytes);
	bool is_admitted = is_ready(t, kind, cost, now_ns);

	if (is_admitted)
		t->buckets[kind].balance -= cost;
	return is_admitted;
}

/* Every request of a limited disk comes through here, most often of a disk with one limit; what is
 * not needed to say yes is left to latest_ready_ns(). */
bool blk_throttle_admit(struct blk_throttle *t, bool is_write, uint64_t bytes, uint64_t now_ns,
			uint64_t *retry_ns_ret)
{
	bool is_admitted = t->kind_counts[is_write] == 1
				   ? admit_by_one(t, t->kinds[is_write][0], bytes, now_ns)
				   : admit_by_all(t, is_write, bytes, now_ns);

	if (!is_admitted)
		*retry_ns_ret = latest_ready_ns(t, is_write, bytes);
	return is_admitted;
}
