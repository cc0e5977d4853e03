// SPDX-License-Identifier: GPL-2.0-only
/* A word, then numbers that it gives a meaning: a list of units of the topology, or a piece of the
 * row of all CPUs. */
#include "harness/cpuspec.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static unsigned one_count(const struct topology *t)
{
	return 1;
}

static unsigned node_count(const struct topology *t)
{
	return t->nodes;
}

static unsigned llc_count(const struct topology *t)
{
	return t->llcs;
}

static unsigned core_count(const struct topology *t)
{
	return t->llcs * t->cores_per_llc;
}

static unsigned thread_count(const struct topology *t)
{
	return t->threads_per_core;
}

static unsigned unit_all(const struct topology *t, unsigned cpu)
{
	return 0;
}

static unsigned unit_node(const struct topology *t, unsigned cpu)
{
	return topology_cpu(t, cpu).node;
}

static unsigned unit_llc(const struct topology *t, unsigned cpu)
{
	return topology_cpu(t, cpu).llc;
}

static unsigned unit_core(const struct topology *t, unsigned cpu)
{
	struct topology_cpu place = topology_cpu(t, cpu);

	return place.llc * t->cores_per_llc + place.core;
}

static unsigned unit_thread(const struct topology *t, unsigned cpu)
{
	return topology_cpu(t, cpu).thread;
}

static unsigned unit_cpu(const struct topology *t, unsigned cpu)
{
	return cpu;
}

struct unit_kind {
	const char *word;
	const char *plural; /* NULL: the word takes no list, and means unit 0 */
	unsigned (*count)(const struct topology *t);
	unsigned (*unit_of)(const struct topology *t, unsigned cpu);
};

static const struct unit_kind unit_kinds[] = {
	{ "all", NULL, one_count, unit_all },
	{ "node", "nodes", node_count, unit_node },
	{ "llc", "LLCs", llc_count, unit_llc },
	{ "core", "cores", core_count, unit_core },
	{ "thread", "threads in a core", thread_count, unit_thread },
	{ "cpu", "CPUs", topology_cpu_count, unit_cpu },
};

/* What is being resolved, for messages. */
struct context {
	const char *text;
	const struct topology *topology;
};

static int refuse(const struct context *c, const char *why)
{
	return err_new(-EINVAL, "\"%s\": %s", c->text, why);
}

static int take_number(const struct context *c, const char **p, unsigned *ret)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)**p))
		return refuse(c, "a number is missing");
	errno = 0;
	value = strtoul(*p, &end, 10);
	if (errno || value > 1000000)
		return refuse(c, "a number is too large");
	*p = end;
	*ret = (unsigned)value;
	return 0;
}

static bool take_char(const char **p, char wanted)
{
	if (**p != wanted)
		return false;
	(*p)++;
	return true;
}

static void add_unit(const struct context *c, const struct unit_kind *kind, unsigned unit,
		     struct cpu_mask *mask)
{
	unsigned cpus = topology_cpu_count(c->topology);

	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		if (kind->unit_of(c->topology, cpu) == unit)
			mask_set(mask, cpu);
	}
}

static int add_range(const struct context *c, const struct unit_kind *kind, unsigned first,
		     unsigned last, struct cpu_mask *mask)
{
	unsigned count = kind->count(c->topology);
	char label[TOPOLOGY_LABEL_BYTES];

	if (first > last)
		return refuse(c, "a range ends before it begins");
	if (last >= count)
		return err_new(-EINVAL, "\"%s\": machine %s has %s 0-%u", c->text,
			       topology_label(c->topology, label), kind->plural, count - 1);
	for (unsigned unit = first; unit <= last; unit++)
		add_unit(c, kind, unit, mask);
	return 0;
}

static int add_list(const struct context *c, const struct unit_kind *kind, const char *p,
		    struct cpu_mask *mask)
{
	do {
		unsigned first, last;
		int r = take_number(c, &p, &first);

		last = first;
		if (r == 0 && take_char(&p, '-'))
			r = take_number(c, &p, &last);
		if (r == 0)
			r = add_range(c, kind, first, last, mask);
		if (r < 0)
			return err_trace(r);
	} while (take_char(&p, ','));
	return *p ? refuse(c, "expected a list such as 0,2-3") : 0;
}

static int add_kind(const struct context *c, const struct unit_kind *kind, const char *p,
		    struct cpu_mask *mask)
{
	if (kind->plural)
		return add_list(c, kind, p, mask);
	if (*p)
		return refuse(c, "nothing may follow \"all\"");
	add_unit(c, kind, 0, mask);
	return 0;
}

static void add_row(unsigned from, unsigned to, struct cpu_mask *mask)
{
	for (unsigned cpu = from; cpu < to; cpu++)
		mask_set(mask, cpu);
}

