/* SPDX-License-Identifier: GPL-2.0-only */
/* A scenario as a scenario file that runs the same: the schema walked the other way. Members that are
 * zero are left out, which is what a file without them means. */
#pragma once

#include "base/buf.h"

#include <ktstr/scenario.h>

/* Append the file to @out (check it with buf_ok()). */
void scenario_show_yaml(const struct ktstr_record *record, struct buf *out);
