// SPDX-License-Identifier: GPL-2.0-only
/* The guest's CPUs are what was declared: boot each topology, let the guest say what its kernel made
 * of the ACPI tables and CPUID, compare line by line with what the declaration means.
 *
 *   test-topology KTSTR LABEL...       prints "ok LABEL" or the first difference and "FAIL LABEL"
 *   test-topology --dump               the guest's part: /sys and /proc/schedstat as lines
 *
 * Both parts write the same lines; the host's come from vmm/topology.h alone. */
#include "base/buf.h"
#include "base/child.h"
#include "base/util.h"
#include "vmm/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CACHES = 4, LIST_BYTES = 2048, DOMAINS_MAX = 8, MEMORY_MIB_OF_NODE = 256 };

/* CPUs first to last; every part of our machines is such a range. */
struct range {
	unsigned first, last;
};

static const char *const cache_types[CACHES] = { "Data", "Instruction", "Unified", "Unified" };
static const unsigned cache_levels[CACHES] = { 1, 1, 2, 3 };

/* ---- what the guest sees ---- */

/* First line of a file, "?" if there is none. */
static const char *read_line(const char *path, char *buf)
{
	FILE *f = fopen(path, "r");

	if (!f || !fgets(buf, LIST_BYTES, f))
		strcpy(buf, "?");
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = 0;
	return buf;
}

static void dump_file(const char *what, unsigned cpu, const char *name)
{
	char path[256], line[LIST_BYTES];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/%s", cpu, name);
	printf("cpu %u %s %s\n", cpu, what, read_line(path, line));
}

static void dump_caches(unsigned cpu)
{
	static const char *const names[] = { "level", "type", "shared_cpu_list" };

	for (unsigned i = 0; i < CACHES; i++)
		for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
			char what[64], path[64];

			snprintf(what, sizeof(what), "cache%u.%s", i, names[k]);
			snprintf(path, sizeof(path), "cache/index%u/%s", i, names[k]);
			dump_file(what, cpu, path);
		}
}

static void dump_node(unsigned cpu)
{
	char path[256];

	for (unsigned node = 0; node < TOPOLOGY_NODES_MAX; node++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/node%u", cpu, node);
		if (!access(path, F_OK))
			printf("cpu %u node %u\n", cpu, node);
	}
}

static bool bit(const char *mask, unsigned cpu)
{
	unsigned nibble = cpu / 4;

	for (size_t i = strlen(mask); i > 0; i--) {
		char digit[2] = { mask[i - 1] };

		if (digit[0] == ',')
			continue;
		if (nibble-- == 0)
			return strtoul(digit, NULL, 16) >> cpu % 4 & 1;
	}
	return false;
}

/* A mask as "first-last"; with a hole in it, as it is. */
static void print_mask(const char *mask)
{
	unsigned first = 0, end;

	while (first < TOPOLOGY_CPUS_MAX && !bit(mask, first))
		first++;
	for (end = first; end < TOPOLOGY_CPUS_MAX && bit(mask, end); end++)
		;
	for (unsigned i = end; i < TOPOLOGY_CPUS_MAX; i++)
		if (bit(mask, i)) {
			printf(" %s", mask);
			return;
		}
	printf(" %u-%u", first, end - 1);
}

/* Lines "cpuN ..." and, of that CPU, "domainM [NAME] MASK ..." from the smallest to the widest. */
static void dump_domains(void)
{
	FILE *f = fopen("/proc/schedstat", "r");
	char *line = NULL, name[32], word[2][LIST_BYTES];
	size_t size = 0;
	unsigned cpu;

	while (f && getline(&line, &size, f) > 0) {
		if (sscanf(line, "cpu%u", &cpu) == 1)
			printf("%scpu %u domains", cpu ? "\n" : "", cpu);
		else if (sscanf(line, "%31s %2047s %2047s", name, word[0], word[1]) == 3 &&
			 !strncmp(name, "domain", 6))
			print_mask(word[strspn(word[0], "0123456789abcdef,") != strlen(word[0])]);
	}
	printf("\n");
	free(line);
	if (f)
		fclose(f);
}

static void dump_nodes(void)
{
	static const char *const names[] = { "cpulist", "distance" };
	char path[256], line[LIST_BYTES];

	for (unsigned node = 0; node < TOPOLOGY_NODES_MAX; node++)
		for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
			snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/%s", node,
				 names[k]);
			if (!access(path, F_OK))
				printf("node %u %s %s\n", node, names[k], read_line(path, line));
		}
}

static int dump(void)
{
	char path[256], line[LIST_BYTES];

	printf("online %s\n", read_line("/sys/devices/system/cpu/online", line));
	for (unsigned cpu = 0;; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology", cpu);
		if (access(path, F_OK))
			break;
		dump_file("core", cpu, "topology/core_cpus_list");
		dump_file("die", cpu, "topology/die_cpus_list");
		dump_file("package", cpu, "topology/package_cpus_list");
		dump_caches(cpu);
		dump_node(cpu);
	}
	dump_nodes();
	dump_domains();
	return 0;
}

/* ---- what was declared ---- */

