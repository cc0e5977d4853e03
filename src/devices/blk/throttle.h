/* SPDX-License-Identifier: GPL-2.0-only */
/* Rate limits by virtual scheduling (GCRA), on a clock that the caller gives: operations and bytes
 * a second, for all requests together and for reads and writes each, with bursts.
 *
 * A limit is a balance of tokens that earns `rate` a second up to `burst`. A request whose cost
 * fits into the burst waits until the balance covers it; a larger one is admitted at a balance
 * that is not negative and leaves a debt. Without a burst (0) every request is of the second kind:
 * one goes at once, the next when its cost has been earned back. Balances are kept in billionths
 * of a token, so that a nanosecond earns a whole number: nothing is rounded, and the time of the
 * next admission is exact. Source: ITU-T I.371 annex A, the generic cell rate algorithm. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum blk_limit_kind {
	BLK_LIMIT_OPS,
	BLK_LIMIT_BYTES,
	BLK_LIMIT_READ_OPS,
	BLK_LIMIT_READ_BYTES,
	BLK_LIMIT_WRITE_OPS,
	BLK_LIMIT_WRITE_BYTES,
	BLK_LIMIT_COUNT,
};

struct blk_limit {
	uint64_t rate;	/* tokens a second; 0 = no limit */
	uint64_t burst; /* tokens that may be saved */
};

struct blk_throttle_spec {
	struct blk_limit limits[BLK_LIMIT_COUNT];
};

/* One limit at work, all of it together: with few requests under way each comes to a cold cache.
 * Billionths of a token; a negative balance is a debt. */
struct blk_bucket {
	__int128 balance;
	__int128 savings_max;
	__int128 burst;
	uint64_t settled_ns; /* the balance is as of this time */
	uint64_t rate;
};

struct blk_throttle {
	uint8_t kinds[2][BLK_LIMIT_COUNT]; /* limits that apply to a read and to a write */
	uint8_t kind_counts[2];
	struct blk_bucket buckets[BLK_LIMIT_COUNT];
	struct blk_throttle_spec spec;
};

extern const struct blk_option_table blk_throttle_options;

/* Read "iops=100,iops-burst=10,bps=1M,read-iops=...". 0, -EINVAL or -ERANGE with words; a burst
 * without its rate is -EINVAL. Rates are 1 to 10^15. Any thread. */
int blk_throttle_parse(const char *text, struct blk_throttle_spec *ret) must_check;

/* What parsing one key at a time cannot see: 0, or -EINVAL with words for a burst without a rate. */
int blk_throttle_check(const struct blk_throttle_spec *spec) must_check;

bool blk_throttle_is_limited(const struct blk_throttle_spec *spec);

/* Start with every burst saved. */
void blk_throttle_init(struct blk_throttle *t, const struct blk_throttle_spec *spec,
		       uint64_t now_ns);

/* Change the limits of a running throttle without a windfall: what was saved stays, cut to the new
 * burst; debts stay; a limit that did not exist before starts with nothing saved. */
void blk_throttle_set(struct blk_throttle *t, const struct blk_throttle_spec *spec,
		      uint64_t now_ns);

/* Admit one read or write of @bytes at @now_ns: true and every limit is charged, or false, nothing
 * is charged and *@retry_ns_ret is the first nanosecond at which it will be admitted if nobody
 * else is before. All limits are tested before the first is charged. A clock that steps back earns
 * nothing. The caller serialises calls. */
bool blk_throttle_admit(struct blk_throttle *t, bool is_write, uint64_t bytes, uint64_t now_ns,
			uint64_t *retry_ns_ret);
