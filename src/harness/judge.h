/* SPDX-License-Identifier: GPL-2.0-only */
/* From what a trial brought to a verdict. */
#pragma once

#include "base/err.h"
#include "harness/result.h"
#include "harness/telemetry.h"

/* The guest ran @result's cell to its DONE: judge every claim over every window, unless the guest or
 * a worker failed in a way that leaves nothing to judge. Sets verdict, reason and findings. 0 or
 * -ENOMEM. */
int judge_trial(struct result *result, const struct telemetry *telemetry) must_check;
