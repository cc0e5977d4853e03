/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run would do, without a machine: each scenario compiled for the machine that it would get,
 * with its windows, workers and claims, or why it would be a SKIP. What only the guest can tell (the
 * features of its kernel) is listed as such. */
#pragma once

#include "base/buf.h"
#include "harness/runner.h"

#include <stdbool.h>

/* Append it to @out, in the order of the run: a block for each scenario, then a count; or, with
 * @is_json, an object a line. @release is the kernel's; NULL: there is none at hand. 0, or the errors
 * of cell_compile(). */
int dry_run(const struct registry *chosen, const struct run_options *options, const char *release,
	    bool is_json, struct buf *out) must_check;
