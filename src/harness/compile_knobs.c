// SPDX-License-Identifier: GPL-2.0-only
/* The knobs of a declared cgroup, from a scenario's words to the kernel's values.
 *
 * To add one: a member of struct ktstr_cgroup with its row in schema.c, and a line here. */
#include "harness/compile.h"

#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/spec.h"

#include <errno.h>

static void set_knob(struct plan_cgroup *record, enum plan_knob knob, uint64_t value)
{
	record->knobs |= UINT64_C(1) << knob;
	record->values[knob] = value;
}

static int set_weight(const char *key, unsigned weight, enum plan_knob knob,
		      struct plan_cgroup *record)
{
	if (weight > 10000)
		return err_new(-EINVAL, "%s \"%u\": the kernel takes 1 to 10000", key, weight);
	if (weight)
		set_knob(record, knob, weight);
	return 0;
}

static int set_idle(const struct ktstr_cgroup *from, struct plan_cgroup *record)
{
	if (!from->is_idle)
		return 0;
	if (from->weight)
		return err_new(-EINVAL, "weight \"%u\": an idle cgroup takes none", from->weight);
	set_knob(record, KNOB_IDLE, 1);
	return 0;
}

static int set_burst(const char *text, struct plan_cgroup *record)
{
	uint64_t us;
	int r = spec_burst(text, &us);

	if (r < 0)
		return err_prefix(r, "max_burst ");
	if (!(record->knobs >> KNOB_QUOTA & 1) || record->values[KNOB_QUOTA] == PLAN_MAX ||
	    us > record->values[KNOB_QUOTA])
		return err_new(-EINVAL, "max_burst \"%s\": it can be at most the quota of max",
			       text);
	set_knob(record, KNOB_BURST, us);
	return 0;
}

static int set_max(const struct ktstr_cgroup *from, struct plan_cgroup *record)
{
	uint64_t quota_us, period_us;
	int r = from->max ? spec_max(from->max, &quota_us, &period_us) : 0;

	if (r < 0)
		return err_prefix(r, "max ");
	if (from->max) {
		set_knob(record, KNOB_QUOTA, quota_us);
		set_knob(record, KNOB_PERIOD, period_us);
	}
	return from->max_burst ? set_burst(from->max_burst, record) : 0;
}

static int set_memory(const struct ktstr_cgroup *from, struct plan_cgroup *record)
{
	const struct {
		const char *key;
		const char *text;
		enum plan_knob knob;
	} limits[] = {
		{ "memory_max", from->memory_max, KNOB_MEMORY_MAX },
		{ "memory_high", from->memory_high, KNOB_MEMORY_HIGH },
		{ "memory_low", from->memory_low, KNOB_MEMORY_LOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint64_t bytes;
		int r = limits[i].text ? spec_limit(limits[i].text, &bytes) : 0;

		if (r < 0)
			return err_prefix(r, "%s ", limits[i].key);
		if (limits[i].text)
			set_knob(record, limits[i].knob, bytes);
	}
	return 0;
}

static int set_cpuset(const struct topology *t, const struct ktstr_cgroup *from,
		      struct plan_cgroup *record)
{
	uint64_t nodes;
	int r = from->cpuset ? cpuspec_resolve(from->cpuset, t, &record->cpuset) : 0;

	if (r < 0)
		return err_prefix(r, "cpuset ");
	if (from->cpuset)
		set_knob(record, KNOB_CPUSET, 0);
	r = from->mems ? cpuspec_nodes(from->mems, t, &nodes) : 0;
	if (r < 0)
		return err_prefix(r, "mems ");
	if (from->mems)
		set_knob(record, KNOB_MEMS, nodes);
	return 0;
}

int compile_knobs(const struct compiler *c, const struct ktstr_cgroup *from,
		  struct plan_cgroup *record)
{
	int r = set_weight("weight", from->weight, KNOB_WEIGHT, record);

	if (r == 0)
		r = set_weight("io_weight", from->io_weight, KNOB_IO_WEIGHT, record);
	if (r == 0)
		r = set_idle(from, record);
	if (r == 0)
		r = set_cpuset(&c->cell->topology, from, record);
	if (r == 0)
		r = set_max(from, record);
	if (r == 0)
		r = set_memory(from, record);
	if (from->pids_max)
		set_knob(record, KNOB_PIDS_MAX, from->pids_max);
	return r;
}
