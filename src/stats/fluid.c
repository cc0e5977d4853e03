// SPDX-License-Identifier: GPL-2.0-only
/* Progressive filling on a flow network, one level of the tree after the other.
 *
 *	source -> unit -> child unit -> ... -> CPU class -> sink
 *
 * A unit is a group, or all tasks that nothing tells apart (same parent, weight, limit, CPUs); a
 *CPU class is all CPUs that no task's mask tells apart. So the network stays small for regular
 *machines.
 *
 * Filling level d: each unit of that level demands weight * t from the source, while the rest of
 * what its parent has been given (the parent's "slack") may flow to any of the siblings, which
 *keeps the parent's total possible whatever is decided inside. The largest feasible t is found by
 *Newton steps: an infeasible t leaves a deficit at the minimum cut, all of which belongs to the
 *demands on the cut's source side, and these shrink linearly with t (Dinkelbach; a few steps). Who
 *is then without a residual path to the sink or to its parent's slack cannot rise any further and
 *is frozen; the others go on. */
#include "stats/fluid.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "stats/flow.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* A demand counts as met when less than this is missing, in CPUs. */
static const double tolerance = 1e-7;

enum { NODE_SOURCE, NODE_SINK, NODE_FIRST };

struct unit {
	uint32_t parent; /* unit, or FLUID_ROOT */
	unsigned depth;
	double members;
	double weight; /* of all members together */
	double limit;
	double rate;
	const uint64_t *cpus; /* NULL: a group */
	bool is_frozen;
	unsigned in, out; /* nodes */
	unsigned demand;  /* edge from the source */
	/* of a group, while its children are filled */
	unsigned slack_node;
	unsigned slack_edge;
	double rising_weight; /* of its children that are not frozen */
	double frozen_rate;   /* of those that are */
};

struct solver {
	struct unit *units; /* the root is the last */
	uint32_t unit_count;
	uint32_t root;
	uint32_t *unit_of; /* of each entity */
	unsigned cpu_class[FLUID_CPUS_MAX];
	unsigned class_cpus[FLUID_CPUS_MAX];
	unsigned class_count;
	unsigned depth;
	struct flow flow;
	bool *mark;
	bool *can_rise;
};

static void solver_deinit(struct solver *s)
{
	free(s->units);
	free(s->unit_of);
	free(s->mark);
	free(s->can_rise);
	flow_deinit(&s->flow);
}

static bool mask_has_any(const uint64_t *mask)
{
	for (size_t i = 0; i < FLUID_MASK_WORDS; i++) {
		if (mask[i])
			return true;
	}
	return false;
}

static bool mask_has_cpu(const uint64_t *mask, unsigned cpu)
{
	return mask[cpu / 64] >> cpu % 64 & 1;
}

static int check_entity(const struct fluid_entity *all, size_t i)
{
	const struct fluid_entity *e = &all[i];

	if (e->parent != FLUID_ROOT && (e->parent >= i || all[e->parent].allowed_cpus))
		return err_new(-EINVAL, "entity %zu: parent %u is no earlier group", i, e->parent);
	if (!(e->weight > 0) || !isfinite(e->weight))
		return err_new(-EINVAL, "entity %zu: weight %g is not above 0", i, e->weight);
	if (!(e->limit_cpus >= 0))
		return err_new(-EINVAL, "entity %zu: limit %g is below 0", i, e->limit_cpus);
	if (e->allowed_cpus && !mask_has_any(e->allowed_cpus))
		return err_new(-EINVAL, "entity %zu: no CPU is allowed", i);
	return 0;
}

/* The unit that entity @i joins: tasks join their like, groups are always their own. */
static uint32_t unit_for(struct solver *s, const struct fluid_entity *e, uint32_t parent)
{
	for (uint32_t u = 0; e->allowed_cpus && u < s->unit_count; u++) {
		const struct unit *like = &s->units[u];

		if (like->cpus && like->parent == parent &&
		    like->weight == e->weight * like->members &&
		    like->limit == fmin(e->limit_cpus, 1) * like->members &&
		    memcmp(like->cpus, e->allowed_cpus, FLUID_MASK_WORDS * sizeof(uint64_t)) == 0)
			return u;
	}
	s->units[s->unit_count] = (struct unit){
		.parent = parent,
		.cpus = e->allowed_cpus,
		.depth = parent == FLUID_ROOT ? 0 : s->units[parent].depth + 1,
	};
	return s->unit_count++;
}

