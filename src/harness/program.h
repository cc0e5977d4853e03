/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs of the workload `sequence`: phases in the order in which a worker does them, again and
 * again, as text "run:2ms,sleep:1ms,yield:3,loop:0x4".
 *
 *   run:TIME    compute for that much CPU time     yield:N   sched_yield() N times
 *   sleep:TIME  sleep                              io:N      N reads of 4 KiB of the test disk
 *   timer:TIME  sleep to the next multiple         loop:KxN  N times back to phase K (from 0) */
#pragma once

#include "base/err.h"
#include "wire/plan.h"

#include <stdint.h>

struct program {
	struct plan_phase phases[64];
	uint32_t count;
};

/* 0, or -EINVAL with words that name the phase. */
int program_parse(const char *text, struct program *ret) must_check;
