// SPDX-License-Identifier: GPL-2.0-only
/* The disk spec: one table of options, and lists (throttle, latency, fault) that stay open for keys
 * of their own. */
#include "devices/blk/spec.h"

#include "base/parse.h"
#include "base/util.h"
#include "devices/blk/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const engine_names[] = {
	[BLK_ENGINE_WORKER] = "worker",
	[BLK_ENGINE_URING] = "uring",
	[BLK_ENGINE_INLINE] = "inline",
	NULL,
};

const char *blk_engine_name(enum blk_engine engine)
{
	return engine_names[engine];
}

static int set_read_only(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;

	spec->is_read_only = true;
	return 0;
}

static int set_overlay(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;

	spec->has_overlay = true;
	return 0;
}

static int set_engine(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;
	unsigned engine;
	int r = blk_option_enum(engine_names, value, &engine);

	if (r < 0)
		return r;
	spec->engine = engine;
	return 0;
}

static int set_queues(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;
	uint64_t queues;
	int r = parse_u64_in(value, 1, BLK_QUEUES_MAX, &queues);

	if (r < 0)
		return r;
	spec->queues = (unsigned)queues;
	return 0;
}

static int set_buffers(void *target, const struct blk_option *option, const char *value)
{
	static const char *const names[] = { "auto", "registered", "plain", NULL };
	struct blk_spec *spec = target;
	unsigned which;
	int r = blk_option_enum(names, value, &which);

	if (r < 0)
		return r;
	spec->buffers = which;
	return 0;
}

static int set_block(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;
	uint64_t bytes;
	int r = parse_u64_in(value, 512, 4096, &bytes);

	if (r < 0)
		return r;
	if (!is_power_of_two(bytes))
		return -EINVAL;
	spec->block_bytes = (uint32_t)bytes;
	return 0;
}

static int set_serial(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;
	size_t len = strlen(value);

	if (len > BLK_SERIAL_BYTES)
		return -ERANGE;
	memcpy(spec->serial, value, len + 1);
	return 0;
}

static int set_path(char ret[BLK_PATH_MAX], const char *value)
{
	size_t len = strlen(value);

	if (len == 0)
		return -EINVAL;
	if (len >= BLK_PATH_MAX)
		return -ERANGE;
	memcpy(ret, value, len + 1);
	return 0;
}

static int set_record(void *target, const struct blk_option *option, const char *value)
{
	return set_path(((struct blk_spec *)target)->record, value);
}

static int set_control(void *target, const struct blk_option *option, const char *value)
{
	return set_path(((struct blk_spec *)target)->control, value);
}

enum list_kind { LIST_NONE, LIST_THROTTLE, LIST_LATENCY, LIST_FAULT };

static int set_latency(void *target, const struct blk_option *option, const char *value)
{
	struct blk_spec *spec = target;

	return blk_latency_parse_model(value, &spec->latency);
}

static int set_nothing(void *target, const struct blk_option *option, const char *value)
{
	return 0; /* the list is read pair by pair, see open_list() */
}

static const struct blk_option disk_rows[] = {
	{ "ro", "", set_read_only, LIST_NONE },
	{ "overlay", "", set_overlay, LIST_NONE },
	{ "engine", "inline|worker|uring", set_engine, LIST_NONE },
	{ "buffers", "auto|registered|plain", set_buffers, LIST_NONE },
	{ "queues", "1..16", set_queues, LIST_NONE },
	{ "block", "512|1024|2048|4096", set_block, LIST_NONE },
	{ "serial", "TEXT (at most 20 bytes)", set_serial, LIST_NONE },
	{ "record", "PATH", set_record, LIST_NONE },
	{ "control", "PATH", set_control, LIST_NONE },
	{ "throttle", "iops=N,iops-burst=N,bps=BYTES,...", set_nothing, LIST_THROTTLE },
	{ "latency", "MODEL", set_latency, LIST_LATENCY },
	{ "fault", "op=...,action=...", set_nothing, LIST_FAULT },
};

static const struct blk_option_table disk_options = {
	.what = "disk",
	.rows = disk_rows,
	.count = ARRAY_SIZE(disk_rows),
};

/* Where the parser stands: the spec so far, and the list that is open. */
struct reader {
	struct blk_spec spec;
	enum list_kind list;
};

static const struct blk_option_table *list_table(struct reader *rd, void **target_ret)
{
	struct blk_spec *spec = &rd->spec;

	switch (rd->list) {
	case LIST_THROTTLE:
		*target_ret = &spec->throttle;
		return &blk_throttle_options;
	case LIST_LATENCY:
		*target_ret = &spec->latency;
		return &blk_latency_options;
	case LIST_FAULT:
		*target_ret = &spec->faults[spec->fault_count - 1];
		return &blk_fault_options;
	case LIST_NONE:
		break;
	}
	return NULL;
}

static int read_pair(struct reader *rd, const char *key, const char *value)
{
	void *target = NULL;
	const struct blk_option_table *table = list_table(rd, &target);
	const struct blk_option *option = blk_option_find(table, key);

	if (!option)
		return err_new(-EINVAL, "unknown %s option \"%s\"", table->what, key);
	return blk_option_set(table, option, target, value);
}

