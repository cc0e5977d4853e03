// SPDX-License-Identifier: GPL-2.0-only
#include "wire/plan.h"

#include "base/util.h"
#include "wire/frame.h"
#include "wire/workloads.h"

#include "test.h"

#include <errno.h>
#include <string.h>

/* Two nested cgroups, two hogs in the inner one, one step that adds, spawns and holds. */
static struct plan small_plan(void)
{
	struct plan p = PLAN_NULL;
	struct plan_cgroup outer = { .path = "a", .knobs = 1 << KNOB_WEIGHT };
	struct plan_cgroup inner = { .path = "a/b" };
	struct plan_group hogs = { .name = "hogs",
				   .workload = WORK_SPIN,
				   .params = { 1024 },
				   .worker_count = 2,
				   .ensemble = 1 };
	struct plan_worker worker = { .group = 0, .cgroup = 1 };
	struct plan_op ops[] = { { .code = OP_CGROUP_ADD, .target = 0 },
				 { .code = OP_CGROUP_ADD, .target = 1 },
				 { .code = OP_SPAWN, .target = 0 } };
	struct plan_step step = { .name = "hold", .op_count = 3, .hold = HOLD_TIME, .hold_ns = 1 };
	uint32_t offset = 1;

	outer.values[KNOB_WEIGHT] = 200;
	p.header.version = WIRE_VERSION;
	assert_int_equal(plan_add_string(&p, "", &offset), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(plan_add_string(&p, "text", &offset), 0);
	assert_int_equal(plan_add_cgroup(&p, &outer, NULL), 0);
	assert_int_equal(plan_add_cgroup(&p, &inner, NULL), 0);
	assert_int_equal(plan_add_group(&p, &hogs, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(plan_add_worker(&p, &worker, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		assert_int_equal(plan_add_op(&p, &ops[i], NULL), 0);
	assert_int_equal(plan_add_step(&p, &step, NULL), 0);
	return p;
}

TEST(a_plan_arrives_whole)
{
	cleanup(plan_deinit) struct plan p = small_plan();
	cleanup(plan_deinit) struct plan q = PLAN_NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_int_equal(plan_encode(&p, &b), 0);
	assert_int_equal(plan_decode(b.data, b.len, &q), 0);
	assert_memory_equal(&p.header, &q.header, sizeof(p.header));
	assert_string_equal(q.cgroups[1].path, "a/b");
	assert_int_equal(q.cgroups[0].values[KNOB_WEIGHT], 200);
	assert_string_equal(q.groups[0].name, "hogs");
	assert_int_equal(q.ops[2].code, OP_SPAWN);
	assert_string_equal(q.steps[0].name, "hold");
	assert_string_equal(plan_string(&q, 1), "text");
	assert_string_equal(plan_string(&q, 1000), "");
}

TEST(every_other_length_is_refused)
{
	cleanup(plan_deinit) struct plan p = small_plan();
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	assert_int_equal(plan_encode(&p, &b), 0);
	for (size_t len = 0; len < b.len; len++) {
		struct plan q = PLAN_NULL;

		assert_int_equal(plan_decode(b.data, len, &q), -EPROTO);
	}
}

static void break_version(struct plan *p)
{
	p->header.version++;
}
static void break_path(struct plan *p)
{
	strcpy(p->cgroups[0].path, "../a");
}
static void break_unterminated_path(struct plan *p)
{
	memset(p->cgroups[0].path, 'a', 128);
}
static void break_order(struct plan *p)
{
	strcpy(p->cgroups[0].path, "c");
}
static void break_weight(struct plan *p)
{
	p->cgroups[0].values[KNOB_WEIGHT] = 0;
}
static void break_knob(struct plan *p)
{
	p->cgroups[0].knobs |= UINT64_C(1) << 63;
}
static void break_cpuset(struct plan *p)
{
	p->cgroups[0].knobs |= 1 << KNOB_CPUSET;
}
static void break_workload(struct plan *p)
{
	p->groups[0].workload = 77;
}
static void break_param(struct plan *p)
{
	p->groups[0].params[0] = 0;
}
static void break_ensemble(struct plan *p)
{
	p->groups[0].workload = WORK_PIPE_PINGPONG;
}
static void break_span(struct plan *p)
{
	p->groups[0].first_worker = 1;
}
static void break_span_wrap(struct plan *p)
{
	p->groups[0].first_worker = UINT32_MAX;
}
static void break_member(struct plan *p)
{
	p->workers[1].group = 5;
}
static void break_worker_cgroup(struct plan *p)
{
	p->workers[1].cgroup = 2;
}
static void break_threads(struct plan *p)
{
	p->groups[0].flags = GROUP_THREADS;
	p->workers[1].cgroup = PLAN_NONE;
}
static void break_nice(struct plan *p)
{
	p->groups[0].sched = (struct plan_sched){ .flags = SCHED_HAS_NICE, .nice = 20 };
}
static void break_deadline(struct plan *p)
{
	p->groups[0].sched = (struct plan_sched){
		.flags = SCHED_HAS_POLICY, .policy = 6, .runtime_ns = 2, .deadline_ns = 1
	};
}
static void break_phases(struct plan *p)
{
	p->groups[0].workload = WORK_SEQUENCE;
}
static void break_op(struct plan *p)
{
	p->ops[0].code = 999;
}
static void break_reserved_op(struct plan *p)
{
	p->ops[0].code = OP_SCHED_ATTACH;
}
static void break_op_target(struct plan *p)
{
	p->ops[0].target = 2;
}
static void break_op_mask(struct plan *p)
{
	p->ops[0].code = OP_CPU_OFFLINE;
}
static void break_op_text(struct plan *p)
{
	p->ops[0].text = 100;
}
static void break_write(struct plan *p)
{
	p->ops[0].code = OP_WRITE;
}
static void break_hold(struct plan *p)
{
	p->steps[0].hold_ns = 0;
}
static void break_hold_kind(struct plan *p)
{
	p->steps[0].hold = 99;
}
static void break_step_span(struct plan *p)
{
	p->steps[0].op_count = 4;
}
static void break_loop(struct plan *p)
{
	p->steps[0].loop_op_count = 1;
}
static void break_sample(struct plan *p)
{
	p->header.sample_ns = 1;
}
static void break_strings(struct plan *p)
{
	p->strings[p->header.strings_bytes - 1] = 'x';
}

TEST(a_bad_plan_is_refused_in_words)
{
	static const struct {
		void (*spoil)(struct plan *p);
		const char *words;
	} cases[] = {
		{ break_version, "version" },
		{ break_path, "cgroup 0: its path" },
		{ break_unterminated_path, "cgroup 0: its path" },
		{ break_order, "a/b comes before its parent" },
		{ break_weight, "cpu.weight 0 is outside 1..10000" },
		{ break_knob, "unknown knobs" },
		{ break_cpuset, "empty cpuset" },
		{ break_workload, "group hogs: workload 77 is unknown" },
		{ break_param, "group hogs: workload spin: work 0 is outside" },
		{ break_ensemble, "pipe_pingpong works in ensembles of 2" },
		{ break_span, "workers 1+2 leave their table of 2" },
		{ break_span_wrap, "leave their table" },
		{ break_member, "worker 1: group 5" },
		{ break_worker_cgroup, "worker 1: cgroup 2" },
		{ break_threads, "different cgroups" },
		{ break_nice, "nice 20" },
		{ break_deadline, "runtime <= deadline" },
		{ break_phases, "sequence with 0 phases" },
		{ break_op, "op 0: code 999 is unknown" },
		{ break_reserved_op, "op 0: sched-attach is not supported yet" },
		{ break_op_target, "op 0: target 2" },
		{ break_op_mask, "cpu-offline names no CPU" },
		{ break_op_text, "op 0: text 100" },
		{ break_write, "no absolute path" },
		{ break_hold, "hold of 0 ns" },
		{ break_hold_kind, "hold 99 is unknown" },
		{ break_step_span, "step 0: ops 0+4" },
		{ break_loop, "a loop every 0 ns" },
		{ break_sample, "samples every 1 ns" },
		{ break_strings, "strings" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(plan_deinit) struct plan p = small_plan();

		cases[i].spoil(&p);
		assert_int_equal(plan_check(&p), -EINVAL);
		if (!strstr(err_text(), cases[i].words))
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err_text(),
				 cases[i].words);
	}
}

TEST(tables_end_at_their_limits)
{
	cleanup(plan_deinit) struct plan p = PLAN_NULL;
	struct plan_phase phase = { .kind = PHASE_YIELD };
	uint32_t index = 0;

	for (uint32_t i = 0; i < PLAN_PHASES_MAX; i++) {
		assert_int_equal(plan_add_phase(&p, &phase, &index), 0);
		assert_int_equal(index, i);
	}
	assert_int_equal(plan_add_phase(&p, &phase, NULL), -E2BIG);
}

TEST(a_policy_travels_in_an_ops_arguments)
{
	struct plan_sched in = { .flags = SCHED_HAS_POLICY, .policy = 1, .priority = 50 }, out;
	struct plan_op op = { .code = OP_SCHED };

	plan_op_set_sched(&op, &in);
	out = plan_op_sched(&op);
	assert_memory_equal(&in, &out, sizeof(in));
}

TEST(ops_and_knobs_have_names)
{
	assert_string_equal(plan_op_name(OP_CGROUP_ADD), "cgroup-add");
	assert_string_equal(plan_op_name(40), "unknown");
	assert_string_equal(plan_op_name(1000), "unknown");
	assert_string_equal(plan_knob_name(KNOB_WEIGHT), "cpu.weight");
	assert_string_equal(plan_knob_name(KNOB_COUNT), "unknown");
	for (unsigned k = 0; k < KNOB_COUNT; k++)
		assert_non_null(plan_knob_name(k));
}

TESTS(T(a_plan_arrives_whole), T(every_other_length_is_refused), T(a_bad_plan_is_refused_in_words),
      T(tables_end_at_their_limits), T(a_policy_travels_in_an_ops_arguments),
      T(ops_and_knobs_have_names))
