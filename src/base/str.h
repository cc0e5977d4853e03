/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings on the heap, with the failure in the house's form. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* asprintf(): @ret is the caller's to free. 0 or -ENOMEM with words. */
int str_printf(char **ret, const char *fmt, ...) printf_like(2, 3) must_check;

bool str_starts_with(const char *s, const char *start);
bool str_ends_with(const char *s, const char *end);
