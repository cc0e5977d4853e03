// SPDX-License-Identifier: GPL-2.0-only
/* Paths into JSON. The tree is jansson's; the walk goes as deep as the path is long. */
#include "harness/metric.h"

#include "base/util.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>

/* A document begins a line: what programs say before it does not begin with its brackets. */
static const char *find_document(const struct metric_text *text)
{
	const char *end = text->data + text->len;

	for (const char *line = text->data; line < end; line++) {
		if (*line == '{' || *line == '[')
			return line;
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line)
			break;
	}
	return NULL;
}

static int add_leaf(const json_t *node, struct metric_values *ret)
{
	char text[64];

	if (json_is_string(node))
		return metric_add(ret, json_string_value(node));
	if (!json_is_number(node))
		return err_new(-ENODATA, "the value there is no number");
	if (json_is_integer(node))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(node));
	else
		snprintf(text, sizeof(text), "%.17g", json_real_value(node));
	return metric_add(ret, text);
}

static int walk(const json_t *node, const char *path, struct metric_values *ret);

static int walk_list(const json_t *node, const struct metric_part *part, const char *rest,
		     struct metric_values *ret)
{
	size_t count = json_array_size(node);
	int r = 0;

	if (part->is_position && part->position < count)
		return walk(json_array_get(node, part->position), rest, ret);
	for (size_t i = 0; part->is_any && i < count && r == 0; i++)
		r = walk(json_array_get(node, i), rest, ret);
	return r;
}

static int walk_object(json_t *node, const struct metric_part *part, const char *rest,
		       struct metric_values *ret)
{
	int r = 0;

	if (!part->is_any) {
		const json_t *value = json_object_get(node, part->key);

		return value ? walk(value, rest, ret) : 0;
	}
	for (void *i = json_object_iter(node); i && r == 0; i = json_object_iter_next(node, i))
		r = walk(json_object_iter_value(i), rest, ret);
	return r;
}

/* What is not there adds no value. */
static int walk(const json_t *node, const char *path, struct metric_values *ret)
{
	struct metric_part part;
	int r = metric_visit(ret);

	if (r == 0 && !*path)
		return add_leaf(node, ret);
	if (r == 0)
		r = metric_take_part(&path, &part);
	if (r < 0)
		return err_trace(r);
	if (json_is_array(node))
		return walk_list(node, &part, path, ret);
	if (json_is_object(node))
		return walk_object((json_t *)(uintptr_t)node, &part, path, ret);
	return 0;
}

int metric_json(const char *path, const struct metric_text *text, struct metric_values *ret)
{
	const char *start = text->len ? find_document(text) : NULL;
	json_error_t error;
	json_t *root;
	int r;

	if (!start)
		return err_new(-ENODATA, "there is no JSON in its %zu bytes", text->len);
	root = json_loadb(start, text->len - (size_t)(start - text->data), JSON_DISABLE_EOF_CHECK,
			  &error);
	if (!root)
		return err_new(-ENODATA, "no JSON: line %d: %s", error.line, error.text);
	r = walk(root, path, ret);
	json_decref(root);
	return r;
}
