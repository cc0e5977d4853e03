/* SPDX-License-Identifier: GPL-2.0-only */
/* UTF-8 (RFC 3629), as far as texts of users need it: which characters may go to a terminal or into a
 * file of text as they are. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at @s: its length in bytes, and its code in @ret. 0 if there is none: overlong forms,
 * surrogates and what is above U+10FFFF are none. NUL is one of length 1. */
size_t utf8_decode(const char *s, uint32_t *ret);

/* Neither a control character, also of C1, nor one that ends or turns a line, nor a non-character. */
bool utf8_is_printable(uint32_t code);

/* Append a character that is not printable as \xNN, \uNNNN or \UNNNNNNNN. */
void utf8_add_escape(struct buf *out, uint32_t code);

/* Append @text as one line that a terminal does not obey: escapes for what is not printable, \xNN for
 * bytes that are no UTF-8. */
void utf8_add_printable(struct buf *out, const char *text);
