// SPDX-License-Identifier: GPL-2.0-only
/* Workers that were stopped and spawned again report for each of their lives: together they are one. */
#include "harness/telemetry.h"

#include "base/util.h"

#include <stdlib.h>

/* Of the ends the one that says most is kept. */
static void merge_figures(struct wire_report *to, const struct wire_report *from)
{
	static const unsigned weights[] = {
		[WORKER_STOPPED] = 1, [WORKER_FINISHED] = 1, [WORKER_RUNNING] = 2,
		[WORKER_KILLED] = 3,  [WORKER_STUCK] = 4,    [WORKER_CRASHED] = 5,
		[WORKER_ERROR] = 6,
	};

	if (weights[from->end] > weights[to->end]) {
		to->end = from->end;
		to->end_status = from->end_status;
		memcpy(to->text, from->text, sizeof(to->text));
	}
	to->start_ns = MIN(to->start_ns, from->start_ns);
	to->end_ns = MAX(to->end_ns, from->end_ns);
	to->iterations += from->iterations;
	to->checkpoints += from->checkpoints;
	to->cpu_ns += from->cpu_ns;
	to->run_delay_ns += from->run_delay_ns;
	to->slices += from->slices;
	to->migrations += from->migrations;
	to->deadline_misses += from->deadline_misses;
	to->bytes += from->bytes;
	to->pages_local += from->pages_local;
	to->pages_remote += from->pages_remote;
}

static void merge_moments(struct wire_report *to, const struct wire_report *from)
{
	for (size_t i = 0; i < ARRAY_SIZE(to->cpus_used.bits); i++)
		to->cpus_used.bits[i] |= from->cpus_used.bits[i];
	if (from->gap.length_ns > to->gap.length_ns)
		to->gap = from->gap;
	if (!to->outside_count) {
		to->outside_ns = from->outside_ns;
		to->outside_cpu = from->outside_cpu;
	}
	to->outside_count += from->outside_count;
	if (from->wake_max_ns > to->wake_max_ns)
		to->wake_max_at_ns = from->wake_max_at_ns;
	to->wake_max_ns = MAX(to->wake_max_ns, from->wake_max_ns);
	if (from->wakes && (!to->wakes || from->wake_min_ns < to->wake_min_ns))
		to->wake_min_ns = from->wake_min_ns;
	to->open_wake_ns = MAX(to->open_wake_ns, from->open_wake_ns);
	to->wakes += from->wakes;
	to->wake_sum_ns += from->wake_sum_ns;
}

void telemetry_merge_report(struct worker_report *to, const struct wire_report *report,
			    struct hist *wakes)
{
	merge_figures(&to->report, report);
	merge_moments(&to->report, report);
	if (!to->wakes) {
		to->wakes = wakes;
		return;
	}
	if (wakes)
		hist_merge(to->wakes, wakes);
	free(wakes);
}
