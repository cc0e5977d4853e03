// SPDX-License-Identifier: GPL-2.0-only
#include "stats/fluid.h"

#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { ENTITIES_MAX = 64 };

typedef uint64_t cpu_words[FLUID_MASK_WORDS];

static const cpu_words cpu0 = { 1 }, cpu1 = { 2 }, cpus2 = { 3 }, cpus4 = { 15 };

static struct fluid_entity group(uint32_t parent, double weight)
{
	return (struct fluid_entity){ .parent = parent, .weight = weight, .limit_cpus = INFINITY };
}

static struct fluid_entity task(uint32_t parent, double weight, const uint64_t *cpus)
{
	return (struct fluid_entity){
		.parent = parent, .weight = weight, .limit_cpus = INFINITY, .allowed_cpus = cpus
	};
}

static void rates_are(const struct fluid_entity *entities, size_t count, const double *expected)
{
	double rates[ENTITIES_MAX];

	assert_int_equal(fluid_solve(entities, count, rates), 0);
	for (size_t i = 0; i < count; i++) {
		if (fabs(rates[i] - expected[i]) > 1e-5)
			print_message("entity %zu: %g, not %g\n", i, rates[i], expected[i]);
		assert_true(fabs(rates[i] - expected[i]) <= 1e-5);
	}
}

#define RATES_ARE(entities, ...)                                                                   \
	rates_are(entities, ARRAY_SIZE(entities),                                                  \
		  (const double[ARRAY_SIZE(entities)]){ __VA_ARGS__ })

TEST(siblings_share_one_cpu_by_weight)
{
	const struct fluid_entity e[] = { task(FLUID_ROOT, 1024, cpu0),
					  task(FLUID_ROOT, 335, cpu0) };

	RATES_ARE(e, 1024.0 / 1359, 335.0 / 1359);
}

TEST(groups_with_a_hog_for_each_cpu_follow_1_2_3)
{
	const struct fluid_entity e[] = {
		group(FLUID_ROOT, 100), group(FLUID_ROOT, 200), group(FLUID_ROOT, 300),
		task(0, 1024, cpus2),	task(0, 1024, cpus2),	task(1, 1024, cpus2),
		task(1, 1024, cpus2),	task(2, 1024, cpus2),	task(2, 1024, cpus2),
	};

	RATES_ARE(e, 1 / 3.0, 2 / 3.0, 1, 1 / 6.0, 1 / 6.0, 1 / 3.0, 1 / 3.0, .5, .5);
}

TEST(weight_is_inert_without_contention)
{
	const struct fluid_entity e[] = {
		group(FLUID_ROOT, 50), group(FLUID_ROOT, 100), group(FLUID_ROOT, 150),
		task(0, 1024, cpus4),  task(1, 1024, cpus4),   task(2, 1024, cpus4),
	};

	RATES_ARE(e, 1, 1, 1, 1, 1, 1);
}

TEST(one_task_gets_one_cpu_at_most_and_the_rest_goes_to_the_others)
{
	const struct fluid_entity e[] = {
		group(FLUID_ROOT, 300), group(FLUID_ROOT, 100), task(0, 1024, cpus2),
		task(1, 1024, cpus2),	task(1, 1024, cpus2),
	};

	RATES_ARE(e, 1, 1, 1, .5, .5);
}

TEST(a_quota_bounds_its_group_and_frees_the_rest)
{
	struct fluid_entity e[] = { group(FLUID_ROOT, 100), group(FLUID_ROOT, 100),
				    task(0, 1024, cpu0), task(1, 1024, cpu0) };

	e[0].limit_cpus = .1;
	RATES_ARE(e, .1, .9, .1, .9);
}

TEST(a_group_bound_to_one_cpu_takes_from_who_can_move_last)
{
	const struct fluid_entity e[] = { task(FLUID_ROOT, 1, cpu0), task(FLUID_ROOT, 1, cpus2),
					  task(FLUID_ROOT, 1, cpu1) };

	RATES_ARE(e, 2 / 3.0, 2 / 3.0, 2 / 3.0);
}

TEST(pinned_tasks_share_their_cpu_while_another_is_alone)
{
	const struct fluid_entity e[] = { task(FLUID_ROOT, 3, cpu0), task(FLUID_ROOT, 1, cpu0),
					  task(FLUID_ROOT, 1, cpu1) };

	RATES_ARE(e, .75, .25, 1);
}

