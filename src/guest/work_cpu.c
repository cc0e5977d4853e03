// SPDX-License-Identifier: GPL-2.0-only
/* Workloads that only compute. */
#include "guest/work.h"

#include <sched.h>

void work_spin(struct worker *w, const uint64_t *p)
{
	for (;;) {
		worker_compute(w, p[0]);
		worker_iterate(w);
	}
}

/* Eight chains at most, kept in registers; an unused one costs nothing but its register. */
static void compute_wide(uint64_t x[8], uint64_t width, uint64_t units)
{
	for (uint64_t i = 0; i < units; i++) {
		for (uint64_t k = 0; k < width; k++)
			x[k] = x[k] * UINT64_C(6364136223846793005) + k;
		__asm__ volatile("" : : "r"(x) : "memory");
	}
}

void work_alu_hot(struct worker *w, const uint64_t *p)
{
	uint64_t x[8];

	for (int i = 0; i < 8; i++)
		x[i] = worker_random(w);
	for (;;) {
		compute_wide(x, p[0], p[1]);
		worker_iterate(w);
	}
}

void work_yield(struct worker *w, const uint64_t *p)
{
	for (;;) {
		sched_yield();
		worker_iterate(w);
	}
}

void work_mixed(struct worker *w, const uint64_t *p)
{
	for (;;) {
		worker_compute(w, p[0]);
		sched_yield();
		worker_iterate(w);
	}
}
