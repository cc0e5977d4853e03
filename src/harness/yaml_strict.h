/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of YAML that scenario files do without. An anchor makes one value stand in several places,
 * a tag gives a value another type: both let a file say something else than its lines show, and the
 * document that the loader walks knows of neither any more. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* 0, also for text that is no YAML, which the loader refuses with better words; -EINVAL with words
 * "PATH:LINE:COLUMN: ..." for the first anchor, alias or tag; -ENOMEM. */
int yaml_refuse_extras(const char *path, const char *text, size_t len) must_check;