TEST(a_level_is_decided_before_those_below_it)
{
	const struct fluid_entity e[] = {
		group(FLUID_ROOT, 100), group(FLUID_ROOT, 100), group(0, 300),
		group(0, 100),		task(2, 1024, cpu0),	task(3, 1024, cpu0),
		task(1, 1024, cpu0),	task(1, 1024, cpu0),
	};

	RATES_ARE(e, .5, .5, .375, .125, .375, .125, .25, .25);
}

TEST(a_task_beside_a_group_counts_as_its_sibling)
{
	const struct fluid_entity e[] = { group(FLUID_ROOT, 1024), task(FLUID_ROOT, 1024, cpu0),
					  task(0, 1024, cpu0), task(0, 1024, cpu0) };

	RATES_ARE(e, .5, .5, .25, .25);
}

TEST(what_a_child_cannot_use_goes_to_its_sibling_not_to_the_uncle)
{
	struct fluid_entity e[] = { group(FLUID_ROOT, 1), group(FLUID_ROOT, 1), task(0, 1, cpu0),
				    task(0, 1, cpu0), task(1, 1, cpu0) };

	e[2].limit_cpus = .1;
	RATES_ARE(e, .5, .5, .1, .4, .5);
}

TEST(an_inner_choice_never_costs_another_group_its_part)
{
	/* Group 0 must leave CPU 1 to group 1, although its own first task could use it. */
	const struct fluid_entity e[] = { group(FLUID_ROOT, 1), group(FLUID_ROOT, 1),
					  task(0, 1, cpus2), task(0, 1, cpu0), task(1, 1, cpu1) };

	RATES_ARE(e, 1, 1, .5, .5, 1);
}

TEST(who_weighs_a_hundred_million_times_more_is_served_first)
{
	/* Deadline, real-time, and fair tasks as share claims model them. */
	struct fluid_entity e[] = { group(FLUID_ROOT, 1), task(FLUID_ROOT, 1e8, cpu0),
				    task(FLUID_ROOT, 1e4, cpu0), task(0, 1024, cpu0),
				    task(0, 335, cpus2) };

	e[1].limit_cpus = .6;
	e[2].limit_cpus = .95;
	RATES_ARE(e, 1, .6, .4, 0, 1);
	e[2].limit_cpus = .3;
	RATES_ARE(e, 1.1, .6, .3, .1, 1);
}

TEST(a_group_without_tasks_gets_nothing)
{
	const struct fluid_entity e[] = { group(FLUID_ROOT, 1000), task(FLUID_ROOT, 1, cpu0) };

	RATES_ARE(e, 0, 1);
}

TEST(bad_entities_are_refused)
{
	static const cpu_words none = { 0 };
	const struct fluid_entity bad[] = {
		task(0, 1, cpu0), /* its own parent */
		task(FLUID_ROOT, 0, cpu0), task(FLUID_ROOT, -1, cpu0), task(FLUID_ROOT, NAN, cpu0),
		task(FLUID_ROOT, 1, none),
	};
	double rate;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(fluid_solve(&bad[i], 1, &rate), -EINVAL);
	assert_int_equal(fluid_solve(NULL, 0, &rate), 0);
}

/* ---- properties, on random instances ---- */

