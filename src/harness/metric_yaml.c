// SPDX-License-Identifier: GPL-2.0-only
/* Paths into YAML. An alias can make a document a graph, even one with cycles: the walk goes as deep
 * as the path is long, and its visits are counted. */
#include "harness/metric.h"

#include "base/util.h"

#include <yaml.h>

#include <errno.h>

static int walk(yaml_document_t *doc, const yaml_node_t *node, const char *path,
		struct metric_values *ret);

static int walk_list(yaml_document_t *doc, const yaml_node_t *node, const struct metric_part *part,
		     const char *rest, struct metric_values *ret)
{
	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - items);
	int r = 0;

	if (part->is_position && part->position < count)
		return walk(doc, yaml_document_get_node(doc, items[part->position]), rest, ret);
	for (size_t i = 0; part->is_any && i < count && r == 0; i++)
		r = walk(doc, yaml_document_get_node(doc, items[i]), rest, ret);
	return r;
}

static bool is_key(yaml_document_t *doc, int index, const char *key)
{
	const yaml_node_t *node = yaml_document_get_node(doc, index);

	return node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(key) &&
	       memcmp(node->data.scalar.value, key, node->data.scalar.length) == 0;
}

static int walk_map(yaml_document_t *doc, const yaml_node_t *node, const struct metric_part *part,
		    const char *rest, struct metric_values *ret)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	int r = 0;

	for (; pair < node->data.mapping.pairs.top && r == 0; pair++) {
		/* A long mapping is looked through key by key. */
		r = metric_visit(ret);
		if (r == 0 && (part->is_any || is_key(doc, pair->key, part->key)))
			r = walk(doc, yaml_document_get_node(doc, pair->value), rest, ret);
	}
	return r;
}

static int add_leaf(const yaml_node_t *node, struct metric_values *ret)
{
	if (node->type != YAML_SCALAR_NODE)
		return err_new(-ENODATA, "the value there is no number");
	return metric_add(ret, (const char *)node->data.scalar.value);
}

static int walk(yaml_document_t *doc, const yaml_node_t *node, const char *path,
		struct metric_values *ret)
{
	struct metric_part part;
	int r = metric_visit(ret);

	if (r < 0 || !node)
		return r;
	if (!*path)
		return add_leaf(node, ret);
	r = metric_take_part(&path, &part);
	if (r < 0)
		return err_trace(r);
	if (node->type == YAML_SEQUENCE_NODE)
		return walk_list(doc, node, &part, path, ret);
	if (node->type == YAML_MAPPING_NODE)
		return walk_map(doc, node, &part, path, ret);
	return 0;
}

/* From a line of "---" on, if there is one; else all of it. */
static const char *find_document(const struct metric_text *text)
{
	static const char mark[] = "\n---\n";
	const char *found;

	if (text->len >= 4 && memcmp(text->data, mark + 1, 4) == 0)
		return text->data;
	found = memmem(text->data, text->len, mark, sizeof(mark) - 1);
	return found ? found + 1 : text->data;
}

int metric_yaml(const char *path, const struct metric_text *text, struct metric_values *ret)
{
	const char *start;
	yaml_parser_t parser;
	yaml_document_t doc;
	int r = 0;

	if (!text->len)
		return err_new(-ENODATA, "there is no YAML in its 0 bytes");
	start = find_document(text);
	if (!yaml_parser_initialize(&parser))
		return err_new(-ENOMEM, "out of memory for YAML");
	yaml_parser_set_input_string(&parser, (const unsigned char *)start,
				     text->len - (size_t)(start - text->data));
	if (yaml_parser_load(&parser, &doc)) {
		r = walk(&doc, yaml_document_get_root_node(&doc), path, ret);
		yaml_document_delete(&doc);
	} else {
		r = err_new(-ENODATA, "no YAML: line %zu: %s", parser.problem_mark.line + 1,
			    parser.problem ? parser.problem : "cannot be read");
	}
	yaml_parser_delete(&parser);
	return r;
}
