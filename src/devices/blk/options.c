// SPDX-License-Identifier: GPL-2.0-only
/* Comma-separated KEY=VALUE lists over a table of keys. */
#include "devices/blk/options.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char *blk_option_next(char **text)
{
	char *item = *text;
	char *comma;

	if (!item)
		return NULL;
	comma = strchr(item, ',');
	if (comma)
		*comma++ = '\0';
	*text = comma;
	return item;
}

void blk_option_split(char *item, char **value_ret)
{
	char *equals = strchr(item, '=');

	if (equals)
		*equals++ = '\0';
	*value_ret = equals;
}

const struct blk_option *blk_option_find(const struct blk_option_table *table, const char *key)
{
	for (size_t i = 0; i < table->count; i++) {
		if (!strcmp(table->rows[i].key, key))
			return &table->rows[i];
	}
	return NULL;
}

int blk_option_set(const struct blk_option_table *table, const struct blk_option *option,
		   void *target, const char *value)
{
	int r;

	if (!option->form[0] && value)
		return err_new(-EINVAL, "%s option %s takes no value", table->what, option->key);
	if (option->form[0] && !value)
		return err_new(-EINVAL, "%s option %s needs a value: %s=%s", table->what,
			       option->key, option->key, option->form);
	r = option->set(target, option, value);
	if (r < 0)
		return err_new(r, "%s option %s=%s: it is %s=%s", table->what, option->key, value,
			       option->key, option->form);
	return 0;
}

static int unknown_key(const struct blk_option_table *table, const char *key)
{
	cleanup(buf_deinit) struct buf known = BUF_NULL;

	for (size_t i = 0; i < table->count; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", table->rows[i].key);
	return err_new(-EINVAL, "unknown %s option \"%s\"; there are: %s", table->what, key,
		       buf_text(&known));
}

int blk_options_parse(const struct blk_option_table *table, void *target, const char *text)
{
	char copy[BLK_OPTION_TEXT_MAX];
	char *rest = copy;

	if (strlen(text) >= sizeof(copy))
		return err_new(-EINVAL, "%s is longer than %zu bytes", table->what, sizeof(copy));
	strcpy(copy, text);
	for (char *item; (item = blk_option_next(&rest));) {
		const struct blk_option *option;
		char *value;
		int r;

		blk_option_split(item, &value);
		option = blk_option_find(table, item);
		if (!option)
			return unknown_key(table, item);
		r = blk_option_set(table, option, target, value);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int blk_option_enum(const char *const *names, const char *value, unsigned *ret)
{
	for (unsigned i = 0; names[i]; i++) {
		if (!strcmp(names[i], value)) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}
