/* SPDX-License-Identifier: GPL-2.0-only */
/* Text to quantity, strictly: the whole string must be the quantity, a unit is required where one
 * exists, nothing wraps. These functions give no words: the caller knows the name of the thing and
 * says it with err_new(). */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* Decimal, without a 0 in front of other digits. Returns 0, -EINVAL if @s is not a number, -ERANGE over 64 bits.
 * Any thread. */
int parse_u64(const char *s, uint64_t *ret) must_check;

/* As parse_u64(), and -ERANGE outside @min..@max. */
int parse_u64_in(const char *s, uint64_t min, uint64_t max, uint64_t *ret) must_check;

/* Bytes: a decimal number with an optional suffix B, K, M, G, T or KiB, MiB, GiB, TiB (all binary).
 * Returns 0, -EINVAL, -ERANGE. For options and files of others: scenarios have parse_size(). */
int parse_bytes(const char *s, uint64_t *ret) must_check;

/* The same with a suffix that must be there; "0" alone is fine. Returns 0, -EINVAL (also a missing
 * suffix), -ERANGE. */
int parse_size(const char *s, uint64_t *ret) must_check;

/* A duration with its unit: ns, us, ms or s, with an optional decimal fraction ("1.5ms"). "0" alone
 * is fine. Returns 0, -EINVAL (also a missing unit), -ERANGE. @ret in nanoseconds. */
int parse_duration_ns(const char *s, uint64_t *ret) must_check;
