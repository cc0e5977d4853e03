/* SPDX-License-Identifier: GPL-2.0-only */
/* Event counters that a second thread may read while they run. counter_bump() is for counters that
 * have one writer at a time: a plain load and store, no locked instruction; counter_add() for those
 * that several threads write. No order with other memory is promised. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter_t;

static inline uint64_t counter_get(const counter_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void counter_bump(counter_t *c, uint64_t n)
{
	atomic_store_explicit(c, counter_get(c) + n, memory_order_relaxed);
}

static inline void counter_add(counter_t *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}
