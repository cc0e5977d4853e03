/* SPDX-License-Identifier: GPL-2.0-only */
/* The rule of noise, for claims about time. Noise only makes waits longer: a bound that held, held.
 * A bound that was broken while the host took more than noise= of the window from some CPU (guest
 * steal or vCPU run delay) is UNDECIDED, with the figures; with less noise it is FAIL. */
#pragma once

#include "harness/telemetry.h"

/* The parameter that all claims about time have; 1 % by default. */
#define NOISE_PARAM                                                                                \
	{                                                                                          \
		.name = "noise", .unit = PARAM_PERMILLE, .value = 10,                              \
		.help = "share of the window that the host may take before a broken bound is "     \
			"UNDECIDED"                                                                \
	}

/* Set the verdict of @f from observed and bound; @limit_permille is the claim's noise=. Adds the
 * noise to the evidence of a broken bound. */
void noise_judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille);

/* The same for a claim whose bound is the least that must be observed. */
void noise_judge_least(struct finding *f, const struct telemetry *t, uint64_t limit_permille);
