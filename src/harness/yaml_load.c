// SPDX-License-Identifier: GPL-2.0-only
/* Scenario files to records. libyaml builds a document (a tree of nodes with their marks); one walk
 * over it, led by the schema, fills structs that live in an arena. The schema has no cycle, so the
 * depth of the walk is bounded. */
#include "harness/yaml_load.h"

#include "base/buf.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/util.h"
#include "harness/rtapp.h"
#include "harness/schema.h"
#include "harness/yaml_strict.h"

#include <yaml.h>

#include <ctype.h>
#include <errno.h>

enum { FILE_BYTES_MAX = 1024 * 1024, RECORDS_MAX = 4096 };

struct chunk {
	struct chunk *next;
	_Alignas(max_align_t) char bytes[];
};

struct scenario_file {
	struct chunk *chunks;
	struct ktstr_record *records;
	size_t count;
	char *path;
};

struct loader {
	struct scenario_file *file;
	yaml_document_t *doc;
};

static void *arena_alloc(struct scenario_file *f, size_t bytes)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + bytes);

	if (!chunk)
		return NULL;
	chunk->next = f->chunks;
	f->chunks = chunk;
	return chunk->bytes;
}

static char *arena_text(struct scenario_file *f, const char *text, size_t len)
{
	char *copy = arena_alloc(f, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

static int no_memory(void)
{
	return err_new(-ENOMEM, "out of memory");
}

/* Put the place of @node before the words of the current error. */
static int at(const struct loader *l, const yaml_node_t *node, int r)
{
	return err_prefix(r, "%s:%zu:%zu: ", l->file->path, node->start_mark.line + 1,
			  node->start_mark.column + 1);
}

static const char *kind_name(const yaml_node_t *node)
{
	static const char *const names[] = {
		[YAML_NO_NODE] = "nothing",
		[YAML_SCALAR_NODE] = "a single value",
		[YAML_SEQUENCE_NODE] = "a list",
		[YAML_MAPPING_NODE] = "a mapping",
	};

	return names[node->type];
}

static int wrong_kind(const struct loader *l, const yaml_node_t *node, const char *key,
		      const char *wanted)
{
	return at(l, node,
		  err_new(-EINVAL, "%s: expected %s, found %s", key, wanted, kind_name(node)));
}

static yaml_node_t *node_at(const struct loader *l, int index)
{
	return yaml_document_get_node(l->doc, index);
}

/* The text of a scalar, in the arena. */
static int read_text(struct loader *l, const yaml_node_t *node, const char *key, const char **ret)
{
	if (node->type != YAML_SCALAR_NODE)
		return wrong_kind(l, node, key, "a single value");
	if (memchr(node->data.scalar.value, '\0', node->data.scalar.length))
		return at(l, node, err_new(-EINVAL, "%s: holds a NUL character", key));
	*ret = arena_text(l->file, (const char *)node->data.scalar.value, node->data.scalar.length);
	return *ret ? 0 : no_memory();
}

static int read_checked_text(struct loader *l, const yaml_node_t *node, const struct field *field,
			     const char **ret)
{
	const struct value_form *form = schema_form(field->form);
	int r = read_text(l, node, field->key, ret);

	if (r)
		return err_trace(r);
	if (!form->check || !form->check(*ret))
		return 0;
	/* Those of a topology begin with the key by themselves. */
	if (str_starts_with(err_text(), field->key))
		return at(l, node, -EINVAL);
	return at(l, node, err_prefix(-EINVAL, "%s ", field->key));
}

/* A number of the field's kind; a sign is for FIELD_INT only. */
static int read_number(struct loader *l, const yaml_node_t *node, const struct field *field,
		       int64_t *ret)
{
	const char *text = NULL;
	bool is_negative;
	uint64_t magnitude;
	int r = read_text(l, node, field->key, &text);

	if (r)
		return err_trace(r);
	is_negative = field->kind == FIELD_INT && text[0] == '-';
	r = parse_u64_in(text + is_negative, 0, INT32_MAX, &magnitude);
	if (r == -ERANGE)
		return at(
			l, node,
			err_new(-EINVAL, "%s \"%s\": the most is %d", field->key, text, INT32_MAX));
	if (r)
		return at(l, node, err_new(-EINVAL, "%s \"%s\": not a number", field->key, text));
	if (magnitude < field->least)
		return at(l, node,
			  err_new(-EINVAL,
				  "%s \"%s\": the least is %u; without the key it is the kernel's "
				  "default",
				  field->key, text, field->least));
	*ret = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

static int read_bool(struct loader *l, const yaml_node_t *node, const char *key, bool *ret)
{
	const char *text = NULL;
	int r = read_text(l, node, key, &text);

	if (r)
		return err_trace(r);
	if (strcmp(text, "true") && strcmp(text, "false"))
		return at(l, node, err_new(-EINVAL, "%s \"%s\": say true or false", key, text));
	*ret = text[0] == 't';
	return 0;
}

static int sequence_items(struct loader *l, const yaml_node_t *node, const char *key,
			  const yaml_node_item_t **items_ret, size_t *count_ret)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return wrong_kind(l, node, key, "a list");
	*items_ret = node->data.sequence.items.start;
	*count_ret = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (*count_ret > RECORDS_MAX)
		return at(l, node, err_new(-EINVAL, "%s: more than %d entries", key, RECORDS_MAX));
	return 0;
}

static int read_texts(struct loader *l, const yaml_node_t *node, const struct field *field,
		      const char *const **ret)
{
	const yaml_node_item_t *items;
	const char **texts;
	size_t count;
	int r = sequence_items(l, node, field->key, &items, &count);

	if (r)
		return err_trace(r);
	if (!count)
		return 0; /* the same as none */
	texts = arena_alloc(l->file, (count + 1) * sizeof(*texts));
	if (!texts)
		return no_memory();
	for (size_t i = 0; i < count; i++) {
		r = read_checked_text(l, node_at(l, items[i]), field, &texts[i]);
		if (r)
			return err_trace(r);
	}
	*ret = texts;
	return 0;
}

static int read_record(struct loader *l, const yaml_node_t *node, const struct schema *schema,
		       void *record);

static bool is_all_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* An array with a record that is all zero behind the last; so none before it may be. */
static int read_records(struct loader *l, const yaml_node_t *node, const struct field *field,
			const void **ret)
{
	const yaml_node_item_t *items;
	size_t count;
	char *records;
	int r = sequence_items(l, node, field->key, &items, &count);

	if (r)
		return err_trace(r);
	if (!count)
		return 0; /* the same as none */
	records = arena_alloc(l->file, (count + 1) * field->record->bytes);
	if (!records)
		return no_memory();
	for (size_t i = 0; i < count; i++) {
		r = read_record(l, node_at(l, items[i]), field->record,
				records + i * field->record->bytes);
		if (r)
			return err_trace(r);
		if (is_all_zero(records + i * field->record->bytes, field->record->bytes))
			return at(l, node_at(l, items[i]),
				  err_new(-EINVAL, "a %s that says nothing", field->record->name));
	}
	*ret = records;
	return 0;
}

static int read_field(struct loader *l, const yaml_node_t *node, const struct field *field,
		      void *record)
{
	void *member = (char *)record + field->offset;
	int64_t number = 0;
	int r = 0;

	switch (field->kind) {
	case FIELD_TEXT:
		return read_checked_text(l, node, field, member);
	case FIELD_TEXTS:
		return read_texts(l, node, field, member);
	case FIELD_RECORD:
		return read_record(l, node, field->record, member);
	case FIELD_RECORDS:
		return read_records(l, node, field, member);
	case FIELD_BOOL:
		return read_bool(l, node, field->key, member);
	case FIELD_UNSIGNED:
		r = read_number(l, node, field, &number);
		if (r == 0)
			*(unsigned *)member = (unsigned)number;
		return r;
	case FIELD_INT:
		r = read_number(l, node, field, &number);
		if (r == 0)
			*(int *)member = (int)number;
		return r;
	}
	return r;
}

static bool is_key(const struct loader *l, int index, const char *key)
{
	const yaml_node_t *node = node_at(l, index);

	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(key) &&
	       !memcmp(node->data.scalar.value, key, node->data.scalar.length);
}

/* The value of @key in a mapping, or NULL; refuses a key that stands there twice. */
static int find_pair(const struct loader *l, const yaml_node_t *map, const char *key,
		     const yaml_node_t **ret)
{
	*ret = NULL;
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		if (!is_key(l, p->key, key))
			continue;
		if (*ret)
			return at(l, node_at(l, p->key), err_new(-EINVAL, "%s: given twice", key));
		*ret = node_at(l, p->value);
	}
	return 0;
}

static int refuse_unknown_keys(const struct loader *l, const yaml_node_t *map,
			       const struct schema *schema, const char *extra)
{
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = node_at(l, p->key);
		bool is_known = extra && is_key(l, p->key, extra);
		char keys[512];

		for (size_t i = 0; i < schema->field_count && !is_known; i++)
			is_known = is_key(l, p->key, schema->fields[i].key);
		if (!is_known)
			return at(l, key,
				  err_new(-EINVAL, "unknown key \"%s\" in a %s, which has %s",
					  key->type == YAML_SCALAR_NODE
						  ? (const char *)key->data.scalar.value
						  : kind_name(key),
					  schema->name, schema_keys(schema, keys, sizeof(keys))));
	}
	return 0;
}

