// SPDX-License-Identifier: GPL-2.0-only
/* The tables of the scenario model. */
#include "harness/schema.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/check.h"
#include "harness/compile.h"
#include "harness/spec.h"
#include "vmm/topology.h"

#include <ktstr/scenario.h>

#include <errno.h>
#include <stdio.h>

static int check_duration(const char *text)
{
	uint64_t ns;

	return spec_value(text, PARAM_NS, &ns);
}

static int check_bytes(const char *text)
{
	uint64_t bytes;

	return spec_value(text, PARAM_BYTES, &bytes);
}

static int check_feature(const char *text)
{
	unsigned id;

	return spec_feature(text, &id);
}

static int check_topology(const char *text)
{
	struct topology t;

	return topology_parse(text, &t);
}

static int check_work(const char *text)
{
	uint64_t params[PLAN_PARAMS];
	uint32_t id;

	return spec_work(text, &id, params);
}

static int check_policy(const char *text)
{
	struct plan_sched sched;

	return spec_sched(text, 0, &sched);
}

static int check_max(const char *text)
{
	uint64_t quota_us, period_us;

	return spec_max(text, &quota_us, &period_us);
}

static int check_limit(const char *text)
{
	uint64_t bytes;

	return spec_limit(text, &bytes);
}

static int check_claim(const char *text)
{
	struct claim claim;
	int r = claim_parse(text, &claim);

	if (r == 0)
		claim_deinit(&claim);
	return r;
}

#define FIELD(struct_, key_, kind_, ...)                                                           \
	{                                                                                          \
		.key = #key_, .kind = kind_, .offset = offsetof(struct struct_, key_), __VA_ARGS__ \
	}
#define TABLE(fields_) .fields = fields_, .field_count = ARRAY_SIZE(fields_)

static const struct field needs_fields[] = {
	FIELD(ktstr_needs, cpus, FIELD_UNSIGNED, .help = "CPUs, at least"),
	FIELD(ktstr_needs, llcs, FIELD_UNSIGNED, .help = "last-level caches, at least"),
	FIELD(ktstr_needs, nodes, FIELD_UNSIGNED, .help = "NUMA nodes, at least"),
	FIELD(ktstr_needs, threads_per_core, FIELD_UNSIGNED,
	      .help = "hardware threads of a core, at least"),
	FIELD(ktstr_needs, kernel, FIELD_TEXT, .help = "least kernel release, as 6.6"),
	FIELD(ktstr_needs, memory, FIELD_TEXT, .check = check_bytes, .help = "guest RAM, at least"),
	FIELD(ktstr_needs, features, FIELD_TEXTS, .check = check_feature,
	      .help = "kernel features, of `ktstr list --features`"),
};

static const struct schema schema_needs = {
	.name = "needs",
	.bytes = sizeof(struct ktstr_needs),
	TABLE(needs_fields),
};

static const struct field workers_fields[] = {
	FIELD(ktstr_workers, name, FIELD_TEXT, .help = "for reports; default: the workload's"),
	FIELD(ktstr_workers, work, FIELD_TEXT, .check = check_work,
	      .help = "workload and its parameters"),
	FIELD(ktstr_workers, count, FIELD_TEXT, .help = "4, per-cpu or 150%; default 1"),
	FIELD(ktstr_workers, affinity, FIELD_TEXT,
	      .help = "a cpuset specification, each, smt, or random N"),
	FIELD(ktstr_workers, policy, FIELD_TEXT, .check = check_policy,
	      .help = "scheduling policy"),
	FIELD(ktstr_workers, as, FIELD_TEXT, .help = "process or thread"),
	FIELD(ktstr_workers, slice, FIELD_TEXT, .check = check_duration, .help = "custom slice"),
	FIELD(ktstr_workers, memory_policy, FIELD_TEXT,
	      .help = "local, or bind, preferred, interleave, weighted-interleave NODES"),
	FIELD(ktstr_workers, iterations, FIELD_UNSIGNED, .help = "each ends after so many"),
	FIELD(ktstr_workers, nice, FIELD_INT, .help = "-20 to 19"),
	FIELD(ktstr_workers, is_session, FIELD_BOOL, .help = "a session of their own"),
};

