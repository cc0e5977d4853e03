// SPDX-License-Identifier: GPL-2.0-only
/* Working sets, and the workloads that are about memory. */
#include "guest/work_memory.h"

#include "base/util.h"

#include <errno.h>
#include <sys/mman.h>

struct working_set working_set_map(struct worker *w, uint64_t bytes)
{
	struct working_set set = { .bytes = bytes };

	set.data = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (set.data == MAP_FAILED)
		worker_fail(w, "map %zu bytes: %s", set.bytes, strerror(errno));
	return set;
}

void working_set_walk(const struct working_set *set, uint64_t stride)
{
	for (size_t at = 0; at + sizeof(uint64_t) <= set->bytes; at += stride) {
		volatile uint64_t *word = (volatile uint64_t *)(void *)(set->data + at);

		*word += at;
	}
}
