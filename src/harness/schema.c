// SPDX-License-Identifier: GPL-2.0-only
/* The tables of the scenario model. */
#include "harness/schema.h"

#include "base/util.h"

#include <ktstr/scenario.h>

#include <errno.h>
#include <stdio.h>

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
	FIELD(ktstr_needs, kernel, FIELD_TEXT, .form = FORM_KERNEL, .help = "least kernel release"),
	FIELD(ktstr_needs, memory, FIELD_TEXT, .form = FORM_SIZE, .help = "guest RAM, at least"),
	FIELD(ktstr_needs, features, FIELD_TEXTS, .form = FORM_FEATURE,
	      .help = "features that the kernel must have"),
};

static const struct schema schema_needs = {
	.name = "needs",
	.bytes = sizeof(struct ktstr_needs),
	TABLE(needs_fields),
};

static const struct field workers_fields[] = {
	FIELD(ktstr_workers, name, FIELD_TEXT, .form = FORM_NAME,
	      .help = "for reports; default: the workload's"),
	FIELD(ktstr_workers, work, FIELD_TEXT, .form = FORM_WORK, .help = "what each of them does"),
	FIELD(ktstr_workers, count, FIELD_TEXT, .form = FORM_COUNT,
	      .help = "how many of them; default 1"),
	FIELD(ktstr_workers, affinity, FIELD_TEXT, .form = FORM_AFFINITY,
	      .help = "CPUs that each may use; default: those of its cgroup"),
	FIELD(ktstr_workers, policy, FIELD_TEXT, .form = FORM_POLICY,
	      .help = "scheduling policy; default normal"),
	FIELD(ktstr_workers, as, FIELD_TEXT, .form = FORM_TASK,
	      .help = "what each is; default process"),
	FIELD(ktstr_workers, slice, FIELD_TEXT, .form = FORM_DURATION,
	      .help = "custom slice, 100us to 100ms (kernels from 6.12 on)"),
	FIELD(ktstr_workers, memory_policy, FIELD_TEXT, .form = FORM_MEMORY_POLICY,
	      .help = "where their memory comes from; default: the kernel's own choice"),
	FIELD(ktstr_workers, iterations, FIELD_UNSIGNED,
	      .help = "each ends by itself after so many; default: none does"),
	FIELD(ktstr_workers, nice, FIELD_INT, .help = "-20 to 19; not with a real-time policy"),
	FIELD(ktstr_workers, is_session, FIELD_BOOL,
	      .help = "in a session, and so an autogroup, of their own"),
};

static const struct schema schema_workers = {
	.name = "workers",
	.bytes = sizeof(struct ktstr_workers),
	.required = "work",
	TABLE(workers_fields),
};

static const struct field metric_fields[] = {
	FIELD(ktstr_metric, name, FIELD_TEXT, .form = FORM_NAME,
	      .help = "for reports, operations and claims"),
	FIELD(ktstr_metric, json, FIELD_TEXT, .help = "path, as jobs.0.read.iops"),
	FIELD(ktstr_metric, yaml, FIELD_TEXT, .help = "path, as metrics.0.bogo-ops"),
	FIELD(ktstr_metric, pattern, FIELD_TEXT, .help = "regular expression with one group"),
	FIELD(ktstr_metric, source, FIELD_TEXT, .help = "stdout, stderr or file"),
	FIELD(ktstr_metric, take, FIELD_TEXT, .help = "first, last, min, max, sum or mean"),
	FIELD(ktstr_metric, unit, FIELD_TEXT, .help = "for reports"),
	FIELD(ktstr_metric, is_exact, FIELD_BOOL,
	      .help = "noise of the host cannot change it: claims stand under steal"),
};

static const struct schema schema_metric = {
	.name = "metric",
	.bytes = sizeof(struct ktstr_metric),
	.required = "name",
	TABLE(metric_fields),
};