static int make_units(struct solver *s, const struct fluid_entity *entities, size_t count)
{
	s->units = calloc(count + 1, sizeof(*s->units));
	s->unit_of = calloc(count + 1, sizeof(*s->unit_of));
	if (!s->units || !s->unit_of)
		return err_new(-ENOMEM, "out of memory for %zu entities", count);
	for (size_t i = 0; i < count; i++) {
		const struct fluid_entity *e = &entities[i];
		uint32_t parent = e->parent == FLUID_ROOT ? FLUID_ROOT : s->unit_of[e->parent];
		struct unit *u;

		s->unit_of[i] = unit_for(s, e, parent);
		u = &s->units[s->unit_of[i]];
		u->members += 1;
		u->weight = e->weight * u->members;
		u->limit = (e->allowed_cpus ? fmin(e->limit_cpus, 1) : e->limit_cpus) * u->members;
		s->depth = MAX(s->depth, u->depth + 1);
	}
	s->root = s->unit_count;
	s->units[s->root] = (struct unit){ .parent = FLUID_ROOT, .limit = INFINITY };
	for (uint32_t i = 0; i < s->unit_count; i++) {
		if (s->units[i].parent == FLUID_ROOT)
			s->units[i].parent = s->root;
	}
	return 0;
}

/* Refine the partition of the CPUs by one mask: who is in it parts from who is not. */
static void split_classes(struct solver *s, const uint64_t *mask)
{
	unsigned renamed[FLUID_CPUS_MAX][2], count = 0;

	memset(renamed, 0xff, sizeof(renamed));
	for (unsigned cpu = 0; cpu < FLUID_CPUS_MAX; cpu++) {
		unsigned *name = &renamed[s->cpu_class[cpu]][mask_has_cpu(mask, cpu)];

		if (*name == UINT32_MAX)
			*name = count++;
		s->cpu_class[cpu] = *name;
	}
	s->class_count = count;
}

static void make_classes(struct solver *s)
{
	s->class_count = 1;
	for (uint32_t u = 0; u < s->unit_count; u++) {
		if (s->units[u].cpus)
			split_classes(s, s->units[u].cpus);
	}
	for (unsigned cpu = 0; cpu < FLUID_CPUS_MAX; cpu++)
		s->class_cpus[s->cpu_class[cpu]]++;
}

static void connect_task(struct solver *s, const struct unit *u, unsigned first_class_node)
{
	bool is_connected[FLUID_CPUS_MAX] = { false };

	for (unsigned cpu = 0; cpu < FLUID_CPUS_MAX; cpu++) {
		unsigned class = s->cpu_class[cpu];

		if (!mask_has_cpu(u->cpus, cpu) || is_connected[class])
			continue;
		is_connected[class] = true;
		flow_add(&s->flow, u->out, first_class_node + class, HUGE_VAL);
	}
}

static unsigned count_edges(const struct solver *s)
{
	unsigned edges = s->class_count + 2;

	for (uint32_t u = 0; u < s->unit_count; u++)
		edges += 5 + (s->units[u].cpus ? s->class_count : 0);
	return edges;
}

