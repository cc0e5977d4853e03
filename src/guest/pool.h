/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory that the conductor shares with a plan's workers: one anonymous shared mapping, made
 * before the first fork, at the same address in all of them. */
#pragma once

#include "guest/worker.h"

#include <stddef.h>

struct pool {
	void *base;
	size_t bytes;
	struct pool_head *head;
	struct worker *workers;	     /* one for each of the plan */
	struct telemetry *telemetry; /* the same */
	char *shared; /* WORKER_SHARED_BYTES for each worker; an ensemble uses that of
				     * its first member */
};

#define POOL_NULL ((struct pool){ 0 })

int pool_init(struct pool *p, const struct plan *plan) must_check;
void pool_deinit(struct pool *p);
