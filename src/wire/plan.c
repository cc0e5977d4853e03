// SPDX-License-Identifier: GPL-2.0-only
/* The plan in memory and on the wire: the header, then its tables one behind the other, then the
 * strings. One table of tables drives adding, encoding and decoding; the checks are in
 * plan_check.c. */
#include "wire/plan.h"

#include "base/util.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdlib.h>

/* Where a table's parts are within struct plan. */
struct table {
	const char *name;
	size_t array;
	size_t count;
	size_t record_bytes;
	uint32_t max;
};

#define TABLE(field, counter, limit)                                                               \
	{                                                                                          \
		.name = #field, .array = offsetof(struct plan, field),                             \
		.count = offsetof(struct plan, header.counter),                                    \
		.record_bytes = sizeof(*((struct plan *)NULL)->field), .max = (limit)              \
	}

enum table_id {
	TABLE_CGROUPS,
	TABLE_GROUPS,
	TABLE_WORKERS,
	TABLE_PHASES,
	TABLE_PAYLOADS,
	TABLE_OPS,
	TABLE_STEPS,
	TABLE_STRINGS,
	TABLE_COUNT,
};

/* In the order in which they lie on the wire: widest alignment first, bytes last. */
static const struct table tables[TABLE_COUNT] = {
	[TABLE_CGROUPS] = TABLE(cgroups, cgroup_count, PLAN_CGROUPS_MAX),
	[TABLE_GROUPS] = TABLE(groups, group_count, PLAN_GROUPS_MAX),
	[TABLE_WORKERS] = TABLE(workers, worker_count, PLAN_WORKERS_MAX),
	[TABLE_PHASES] = TABLE(phases, phase_count, PLAN_PHASES_MAX),
	[TABLE_PAYLOADS] = TABLE(payloads, payload_count, PLAN_PAYLOADS_MAX),
	[TABLE_OPS] = TABLE(ops, op_count, PLAN_OPS_MAX),
	[TABLE_STEPS] = TABLE(steps, step_count, PLAN_STEPS_MAX),
	[TABLE_STRINGS] = TABLE(strings, strings_bytes, PLAN_STRINGS_MAX),
};

static void **array_of(struct plan *p, const struct table *t)
{
	return (void **)(void *)((char *)p + t->array);
}

static const void *array_in(const struct plan *p, const struct table *t)
{
	return *(void *const *)(const void *)((const char *)p + t->array);
}

static uint32_t *count_of(struct plan *p, const struct table *t)
{
	return (uint32_t *)(void *)((char *)p + t->count);
}

static uint32_t count_in(const struct plan *p, const struct table *t)
{
	return *(const uint32_t *)(const void *)((const char *)p + t->count);
}

void plan_deinit(struct plan *p)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		free(*array_of(p, &tables[i]));
	*p = PLAN_NULL;
}

/* The room of an array that holds @count records: powers of two, at least 16. */
static uint32_t cap_of(uint32_t count)
{
	uint32_t cap = 16;

	while (cap < count)
		cap *= 2;
	return count ? cap : 0;
}

/* Append @n records. */
static int append(struct plan *p, enum table_id id, const void *records, uint32_t n,
		  uint32_t *index_ret)
{
	const struct table *t = &tables[id];
	void **array = array_of(p, t);
	uint32_t *count = count_of(p, t);
	uint32_t want = *count + n;

	if (n > t->max || *count > t->max - n)
		return err_new(-E2BIG, "plan: more than %u %s", t->max, t->name);
	if (cap_of(want) != cap_of(*count)) {
		void *grown = realloc(*array, cap_of(want) * t->record_bytes);

		if (!grown)
			return err_new(-ENOMEM, "plan: out of memory for %u %s", want, t->name);
		*array = grown;
	}
	memcpy((char *)*array + *count * t->record_bytes, records, n * t->record_bytes);
	if (index_ret)
		*index_ret = *count;
	*count = want;
	return 0;
}

int plan_add_cgroup(struct plan *p, const struct plan_cgroup *record, uint32_t *index_ret)
{
	return append(p, TABLE_CGROUPS, record, 1, index_ret);
}

int plan_add_group(struct plan *p, const struct plan_group *record, uint32_t *index_ret)
{
	return append(p, TABLE_GROUPS, record, 1, index_ret);
}

int plan_add_worker(struct plan *p, const struct plan_worker *record, uint32_t *index_ret)
{
	return append(p, TABLE_WORKERS, record, 1, index_ret);
}

int plan_add_phase(struct plan *p, const struct plan_phase *record, uint32_t *index_ret)
{
	return append(p, TABLE_PHASES, record, 1, index_ret);
}

