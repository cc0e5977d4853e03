/* SPDX-License-Identifier: GPL-2.0-only */
/* Results that another process of ours wrote as JSON lines (`ktstr run --record`), into the store:
 * how verdicts leave the carrier. */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct store;

/* Add every line of @path to run @run. A file that is not there holds none. 0; the file's errors; the
 * store's, also for a line that is no result. */
int store_import(struct store *s, int64_t run, const char *path) must_check;