struct instance {
	struct fluid_entity e[ENTITIES_MAX];
	cpu_words masks[ENTITIES_MAX];
	size_t count;
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void add_random_task(struct instance *in, uint32_t parent, unsigned cpus, uint32_t *seed)
{
	size_t i = in->count++;
	uint64_t mask = next_random(seed) & ((UINT64_C(1) << cpus) - 1);

	in->masks[i][0] = mask ? mask : 1;
	in->e[i] = task(parent, 1 + next_random(seed) % 8, in->masks[i]);
	if (next_random(seed) % 4 == 0)
		in->e[i].limit_cpus = (next_random(seed) % 8) / 8.0;
}

static void make_flat(struct instance *in, size_t tasks, unsigned cpus, uint32_t *seed)
{
	*in = (struct instance){ 0 };
	while (in->count < tasks)
		add_random_task(in, FLUID_ROOT, cpus, seed);
}

static void make_tree(struct instance *in, unsigned cpus, uint32_t *seed)
{
	unsigned groups = 1 + next_random(seed) % 6, tasks = 1 + next_random(seed) % 12;

	*in = (struct instance){ 0 };
	for (uint32_t g = 0; g < groups; g++) {
		uint32_t parent = next_random(seed) % (g + 1);

		in->e[g] = group(parent == g ? FLUID_ROOT : parent, 1 + next_random(seed) % 8);
		if (next_random(seed) % 4 == 0)
			in->e[g].limit_cpus = (1 + next_random(seed) % 8) / 4.0;
	}
	in->count = groups;
	for (unsigned t = 0; t < tasks; t++)
		add_random_task(in, next_random(seed) % groups, cpus, seed);
}

/* What a set of tasks can get together: the least, over all CPU sets C, of |C| plus the limits of
 * those who can leave C (max-flow min-cut, enumerated). */
static double set_capacity(const struct instance *in, unsigned set, unsigned cpus)
{
	double least = INFINITY;

	for (unsigned c = 0; c < 1U << cpus; c++) {
		double capacity = __builtin_popcount(c);

		for (size_t i = 0; i < in->count; i++) {
			if (set >> i & 1 && in->masks[i][0] & ~(uint64_t)c)
				capacity += fmin(1, in->e[i].limit_cpus);
		}
		least = fmin(least, capacity);
	}
	return least;
}

/* A task inside C is bounded by its own limit too. */
static double bounded_capacity(const struct instance *in, unsigned set, unsigned cpus)
{
	double least = INFINITY;

	for (unsigned sub = set;; sub = (sub - 1) & set) {
		double capacity = set_capacity(in, sub, cpus);

		for (size_t i = 0; i < in->count; i++) {
			if ((set & ~sub) >> i & 1)
				capacity += fmin(1, in->e[i].limit_cpus);
		}
		least = fmin(least, capacity);
		if (!sub)
			return least;
	}
}

/* The textbook: again and again the set with the least capacity for its weight is the next to be
 * full. */
static void solve_by_enumeration(const struct instance *in, unsigned cpus, double *rates)
{
	unsigned fixed = 0, all = (1U << in->count) - 1;
	double fixed_capacity = 0;

	while (fixed != all) {
		double best = INFINITY;
		unsigned best_set = 0;

		for (unsigned set = 1; set <= all; set++) {
			double weight = 0, height;

			if (set & fixed)
				continue;
			for (size_t i = 0; i < in->count; i++)
				weight += set >> i & 1 ? in->e[i].weight : 0;
			height =
				(bounded_capacity(in, set | fixed, cpus) - fixed_capacity) / weight;
			if (height < best - 1e-12) {
				best = height;
				best_set = set;
			}
		}
		for (size_t i = 0; i < in->count; i++) {
			if (best_set >> i & 1)
				rates[i] = in->e[i].weight * best;
		}
		fixed |= best_set;
		fixed_capacity = bounded_capacity(in, fixed, cpus);
	}
}

TEST(flat_instances_agree_with_enumeration)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 150; round++) {
		struct instance in;
		double expected[ENTITIES_MAX];

		make_flat(&in, 1 + round % 5, 3, &seed);
		solve_by_enumeration(&in, 3, expected);
		rates_are(in.e, in.count, expected);
	}
}

static double children_sum(const struct instance *in, const double *rates, uint32_t parent)
{
	double sum = 0;

	for (size_t i = 0; i < in->count; i++)
		sum += in->e[i].parent == parent ? rates[i] : 0;
	return sum;
}

TEST(a_group_gets_what_its_children_get)
{
	uint32_t seed = 2;

	for (unsigned round = 0; round < 400; round++) {
		struct instance in;
		double rates[ENTITIES_MAX];

		make_tree(&in, 4, &seed);
		assert_int_equal(fluid_solve(in.e, in.count, rates), 0);
		for (uint32_t g = 0; g < in.count; g++) {
			if (in.e[g].allowed_cpus)
				break;
			assert_true(fabs(children_sum(&in, rates, g) - rates[g]) < 1e-4);
			assert_true(rates[g] <= in.e[g].limit_cpus + 1e-5);
		}
		assert_true(children_sum(&in, rates, FLUID_ROOT) < 4 + 1e-5);
	}
}

TEST(weights_move_parts_but_never_the_sum)
{
	uint32_t seed = 3;

	for (unsigned round = 0; round < 400; round++) {
		struct instance in;
		double before[ENTITIES_MAX], after[ENTITIES_MAX];
		size_t heavier;

		make_tree(&in, 4, &seed);
		assert_int_equal(fluid_solve(in.e, in.count, before), 0);
		heavier = next_random(&seed) % in.count;
		in.e[heavier].weight *= 2;
		assert_int_equal(fluid_solve(in.e, in.count, after), 0);
		assert_true(fabs(children_sum(&in, before, FLUID_ROOT) -
				 children_sum(&in, after, FLUID_ROOT)) < 1e-4);
		assert_true(after[heavier] >= before[heavier] - 1e-4);
	}
}

