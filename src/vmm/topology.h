/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest's CPUs look like: NUMA nodes, last-level caches, cores and SMT threads, declared
 * by a label "NnLlCcTt": N nodes, L last-level caches in all, C cores in each cache, T threads in
 * each core; 2n4l4c2t is 32 CPUs. The picture:
 *
 *   node 0                    node 1            a node is a package; its LLCs are inside it
 *     llc 0       llc 1         llc 2 ...
 *       core 0 1    core 0 1
 *        t0 t1 ...                              CPU number = (llc, core, thread), thread fastest
 *
 * The APIC id gives each level its own bits, so that Linux finds every border by shifting; ids have
 * gaps where a count is no power of two, CPU numbers never have. Knows nothing of KVM or of x86
 * beyond the APIC id. */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum {
	TOPOLOGY_CPUS_MAX = 512,
	TOPOLOGY_NODES_MAX = 64,
	TOPOLOGY_THREADS_MAX = 8,
	TOPOLOGY_LABEL_BYTES = 48,
	/* Ids from here on need x2APIC (255 is the broadcast id of xAPIC). */
	TOPOLOGY_XAPIC_IDS = 255,
};

struct topology {
	unsigned nodes;
	unsigned llcs; /* in all, a multiple of nodes */
	unsigned cores_per_llc;
	unsigned threads_per_core;
};

/* Where one CPU is. */
struct topology_cpu {
	unsigned node;
	unsigned llc;	 /* in the machine, 0..llcs-1 */
	unsigned core;	 /* in its LLC */
	unsigned thread; /* in its core */
	uint32_t apic_id;
};

/* How many low bits of the APIC id lie below each border. */
struct topology_shifts {
	unsigned core; /* apic_id >> core is equal for the threads of a core */
	unsigned llc;  /* ... for the CPUs of an LLC */
	unsigned node; /* ... for the CPUs of a node (package) */
};

/* Parse "2n4l4c2t". Returns 0, or -EINVAL with words: not of that form, a count of 0 or too large,
 * LLCs no multiple of nodes, more than TOPOLOGY_CPUS_MAX CPUs. Any thread. */
int topology_parse(const char *text, struct topology *ret) must_check;

/* The same test for a topology that was not parsed. Returns 0 or -EINVAL with words. */
int topology_check(const struct topology *t) must_check;

/* Below, @t has passed topology_check(). */

/* The label, as topology_parse() takes it; @buf has TOPOLOGY_LABEL_BYTES. Returns @buf. */
const char *topology_label(const struct topology *t, char *buf);

unsigned topology_cpu_count(const struct topology *t);
unsigned topology_cpus_per_llc(const struct topology *t);
unsigned topology_cpus_per_node(const struct topology *t);
unsigned topology_llcs_per_node(const struct topology *t);

struct topology_shifts topology_shifts(const struct topology *t);

/* The place of CPU @cpu, 0..topology_cpu_count()-1. */
struct topology_cpu topology_cpu(const struct topology *t, unsigned cpu);

/* The largest APIC id in use. */
uint32_t topology_max_apic_id(const struct topology *t);

/* The distance that the SLIT and HMAT declare: 10 to itself, 20 to every other node. */
unsigned topology_distance(const struct topology *t, unsigned from, unsigned to);
