/* SPDX-License-Identifier: GPL-2.0-only */
/* rt-app's workload files (JSON), as far as they can be said in the scenario model: tasks become
 * workers of the workload `sequence`. What is taken is in the manual page; everything else is refused
 * by the path of its key, "tasks.t0.phases.p1.lock", because a workload of which a part was left out
 * is another workload.
 *
 * The scenario comes out as a scenario file: JSON is YAML. Source: rt-app, doc/tutorial.txt. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

/* Append the scenario file of @text to @ret; @path is for messages, and its base name the scenario's.
 * 0; -EINVAL with words "PATH:LINE:COLUMN: ..." where the text is no JSON, "PATH: KEY: ..." where it
 * is no workload of ours; -ENOMEM. */
int rtapp_convert(const char *path, const char *text, size_t len, struct buf *ret) must_check;
