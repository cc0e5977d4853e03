// SPDX-License-Identifier: GPL-2.0-only
/* The conductor's side of the shared figures. */
#include "guest/telemetry.h"

void telemetry_part_clear(struct telemetry_part *p)
{
	*p = (struct telemetry_part){
		.wakes = HIST_EMPTY,
		.gap = { .cpu_before = REPORT_NO_CPU, .cpu_after = REPORT_NO_CPU },
	};
}

void telemetry_part_merge(struct telemetry_part *to, const struct telemetry_part *from)
{
	if (!from->is_used)
		return;
	to->is_used = 1;
	if (from->gap.length_ns > to->gap.length_ns)
		to->gap = from->gap;
	mask_or(&to->cpus_used, &from->cpus_used);
	if (from->outside_count && !to->outside_count) {
		to->outside_ns = from->outside_ns;
		to->outside_cpu = from->outside_cpu;
	}
	to->outside_count += from->outside_count;
	if (from->wakes.count && from->wakes.max_ns >= to->wakes.max_ns)
		to->wake_max_at_ns = from->wake_max_at_ns;
	hist_merge(&to->wakes, &from->wakes);
}

void telemetry_allow(struct telemetry_allowed *a, const struct cpu_mask *mask)
{
	uint32_t seq = atomic_load_explicit(&a->seq, memory_order_relaxed);

	a->mask[(seq + 1) % 2] = *mask;
	/* Pairs with the acquire in worker_checkpoint(): who sees the number sees the set. */
	atomic_store_explicit(&a->seq, seq + 1, memory_order_release);
}

void telemetry_widen(struct telemetry_allowed *a, const struct cpu_mask *mask)
{
	struct cpu_mask both = a->mask[shared_get(&a->seq) % 2];

	if (mask_is_empty(&both))
		return;
	if (mask_is_empty(mask))
		both = *mask;
	else
		mask_or(&both, mask);
	telemetry_allow(a, &both);
}
