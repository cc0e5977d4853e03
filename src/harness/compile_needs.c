// SPDX-License-Identifier: GPL-2.0-only
/* What a scenario needs: of the machine, judged before it boots; of the kernel, by its release before
 * the boot and by what READY says of its features after it. Some needs the scenario states, others
 * follow from what it does; these come with words that say from what.
 *
 * A need that is not met is a SKIP with what is missing; one that nothing could meet is an error. */
#include "harness/compile.h"

#include "base/buf.h"
#include "base/util.h"
#include "harness/spec.h"

#include <ktstr/scenario.h>

#include <errno.h>
#include <stdio.h>

void compile_need_kernel(struct compiler *c, const char *release, const char *why)
{
	struct cell *cell = c->cell;

	if (cell->least_kernel && strverscmp(cell->least_kernel, release) >= 0)
		return;
	cell->least_kernel = release;
	cell->least_kernel_why = why;
}

/* What the scenario says itself needs no other reason. */
static void need_feature(struct cell *cell, unsigned id, const char *why)
{
	if (cell->features >> id & 1)
		return;
	cell->features |= 1U << id;
	cell->feature_why[id] = why;
}

void compile_need_sched(struct compiler *c, const struct plan_sched *sched)
{
	if (sched->flags & SCHED_HAS_POLICY && sched->policy == POLICY_EXT)
		need_feature(c->cell, FEATURE_SCHED_EXT, "policy ext");
	if (sched->flags & SCHED_HAS_SLICE)
		compile_need_kernel(c, "6.12", "a custom slice");
}

/* ---- of the machine ---- */

static int read_needs(struct cell *cell, uint64_t *memory_bytes_ret)
{
	const struct ktstr_needs *n = &cell->record->scenario->needs;

	unsigned release[3];

	*memory_bytes_ret = 0;
	if (n->kernel && spec_release(n->kernel, release) < 0)
		return err_prefix(-EINVAL, "needs: kernel ");
	if (n->memory && spec_value(n->memory, PARAM_BYTES, memory_bytes_ret) < 0)
		return err_prefix(-EINVAL, "needs: memory ");
	for (const char *const *name = n->features; name && *name; name++) {
		unsigned id;

		if (spec_feature(*name, &id) < 0)
			return err_prefix(-EINVAL, "needs: features ");
		need_feature(cell, id, NULL);
	}
	return 0;
}

static int check_memory(const struct cell *cell, uint64_t wanted_bytes)
{
	if (cell->memory_bytes >= wanted_bytes)
		return 0;
	err_record(CELL_NEEDS_UNMET, __FILE__, __LINE__,
		   "needs %s of memory, the machine has %lluM",
		   cell->record->scenario->needs.memory,
		   (unsigned long long)(cell->memory_bytes / MIB));
	return CELL_NEEDS_UNMET;
}

struct need {
	const char *what;
	unsigned wanted;
	unsigned have;
};

int compile_check_needs(struct cell *cell)
{
	const struct ktstr_needs *n = &cell->record->scenario->needs;
	const struct topology *t = &cell->topology;
	const struct need needs[] = {
		{ "CPUs", n->cpus, topology_cpu_count(t) },
		{ "LLCs", n->llcs, t->llcs },
		{ "nodes", n->nodes, t->nodes },
		{ "threads in a core", n->threads_per_core, t->threads_per_core },
	};
	char label[TOPOLOGY_LABEL_BYTES];
	uint64_t memory_bytes;
	int r = read_needs(cell, &memory_bytes);

	for (size_t i = 0; i < ARRAY_SIZE(needs) && r == 0; i++) {
		if (needs[i].have >= needs[i].wanted)
			continue;
		err_record(CELL_NEEDS_UNMET, __FILE__, __LINE__, "needs %u %s, machine %s has %u",
			   needs[i].wanted, needs[i].what, topology_label(t, label), needs[i].have);
		r = CELL_NEEDS_UNMET;
	}
	return r ? r : check_memory(cell, memory_bytes);
}

/* ---- of the kernel ---- */

/* Is release @have, "6.12.117+deb12", at least @least, "6.6"? */
static bool is_release_at_least(const char *have, const char *least)
{
	unsigned a[3] = { 0 }, b[3] = { 0 };

	sscanf(have, "%u.%u.%u", &a[0], &a[1], &a[2]);
	sscanf(least, "%u.%u.%u", &b[0], &b[1], &b[2]);
	for (unsigned i = 0; i < 3; i++) {
		if (a[i] != b[i])
			return a[i] > b[i];
	}
	return true;
}

bool cell_is_kernel_too_old(const struct cell *c, const char *release, struct buf *why)
{
	const char *least = c->record->scenario->needs.kernel;

	if (least && !is_release_at_least(release, least)) {
		buf_printf(why, "needs kernel %s", least);
		return true;
	}
	if (c->least_kernel && !is_release_at_least(release, c->least_kernel)) {
		buf_printf(why, "needs kernel %s, for %s", c->least_kernel, c->least_kernel_why);
		return true;
	}
	return false;
}

bool cell_is_feature_missing(const struct cell *c, uint32_t found, struct buf *why)
{
	for (unsigned id = 0; id < FEATURE_COUNT; id++) {
		const char *what = c->feature_why[id];

		if (!(c->features & ~found & 1U << id))
			continue;
		buf_printf(why, "needs %s%s%s: this kernel has no %s", feature_at(id)->name,
			   what ? ", for " : "", what ? what : "", feature_at(id)->path);
		return true;
	}
	return false;
}
