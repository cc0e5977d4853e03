// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/topology.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

enum { TOPOLOGY_DISTANCE_SELF = 10, TOPOLOGY_DISTANCE_OTHER = 20 };

/* One level of the label, in the order in which they stand in it. */
struct level {
	char letter;
	unsigned max;
	const char *name;
};

static const struct level levels[] = {
	{ 'n', TOPOLOGY_NODES_MAX, "nodes" },
	{ 'l', TOPOLOGY_CPUS_MAX, "LLCs" },
	{ 'c', TOPOLOGY_CPUS_MAX, "cores for each LLC" },
	{ 't', TOPOLOGY_THREADS_MAX, "threads for each core" },
};

/* Read digits and @letter at *@pos, leave *@pos behind them. No number has more than 4 digits. */
static bool read_count(const char **pos, char letter, unsigned *ret)
{
	const char *p = *pos;
	unsigned value = 0;

	for (; isdigit((unsigned char)*p) && p - *pos < 4; p++)
		value = value * 10 + (unsigned)(*p - '0');
	if (p == *pos || *p != letter)
		return false;
	*pos = p + 1;
	*ret = value;
	return true;
}

int topology_parse(const char *text, struct topology *ret)
{
	unsigned counts[ARRAY_SIZE(levels)];
	const char *pos = text;

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (!read_count(&pos, levels[i].letter, &counts[i]))
			return err_new(-EINVAL,
				       "topology \"%.32s\": not of the form NnLlCcTt (nodes, LLCs "
				       "in all, cores for each LLC, threads for each core), as in "
				       "1n2l4c2t",
				       text);
	if (*pos)
		return err_new(-EINVAL, "topology \"%.32s\": more text behind the threads", text);

	struct topology t = { counts[0], counts[1], counts[2], counts[3] };
	int r = topology_check(&t);

	if (r < 0)
		return err_trace(r);
	*ret = t;
	return 0;
}

int topology_check(const struct topology *t)
{
	const unsigned counts[] = { t->nodes, t->llcs, t->cores_per_llc, t->threads_per_core };
	char label[TOPOLOGY_LABEL_BYTES];
	uint64_t cpus = 1;

	topology_label(t, label);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (counts[i] < 1 || counts[i] > levels[i].max)
			return err_new(-EINVAL, "topology %s: %u %s, must be 1 to %u", label,
				       counts[i], levels[i].name, levels[i].max);
	if (t->llcs % t->nodes)
		return err_new(-EINVAL, "topology %s: %u LLCs do not divide evenly over %u nodes",
			       label, t->llcs, t->nodes);
	for (size_t i = 1; i < ARRAY_SIZE(levels); i++)
		cpus *= counts[i];
	if (cpus > TOPOLOGY_CPUS_MAX)
		return err_new(-EINVAL, "topology %s: %llu CPUs, at most %d are possible", label,
			       (unsigned long long)cpus, TOPOLOGY_CPUS_MAX);
	return 0;
}

const char *topology_label(const struct topology *t, char *buf)
{
	snprintf(buf, TOPOLOGY_LABEL_BYTES, "%un%ul%uc%ut", t->nodes, t->llcs, t->cores_per_llc,
		 t->threads_per_core);
	return buf;
}

unsigned topology_cpus_per_llc(const struct topology *t)
{
	return t->cores_per_llc * t->threads_per_core;
}

unsigned topology_cpu_count(const struct topology *t)
{
	return t->llcs * topology_cpus_per_llc(t);
}

unsigned topology_llcs_per_node(const struct topology *t)
{
	return t->llcs / t->nodes;
}

unsigned topology_cpus_per_node(const struct topology *t)
{
	return topology_llcs_per_node(t) * topology_cpus_per_llc(t);
}

/* Bits that hold the numbers 0..count-1. */
static unsigned bits_for(unsigned count)
{
	return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

struct topology_shifts topology_shifts(const struct topology *t)
{
	unsigned core = bits_for(t->threads_per_core);
	unsigned llc = core + bits_for(t->cores_per_llc);

	return (struct topology_shifts){
		.core = core,
		.llc = llc,
		.node = llc + bits_for(topology_llcs_per_node(t)),
	};
}

struct topology_cpu topology_cpu(const struct topology *t, unsigned cpu)
{
	struct topology_shifts shifts = topology_shifts(t);
	unsigned llc = cpu / topology_cpus_per_llc(t);
	unsigned in_llc = cpu % topology_cpus_per_llc(t);
	struct topology_cpu place = {
		.node = llc / topology_llcs_per_node(t),
		.llc = llc,
		.core = in_llc / t->threads_per_core,
		.thread = in_llc % t->threads_per_core,
	};

	place.apic_id = place.node << shifts.node |
			(llc % topology_llcs_per_node(t)) << shifts.llc |
			place.core << shifts.core | place.thread;
	return place;
}

uint32_t topology_max_apic_id(const struct topology *t)
{
	return topology_cpu(t, topology_cpu_count(t) - 1).apic_id;
}

unsigned topology_distance(const struct topology *t, unsigned from, unsigned to)
{
	return from == to ? TOPOLOGY_DISTANCE_SELF : TOPOLOGY_DISTANCE_OTHER;
}
