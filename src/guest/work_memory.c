// SPDX-License-Identifier: GPL-2.0-only
/* Working sets, and the workloads that are about memory. */
#include "guest/work_memory.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/work.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct working_set working_set_map(struct worker *w, uint64_t bytes)
{
	struct working_set set = { .bytes = bytes };

	/* Preparing is not waiting for a CPU. */
	worker_block(w, DUE_UNKNOWN);
	set.data = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (set.data == MAP_FAILED)
		worker_fail(w, "map %zu bytes: %s", set.bytes, strerror(errno));
	worker_unblock(w);
	return set;
}

void working_set_walk(const struct working_set *set, uint64_t stride)
{
	for (size_t at = 0; at + sizeof(uint64_t) <= set->bytes; at += stride) {
		volatile uint64_t *word = (volatile uint64_t *)(void *)(set->data + at);

		*word += at;
	}
}

void work_cache_pressure(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[0]);

	for (;;) {
		working_set_walk(&set, p[1]);
		worker_iterate(w);
	}
}

void work_cache_yield(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[0]);

	for (;;) {
		working_set_walk(&set, p[1]);
		sched_yield();
		worker_iterate(w);
	}
}

static void walk_randomly(struct worker *w, const struct working_set *set, uint64_t accesses)
{
	for (uint64_t i = 0; i < accesses; i++) {
		size_t at = worker_random(w) % (set->bytes / sizeof(uint64_t));

		((volatile uint64_t *)(void *)set->data)[at] += i;
	}
}

void work_ipc_variance(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[1]);

	for (;;) {
		worker_compute(w, p[0]);
		worker_iterate(w);
		walk_randomly(w, &set, p[0] / 16 + 1);
		worker_iterate(w);
	}
}

void work_page_fault_churn(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[0]);

	for (;;) {
		walk_randomly(w, &set, p[1]);
		if (madvise(set.data, set.bytes, MADV_DONTNEED))
			worker_fail(w, "madvise: %s", strerror(errno));
		worker_iterate(w);
	}
}

/* The CPUs of a node; empty: there is no such node. */
static struct cpu_mask node_cpus(unsigned node)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	struct cpu_mask mask = { 0 };
	unsigned first, last;
	char path[64];
	int used;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
	if (buf_read_file(&text, path, 65536)) {
		err_clear();
		return mask;
	}
	for (const char *at = buf_text(&text); sscanf(at, "%u%n", &first, &used) == 1;) {
		at += used;
		last = first;
		if (sscanf(at, "-%u%n", &last, &used) == 1)
			at += used;
		for (unsigned cpu = first; cpu <= last && cpu < WIRE_CPUS; cpu++)
			mask_set(&mask, cpu);
		at += *at == ',';
	}
	return mask;
}

/* Go to the next node that has CPUs for us; on a machine of one node that is the same. */
static unsigned move_to_next_node(unsigned node)
{
	enum { NODES_MAX = 64 };

	for (unsigned i = 1; i <= NODES_MAX; i++) {
		unsigned next = (node + i) % NODES_MAX;
		struct cpu_mask cpus = node_cpus(next);

		if (mask_is_empty(&cpus))
			continue;
		if (!task_set_affinity(0, &cpus))
			return next;
		/* Its cpuset has none of them. */
		err_clear();
	}
	return node;
}

void work_numa_migration_churn(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[1]);

	for (unsigned node = 0;; node = move_to_next_node(node)) {
		uint64_t end_ns = now_ns() + p[0];

		while (now_ns() < end_ns) {
			working_set_walk(&set, 64);
			worker_iterate(w);
		}
	}
}

/* Which of 64 pages, anywhere in the set, are on the node it runs on? At a fixed distance they would
 * all be on one node where pages are interleaved. */
static void count_local_pages(struct worker *w, const struct working_set *set)
{
	enum { PAGES = 64 };
	void *pages[PAGES];
	int nodes[PAGES];
	unsigned cpu, here;

	for (size_t i = 0; i < PAGES; i++)
		pages[i] = set->data + worker_random(w) % (set->bytes / 4096) * 4096;
	if (syscall(SYS_getcpu, &cpu, &here, NULL) ||
	    syscall(SYS_move_pages, 0, (unsigned long)PAGES, pages, NULL, nodes, 0))
		worker_fail(w, "move_pages: %s", strerror(errno));
	for (size_t i = 0; i < PAGES; i++) {
		if (nodes[i] == (int)here)
			shared_add(&w->telemetry->pages_local, 1);
		else if (nodes[i] >= 0)
			shared_add(&w->telemetry->pages_remote, 1);
	}
}

void work_numa_working_set(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[0]);

	for (;;) {
		uint64_t end_ns = now_ns() + p[1];

		while (now_ns() < end_ns) {
			working_set_walk(&set, 64);
			worker_iterate(w);
		}
		count_local_pages(w, &set);
	}
}