static const struct field payload_fields[] = {
	FIELD(ktstr_payload, name, FIELD_TEXT, .form = FORM_NAME,
	      .help = "for reports, operations and claims"),
	FIELD(ktstr_payload, command, FIELD_TEXT, .help = "program of the host, and arguments"),
	FIELD(ktstr_payload, args, FIELD_TEXTS, .help = "more arguments, as they are"),
	FIELD(ktstr_payload, env, FIELD_TEXTS, .help = "NAME=VALUE"),
	FIELD(ktstr_payload, include, FIELD_TEXTS, .help = "files of the host to bring along"),
	FIELD(ktstr_payload, file, FIELD_TEXT, .help = "that it writes, for metrics"),
	FIELD(ktstr_payload, timeout, FIELD_TEXT, .form = FORM_TIMEOUT, .help = "from its start"),
	FIELD(ktstr_payload, affinity, FIELD_TEXT, .form = FORM_AFFINITY, .help = "as of workers"),
	FIELD(ktstr_payload, policy, FIELD_TEXT, .form = FORM_POLICY,
	      .help = "scheduling policy; default normal"),
	FIELD(ktstr_payload, slice, FIELD_TEXT, .form = FORM_DURATION,
	      .help = "custom slice, 100us to 100ms (kernels from 6.12 on)"),
	FIELD(ktstr_payload, nice, FIELD_INT, .help = "-20 to 19; not with a real-time policy"),
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
	FIELD(ktstr_cgroup, name, FIELD_TEXT, .form = FORM_CGROUP, .help = "its path"),
	FIELD(ktstr_cgroup, cpuset, FIELD_TEXT, .form = FORM_CPUSET,
	      .help = "cpuset.cpus; default: those of the cgroup above"),
	FIELD(ktstr_cgroup, weight, FIELD_UNSIGNED, .least = 1, .help = "cpu.weight, 1 to 10000"),
	FIELD(ktstr_cgroup, max, FIELD_TEXT, .form = FORM_MAX, .help = "cpu.max"),
	FIELD(ktstr_cgroup, max_burst, FIELD_TEXT, .form = FORM_DURATION,
	      .help = "cpu.max.burst, at most the quota"),
	FIELD(ktstr_cgroup, mems, FIELD_TEXT, .form = FORM_NODES,
	      .help = "cpuset.mems; default: those of the cgroup above"),
	FIELD(ktstr_cgroup, memory_max, FIELD_TEXT, .form = FORM_LIMIT, .help = "memory.max"),
	FIELD(ktstr_cgroup, memory_high, FIELD_TEXT, .form = FORM_LIMIT, .help = "memory.high"),
	FIELD(ktstr_cgroup, memory_low, FIELD_TEXT, .form = FORM_LIMIT, .help = "memory.low"),
	FIELD(ktstr_cgroup, io_weight, FIELD_UNSIGNED, .least = 1, .help = "io.weight, 1 to 10000"),
	FIELD(ktstr_cgroup, pids_max, FIELD_UNSIGNED, .least = 1,
	      .help = "pids.max; default: no limit"),
	FIELD(ktstr_cgroup, is_idle, FIELD_BOOL,
	      .help = "cpu.idle: all of it weighs as one SCHED_IDLE task; takes no weight"),
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
	FIELD(ktstr_step, name, FIELD_TEXT, .form = FORM_NAME, .help = "for reports"),
	FIELD(ktstr_step, ops, FIELD_TEXTS, .form = FORM_OPERATION, .help = "operations, in order"),
	FIELD(ktstr_step, cgroups, FIELD_RECORDS, .record = &schema_cgroup,
	      .help = "cgroups of this step alone, made after its operations"),
	FIELD(ktstr_step, hold, FIELD_TEXT, .form = FORM_HOLD,
	      .help = "how long it is judged; none: it only has operations"),
	FIELD(ktstr_step, loop, FIELD_TEXTS, .form = FORM_OPERATION,
	      .help = "operations, done once before the hold and then in it, again and again"),
	FIELD(ktstr_step, every, FIELD_TEXT, .form = FORM_DURATION,
	      .help = "interval of the loop, at least 100us"),
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
	FIELD(ktstr_scenario, topology, FIELD_TEXT, .form = FORM_TOPOLOGY,
	      .help = "default machine; default 1n1l2c1t"),
	FIELD(ktstr_scenario, memory, FIELD_TEXT, .form = FORM_SIZE,
	      .help = "guest RAM; default: 512M and 8M for each CPU"),
	FIELD(ktstr_scenario, disks, FIELD_TEXTS, .form = FORM_DISK,
	      .help = "virtio-blk devices; the first is the test disk"),
	FIELD(ktstr_scenario, cgroups, FIELD_RECORDS, .record = &schema_cgroup,
	      .help = "cgroups with their workers"),
	FIELD(ktstr_scenario, workers, FIELD_RECORDS, .record = &schema_workers,
	      .help = "workers outside of them"),
	FIELD(ktstr_scenario, payloads, FIELD_RECORDS, .record = &schema_payload,
	      .help = "payloads outside of them"),
	FIELD(ktstr_scenario, steps, FIELD_RECORDS, .record = &schema_step,
	      .help = "steps; or, instead, hold"),
	FIELD(ktstr_scenario, hold, FIELD_TEXT, .form = FORM_HOLD,
	      .help = "how long the only step is judged"),
	FIELD(ktstr_scenario, duration, FIELD_TEXT, .form = FORM_DURATION,
	      .help = "what holds in percent are parts of"),
	FIELD(ktstr_scenario, checks, FIELD_TEXTS, .form = FORM_CLAIM,
	      .help = "claims, judged in every hold"),
	FIELD(ktstr_scenario, timeout, FIELD_TEXT, .form = FORM_TIMEOUT,
	      .help = "of the scenario, without boot"),
	FIELD(ktstr_scenario, fixes, FIELD_TEXTS, .form = FORM_COMMIT,
	      .help = "kernel commits that it guards"),
	FIELD(ktstr_scenario, expected_reason, FIELD_TEXT,
	      .help = "known to fail, and why: FAIL becomes XFAIL"),
	FIELD(ktstr_scenario, is_fixture, FIELD_BOOL,
	      .help = "made to fail, as a test of the checks; runs only when named"),
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