TEST(sibling_tasks_with_the_same_cpus_are_max_min_fair)
{
	uint32_t seed = 4;

	for (unsigned round = 0; round < 400; round++) {
		struct instance in;
		double rates[ENTITIES_MAX];

		make_tree(&in, 3, &seed);
		assert_int_equal(fluid_solve(in.e, in.count, rates), 0);
		for (size_t i = 0; i < in.count; i++) {
			for (size_t j = 0; j < in.count; j++) {
				const struct fluid_entity *a = &in.e[i], *b = &in.e[j];

				if (!a->allowed_cpus || !b->allowed_cpus ||
				    a->parent != b->parent || in.masks[i][0] != in.masks[j][0])
					continue;
				/* Who has less for its weight is at its own limit. */
				if (rates[i] / a->weight < rates[j] / b->weight - 1e-4)
					assert_true(rates[i] > fmin(1, a->limit_cpus) - 1e-4);
			}
		}
	}
}

/* ---- the certificate of max-min fairness, level by level ----
 *
 * What units of one level can get together is a polymatroid: a vector of rates is possible if no set
 * S of them gets more than f(S), the largest flow from S into the CPUs, which is, by max-flow
 * min-cut, the least over all CPU sets C of |C| and what S could take from the CPUs outside of C. The
 * levels above are decided: their rates are limits of their groups, and their tasks must be served,
 * too. A base of a polymatroid is max-min fair just if no richer member can give something to a poorer
 * one: each such pair is parted by a set that gets all it can, in which only the poorer is. All of it
 * by enumeration: nothing is borrowed from the solver. */

enum { UNITS_MAX = 9 };

struct level {
	const struct instance *in;
	const double *rates;
	unsigned depth;
	unsigned cpus;
	unsigned units[ENTITIES_MAX]; /* of the level, and tasks above it */
	unsigned count;
};

static unsigned depth_of(const struct instance *in, size_t i)
{
	return in->e[i].parent == FLUID_ROOT ? 0 : 1 + depth_of(in, in->e[i].parent);
}

/* What entity @i could take from CPUs outside of @cut, by its limit and those below it. */
static double takes(const struct instance *in, size_t i, uint64_t cut)
{
	double sum = 0;

	if (in->e[i].allowed_cpus)
		return in->masks[i][0] & ~cut ? fmin(1, in->e[i].limit_cpus) : 0;
	for (size_t k = i + 1; k < in->count; k++)
		sum += in->e[k].parent == i ? takes(in, k, cut) : 0;
	return fmin(sum, in->e[i].limit_cpus);
}

/* The same for the members of @set, a bit for each unit of the level, below entity @i. */
static double set_takes(const struct level *l, uint32_t i, unsigned set, uint64_t cut)
{
	double sum = 0;

	for (unsigned u = 0; u < l->count; u++) {
		if (l->units[u] == i)
			return set >> u & 1 ? takes(l->in, i, cut) : 0;
	}
	for (size_t k = 0; k < l->in->count; k++)
		sum += l->in->e[k].parent == i ? set_takes(l, (uint32_t)k, set, cut) : 0;
	return i == FLUID_ROOT ? sum : fmin(sum, l->rates[i]);
}

static double set_gets_at_most(const struct level *l, unsigned set)
{
	double least = INFINITY;

	for (uint64_t cut = 0; cut < UINT64_C(1) << l->cpus; cut++)
		least = fmin(least, __builtin_popcountll(cut) + set_takes(l, FLUID_ROOT, set, cut));
	return least;
}

static double height(const struct level *l, unsigned u)
{
	return l->rates[l->units[u]] / l->in->e[l->units[u]].weight;
}

/* The sets that get all they can; none gets more. Returns how many. */
static unsigned find_full_sets(const struct level *l, unsigned full[1 << UNITS_MAX])
{
	unsigned count = 0;

	for (unsigned set = 1; set < 1U << l->count; set++) {
		double gets = 0, most = set_gets_at_most(l, set);

		for (unsigned u = 0; u < l->count; u++)
			gets += set >> u & 1 ? l->rates[l->units[u]] : 0;
		assert_true(gets <= most + 1e-4);
		if (gets > most - 1e-4)
			full[count++] = set;
	}
	return count;
}

/* What the richer gives up the poorer could have, unless a full set has the poorer only. */
static bool can_give(const unsigned *full, unsigned count, unsigned richer, unsigned poorer)
{
	for (unsigned i = 0; i < count; i++) {
		if (full[i] >> poorer & 1 && !(full[i] >> richer & 1))
			return false;
	}
	return true;
}

