/* SPDX-License-Identifier: GPL-2.0-only */
/* A command line as a list of words, quoted as in a shell, of which it has nothing else: '...' keeps
 * everything, "..." everything but \ and ", \ keeps the next character; nothing is expanded. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct words {
	char **list; /* count of them, then NULL */
	size_t count;
};

#define WORDS_NULL ((struct words){ 0 })

/* Append the words of @text. 0; -EINVAL with words if a quote or \ is not closed; -ENOMEM. The caller
 * deinits @w in any case. */
int words_add_line(struct words *w, const char *text) must_check;
/* Append one as it is. */
int words_add(struct words *w, const char *word) must_check;
void words_deinit(struct words *w);

/* Append one word so that a shell, and words_add_line(), read it back: as it is where nothing in it is
 * special, else in '...'. One with control characters, which a terminal would obey, is in bash's $'...'
 * (which words_add_line() does not know). */
void words_quote(struct buf *out, const char *word);
