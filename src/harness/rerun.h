/* SPDX-License-Identifier: GPL-2.0-only */
/* The line of a report that runs one scenario again, as a shell takes it. */
#pragma once

#include "base/buf.h"
#include "harness/runner.h"

/* Append "ktstr run NAME --topology T ..." to @out: the scenario alone, on that machine, with what the
 * command line said of machine, kernel and seed. @fault: NULL, or the one that it ran with. */
void rerun_line(const struct run_options *o, const struct ktstr_record *record,
		const char *topology, const struct fault *fault, struct buf *out);