int plan_add_payload(struct plan *p, const struct plan_payload *record, uint32_t *index_ret)
{
	return append(p, TABLE_PAYLOADS, record, 1, index_ret);
}

int plan_add_op(struct plan *p, const struct plan_op *record, uint32_t *index_ret)
{
	return append(p, TABLE_OPS, record, 1, index_ret);
}

int plan_add_step(struct plan *p, const struct plan_step *record, uint32_t *index_ret)
{
	return append(p, TABLE_STEPS, record, 1, index_ret);
}

int plan_add_string(struct plan *p, const char *text, uint32_t *offset_ret)
{
	size_t bytes = strlen(text) + 1;
	int r = 0;

	if (!p->header.strings_bytes)
		r = append(p, TABLE_STRINGS, "", 1, NULL);
	if (r)
		return err_trace(r);
	if (bytes == 1) {
		*offset_ret = 0;
		return 0;
	}
	if (bytes > PLAN_STRINGS_MAX)
		return err_new(-E2BIG, "plan: a string of %zu bytes", bytes);
	return append(p, TABLE_STRINGS, text, (uint32_t)bytes, offset_ret);
}

const char *plan_string(const struct plan *p, uint32_t offset)
{
	return offset < p->header.strings_bytes ? p->strings + offset : "";
}

int plan_encode(const struct plan *p, struct buf *out)
{
	size_t before = out->len;
	int r = plan_check(p);

	if (r)
		return err_trace(r);
	buf_add(out, &p->header, sizeof(p->header));
	for (size_t i = 0; i < TABLE_COUNT; i++)
		buf_add(out, array_in(p, &tables[i]),
			count_in(p, &tables[i]) * tables[i].record_bytes);
	if (out->len - before > FRAME_PAYLOAD_MAX)
		return err_new(-EMSGSIZE, "plan: %zu bytes, at most %u go over the channel",
			       out->len - before, (unsigned)FRAME_PAYLOAD_MAX);
	return buf_ok(out);
}

/* The bytes that the header's counts ask for; -EPROTO if a table is over its limit. */
static int expected_bytes(const struct plan *p, size_t *ret)
{
	size_t total = sizeof(p->header);

	for (size_t i = 0; i < TABLE_COUNT; i++) {
		uint32_t count = count_in(p, &tables[i]);

		if (count > tables[i].max)
			return err_new(-EPROTO, "PLAN: %u %s, at most %u", count, tables[i].name,
				       tables[i].max);
		total += count * tables[i].record_bytes;
	}
	*ret = total;
	return 0;
}

static int copy_tables(struct plan *p, const char *at)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		size_t bytes = count_in(p, &tables[i]) * tables[i].record_bytes;
		void *copy;

		if (!bytes)
			continue;
		copy = malloc(bytes);
		if (!copy)
			return err_new(-ENOMEM, "PLAN: out of memory for %s", tables[i].name);
		memcpy(copy, at, bytes);
		*array_of(p, &tables[i]) = copy;
		at += bytes;
	}
	return 0;
}

int plan_decode(const void *payload, size_t len, struct plan *ret)
{
	cleanup(plan_deinit) struct plan p = PLAN_NULL;
	size_t want = 0;
	int r;

	if (len < sizeof(p.header))
		return err_new(-EPROTO, "PLAN: %zu bytes are less than a header", len);
	memcpy(&p.header, payload, sizeof(p.header));
	if (p.header.version != WIRE_VERSION)
		return err_new(-EPROTO, "PLAN: version %u, this side speaks %u", p.header.version,
			       (unsigned)WIRE_VERSION);
	r = expected_bytes(&p, &want);
	if (r)
		return err_trace(r);
	if (want != len)
		return err_new(-EPROTO, "PLAN: %zu bytes, its tables take %zu", len, want);
	r = copy_tables(&p, (const char *)payload + sizeof(p.header));
	if (r)
		return err_trace(r);
	r = plan_check(&p);
	if (r)
		return err_prefix(-EPROTO, "PLAN: ");
	*ret = p;
	p = PLAN_NULL;
	return 0;
}

void plan_op_set_sched(struct plan_op *op, const struct plan_sched *s)
{
	_Static_assert(sizeof(*s) <= sizeof(op->args), "a plan_sched fits the arguments");
	memcpy(op->args, s, sizeof(*s));
}

struct plan_sched plan_op_sched(const struct plan_op *op)
{
	struct plan_sched s;

	memcpy(&s, op->args, sizeof(s));
	return s;
}
