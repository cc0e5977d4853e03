/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens when a front end shrinks the file behind memory it has shared: touching the missing
 * page raises SIGBUS. The guard turns that into "this connection is broken": the whole mapping is
 * replaced by zero pages, so that the access goes on harmlessly, the flag is set first, and an
 * eventfd tells the connection's owner. Whoever publishes results looks at the flag before
 * (guard_is_broken()), so nothing read from or written to the zero pages is ever reported.
 *
 * A signal handler has no context argument, so the table of guarded ranges is the one piece of
 * process-wide state of this room. A SIGBUS elsewhere dies as it would have without us. */
#pragma once

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* One connection's guard. Ranges of several mappings refer to it. */
struct guard {
	_Atomic bool is_broken;
	int event_fd; /* becomes readable when is_broken is set; -1 for none; not owned */
};

/* Ranges that may be guarded at once in one process. */
enum { GUARD_SLOTS = 256 };

/* Guard [@start, @start + @bytes), a mapping of its own, in the name of @g, until guard_remove().
 * Installs the handler, also over
 * another. 0, -ENOSPC without a free slot, or sigaction()'s error.
 * Any thread. */
int guard_add(struct guard *g, void *start, size_t bytes) must_check;

/* No longer guard the mapping that starts at @start; unmap it after this. Nobody may touch it while
 * this runs. Any thread. */
void guard_remove(void *start);

static inline bool guard_is_broken(const struct guard *g)
{
	return atomic_load_explicit(&g->is_broken, memory_order_acquire);
}
