// SPDX-License-Identifier: GPL-2.0-only
/* "set CGROUP KEY=VALUE" and "clear CGROUP KEY": the settings of a cgroup that is there.
 *
 * To add one: a row in the table of settings, its name in ktstr/scenario.h. */
#include "harness/compile.h"

#include "base/parse.h"
#include "base/str.h"
#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>

/* A setting that is about to be made. */
struct change {
	struct compiler *c;
	uint32_t cgroup;
	struct scene_cgroup *now; /* of the cgroup */
	struct plan_op op;
};

static int take_number(const char *value, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (parse_u64_in(value, min, max, ret) < 0)
		return err_new(-EINVAL, "\"%s\": the kernel takes %llu to %llu", value,
			       (unsigned long long)min, (unsigned long long)max);
	return 0;
}

/* Linux kernel/sched/core.c, sched_group_set_shares(): -EINVAL for an idle group. */
static int set_weight(struct change *ch, const char *value)
{
	uint64_t weight = 100;
	int r = value ? take_number(value, 1, 10000, &weight) : 0;

	if (r == 0 && ch->now->is_idle)
		return err_new(-EINVAL, "\"%llu\": an idle cgroup takes none",
			       (unsigned long long)weight);
	if (r < 0)
		return err_trace(r);
	ch->op.args[1] = ch->now->weight = (unsigned)weight;
	return 0;
}

/* The kernel gives a cgroup that is idle no longer the default weight. */
static int set_idle(struct change *ch, const char *value)
{
	int r = value ? take_number(value, 0, 1, &ch->op.args[1]) : 0;

	if (r < 0)
		return err_trace(r);
	if (ch->now->is_idle && !ch->op.args[1])
		ch->now->weight = 100;
	ch->now->is_idle = ch->op.args[1];
	return 0;
}

static bool is_burst_too_large(const struct scene_cgroup *g)
{
	return g->burst_us && g->burst_us > g->quota_us;
}

static int set_max(struct change *ch, const char *value)
{
	int r = spec_max(value ? value : "max", &ch->op.args[1], &ch->op.args[2]);

	if (r < 0)
		return err_trace(r);
	ch->now->quota_us = ch->op.args[1];
	ch->now->period_us = ch->op.args[2];
	if (is_burst_too_large(ch->now))
		return err_new(-EINVAL,
			       "\"%s\": max_burst, which is %llu us, can be at most the quota",
			       value, (unsigned long long)ch->now->burst_us);
	return 0;
}

static int set_burst(struct change *ch, const char *value)
{
	uint64_t us = 0;
	int r = value ? spec_burst(value, &us) : 0;

	if (r < 0)
		return err_trace(r);
	ch->op.args[1] = ch->now->burst_us = us;
	if (us && (ch->now->quota_us == PLAN_MAX || is_burst_too_large(ch->now)))
		return err_new(-EINVAL, "\"%s\": it can be at most the quota of max", value);
	return 0;
}

static int set_limit(struct change *ch, const char *value)
{
	uint64_t none = ch->op.args[0] == KNOB_MEMORY_LOW ? 0 : PLAN_MAX;

	int r = 0;

	ch->op.args[1] = none;
	if (value)
		r = spec_limit(value, &ch->op.args[1]);
	if (r < 0 || ch->op.args[0] != KNOB_MEMORY_MAX)
		return r;
	ch->now->memory_max = ch->op.args[1];
	return compile_check_memory_max(ch->c, ch->cgroup);
}

static int set_io_weight(struct change *ch, const char *value)
{
	ch->op.args[1] = 100;
	return value ? take_number(value, 1, 10000, &ch->op.args[1]) : 0;
}

static int set_pids(struct change *ch, const char *value)
{
	uint64_t max = PLAN_MAX;
	int r = value && strcmp(value, "max") ? take_number(value, 1, INT32_MAX, &max) : 0;

	ch->op.args[1] = ch->now->pids_max = max;
	return r;
}

