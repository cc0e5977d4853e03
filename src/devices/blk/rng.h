/* SPDX-License-Identifier: GPL-2.0-only */
/* The seedable generator behind every "random" choice of the block device (latency distributions,
 * fault probabilities): splitmix64, so that one seed gives one sequence on every host and in every
 * build. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
#pragma once

#include <stdint.h>

struct blk_rng {
	uint64_t state;
};

static inline uint64_t blk_rng_next(struct blk_rng *rng)
{
	uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number in 0..bound-1; 0 for bound 0. The high half of a 128-bit product: no division, and a
 * bias below bound/2^64. */
static inline uint64_t blk_rng_below(struct blk_rng *rng, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)blk_rng_next(rng) * bound) >> 64);
}
