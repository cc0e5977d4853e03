/* SPDX-License-Identifier: GPL-2.0-only */
/* The rule of noise, for claims about time: while the host took more than noise= of the window from
 * some CPU (guest steal, or what the vCPU thread and its carrier waited, whichever is larger), the claim is UNDECIDED, whether its
 * bound held or was broken. Noise makes waits longer; it also hides them: the rival whose vCPU was
 * not running contended with nobody. The finding says which of the two it looked like, and the
 * figures. With noise=1000permille the claim is always decided. */
#pragma once

#include "harness/check.h"
#include "harness/telemetry.h"

/* The parameter that all claims about time have; a tenth by default. */
#define NOISE_PARAM                                                                                \
	{                                                                                          \
		.name = "noise", .unit = PARAM_PERMILLE, .value = 100,                             \
		.help = "share of the window that the host may take from a CPU before the claim "  \
			"is UNDECIDED"                                                             \
	}

/* What the host took from the CPUs that a worker may run on, in thousandths of the window: from the one it
 * took least from, and from the one it took most from. The figures are whole ones, rounded down: @most_ns is
 * as long as it can have been. 0: nothing. */
struct noise_range {
	unsigned least, most;
	uint64_t most_ns;
};
struct noise_range noise_of_worker(const struct finding *f, const struct telemetry *t,
				   uint32_t worker);

/* A judged claim that says FAIL, and need not if the host is to blame for what @is_explained says it is:
 * UNDECIDED. Nothing if it took nothing, or noise= takes all of it. */
void noise_forgive(struct finding *f, const struct telemetry *t, bool is_explained);

/* Set the verdict of @f from observed and bound; @limit_permille is the claim's noise=. Adds the
 * noise to the finding and its evidence. */
void noise_judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille);

/* The same for a claim that holds if some times had been shorter by @excess_ns in sum. What the host took
 * of the window in all may be just that: then it is UNDECIDED. */
void noise_judge_excess(struct finding *f, const struct telemetry *t, uint64_t limit_permille,
			uint64_t excess_ns);

/* The same for a claim about the longest wait, of @f's unit ns. What broke its bound by no more than
 * the host took of the window in all is UNDECIDED, too: one stop of a vCPU explains it. */
void noise_judge_wait(struct finding *f, const struct telemetry *t, uint64_t limit_permille);

/* The same for a claim whose bound is the least that must be observed in the window's time. What was missing
 * by no more than the part that the host took is UNDECIDED. */
void noise_judge_least(struct finding *f, const struct telemetry *t, uint64_t limit_permille);

/* For claims about parts of the CPU time, which stand under noise, because it takes from all alike. But
 * there has to be something to take parts of: a group's weight finds its way to each CPU only while
 * tasks run there, in tenths of a second. A CPU to which noise left less than 100 ms of the window makes
 * the claim UNDECIDED: 64 vCPUs that share one CPU of the host have 31 ms each of a hold of 2 s. */
void noise_judge_parts(struct finding *f, const struct telemetry *t);
