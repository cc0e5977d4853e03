/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions behind the workloads of wire/workloads.h. To add one, see there. */
#pragma once

#include "guest/worker.h"

#include <stdbool.h>

/* Make what the members of an ensemble share, before they are forked: descriptors into e->fds. The
 * caller closes them after forking. 0 or a negative errno with words. */
int workload_prepare(uint32_t id, struct ensemble *e,
		     const uint64_t params[PLAN_PARAMS]) must_check;

/* Do the work of w->group; returns only if it is over by itself. */
void workload_run(struct worker *w);

/* Is there a function for this id? */
bool workload_is_known(uint32_t id);
