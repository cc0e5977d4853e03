/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that a workload walks over. */
#pragma once

#include "guest/worker.h"

#include <stddef.h>

struct working_set {
	char *data; /* lives as long as the process */
	size_t bytes;
};

/* Fresh anonymous memory, every page touched. Fails the worker when there is none. */
struct working_set working_set_map(struct worker *w, uint64_t bytes);
/* Read and write one word at every @stride bytes. */
void working_set_walk(const struct working_set *set, uint64_t stride);