static int take_ratio(const struct context *c, const char **p, unsigned *num, unsigned *den)
{
	int r = take_number(c, p, num);

	if (r == 0 && take_char(p, '/'))
		r = take_number(c, p, den);
	else if (r == 0)
		return refuse(c, "expected a ratio such as 1/4");
	if (r < 0)
		return err_trace(r);
	if (*den == 0 || *num > *den)
		return refuse(c, "a ratio must lie between 0 and 1");
	return 0;
}

/* "1/4..1/2": from a quarter of the row of CPUs up to its half. */
static int add_fraction(const struct context *c, const char *p, struct cpu_mask *mask)
{
	unsigned cpus = topology_cpu_count(c->topology);
	unsigned from, from_of, to, to_of;
	int r = take_ratio(c, &p, &from, &from_of);

	if (r == 0 && !(take_char(&p, '.') && take_char(&p, '.')))
		return refuse(c, "expected a range such as 1/4..1/2");
	if (r == 0)
		r = take_ratio(c, &p, &to, &to_of);
	if (r < 0)
		return err_trace(r);
	if (*p)
		return refuse(c, "expected a range such as 1/4..1/2");
	add_row(cpus * from / from_of, cpus * to / to_of, mask);
	return 0;
}

static int take_overlap(const struct context *c, const char *p, unsigned *ret)
{
	static const char word[] = " overlap=";

	*ret = 0;
	if (!*p)
		return 0;
	if (strncmp(p, word, sizeof(word) - 1) != 0)
		return refuse(c, "only overlap=CPUS may follow a part");
	p += sizeof(word) - 1;
	if (take_number(c, &p, ret) < 0)
		return err_trace(-EINVAL);
	return *p ? refuse(c, "expected overlap=CPUS at the end") : 0;
}

/* "1/3", "2/3 overlap=1": disjoint equal parts, counted from 1. The last has no neighbour to reach into,
 * but may say so, for a scenario whose parts are all alike. */
static int add_part(const struct context *c, const char *p, struct cpu_mask *mask)
{
	unsigned cpus = topology_cpu_count(c->topology);
	unsigned part, parts, overlap = 0, end, beyond;
	int r = take_ratio(c, &p, &part, &parts);

	if (r == 0 && part == 0)
		return refuse(c, "parts are counted from 1");
	if (r == 0)
		r = take_overlap(c, p, &overlap);
	if (r < 0)
		return err_trace(r);
	end = cpus * part / parts;
	beyond = part < parts ? cpus * (part + 1) / parts : cpus + cpus / parts;
	if (overlap > beyond - end)
		return refuse(c, "the overlap is more than the neighbour has");
	add_row(cpus * (part - 1) / parts, MIN(end + overlap, cpus), mask);
	return 0;
}

struct piece_kind {
	const char *word;
	int (*add)(const struct context *c, const char *p, struct cpu_mask *mask);
};

static const struct piece_kind piece_kinds[] = {
	{ "fraction", add_fraction },
	{ "part", add_part },
};

/* Is the first word of @text @word? Then *@rest_ret is what follows it. */
static bool is_word(const char *text, const char *word, const char **rest_ret)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0 || (text[len] && text[len] != ' '))
		return false;
	*rest_ret = text + len + (text[len] == ' ');
	return true;
}

static int add_spec(const struct context *c, struct cpu_mask *mask)
{
	const char *rest;

	for (size_t i = 0; i < ARRAY_SIZE(unit_kinds); i++) {
		if (is_word(c->text, unit_kinds[i].word, &rest))
			return add_kind(c, &unit_kinds[i], rest, mask);
	}
	for (size_t i = 0; i < ARRAY_SIZE(piece_kinds); i++) {
		if (is_word(c->text, piece_kinds[i].word, &rest))
			return piece_kinds[i].add(c, rest, mask);
	}
	return refuse(c, "expected all, node, llc, core, thread, cpu, fraction or part");
}

int cpuspec_resolve(const char *text, const struct topology *t, struct cpu_mask *ret)
{
	struct context c = { .text = text, .topology = t };
	struct cpu_mask mask = { 0 };
	char label[TOPOLOGY_LABEL_BYTES];
	int r = add_spec(&c, &mask);

	if (r < 0)
		return err_trace(r);
	if (mask_is_empty(&mask))
		return err_new(-EINVAL, "\"%s\": names no CPU of machine %s", text,
			       topology_label(t, label));
	*ret = mask;
	return 0;
}

int cpuspec_nodes(const char *text, const struct topology *t, uint64_t *ret)
{
	struct cpu_mask cpus;
	uint64_t nodes = 0;
	int r = cpuspec_resolve(text, t, &cpus);

	if (r < 0)
		return err_trace(r);
	for (unsigned cpu = mask_next(&cpus, 0); cpu < WIRE_CPUS; cpu = mask_next(&cpus, cpu + 1))
		nodes |= UINT64_C(1) << topology_cpu(t, cpu).node;
	*ret = nodes;
	return 0;
}
