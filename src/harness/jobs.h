/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run does, in its order: every scenario as it is, and again for every fault of it. Scenarios
 * that want the same machine stand together, so that it boots once; among them those of the program are
 * sorted by name, behind them those of a file stand as in the file. */
#pragma once

#include "base/err.h"
#include "harness/runner.h"

struct job {
	const struct ktstr_record *record;
	const struct fault *fault; /* NULL: none */
};

/* @ret is freed by the caller, and borrows from @chosen and @options. 0 or -ENOMEM. */
int jobs_list(const struct registry *chosen, const struct run_options *options, struct job **ret,
	      size_t *count_ret) must_check;
