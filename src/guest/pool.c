// SPDX-License-Identifier: GPL-2.0-only
/* The shared mapping of a plan. */
#include "guest/pool.h"

#include "base/util.h"

#include <errno.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

int pool_init(struct pool *p, const struct plan *plan)
{
	size_t n = plan->header.worker_count;
	size_t workers = align_up(n * sizeof(struct worker), PAGE);
	size_t telemetry = align_up(n * sizeof(struct telemetry), PAGE);
	size_t bytes = PAGE + workers + telemetry + n * WORKER_SHARED_BYTES;
	char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		return err_new(-errno, "map %zu bytes for %zu workers: %s", bytes, n,
			       strerror(errno));
	*p = (struct pool){ .base = base,
			    .bytes = bytes,
			    .head = (void *)base,
			    .workers = (void *)(base + PAGE),
			    .telemetry = (void *)(base + PAGE + workers),
			    .shared = base + PAGE + workers + telemetry };
	return 0;
}

void pool_deinit(struct pool *p)
{
	if (p->base)
		munmap(p->base, p->bytes);
	*p = POOL_NULL;
}
