/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256 as text: names of cached files, and the check of a download against the archive's index. */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum { SHA256_HEX_BYTES = 65 };

void sha256_of(const void *data, size_t len, char ret[SHA256_HEX_BYTES]);
/* Of a whole file, in pieces. Errors of open() and read(). */
int sha256_of_file(const char *path, char ret[SHA256_HEX_BYTES]) must_check;
