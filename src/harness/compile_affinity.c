// SPDX-License-Identifier: GPL-2.0-only
/* Which CPUs worker i of an entry is bound to. */
#include "harness/compile.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/cpuspec.h"

#include <errno.h>

static unsigned nth_cpu(const struct cpu_mask *cpus, unsigned n)
{
	unsigned cpu = mask_next(cpus, 0);

	for (n %= mask_count(cpus); n; n--)
		cpu = mask_next(cpus, cpu + 1);
	return cpu;
}

static bool is_same_core(const struct topology *t, unsigned a, unsigned b)
{
	return topology_cpu(t, a).llc == topology_cpu(t, b).llc &&
	       topology_cpu(t, a).core == topology_cpu(t, b).core;
}

/* All hardware threads, within @cpus, of its i-th core that has two or more of them there. */
static int bind_core(const struct compiler *c, unsigned i, struct cpu_mask cpus,
		     struct cpu_mask *ret)
{
	const struct topology *t = &c->cell->topology;
	struct cpu_mask cores[WIRE_CPUS / 2 + 1];
	unsigned count = 0;

	for (; !mask_is_empty(&cpus); count += mask_count(&cores[count]) > 1) {
		unsigned first = mask_next(&cpus, 0);

		cores[count] = (struct cpu_mask){ 0 };
		for (unsigned cpu = first; cpu < WIRE_CPUS; cpu = mask_next(&cpus, cpu + 1)) {
			if (!is_same_core(t, first, cpu))
				continue;
			mask_set(&cores[count], cpu);
			mask_clear(&cpus, cpu);
		}
	}
	if (!count)
		return err_new(-EINVAL, "\"smt\": no core of the cpuset has two hardware threads");
	*ret = cores[i % count];
	return 0;
}

/* splitmix64: numbers that differ in one bit come out unlike each other. */
static uint64_t scramble(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static int bind_random(const struct compiler *c, const char *text, struct cpu_mask cpus,
		       struct cpu_mask *ret)
{
	uint64_t count, state = scramble(c->seed) ^ c->cell->plan.header.worker_count;

	if (parse_u64_in(text + strlen("random "), 1, mask_count(&cpus), &count) < 0)
		return err_new(-EINVAL, "\"%s\": expected random and a number from 1 to %u", text,
			       mask_count(&cpus));
	while (count--) {
		unsigned cpu;

		state = scramble(state);
		cpu = nth_cpu(&cpus, (unsigned)(state >> 32));
		mask_set(ret, cpu);
		mask_clear(&cpus, cpu);
	}
	return 0;
}

int compile_affinity(const struct compiler *c, const char *text, unsigned i,
		     const struct cpu_mask *cgroup, struct cpu_mask *ret)
{
	if (!text)
		return 0;
	if (strcmp(text, "smt") == 0)
		return bind_core(c, i, *cgroup, ret);
	if (strncmp(text, "random ", strlen("random ")) == 0)
		return bind_random(c, text, *cgroup, ret);
	if (strcmp(text, "each") != 0)
		return cpuspec_resolve(text, &c->cell->topology, ret);
	mask_set(ret, nth_cpu(cgroup, i));
	return 0;
}
