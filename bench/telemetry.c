// SPDX-License-Identifier: GPL-2.0-only
/* What being measured costs a worker: the spin workload's iteration with its telemetry beside the
 * same computing alone, in short turns that alternate, so that both see the same disturbances; the
 * sums of CPU time are compared. */
#include "base/util.h"
#include "guest/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TURNS = 4000, ITERATIONS = 400, UNITS = 1024 };
static const double limit_percent = 0.5;

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t compute_alone(struct worker *w)
{
	uint64_t start = cpu_ns();

	for (int i = 0; i < ITERATIONS; i++)
		worker_compute(w, UNITS);
	return cpu_ns() - start;
}

static uint64_t compute_measured(struct worker *w)
{
	uint64_t start = cpu_ns();

	for (int i = 0; i < ITERATIONS; i++) {
		worker_compute(w, UNITS);
		worker_iterate(w);
	}
	return cpu_ns() - start;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The mean of the lower half: turns that an interrupt or a neighbour made long are left out. */
static double lower_mean_ns(uint64_t turns[TURNS])
{
	double sum = 0;

	qsort(turns, TURNS, sizeof(*turns), compare);
	for (int i = 0; i < TURNS / 2; i++)
		sum += (double)turns[i];
	return sum / (TURNS / 2) / ITERATIONS;
}

int main(void)
{
	static uint64_t alone[TURNS], measured[TURNS];
	struct telemetry *t = aligned_alloc(128, sizeof(*t));
	struct worker *w = aligned_alloc(128, sizeof(*w));
	struct pool_head head = { 0 };
	const struct plan_group group = { 0 };
	double percent;

	if (!t || !w)
		return 1;
	memset(t, 0, sizeof(*t));
	telemetry_part_clear(&t->part[0]);
	*w = (struct worker){ .pool = &head,
			      .group = &group,
			      .telemetry = t,
			      .stride = 1,
			      .left = 1,
			      .cpu = REPORT_NO_CPU,
			      .last_ns = now_ns() };
	for (int i = 0; i < TURNS; i++) {
		alone[i] = compute_alone(w);
		measured[i] = compute_measured(w);
	}
	percent = 100 * (lower_mean_ns(measured) / lower_mean_ns(alone) - 1);
	printf("telemetry: spin iteration %.1f ns, alone %.1f ns: %+.3f %% (limit %.1f %%)\n",
	       lower_mean_ns(measured), lower_mean_ns(alone), percent, limit_percent);
	free(t);
	free(w);
	return percent <= limit_percent ? 0 : 1;
}
