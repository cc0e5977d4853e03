// SPDX-License-Identifier: GPL-2.0-only
#include "harness/yaml_strict.h"

#include <yaml.h>

#include <errno.h>
#include <stdbool.h>

static int refuse(const char *path, const yaml_event_t *e, const char *what, const char *sign,
		  const void *name)
{
	return err_new(-EINVAL, "%s:%zu:%zu: %s %s%s: scenario files have none", path,
		       e->start_mark.line + 1, e->start_mark.column + 1, what, sign,
		       (const char *)name);
}

static int check_node(const char *path, const yaml_event_t *e, const yaml_char_t *anchor,
		      const yaml_char_t *tag)
{
	if (anchor)
		return refuse(path, e, "anchor", "&", anchor);
	return tag ? refuse(path, e, "tag", "", tag) : 0;
}

static int check_event(const char *path, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return refuse(path, e, "alias", "*", e->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return check_node(path, e, e->data.scalar.anchor, e->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return check_node(path, e, e->data.sequence_start.anchor,
				  e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return check_node(path, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	default:
		return 0;
	}
}

int yaml_refuse_extras(const char *path, const char *text, size_t len)
{
	yaml_parser_t parser;
	bool is_over = false;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return err_new(-ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (!is_over && r == 0) {
		yaml_event_t e;

		if (!yaml_parser_parse(&parser, &e))
			break;
		is_over = e.type == YAML_STREAM_END_EVENT;
		r = check_event(path, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return r;
}