static int make_network(struct solver *s)
{
	unsigned unit_nodes = NODE_FIRST + 3 * (s->unit_count + 1);
	unsigned nodes = unit_nodes + s->class_count;
	int r = flow_init(&s->flow, nodes, count_edges(s));

	if (r < 0)
		return err_trace(r);
	s->mark = calloc(nodes, sizeof(bool));
	s->can_rise = calloc((size_t)s->unit_count + 1, sizeof(bool));
	if (!s->mark || !s->can_rise)
		return err_new(-ENOMEM, "out of memory for a network of %u nodes", nodes);
	for (uint32_t i = 0; i <= s->unit_count; i++) {
		struct unit *u = &s->units[i];

		u->in = NODE_FIRST + 3 * i;
		u->out = u->in + 1;
		u->slack_node = u->in + 2;
		u->slack_edge = flow_add(&s->flow, NODE_SOURCE, u->slack_node, 0);
		if (i == s->root)
			break;
		u->demand = flow_add(&s->flow, NODE_SOURCE, u->in, 0);
		flow_add(&s->flow, u->in, u->out, u->limit);
		flow_add(&s->flow, NODE_FIRST + 3 * u->parent + 2, u->in, HUGE_VAL);
		if (u->parent != s->root)
			flow_add(&s->flow, NODE_FIRST + 3 * u->parent + 1, u->in, HUGE_VAL);
		if (u->cpus)
			connect_task(s, u, unit_nodes);
	}
	for (unsigned c = 0; c < s->class_count; c++)
		flow_add(&s->flow, unit_nodes + c, NODE_SINK, s->class_cpus[c]);
	return 0;
}

/* What each parent has to give at level @depth, and to whom. */
static void sum_up_level(struct solver *s, unsigned depth)
{
	for (uint32_t i = 0; i <= s->unit_count; i++) {
		s->units[i].rising_weight = 0;
		s->units[i].frozen_rate = 0;
	}
	for (uint32_t i = 0; i < s->unit_count; i++) {
		struct unit *u = &s->units[i], *parent = &s->units[u->parent];

		if (u->depth != depth)
			continue;
		if (u->is_frozen)
			parent->frozen_rate += u->rate;
		else
			parent->rising_weight += u->weight;
	}
}

static double slack_at(const struct unit *parent, double t)
{
	return fmax(0, parent->rate - parent->frozen_rate - parent->rising_weight * t);
}

static bool is_parent_at(const struct solver *s, uint32_t i, unsigned depth)
{
	const struct unit *u = &s->units[i];

	if (depth == 0)
		return i == s->root;
	return i != s->root && !u->cpus && u->depth + 1 == depth;
}

/* The demands of level @depth at filling height @t; returns their sum. Tasks of higher levels keep
 * what they were given. */
static double set_demands(struct solver *s, unsigned depth, double t)
{
	double total = 0;

	for (uint32_t i = 0; i <= s->unit_count; i++) {
		const struct unit *u = &s->units[i];
		double slack = is_parent_at(s, i, depth) ? slack_at(u, t) : 0;
		double demand = 0;

		if (i != s->root && u->depth == depth)
			demand = u->is_frozen ? u->rate : u->weight * t;
		else if (i != s->root && u->cpus && u->depth < depth)
			demand = u->rate;
		flow_set_capacity(&s->flow, u->slack_edge, slack);
		if (i != s->root)
			flow_set_capacity(&s->flow, u->demand, demand);
		total += slack + demand;
	}
	return total;
}

/* How fast the demands on the source side of the minimum cut grow with t. */
static double cut_slope(struct solver *s, unsigned depth)
{
	double slope = 0;

	flow_reach(&s->flow, NODE_SOURCE, NODE_SINK, FLOW_EPSILON, false, s->mark);
	for (uint32_t i = 0; i <= s->unit_count; i++) {
		const struct unit *u = &s->units[i];

		if (i != s->root && u->depth == depth && !u->is_frozen && s->mark[u->in])
			slope += u->weight;
		if (is_parent_at(s, i, depth) && s->mark[u->slack_node])
			slope -= u->rising_weight;
	}
	return slope;
}

/* The height at which the first parent has given all it has; INFINITY: nobody rises. */
static double exhausting_height(const struct solver *s)
{
	double height = INFINITY;

	for (uint32_t i = 0; i <= s->unit_count; i++) {
		const struct unit *u = &s->units[i];

		if (u->rising_weight > 0)
			height = fmin(height, (u->rate - u->frozen_rate) / u->rising_weight);
	}
	return fmax(height, 0);
}