static void level_is_fair(const struct level *l)
{
	static unsigned full[1 << UNITS_MAX];
	unsigned count = find_full_sets(l, full);

	/* All of the machine is used: the set of all is full. */
	assert_true(!l->count || l->depth || full[count - 1] == (1U << l->count) - 1);
	for (unsigned a = 0; a < l->count; a++) {
		for (unsigned b = 0; b < l->count; b++) {
			if (l->in->e[l->units[a]].parent == l->in->e[l->units[b]].parent &&
			    depth_of(l->in, l->units[a]) == l->depth &&
			    height(l, a) > height(l, b) + 1e-4)
				assert_false(can_give(full, count, a, b));
		}
	}
}

TEST(at_every_level_nobody_can_gain_without_someone_poorer_losing)
{
	enum { CPUS = 3 };
	unsigned levels = 0;
	uint32_t seed = 5;

	for (unsigned round = 0; round < 300; round++) {
		struct instance in;
		double rates[ENTITIES_MAX];

		make_tree(&in, CPUS, &seed);
		assert_int_equal(fluid_solve(in.e, in.count, rates), 0);
		for (unsigned depth = 0; depth < 4; depth++) {
			struct level l = {
				.in = &in, .rates = rates, .depth = depth, .cpus = CPUS
			};

			for (unsigned i = 0; i < in.count; i++) {
				unsigned at = depth_of(&in, i);

				if (at == depth || (at < depth && in.e[i].allowed_cpus))
					l.units[l.count++] = i;
			}
			if (l.count > UNITS_MAX)
				continue;
			level_is_fair(&l);
			levels++;
		}
	}
	/* The bound on the size leaves most of them. */
	assert_true(levels > 600);
}

/* Sixteen that can use about a hundredth each, known to the nanosecond, beside a hog. */
TEST(limits_that_are_nearly_equal_stop_nobody_else)
{
	enum { TASKS = 16, TURNS = 2000 };
	struct fluid_entity e[TASKS + 3] = { group(FLUID_ROOT, 1024), group(FLUID_ROOT, 1024) };
	double rates[TASKS + 3];

	srandom(1);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		double sum = 0;

		for (unsigned i = 0; i < TASKS; i++) {
			e[2 + i] = task(0, 1024, cpu0);
			e[2 + i].limit_cpus = (8e6 + (double)(random() % 4000000)) / 817e6;
			sum += e[2 + i].limit_cpus;
		}
		e[2 + TASKS] = task(1, 1024, cpu0);
		assert_int_equal(fluid_solve(e, ARRAY_SIZE(e), rates), 0);
		assert_true(fabs(rates[2 + TASKS] - (1 - sum)) < 1e-5);
	}
}

TEST(many_cpus_and_pinned_tasks_are_solved)
{
	enum { CPUS = 252 };
	static struct fluid_entity e[CPUS * 2];
	static cpu_words masks[CPUS];
	static double rates[CPUS * 2];

	for (unsigned i = 0; i < CPUS; i++) {
		masks[i][i / 64] = UINT64_C(1) << i % 64;
		e[2 * i] = task(FLUID_ROOT, 1, masks[i]);
		e[2 * i + 1] = task(FLUID_ROOT, 3, masks[i]);
	}
	assert_int_equal(fluid_solve(e, ARRAY_SIZE(e), rates), 0);
	for (unsigned i = 0; i < CPUS; i++) {
		assert_true(fabs(rates[2 * i] - .25) < 1e-5);
		assert_true(fabs(rates[2 * i + 1] - .75) < 1e-5);
	}
}

TESTS(T(siblings_share_one_cpu_by_weight), T(groups_with_a_hog_for_each_cpu_follow_1_2_3),
      T(weight_is_inert_without_contention),
      T(one_task_gets_one_cpu_at_most_and_the_rest_goes_to_the_others),
      T(a_quota_bounds_its_group_and_frees_the_rest),
      T(a_group_bound_to_one_cpu_takes_from_who_can_move_last),
      T(pinned_tasks_share_their_cpu_while_another_is_alone),
      T(a_level_is_decided_before_those_below_it), T(a_task_beside_a_group_counts_as_its_sibling),
      T(what_a_child_cannot_use_goes_to_its_sibling_not_to_the_uncle),
      T(an_inner_choice_never_costs_another_group_its_part),
      T(who_weighs_a_hundred_million_times_more_is_served_first),
      T(a_group_without_tasks_gets_nothing), T(bad_entities_are_refused),
      T(flat_instances_agree_with_enumeration), T(a_group_gets_what_its_children_get),
      T(weights_move_parts_but_never_the_sum), T(sibling_tasks_with_the_same_cpus_are_max_min_fair),
      T(at_every_level_nobody_can_gain_without_someone_poorer_losing),
      T(limits_that_are_nearly_equal_stop_nobody_else), T(many_cpus_and_pinned_tasks_are_solved))
