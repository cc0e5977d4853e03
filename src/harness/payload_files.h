/* SPDX-License-Identifier: GPL-2.0-only */
/* What the payloads of scenarios need of this host: their programs and what they include. */
#pragma once

#include "base/err.h"
#include "harness/cell.h"
#include "harness/registry.h"
#include "harness/words.h"

#include <stdbool.h>

bool scenario_has_payloads(const struct ktstr_scenario *s);

/* Append the files of all payloads of @chosen, which compile with @options, to @ret. One that several
 * need comes several times. 0, or cell_compile()'s errors. */
int payload_files(const struct registry *chosen, const struct cell_options *options,
		  struct words *ret) must_check;
