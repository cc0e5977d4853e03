/* SPDX-License-Identifier: GPL-2.0-only */
/* KEY=VALUE lists as tables: the disk spec, the throttle, the fault rule and the latency model are
 * each one table of keys, read by one parser. The tables' key sets are disjoint (but for `seed`),
 * which is what lets a list stand inside another one with nothing but commas (spec.h). */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct blk_option {
	const char *key;
	const char *form; /* the values it takes, as help and errors say it; "" for a flag */
	/* Store @value (NULL for a flag) into @target; 0, -EINVAL or -ERANGE without words. */
	int (*set)(void *target, const struct blk_option *option, const char *value);
	unsigned arg; /* the setter's own: an index or an enum value */
};

struct blk_option_table {
	const char *what; /* "throttle", for errors */
	const struct blk_option *rows;
	size_t count;
};

enum { BLK_OPTION_TEXT_MAX = 8192 };

/* The next item of a comma-separated list: *@text moves behind it, the item is NUL-terminated in
 * place; NULL at the end. */
char *blk_option_next(char **text);

/* Split KEY=VALUE in place; *@value_ret is NULL when there is no '='. */
void blk_option_split(char *item, char **value_ret);

/* The row of @key, or NULL. */
const struct blk_option *blk_option_find(const struct blk_option_table *table, const char *key);

/* Store one item; -EINVAL or -ERANGE with words that name the table, the key and the form. */
int blk_option_set(const struct blk_option_table *table, const struct blk_option *option,
		   void *target, const char *value) must_check;

/* Store a whole list KEY=VALUE,KEY=VALUE; errors as blk_option_set(), and -EINVAL for an unknown
 * key or a text beyond BLK_OPTION_TEXT_MAX. Any thread. */
int blk_options_parse(const struct blk_option_table *table, void *target,
		      const char *text) must_check;

/* One of @names (NULL-terminated) as its index: 0, or -EINVAL. */
int blk_option_enum(const char *const *names, const char *value, unsigned *ret) must_check;
