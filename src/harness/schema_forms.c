// SPDX-License-Identifier: GPL-2.0-only
#include "harness/schema_forms.h"

#include "base/util.h"
#include "harness/check.h"
#include "harness/compile.h"
#include "harness/spec.h"
#include "vmm/topology.h"

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

static int check_release(const char *text)
{
	unsigned release[3];

	return spec_release(text, release);
}

static int check_timeout(const char *text)
{
	uint64_t ns;

	return spec_timeout(text, &ns);
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

static const struct value_form forms[FORM_IDS] = {
	[FORM_ANY] = { "text", "any text" },
	[FORM_AFFINITY] = { "affinity",
			    "a cpuset; `each`: worker i is bound to the i-th CPU of its cgroup, "
			    "again "
			    "from the first when they run out; `smt`: the same with whole cores, "
			    "all "
			    "hardware threads of the i-th; `random N`: N CPUs of its cgroup, drawn "
			    "for each worker from --seed" },
	[FORM_CGROUP] = { "path",
			  "a name of letters, digits, _ - ., or several with / between them: a/b "
			  "is "
			  "inside a. One above that is not declared is made without settings" },
	[FORM_CLAIM] = { "claim", "NAME BOUND=VALUE ..., see CHECKS: share distance=30permille",
			 check_claim },
	[FORM_COMMIT] = { "commit", "what a report can show: 0123456789ab (subject)" },
	[FORM_COUNT] = { "count",
			 "a number; `per-cpu`: one for each CPU that the cgroup may use; `150%`: "
			 "of "
			 "those CPUs, rounded up. It counts tasks: of workloads that work in "
			 "groups "
			 "it must be a multiple of the group, which `ktstr workloads` says" },
	[FORM_CPUSET] = { "cpuset",
			  "all, llc 1, node 0, core 3, cpu 0-3,7, fraction 1/4..1/2, part 1/3 "
			  "[overlap=1] or thread 0, see SCENARIOS" },
	[FORM_DISK] = { "disk", "BACKING[,OPTION...], see DISKS: ram:64M" },
	[FORM_DURATION] = { "duration",
			    "a number, perhaps with decimals, and its unit ns, us, ms or s: 1.5ms",
			    check_duration },
	[FORM_FEATURE] = { "feature", "a name of `ktstr list --features`", check_feature },
	[FORM_HOLD] = { "hold",
			"a duration; a percentage of the scenario's duration; until WORKERS exit "
			"max=TIME; until WORKERS iterations=N max=TIME; or until payload NAME exit "
			"max=TIME, see STEPS",
			compile_check_hold },
	[FORM_KERNEL] = { "release", "numbers with dots between them: 6.6 or 6.12.85",
			  check_release },
	[FORM_LIMIT] = { "limit", "a size, or max", check_limit },
	[FORM_MAX] = { "quota", "QUOTA/PERIOD, two durations: 25ms/100ms; or max", check_max },
	[FORM_MEMORY_POLICY] = { "memory policy",
				 "local, or one of bind, preferred, interleave and "
				 "weighted-interleave with nodes behind it: bind node 0" },
	[FORM_NAME] = { "name", "letters, digits, _ - ., at most 63 of them", spec_name },
	[FORM_NODES] = { "nodes", "a cpuset, and it means the nodes of its CPUs: node 0" },
	[FORM_OPERATION] = { "operation",
			     "VERB and what it works on, see OPERATIONS: set left weight=300" },
	[FORM_POLICY] = { "policy",
			  "normal, batch, idle, fifo PRIORITY, rr PRIORITY (1 to 99), deadline "
			  "RUNTIME/DEADLINE/PERIOD (three durations: deadline 2ms/10ms/10ms) or "
			  "ext",
			  check_policy },
	[FORM_SIZE] = { "size",
			"a number and B, K, M, G or T (KiB, MiB, GiB, TiB mean the same): 512M",
			check_bytes },
	[FORM_TASK] = { "task",
			"process (each worker one) or thread (all of them in one process)" },
	[FORM_TIMEOUT] = { "limit of time", "a duration, at least 1ms: 30s", check_timeout },
	[FORM_TOPOLOGY] = { "topology",
			    "NnLlCcTt: NUMA nodes, last-level caches in all, cores of each cache, "
			    "threads of each core: 1n2l4c1t",
			    check_topology },
	[FORM_WORK] = { "work", "NAME PARAMETER=VALUE ..., see WORKLOADS: bursty burst=50ms",
			check_work },
};

const struct value_form *schema_form(enum form_id id)
{
	return &forms[id];
}