static const struct schema schema_workers = {
	.name = "workers",
	.bytes = sizeof(struct ktstr_workers),
	.required = "work",
	TABLE(workers_fields),
};

static const struct field metric_fields[] = {
	FIELD(ktstr_metric, name, FIELD_TEXT, .help = "letters, digits, _ - ."),
	FIELD(ktstr_metric, json, FIELD_TEXT, .help = "path, as jobs.0.read.iops"),
	FIELD(ktstr_metric, yaml, FIELD_TEXT, .help = "path, as metrics.0.bogo-ops"),
	FIELD(ktstr_metric, pattern, FIELD_TEXT, .help = "regular expression with one group"),
	FIELD(ktstr_metric, source, FIELD_TEXT, .help = "stdout, stderr or file"),
	FIELD(ktstr_metric, take, FIELD_TEXT, .help = "first, last, min, max, sum or mean"),
	FIELD(ktstr_metric, unit, FIELD_TEXT, .help = "for reports"),
	FIELD(ktstr_metric, is_exact, FIELD_BOOL, .help = "noise of the host cannot change it"),
};

static const struct schema schema_metric = {
	.name = "metric",
	.bytes = sizeof(struct ktstr_metric),
	.required = "name",
	TABLE(metric_fields),
};

static const struct field payload_fields[] = {
	FIELD(ktstr_payload, name, FIELD_TEXT, .help = "letters, digits, _ - ."),
	FIELD(ktstr_payload, command, FIELD_TEXT, .help = "program of the host, and arguments"),
	FIELD(ktstr_payload, args, FIELD_TEXTS, .help = "more arguments, as they are"),
	FIELD(ktstr_payload, env, FIELD_TEXTS, .help = "NAME=VALUE"),
	FIELD(ktstr_payload, include, FIELD_TEXTS, .help = "files of the host to bring along"),
	FIELD(ktstr_payload, file, FIELD_TEXT, .help = "that it writes, for metrics"),
	FIELD(ktstr_payload, timeout, FIELD_TEXT, .check = check_duration,
	      .help = "from its start"),
	FIELD(ktstr_payload, affinity, FIELD_TEXT, .help = "as of workers"),
	FIELD(ktstr_payload, policy, FIELD_TEXT, .check = check_policy,
	      .help = "scheduling policy"),
	FIELD(ktstr_payload, slice, FIELD_TEXT, .check = check_duration, .help = "custom slice"),
	FIELD(ktstr_payload, nice, FIELD_INT, .help = "-20 to 19"),
	FIELD(ktstr_payload, metrics, FIELD_RECORDS, .record = &schema_metric,
	      .help = "figures of its output"),
};

static const struct schema schema_payload = {
	.name = "payload",
	.bytes = sizeof(struct ktstr_payload),
	.required = "name",
	TABLE(payload_fields),
};

static const struct field cgroup_fields[] = {
	FIELD(ktstr_cgroup, name, FIELD_TEXT, .help = "path, a/b is inside a"),
	FIELD(ktstr_cgroup, cpuset, FIELD_TEXT, .help = "a cpuset specification"),
	FIELD(ktstr_cgroup, weight, FIELD_UNSIGNED, .help = "cpu.weight, 1 to 10000"),
	FIELD(ktstr_cgroup, max, FIELD_TEXT, .check = check_max,
	      .help = "cpu.max, QUOTA/PERIOD or max"),
	FIELD(ktstr_cgroup, max_burst, FIELD_TEXT, .check = check_duration,
	      .help = "cpu.max.burst"),
	FIELD(ktstr_cgroup, mems, FIELD_TEXT, .help = "cpuset.mems, as node 0"),
	FIELD(ktstr_cgroup, memory_max, FIELD_TEXT, .check = check_limit,
	      .help = "memory.max, a size or max"),
	FIELD(ktstr_cgroup, memory_high, FIELD_TEXT, .check = check_limit, .help = "memory.high"),
	FIELD(ktstr_cgroup, memory_low, FIELD_TEXT, .check = check_limit, .help = "memory.low"),
	FIELD(ktstr_cgroup, io_weight, FIELD_UNSIGNED, .help = "io.weight, 1 to 10000"),
	FIELD(ktstr_cgroup, pids_max, FIELD_UNSIGNED, .help = "pids.max"),
	FIELD(ktstr_cgroup, is_idle, FIELD_BOOL, .help = "cpu.idle"),
	FIELD(ktstr_cgroup, workers, FIELD_RECORDS, .record = &schema_workers,
	      .help = "its workers"),
	FIELD(ktstr_cgroup, payloads, FIELD_RECORDS, .record = &schema_payload,
	      .help = "its payloads"),
};