static struct range range_of(unsigned cpu, unsigned cpus)
{
	unsigned first = cpu / cpus * cpus;

	return (struct range){ first, first + cpus - 1 };
}

static void add_range(struct buf *b, struct range r)
{
	if (r.first == r.last)
		buf_printf(b, "%u", r.first);
	else
		buf_printf(b, "%u-%u", r.first, r.last);
}

static void expect_list(struct buf *b, unsigned cpu, const char *what, struct range r)
{
	buf_printf(b, "cpu %u %s ", cpu, what);
	add_range(b, r);
	buf_str(b, "\n");
}

static void expect_cpu(struct buf *b, const struct topology *t, unsigned cpu)
{
	struct range core = range_of(cpu, t->threads_per_core);
	struct range node = range_of(cpu, topology_cpus_per_node(t));

	expect_list(b, cpu, "core", core);
	expect_list(b, cpu, "die", node);
	expect_list(b, cpu, "package", node);
	for (unsigned i = 0; i < CACHES; i++) {
		char what[64];

		buf_printf(b, "cpu %u cache%u.level %u\n", cpu, i, cache_levels[i]);
		buf_printf(b, "cpu %u cache%u.type %s\n", cpu, i, cache_types[i]);
		snprintf(what, sizeof(what), "cache%u.shared_cpu_list", i);
		expect_list(b, cpu, what,
			    cache_levels[i] < 3 ? core : range_of(cpu, topology_cpus_per_llc(t)));
	}
	buf_printf(b, "cpu %u node %u\n", cpu, topology_cpu(t, cpu).node);
}

static void expect_nodes(struct buf *b, const struct topology *t)
{
	for (unsigned node = 0; node < t->nodes; node++) {
		buf_printf(b, "node %u cpulist ", node);
		add_range(b, range_of(node * topology_cpus_per_node(t), topology_cpus_per_node(t)));
		buf_printf(b, "\nnode %u distance", node);
		for (unsigned to = 0; to < t->nodes; to++)
			buf_printf(b, " %u", topology_distance(t, node, to));
		buf_str(b, "\n");
	}
}

/* The kernel drops a domain that spans no more than the one below it, or a single CPU. */
static void expect_domains(struct buf *b, const struct topology *t, unsigned cpu)
{
	const unsigned spans[] = { t->threads_per_core, topology_cpus_per_llc(t),
				   topology_cpus_per_node(t), topology_cpu_count(t) };
	unsigned below = 1;

	buf_printf(b, "cpu %u domains", cpu);
	for (unsigned i = 0; i < ARRAY_SIZE(spans); below = spans[i++])
		if (spans[i] > below) {
			buf_str(b, " ");
			add_range(b, range_of(cpu, spans[i]));
		}
	buf_str(b, "\n");
}

static void expect(struct buf *b, const struct topology *t)
{
	unsigned cpus = topology_cpu_count(t);

	buf_str(b, "online ");
	add_range(b, range_of(0, cpus));
	buf_str(b, "\n");
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		expect_cpu(b, t, cpu);
	expect_nodes(b, t);
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		expect_domains(b, t, cpu);
}

/* ---- the test ---- */

/* Print the lines that differ, at most a few. Returns whether there are none. */
static bool compare(const char *seen, const char *declared)
{
	unsigned shown = 0;

	while ((*seen || *declared) && shown < 8) {
		size_t s = strcspn(seen, "\n"), d = strcspn(declared, "\n");

		if (s != d || memcmp(seen, declared, s)) {
			printf("# declared: %.*s\n# guest:    %.*s\n", (int)d, declared, (int)s,
			       seen);
			shown++;
		}
		seen += s + (seen[s] != 0);
		declared += d + (declared[d] != 0);
	}
	return !shown;
}

static bool test(const char *ktstr, const char *self, const char *label)
{
	cleanup(buf_deinit) struct buf seen = BUF_NULL, declared = BUF_NULL;
	struct topology t;
	char memory[32];
	int r = topology_parse(label, &t);

	snprintf(memory, sizeof(memory), "%u", MEMORY_MIB_OF_NODE * (t.nodes + 1));
	const char *const argv[] = { ktstr,	  "exec", "--topology", label, "--memory", memory,
				     "--timeout", "600",  "--",		self,  "--dump",   NULL };

	if (r >= 0)
		r = child_run(argv, NULL, &seen);
	if (r < 0) {
		printf("# %s\nFAIL %s\n", err_text(), label);
		return false;
	}
	expect(&declared, &t);
	bool is_same = compare(buf_text(&seen), buf_text(&declared));

	printf("%s %s\n", is_same ? "ok" : "FAIL", label);
	fflush(stdout);
	return is_same;
}

int main(int argc, char **argv)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int failed = 0;

	if (argc == 2 && !strcmp(argv[1], "--dump"))
		return dump();
	if (argc < 3 || len < 0) {
		fprintf(stderr, "usage: test-topology KTSTR LABEL...\n");
		return 2;
	}
	self[len] = 0;
	for (int i = 2; i < argc; i++)
		failed += !test(argv[1], self, argv[i]);
	return failed > 0;
}