/* The kernel refuses an empty set where tasks are: what the cgroup above has is as good. */
static int set_cpuset(struct change *ch, const char *value)
{
	struct compiler *c = ch->c;
	int r = 0;

	if (value)
		r = cpuspec_resolve(value, &c->cell->topology, &ch->op.mask);
	else
		ch->op.mask = compile_cgroup_cpus(c, c->cell->cgroups[ch->cgroup].parent);
	ch->now->own = ch->op.mask;
	return r;
}

static int set_mems(struct change *ch, const char *value)
{
	struct compiler *c = ch->c;
	int r = 0;

	ch->op.args[1] = compile_cgroup_mems(c, c->cell->cgroups[ch->cgroup].parent);
	if (value)
		r = cpuspec_nodes(value, &c->cell->topology, &ch->op.args[1]);
	ch->now->own_mems = ch->op.args[1];
	return r;
}

struct setting {
	const char *key;
	enum plan_knob knob;
	/* Fill the op, and the cgroup's scene. Without @value: the default. */
	int (*set)(struct change *ch, const char *value);
};

static const struct setting settings[] = {
	{ "cpuset", KNOB_CPUSET, set_cpuset },
	{ "mems", KNOB_MEMS, set_mems },
	{ "weight", KNOB_WEIGHT, set_weight },
	{ "idle", KNOB_IDLE, set_idle },
	{ "max", KNOB_QUOTA, set_max },
	{ "max_burst", KNOB_BURST, set_burst },
	{ "memory_max", KNOB_MEMORY_MAX, set_limit },
	{ "memory_high", KNOB_MEMORY_HIGH, set_limit },
	{ "memory_low", KNOB_MEMORY_LOW, set_limit },
	{ "io_weight", KNOB_IO_WEIGHT, set_io_weight },
	{ "pids_max", KNOB_PIDS_MAX, set_pids },
};

/* The setting whose key is the first @len characters of @text. */
static const struct setting *find_setting(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strlen(settings[i].key) == len && strncmp(settings[i].key, text, len) == 0)
			return &settings[i];
	}
	return NULL;
}

static int unknown_key(const char *text)
{
	cleanup(buf_deinit) struct buf keys = BUF_NULL;

	if (str_starts_with(text, "is_idle"))
		return err_new(-EINVAL, "\"%s\": an operation calls it idle, 0 or 1", text);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		buf_printf(&keys, "%s%s", i ? ", " : "", settings[i].key);
	return err_new(-EINVAL, "\"%s\": expected one of %s", text, buf_text(&keys));
}

static int apply(struct compiler *c, uint32_t cgroup, const struct setting *s, const char *value)
{
	struct change ch = {
		.c = c,
		.cgroup = cgroup,
		.now = &c->scene.cgroups[cgroup],
		.op = { .code = OP_CGROUP_SET, .target = cgroup, .args = { s->knob } }
	};
	struct scene before;
	int r = scene_copy(&c->scene, &c->cell->plan, &before);

	if (r < 0)
		return err_trace(r);
	r = s->set(&ch, value);
	if (r < 0)
		r = err_prefix(r, "%s ", s->key);
	if (r == 0)
		r = compile_add_moving_op(c, &ch.op, &before);
	scene_deinit(&before);
	return r;
}

/* "weight=300": the key ends at '=', the value is all the rest. */
int compile_op_set(struct compiler *c, uint32_t cgroup, const char *rest)
{
	const char *equals = strchr(rest, '=');
	const struct setting *s = equals ? find_setting(rest, (size_t)(equals - rest)) : NULL;

	if (!s)
		return unknown_key(rest);
	if (!equals[1])
		return err_new(-EINVAL, "%s \"\": a value is missing; clear takes it away", s->key);
	return apply(c, cgroup, s, equals + 1);
}

int compile_op_clear(struct compiler *c, uint32_t cgroup, const char *rest)
{
	const struct setting *s = find_setting(rest, strlen(rest));

	return s ? apply(c, cgroup, s, NULL) : unknown_key(rest);
}