static const struct schema schema_cgroup = {
	.name = "cgroup",
	.bytes = sizeof(struct ktstr_cgroup),
	.required = "name",
	TABLE(cgroup_fields),
};

static const struct field step_fields[] = {
	FIELD(ktstr_step, name, FIELD_TEXT, .help = "for reports"),
	FIELD(ktstr_step, ops, FIELD_TEXTS, .help = "operations, in order"),
	FIELD(ktstr_step, cgroups, FIELD_RECORDS, .record = &schema_cgroup,
	      .help = "cgroups of this step alone"),
	FIELD(ktstr_step, hold, FIELD_TEXT, .check = compile_check_hold,
	      .help = "how long it is judged; none: it only has operations"),
	FIELD(ktstr_step, loop, FIELD_TEXTS, .help = "operations repeated in the hold"),
	FIELD(ktstr_step, every, FIELD_TEXT, .check = check_duration,
	      .help = "interval of the loop"),
};

static const struct schema schema_step = {
	.name = "step",
	.bytes = sizeof(struct ktstr_step),
	TABLE(step_fields),
};

static const struct field scenario_fields[] = {
	FIELD(ktstr_scenario, summary, FIELD_TEXT, .help = "one line: what it would catch"),
	FIELD(ktstr_scenario, needs, FIELD_RECORD, .record = &schema_needs,
	      .help = "what the machine must have"),
	FIELD(ktstr_scenario, topology, FIELD_TEXT, .check = check_topology,
	      .help = "default machine, as 1n2l4c1t"),
	FIELD(ktstr_scenario, memory, FIELD_TEXT, .check = check_bytes, .help = "guest RAM"),
	FIELD(ktstr_scenario, disks, FIELD_TEXTS,
	      .help = "disk specifications; the first is the test disk"),
	FIELD(ktstr_scenario, cgroups, FIELD_RECORDS, .record = &schema_cgroup,
	      .help = "cgroups with their workers"),
	FIELD(ktstr_scenario, workers, FIELD_RECORDS, .record = &schema_workers,
	      .help = "workers outside of them"),
	FIELD(ktstr_scenario, payloads, FIELD_RECORDS, .record = &schema_payload,
	      .help = "payloads outside of them"),
	FIELD(ktstr_scenario, steps, FIELD_RECORDS, .record = &schema_step,
	      .help = "steps; or, instead, hold"),
	FIELD(ktstr_scenario, hold, FIELD_TEXT, .check = compile_check_hold,
	      .help = "how long the only step is judged"),
	FIELD(ktstr_scenario, duration, FIELD_TEXT, .check = check_duration,
	      .help = "what holds in percent are parts of"),
	FIELD(ktstr_scenario, checks, FIELD_TEXTS, .check = check_claim,
	      .help = "claims with their bounds"),
	FIELD(ktstr_scenario, timeout, FIELD_TEXT, .check = check_duration,
	      .help = "of the scenario, without boot"),
	FIELD(ktstr_scenario, fixes, FIELD_TEXTS, .help = "kernel commits that it guards"),
	FIELD(ktstr_scenario, expected_reason, FIELD_TEXT, .help = "known to fail, and why"),
	FIELD(ktstr_scenario, is_fixture, FIELD_BOOL, .help = "made to fail; runs only when named"),
};

const struct schema schema_scenario = {
	.name = "scenario",
	.bytes = sizeof(struct ktstr_scenario),
	.required = "summary",
	TABLE(scenario_fields),
};

const struct field *schema_field(const struct schema *s, const char *key)
{
	for (size_t i = 0; i < s->field_count; i++)
		if (!strcmp(s->fields[i].key, key))
			return &s->fields[i];
	return NULL;
}

const char *schema_keys(const struct schema *s, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->field_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 s->fields[i].key);
	return text;
}
