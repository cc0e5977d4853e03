/* SPDX-License-Identifier: GPL-2.0-only */
/* Lexical work on absolute paths: no file is looked at. */
#pragma once

#include <limits.h>
#include <stdbool.h>

/* Take out "//", "." and "..", as if no symbolic links existed; @ret may be @path. False if @path
 * is not absolute or does not fit. */
bool path_normalise(const char *path, char ret[PATH_MAX]);

/* The relative path that leads from the directory of @from to @to, both normalised. False if it
 * does not fit. */
bool path_relative(const char *from, const char *to, char ret[PATH_MAX]);
