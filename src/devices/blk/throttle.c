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
	return kind == BLK_LIMIT_BYTES || kind == BLK_LIMIT_READ_BYTES ||
	       kind == BLK_LIMIT_WRITE_BYTES;
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

void blk_throttle_init(struct blk_throttle *t, const struct blk_throttle_spec *spec,
		       uint64_t now_ns)
{
	*t = (struct blk_throttle){ .spec = *spec, .settled_ns = now_ns };
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++)
		t->balances[kind] = spec->limits[kind].burst * token;
}

/* The most that can be saved: the burst, and what is earned in less than one nanosecond. Without
 * the latter every wait would lose the fraction by which it was rounded up. */
static __int128 savings_max(const struct blk_limit *limit)
{
	return limit->burst * token + (limit->rate ? limit->rate - 1 : 0);
}

/* Bring the balances up to @now_ns. */
static void settle(struct blk_throttle *t, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns > t->settled_ns ? now_ns - t->settled_ns : 0;

	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		const struct blk_limit *limit = &t->spec.limits[kind];
		__int128 earned = (__int128)elapsed_ns * limit->rate;

		t->balances[kind] = MIN(t->balances[kind] + earned, savings_max(limit));
	}
	t->settled_ns += elapsed_ns;
}

void blk_throttle_set(struct blk_throttle *t, const struct blk_throttle_spec *spec, uint64_t now_ns)
{
	settle(t, now_ns);
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		__int128 saved = t->spec.limits[kind].rate ? t->balances[kind] : 0;

		t->balances[kind] = MIN(saved, spec->limits[kind].burst * token);
	}
	t->spec = *spec;
}

/* What @kind charges for this request; 0 if it does not apply. */
static __int128 cost_of(const struct blk_throttle *t, unsigned kind, bool is_write, uint64_t bytes)
{
	bool is_for_reads = kind == BLK_LIMIT_READ_OPS || kind == BLK_LIMIT_READ_BYTES;
	bool is_for_writes = kind == BLK_LIMIT_WRITE_OPS || kind == BLK_LIMIT_WRITE_BYTES;

	if (!t->spec.limits[kind].rate || (is_write ? is_for_reads : is_for_writes))
		return 0;
	return counts_bytes(kind) ? bytes * token : token;
}

/* Nanoseconds until @kind can admit @cost; 0 = now. */
static uint64_t wait_ns(const struct blk_throttle *t, unsigned kind, __int128 cost)
{
	const struct blk_limit *limit = &t->spec.limits[kind];
	__int128 needed = cost <= limit->burst * token ? cost : 0;
	__int128 missing = needed - t->balances[kind];
	__int128 wait;

	if (cost == 0 || missing <= 0)
		return 0;
	wait = (missing + limit->rate - 1) / limit->rate;
	return wait < UINT64_MAX ? (uint64_t)wait : UINT64_MAX;
}

bool blk_throttle_admit(struct blk_throttle *t, bool is_write, uint64_t bytes, uint64_t now_ns,
			uint64_t *retry_ns_ret)
{
	__int128 costs[BLK_LIMIT_COUNT];
	uint64_t longest_ns = 0;

	settle(t, now_ns);
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++) {
		costs[kind] = cost_of(t, kind, is_write, bytes);
		longest_ns = MAX(longest_ns, wait_ns(t, kind, costs[kind]));
	}
	if (longest_ns) {
		if (__builtin_add_overflow(t->settled_ns, longest_ns, retry_ns_ret))
			*retry_ns_ret = UINT64_MAX;
		return false;
	}
	for (unsigned kind = 0; kind < BLK_LIMIT_COUNT; kind++)
		t->balances[kind] -= costs[kind];
	return true;
}