/* The largest feasible height of the rising units; the network holds its flow afterwards. */
static double feasible_height(struct solver *s, unsigned depth)
{
	double t = exhausting_height(s);

	for (;;) {
		double demand = set_demands(s, depth, t);
		double deficit = demand - flow_maximise(&s->flow, NODE_SOURCE, NODE_SINK);
		double slope;

		if (deficit <= tolerance)
			return t;
		slope = cut_slope(s, depth);
		if (slope <= FLOW_EPSILON || t - deficit / slope >= t)
			return t;
		t = fmax(0, t - deficit / slope);
	}
}

/* With a tolerance that is coarser than the flow's: limits that are nearly equal leave t short of the
 * lowest by a few of its epsilons, and he whom that stops would seem to be stopped by nothing. */
static void find_who_can_rise(struct solver *s, unsigned depth, double t)
{
	flow_reach(&s->flow, NODE_SINK, NODE_SOURCE, tolerance, true, s->mark);
	for (uint32_t i = 0; i < s->unit_count; i++)
		s->can_rise[i] = s->mark[s->units[i].in];
	for (uint32_t p = 0; p <= s->unit_count; p++) {
		const struct unit *parent = &s->units[p];
		bool is_empty = slack_at(parent, t) <= tolerance;

		if (!is_parent_at(s, p, depth) || parent->rising_weight <= 0)
			continue;
		if (!is_empty)
			flow_reach(&s->flow, parent->slack_node, NODE_SOURCE, tolerance, true,
				   s->mark);
		for (uint32_t i = 0; i < s->unit_count; i++) {
			if (s->units[i].parent == p)
				s->can_rise[i] =
					!is_empty && (s->can_rise[i] || s->mark[s->units[i].in]);
		}
	}
}

/* Freeze at @t who cannot rise, or everybody; returns how many go on rising. */
static unsigned freeze(struct solver *s, unsigned depth, double t, bool is_everybody)
{
	unsigned rising = 0;

	for (uint32_t i = 0; i < s->unit_count; i++) {
		struct unit *u = &s->units[i];

		if (u->depth != depth || u->is_frozen)
			continue;
		if (s->can_rise[i] && !is_everybody) {
			rising++;
			continue;
		}
		u->rate = u->weight * t;
		u->is_frozen = true;
	}
	return rising;
}

/* Each turn freezes at least one unit: if the arithmetic says that all of them could still rise, in
 * truth none can. */
static void fill_level(struct solver *s, unsigned depth)
{
	unsigned rising = 0, before;

	for (uint32_t i = 0; i < s->unit_count; i++)
		rising += s->units[i].depth == depth;
	while (rising) {
		double t;

		sum_up_level(s, depth);
		t = feasible_height(s, depth);
		find_who_can_rise(s, depth, t);
		before = rising;
		rising = freeze(s, depth, t, false);
		if (rising == before)
			rising = freeze(s, depth, t, true);
	}
}

/* What the machine gives in all: the root's slack may flow everywhere. */
static void fill_root(struct solver *s)
{
	struct unit *root = &s->units[s->root];

	flow_set_capacity(&s->flow, root->slack_edge, FLUID_CPUS_MAX);
	root->rate = flow_maximise(&s->flow, NODE_SOURCE, NODE_SINK);
}

int fluid_solve(const struct fluid_entity *entities, size_t count, double *rates)
{
	cleanup(solver_deinit) struct solver s = { 0 };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = check_entity(entities, i);
	if (r == 0)
		r = make_units(&s, entities, count);
	if (r < 0)
		return err_trace(r);
	make_classes(&s);
	r = make_network(&s);
	if (r < 0)
		return err_trace(r);
	fill_root(&s);
	for (unsigned depth = 0; depth < s.depth; depth++)
		fill_level(&s, depth);
	for (size_t i = 0; i < count; i++)
		rates[i] = s.units[s.unit_of[i]].rate / s.units[s.unit_of[i]].members;
	return 0;
}