/* A list option: the value is its first pair, the pairs that follow are items of their own. */
static int open_list(struct reader *rd, enum list_kind list, char *first_pair)
{
	char *value;

	rd->list = list;
	if (list == LIST_LATENCY || list == LIST_NONE)
		return 0;
	if (list == LIST_FAULT) {
		if (rd->spec.fault_count == BLK_FAULT_RULES_MAX)
			return err_new(-ENOSPC, "more than %d fault rules", BLK_FAULT_RULES_MAX);
		blk_fault_rule_init(&rd->spec.faults[rd->spec.fault_count++]);
	}
	blk_option_split(first_pair, &value);
	return read_pair(rd, first_pair, value);
}

static bool is_of_open_list(struct reader *rd, const char *key)
{
	void *target;
	const struct blk_option_table *table = list_table(rd, &target);

	return table && blk_option_find(table, key);
}

static int read_item(struct reader *rd, char *item)
{
	const struct blk_option *option;
	char *value;
	int r;

	blk_option_split(item, &value);
	if (is_of_open_list(rd, item))
		return read_pair(rd, item, value);
	option = blk_option_find(&disk_options, item);
	if (!option)
		return err_new(-EINVAL, "unknown disk option \"%s\"", item);
	r = blk_option_set(&disk_options, option, &rd->spec, value);
	if (r < 0)
		return err_trace(r);
	return open_list(rd, option->arg, value);
}

/* Copy the backing, the text up to the first single comma, and move @text behind that comma (or to
 * NULL). */
static int read_backing_text(const char **text, char *ret, size_t size)
{
	const char *p = *text;
	size_t len = 0;

	for (; *p && (*p != ',' || p[1] == ','); p++) {
		if (*p == ',')
			p++;
		if (len + 1 >= size)
			return err_new(-ENAMETOOLONG, "disk path is too long");
		ret[len++] = *p;
	}
	ret[len] = '\0';
	*text = *p ? p + 1 : NULL;
	return len ? 0 : err_new(-EINVAL, "a disk needs a file, ram:SIZE or null:SIZE");
}

static int read_backing(const char **text, struct blk_spec *spec)
{
	static const struct {
		const char *prefix;
		enum blk_backing_kind kind;
	} sized[] = { { "ram:", BLK_BACKING_RAM }, { "null:", BLK_BACKING_NULL } };
	int r = read_backing_text(text, spec->path, sizeof(spec->path));

	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < ARRAY_SIZE(sized); i++) {
		size_t len = strlen(sized[i].prefix);

		if (strncmp(spec->path, sized[i].prefix, len) != 0)
			continue;
		spec->backing = sized[i].kind;
		r = parse_bytes(spec->path + len, &spec->bytes);
		if (r == 0 && (spec->bytes == 0 || spec->bytes > INT64_MAX))
			r = -ERANGE;
		if (r < 0)
			return err_new(r, "disk \"%s\": it is %sSIZE, with SIZE like 64M",
				       spec->path, sized[i].prefix);
	}
	return 0;
}

static int check(struct blk_spec *spec)
{
	int r = blk_throttle_check(&spec->throttle);

	for (unsigned i = 0; r == 0 && i < spec->fault_count; i++)
		r = blk_fault_check(&spec->faults[i]);
	if (r == 0 && spec->has_overlay && spec->backing != BLK_BACKING_FILE)
		r = err_new(-EINVAL, "disk option overlay needs a file under it");
	if (r == 0 && spec->record[0] && spec->backing == BLK_BACKING_NULL)
		r = err_new(-EINVAL, "disk option record needs a disk that keeps what is written");
	if (r == 0 && spec->buffers == BLK_BUFFERS_REGISTERED && spec->engine != BLK_ENGINE_URING)
		r = err_new(-EINVAL, "disk option buffers=registered needs engine=uring");
	if (r == 0 && spec->record[0] && spec->is_read_only)
		r = err_new(-EINVAL, "disk option record needs a disk that can be written");
	return r;
}

void blk_spec_init(struct blk_spec *spec)
{
	*spec = (struct blk_spec){ .queues = 1, .block_bytes = 512, .serial = "ktstr-disk" };
}

int blk_spec_parse(const char *text, struct blk_spec *ret)
{
	struct reader rd = { .list = LIST_NONE };
	char options[BLK_OPTION_TEXT_MAX] = "";
	char *rest = options;
	const char *behind = text;
	int r;

	blk_spec_init(&rd.spec);
	r = read_backing(&behind, &rd.spec);
	if (r < 0)
		return err_trace(r);
	if (behind && strlen(behind) >= sizeof(options))
		return err_new(-EINVAL, "disk options are longer than %zu bytes", sizeof(options));
	rest = behind ? strcpy(options, behind) : NULL;
	for (char *item; r == 0 && (item = blk_option_next(&rest));)
		r = read_item(&rd, item);
	if (r == 0)
		r = check(&rd.spec);
	if (r < 0)
		return err_prefix(r, "disk %s: ", rd.spec.path);
	*ret = rd.spec;
	return 0;
}
