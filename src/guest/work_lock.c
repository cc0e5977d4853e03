// SPDX-License-Identifier: GPL-2.0-only
/* Workloads around one lock. */
#include "base/util.h"
#include "guest/work.h"
#include "guest/work_sync.h"

void work_mutex(struct worker *w, const uint64_t *p)
{
	struct work_lock *lock = w->ensemble->shared;

	for (;;) {
		work_lock_take(w, lock);
		worker_compute(w, p[1]);
		work_lock_release(w, lock);
		worker_compute(w, p[2]);
		worker_iterate(w);
	}
}

static void set_nice(struct worker *w, int nice)
{
	struct plan_sched s = { .flags = SCHED_HAS_NICE, .nice = nice };

	if (task_set_sched(0, &s))
		worker_fail(w, "%s", err_text());
}

/* High tasks sleep between their turns, as who is urgent does: else they would starve the rest. */
void work_priority_inversion(struct worker *w, const uint64_t *p)
{
	struct work_lock *lock = w->ensemble->shared;
	bool is_high = w->member < p[0], is_medium = !is_high && w->member < p[0] + p[1];

	if (!is_medium)
		set_nice(w, is_high ? -10 : 19);
	for (;; worker_iterate(w)) {
		if (!is_medium) {
			work_lock_take(w, lock);
			worker_compute(w, p[3]);
			work_lock_release(w, lock);
		}
		worker_compute(w, p[4] + 1);
		if (is_high)
			worker_sleep(w, NSEC_PER_MSEC);
	}
}