static int read_fields(struct loader *l, const yaml_node_t *map, const struct schema *schema,
		       void *record)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		const yaml_node_t *value;
		int r = find_pair(l, map, field->key, &value);

		if (r == 0 && value)
			r = read_field(l, value, field, record);
		if (r)
			return err_trace(r);
		if (!value && schema->required && !strcmp(schema->required, field->key))
			return at(l, map,
				  err_new(-EINVAL, "a %s needs the key %s", schema->name,
					  field->key));
	}
	return 0;
}

static int read_record(struct loader *l, const yaml_node_t *node, const struct schema *schema,
		       void *record)
{
	int r;

	if (node->type != YAML_MAPPING_NODE)
		return wrong_kind(l, node, schema->name, "a mapping");
	r = refuse_unknown_keys(l, node, schema, NULL);
	if (r)
		return err_trace(r);
	return read_fields(l, node, schema, record);
}

static bool is_identifier(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static int read_scenario_name(struct loader *l, const yaml_node_t *root, const char **ret)
{
	const yaml_node_t *node;
	int r = find_pair(l, root, "scenario", &node);

	if (r)
		return err_trace(r);
	if (!node)
		return at(l, root, err_new(-EINVAL, "the key scenario, with its name, is missing"));
	r = read_text(l, node, "scenario", ret);
	if (r)
		return err_trace(r);
	if (!is_identifier(*ret))
		return at(
			l, node,
			err_new(-EINVAL, "scenario \"%s\": a name is letters, digits and _", *ret));
	return 0;
}

static int add_record(struct scenario_file *f, const struct ktstr_record *record)
{
	struct ktstr_record *records = realloc(f->records, (f->count + 1) * sizeof(*records));

	if (!records)
		return no_memory();
	f->records = records;
	f->records[f->count++] = *record;
	return 0;
}

static int read_document(struct loader *l)
{
	const yaml_node_t *root = yaml_document_get_root_node(l->doc);
	struct ktstr_scenario *scenario = arena_alloc(l->file, sizeof(*scenario));
	struct ktstr_record record = { .file = l->file->path, .scenario = scenario };
	int r;

	if (!scenario)
		return no_memory();
	if (root->type != YAML_MAPPING_NODE)
		return wrong_kind(l, root, "scenario", "a mapping");
	r = refuse_unknown_keys(l, root, &schema_scenario, "scenario");
	if (r == 0)
		r = read_scenario_name(l, root, &record.name);
	if (r == 0)
		r = read_fields(l, root, &schema_scenario, scenario);
	if (r)
		return err_trace(r);
	record.line = (int)root->start_mark.line + 1;
	return add_record(l->file, &record);
}

/* What is no text at all has no mark, only its distance from the file's begin. */
static int reader_error(const struct scenario_file *f, const yaml_parser_t *parser)
{
	const unsigned char *text = parser->input.string.start;
	size_t line = 1, column = 1;

	for (size_t i = 0; i < parser->problem_offset && text + i < parser->input.string.end; i++) {
		bool is_inside = (text[i] & 0xc0) == 0x80; /* of a character */

		column = text[i] == '\n' ? 1 : column + !is_inside;
		line += text[i] == '\n';
	}
	if (parser->problem_value == -1)
		return err_new(-EINVAL, "%s:%zu:%zu: %s", f->path, line, column, parser->problem);
	return err_new(-EINVAL, "%s:%zu:%zu: %s (0x%02x)", f->path, line, column, parser->problem,
		       (unsigned)parser->problem_value);
}

static int parser_error(const struct scenario_file *f, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory();
	if (parser->error == YAML_READER_ERROR && parser->problem)
		return reader_error(f, parser);
	return err_new(-EINVAL, "%s:%zu:%zu: %s", f->path, parser->problem_mark.line + 1,
		       parser->problem_mark.column + 1,
		       parser->problem ? parser->problem : "not YAML");
}

/* One document after the other until one is empty: that is the end of the stream. */
static int read_stream(struct scenario_file *f, yaml_parser_t *parser)
{
	for (;;) {
		yaml_document_t doc;
		struct loader l = { .file = f, .doc = &doc };
		bool is_end;
		int r = 0;

		if (!yaml_parser_load(parser, &doc))
			return parser_error(f, parser);
		is_end = !yaml_document_get_root_node(&doc);
		if (!is_end)
			r = read_document(&l);
		yaml_document_delete(&doc);
		if (r)
			return err_trace(r);
		if (is_end)
			return f->count ? 0 : err_new(-EINVAL, "%s: holds no scenario", f->path);
	}
}

int scenario_file_parse(const char *path, const char *text, size_t len, struct scenario_file **ret)
{
	cleanup(scenario_file_freep) struct scenario_file *f = calloc(1, sizeof(*f));
	yaml_parser_t parser;
	int r;

	if (!f)
		return no_memory();
	f->path = arena_text(f, path, strlen(path));
	if (!f->path)
		return no_memory();
	r = yaml_refuse_extras(path, text, len);
	if (r)
		return err_trace(r);
	if (!yaml_parser_initialize(&parser))
		return no_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	r = read_stream(f, &parser);
	yaml_parser_delete(&parser);
	if (r)
		return err_trace(r);
	*ret = steal_ptr(&f);
	return 0;
}

int scenario_file_load(const char *path, struct scenario_file **ret)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL, converted = BUF_NULL;
	bool is_rtapp = str_ends_with(path, ".json");
	const struct buf *yaml = is_rtapp ? &converted : &text;
	int r = buf_read_file(&text, path, FILE_BYTES_MAX);

	if (r == -EFBIG)
		return err_new(-EINVAL, "%s: a scenario file has at most %d bytes", path,
			       FILE_BYTES_MAX);
	if (r == 0 && is_rtapp)
		r = rtapp_convert(path, buf_text(&text), text.len, &converted);
	if (r)
		return err_trace(r);
	return scenario_file_parse(path, buf_text(yaml), yaml->len, ret);
}

size_t scenario_file_count(const struct scenario_file *f)
{
	return f->count;
}

const struct ktstr_record *scenario_file_record(const struct scenario_file *f, size_t index)
{
	return &f->records[index];
}

struct scenario_file *scenario_file_free(struct scenario_file *f)
{
	if (!f)
		return NULL;
	while (f->chunks) {
		struct chunk *next = f->chunks->next;

		free(f->chunks);
		f->chunks = next;
	}
	free(f->records);
	free(f);
	return NULL;
}
