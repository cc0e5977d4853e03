// SPDX-License-Identifier: GPL-2.0-only
#include "harness/cell.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <string.h>

#define SPIN WORKERS({ .work = "spin" })
#define ISOLATED CHECKS("isolation")

static int compile(const struct ktstr_scenario *s, struct cell *cell)
{
	static struct ktstr_record record = { .name = "x", .file = "x.c", .line = 1 };
	static const struct cell_options options = { 0 };

	record.scenario = s;
	return cell_compile(&record, &options, cell);
}

static const struct ktstr_scenario two_kinds = {
	.topology = "1n2l4c1t",
	.cgroups =
		CGROUPS({ .name = "a/b",
			  .cpuset = "llc 1",
			  .weight = 300,
			  .max = "10ms/100ms",
			  .workers = WORKERS({ .work = "spin", .count = "per-cpu", .nice = 5 }) },
			{ .name = "c", .workers = WORKERS({ .work = "pipe_pingpong" }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=30permille", "isolation of=a/b"),
};

TEST(tables_become_a_plan)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan *p = &cell.plan;

	assert_int_equal(compile(&two_kinds, &cell), 0);
	assert_int_equal(p->header.cgroup_count, 3);
	assert_string_equal(p->cgroups[0].path, "a");
	assert_string_equal(p->cgroups[1].path, "a/b");
	assert_int_equal(cell.cgroups[1].parent, 0);
	assert_true(cell.cgroups[2].parent == PLAN_NONE);
	assert_int_equal(p->cgroups[1].values[KNOB_WEIGHT], 300);
	assert_int_equal(p->cgroups[1].values[KNOB_QUOTA], 10000);
	assert_int_equal(p->header.worker_count, 6);
	assert_int_equal(p->groups[0].worker_count, 4);
	assert_int_equal(p->groups[0].sched.nice, 5);
	assert_int_equal(p->groups[1].ensemble, 2);
	assert_int_equal(mask_next(&p->workers[0].allowed, 0), 4);
	assert_int_equal(mask_count(&p->workers[4].allowed), 8);
	assert_int_equal(p->header.step_count, 2);
	assert_int_equal(p->steps[0].hold, HOLD_NONE);
	assert_int_equal(p->steps[0].op_count, 5);
	assert_int_equal(cell.window_count, 1);
	assert_int_equal(cell.windows[0].step, 1);
	assert_int_equal(cell.hold_ns, NSEC_PER_SEC);
	assert_int_equal(cell.windows[0].scene.cgroups[1].weight, 300);
	assert_int_equal(cell.windows[0].scene.cgroups[2].weight, 100);
	assert_int_equal(cell.claim_count, 2);
}

static const struct ktstr_scenario named = {
	.cgroups = CGROUPS({ .name = "a",
			     .workers = WORKERS({ .work = "spin", .count = "2" },
						{ .name = "one", .work = "spin" }) }),
	.workers = WORKERS({ .work = "yield" }),
	.hold = "1s",
	.checks = ISOLATED,
};

TEST(names_of_workers_say_where_they_are)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	char text[CELL_NAME_BYTES];

	assert_int_equal(compile(&named, &cell), 0);
	assert_string_equal(cell_worker_name(&cell, 1, text), "a/spin[1]");
	assert_string_equal(cell_worker_name(&cell, 2, text), "a/one");
	assert_string_equal(cell_worker_name(&cell, 3, text), "yield");
}

static const struct ktstr_scenario one_each = {
	.topology = "1n2l2c1t",
	.cgroups = CGROUPS(
		{ .name = "a",
		  .cpuset = "cpu 1-2",
		  .workers = WORKERS({ .work = "spin", .count = "3", .affinity = "each" }) }),
	.hold = "1s",
	.checks = ISOLATED,
};

TEST(each_gives_every_worker_its_cpu)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile(&one_each, &cell), 0);
	assert_int_equal(mask_next(&cell.plan.workers[0].allowed, 0), 1);
	assert_int_equal(mask_next(&cell.plan.workers[1].allowed, 0), 2);
	assert_int_equal(mask_next(&cell.plan.workers[2].allowed, 0), 1);
	assert_int_equal(mask_count(&cell.plan.workers[2].allowed), 1);
}

static const struct ktstr_scenario all_knobs = {
	.topology = "2n2l2c2t",
	.cgroups = CGROUPS({ .name = "a",
			     .max = "50ms/100ms",
			     .max_burst = "20ms",
			     .mems = "node 1",
			     .memory_max = "64M",
			     .memory_high = "max",
			     .memory_low = "1M",
			     .io_weight = 200,
			     .pids_max = 50,
			     .workers = SPIN },
			   { .name = "b", .is_idle = true, .workers = SPIN }),
	.hold = "1s",
	.checks = ISOLATED,
};

TEST(knobs_are_the_kernels_values)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan_cgroup *a, *b;

	assert_int_equal(compile(&all_knobs, &cell), 0);
	a = &cell.plan.cgroups[0];
	b = &cell.plan.cgroups[1];
	assert_int_equal(a->values[KNOB_BURST], 20000);
	assert_int_equal(a->values[KNOB_MEMS], 2);
	assert_int_equal(a->values[KNOB_MEMORY_MAX], 64 * MIB);
	assert_true(a->values[KNOB_MEMORY_HIGH] == PLAN_MAX);
	assert_int_equal(a->values[KNOB_MEMORY_LOW], MIB);
	assert_int_equal(a->values[KNOB_IO_WEIGHT], 200);
	assert_int_equal(a->values[KNOB_PIDS_MAX], 50);
	assert_true(a->knobs >> KNOB_BURST & 1 && a->knobs >> KNOB_PIDS_MAX & 1);
	assert_int_equal(b->knobs, 1 << KNOB_IDLE);
	assert_int_equal(b->values[KNOB_IDLE], 1);
	assert_false(cell.windows[0].scene.cgroups[0].is_idle);
	assert_true(cell.windows[0].scene.cgroups[1].is_idle);
}

static const struct ktstr_scenario all_kinds = {
	.topology = "2n2l2c2t",
	.workers = WORKERS({ .work = "spin", .policy = "deadline 2ms/10ms/20ms" },
			   { .work = "spin", .slice = "3ms", .is_session = true },
			   { .work = "spin", .memory_policy = "bind node 1" },
			   { .work = "spin", .count = "3", .affinity = "smt" },
			   { .work = "spin", .count = "8", .affinity = "random 3" }),
	.hold = "1s",
	.checks = ISOLATED,
};

TEST(workers_have_deadlines_slices_sessions_and_memory)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan_group *g;

	assert_int_equal(compile(&all_kinds, &cell), 0);
	g = cell.plan.groups;
	assert_int_equal(g[0].sched.policy, 6);
	assert_int_equal(g[0].sched.runtime_ns, 2 * NSEC_PER_MSEC);
	assert_int_equal(g[0].sched.deadline_ns, 10 * NSEC_PER_MSEC);
	assert_int_equal(g[0].sched.period_ns, 20 * NSEC_PER_MSEC);
	assert_int_equal(g[1].sched.flags, SCHED_HAS_SLICE);
	assert_int_equal(g[1].sched.runtime_ns, 3 * NSEC_PER_MSEC);
	assert_int_equal(g[1].flags, GROUP_NEW_SESSION);
	assert_int_equal(g[2].mempolicy, MEMPOLICY_BIND);
	assert_int_equal(g[2].mem_nodes, 2);
}

TEST(affinity_can_be_whole_cores_or_drawn_by_the_seed)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	cleanup(cell_deinit) struct cell again = CELL_NULL;
	bool is_varied = false;

	assert_int_equal(compile(&all_kinds, &cell), 0);
	assert_int_equal(compile(&all_kinds, &again), 0);
	assert_int_equal(cell.plan.workers[3].affinity.bits[0], 0x03);
	assert_int_equal(cell.plan.workers[4].affinity.bits[0], 0x0c);
	assert_int_equal(cell.plan.workers[5].affinity.bits[0], 0x30);
	for (unsigned i = 6; i < 14; i++) {
		const struct cpu_mask *drawn = &cell.plan.workers[i].affinity;

		assert_int_equal(mask_count(drawn), 3);
		assert_memory_equal(drawn, &again.plan.workers[i].affinity, sizeof(*drawn));
		is_varied |= drawn->bits[0] != cell.plan.workers[6].affinity.bits[0];
	}
	assert_true(is_varied);
}

static const struct ktstr_scenario two_steps = {
	.topology = "1n2l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = SPIN }, { .name = "b", .workers = SPIN }),
	.steps = STEPS({ .hold = "1s" },
		       { .name = "after",
			 .ops = OPS("set a weight=300", "set b cpuset=llc 1", "freeze a"),
			 .hold = "500ms" }),
	.checks = ISOLATED,
};

TEST(operations_change_the_scene_of_later_windows_only)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct scene *before, *after;

	assert_int_equal(compile(&two_steps, &cell), 0);
	assert_int_equal(cell.window_count, 2);
	before = &cell.windows[0].scene;
	after = &cell.windows[1].scene;
	assert_string_equal(cell.windows[0].name, "hold-0");
	assert_string_equal(cell.windows[1].name, "after");
	assert_int_equal(before->cgroups[0].weight, 100);
	assert_int_equal(after->cgroups[0].weight, 300);
	assert_true(after->cgroups[0].is_frozen);
	assert_int_equal(mask_count(&before->allowed[1]), 4);
	assert_int_equal(mask_count(&after->allowed[1]), 2);
	/* setup: 2 + 2; then set, set + allowed of worker 1, freeze */
	assert_int_equal(cell.plan.header.op_count, 8);
	assert_int_equal(cell.plan.ops[6].code, OP_ALLOWED);
	assert_int_equal(cell.plan.ops[6].target, 1);
	assert_int_equal(cell.plan.ops[6].args[0], 1);
}

static const struct ktstr_scenario all_ops = {
	.topology = "1n2l2c1t",
	.cgroups = CGROUPS({ .name = "a", .cpuset = "llc 0", .workers = SPIN },
			   { .name = "b", .cpuset = "llc 1", .workers = SPIN }),
	.workers = WORKERS({ .name = "free", .work = "spin" }),
	.steps = STEPS({ .ops = OPS("mark begin", "move free to a") },
		       { .name = "moved", .hold = "1s" },
		       { .name = "changed",
			 .ops = OPS("swap a b", "affinity b/spin cpu 0", "nice b/spin 5",
				    "policy free fifo 10", "signal free STOP"),
			 .hold = "1s" },
		       { .name = "less", .ops = OPS("offline cpu 2"), .hold = "1s" },
		       { .name = "turns",
			 .ops = OPS("online cpu 2"),
			 .hold = "1s",
			 .loop = OPS("set a cpuset=cpu 2", "set a cpuset=llc 1"),
			 .every = "20ms" }),
	.checks = ISOLATED,
};

TEST(workers_and_cpus_move_and_the_scene_with_them)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct cell_window *w;

	assert_int_equal(compile(&all_ops, &cell), 0);
	assert_int_equal(cell.window_count, 4);
	w = cell.windows;
	assert_int_equal(w[0].step, 2);
	assert_int_equal(w[0].scene.groups[2].cgroup, 0);
	assert_int_equal(w[0].scene.allowed[2].bits[0], 0x3);
	assert_int_equal(w[1].scene.allowed[0].bits[0], 0xc);
	assert_int_equal(w[1].scene.allowed[1].bits[0], 0x1);
	assert_int_equal(w[1].scene.allowed[2].bits[0], 0xc);
	assert_int_equal(w[1].scene.groups[1].sched.nice, 5);
	assert_int_equal(w[1].scene.groups[2].sched.priority, 10);
	assert_int_equal(w[2].scene.allowed[0].bits[0], 0x8);
	assert_int_equal(w[3].scene.allowed[0].bits[0], 0xc);
}

/* Each turn: set, where a and free may be now; set, the same. */
TEST(every_turn_of_a_loop_says_where_workers_may_be)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan_step *step;
	const struct plan_op *op;

	assert_int_equal(compile(&all_ops, &cell), 0);
	step = &cell.plan.steps[5];
	op = &cell.plan.ops[step->loop_first_op];
	assert_int_equal(step->loop_interval_ns, 20 * NSEC_PER_MSEC);
	assert_int_equal(step->loop_op_count, 6);
	assert_int_equal(op[0].code, OP_CGROUP_SET);
	assert_int_equal(op[1].code, OP_ALLOWED);
	assert_int_equal(op[1].mask.bits[0], 0x4);
	assert_int_equal(op[2].target, 2);
	assert_int_equal(op[3].code, OP_CGROUP_SET);
	assert_int_equal(op[4].mask.bits[0], 0xc);
}

static const struct ktstr_scenario coming = {
	.cgroups = CGROUPS({ .name = "a", .workers = SPIN }),
	.workers = WORKERS({ .name = "late", .work = "spin" }),
	.steps = STEPS({ .hold = "1s" }, { .ops = OPS("spawn late", "stop a/spin"), .hold = "1s" }),
	.checks = ISOLATED,
};

TEST(workers_come_and_go_by_operations)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct cell_window *w;

	assert_int_equal(compile(&coming, &cell), 0);
	w = cell.windows;
	assert_int_equal(cell.plan.steps[0].op_count, 2);
	assert_true(w[0].scene.groups[1].is_stopped);
	assert_false(w[0].scene.groups[0].is_stopped);
	assert_false(w[1].scene.groups[1].is_stopped);
	assert_true(w[1].scene.groups[0].is_stopped);
}

static const struct ktstr_scenario demanding = {
	.topology = "1n1l2c1t",
	.needs = { .llcs = 2 },
	.cgroups = CGROUPS({ .name = "a", .workers = SPIN }),
	.hold = "1s",
	.checks = ISOLATED,
};

TEST(needs_that_the_machine_has_not_are_an_outcome)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile(&demanding, &cell), CELL_NEEDS_UNMET);
	assert_string_equal(err_text(), "needs 2 LLCs, machine 1n1l2c1t has 1");
}

struct bad_scenario {
	struct ktstr_scenario scenario;
	const char *words;
};

#define BAD_CGROUP(w, ...)                                                                         \
	{                                                                                          \
		.scenario = { .topology = "1n2l4c1t",                                              \
			      .cgroups = CGROUPS(__VA_ARGS__),                                     \
			      .hold = "1s",                                                        \
			      .checks = ISOLATED },                                                \
		.words = "scenario x: " w                                                          \
	}
#define BAD_WORKERS(w, ...)                                                                        \
	BAD_CGROUP("cgroup a: workers spin: " w, { .name = "a", .workers = WORKERS(__VA_ARGS__) })
#define BAD_CHECK(w, text)                                                                         \
	{                                                                                          \
		.scenario = { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }),                \
			      .hold = "1s",                                                        \
			      .checks = CHECKS(text) },                                            \
		.words = "scenario x: check \"" text "\": " w                                      \
	}
#define BAD_STEPS(w, ...)                                                                          \
	{                                                                                          \
		.scenario = { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }),                \
			      .steps = STEPS(__VA_ARGS__),                                         \
			      .checks = ISOLATED },                                                \
		.words = "scenario x: " w                                                          \
	}

static const struct bad_scenario bad_scenarios[] = {
	BAD_CGROUP("cgroup a: cpuset \"llc 7\": machine 1n2l4c1t has LLCs 0-1",
		   { .name = "a", .cpuset = "llc 7", .workers = SPIN }),
	BAD_CGROUP("cgroup a: weight \"10001\": the kernel takes 1 to 10000",
		   { .name = "a", .weight = 10001, .workers = SPIN }),
	BAD_CGROUP("cgroup a: max \"10\": expected max, or QUOTA/PERIOD as 10ms/100ms",
		   { .name = "a", .max = "10", .workers = SPIN }),
	BAD_CGROUP("cgroup a: max_burst \"20ms\": it can be at most the quota of max",
		   { .name = "a", .max = "10ms/100ms", .max_burst = "20ms", .workers = SPIN }),
	BAD_CGROUP("cgroup a: weight \"50\": an idle cgroup takes none",
		   { .name = "a", .weight = 50, .is_idle = true, .workers = SPIN }),
	BAD_CGROUP("cgroup a: io_weight \"10001\": the kernel takes 1 to 10000",
		   { .name = "a", .io_weight = 10001, .workers = SPIN }),
	BAD_CGROUP(
		"cgroup a: memory_max \"lots\": expected a size with its unit, such as 64M, or max",
		{ .name = "a", .memory_max = "lots", .workers = SPIN }),
	BAD_CGROUP("cgroup a: mems \"node 1\": machine 1n2l4c1t has nodes 0-0",
		   { .name = "a", .mems = "node 1", .workers = SPIN }),
	BAD_CGROUP("cgroup \"a b\": a name has letters, digits, _ - .",
		   { .name = "a b", .workers = SPIN }),
	BAD_CGROUP("cgroup \"a//b\": a part is empty or begins with a dot",
		   { .name = "a//b", .workers = SPIN }),
	BAD_CGROUP("cgroup \"../a\": a part is empty or begins with a dot",
		   { .name = "../a", .workers = SPIN }),
	BAD_CGROUP("cgroup \"a/\": a part is empty", { .name = "a/", .workers = SPIN }),
	BAD_CGROUP("cgroup \"a\": declared twice, or after one inside it",
		   { .name = "a", .workers = SPIN }, { .name = "a", .workers = SPIN }),
	BAD_CGROUP("workers: there are none, and no payloads", { .name = "a" }),
	BAD_CGROUP("cgroup a/b: cpuset \"4-7\": none of it is left by the cgroups above",
		   { .name = "a", .cpuset = "llc 0" }, { .name = "a/b", .cpuset = "llc 1" },
		   { .name = "c", .workers = SPIN }),
	BAD_WORKERS("count \"0\": expected a number from 1 to 4096, per-cpu, or N%",
		    { .work = "spin", .count = "0" }),
	BAD_WORKERS("work \"no_such\": no workload has that name; `ktstr workloads` lists them",
		    { .name = "spin", .work = "no_such" }),
	BAD_WORKERS("nice \"20\": nice is from -20 to 19", { .work = "spin", .nice = 20 }),
	BAD_WORKERS("policy \"fifo 0\": expected a priority from 1 to 99",
		    { .work = "spin", .policy = "fifo 0" }),
	BAD_WORKERS("affinity \"cpu 8\": machine 1n2l4c1t has CPUs 0-7",
		    { .work = "spin", .affinity = "cpu 8" }),
	BAD_WORKERS("affinity \"smt\": no core of the cpuset has two hardware threads",
		    { .work = "spin", .affinity = "smt" }),
	BAD_WORKERS("affinity \"random 9\": expected random and a number from 1 to 8",
		    { .work = "spin", .affinity = "random 9" }),
	BAD_WORKERS("affinity \"cpu 0\": deadline workers cannot have one",
		    { .work = "spin", .policy = "deadline 1ms/5ms/5ms", .affinity = "cpu 0" }),
	BAD_WORKERS("policy \"deadline 6ms/5ms/5ms\": it must be RUNTIME <= DEADLINE <= PERIOD",
		    { .work = "spin", .policy = "deadline 6ms/5ms/5ms" }),
	BAD_WORKERS("slice \"1s\": the kernel takes slices from 100us to 100ms",
		    { .work = "spin", .slice = "1s" }),
	BAD_WORKERS("slice \"1ms\": only normal and batch workers have a slice",
		    { .work = "spin", .policy = "fifo 5", .slice = "1ms" }),
	BAD_WORKERS("slice \"1ms\": only normal and batch workers have a slice",
		    { .work = "spin", .policy = "ext", .slice = "1ms" }),
	BAD_WORKERS("memory_policy \"here\": expected local, or bind, preferred, interleave or "
		    "weighted-interleave and nodes",
		    { .work = "spin", .memory_policy = "here" }),
	BAD_WORKERS("as \"fiber\": expected process or thread", { .work = "spin", .as = "fiber" }),
	BAD_WORKERS("count \"3\": 3 workers do not divide into groups of 2, as "
		    "pipe_pingpong needs them",
		    { .name = "spin", .work = "pipe_pingpong", .count = "3" }),
	BAD_CGROUP("cgroup a: workers spin: affinity \"llc 1\": none of its CPUs is in the "
		   "cpuset 0-3",
		   { .name = "a",
		     .cpuset = "llc 0",
		     .workers = WORKERS({ .work = "spin", .affinity = "llc 1" }) }),
	BAD_CGROUP("disks: a workload reads the test disk, and there is none",
		   { .name = "a", .workers = WORKERS({ .work = "io_rand_read" }) }),
	BAD_CHECK("gap: no hold is longer than the bound", "starvation gap=1s"),
	BAD_CHECK("none of the workers has deadlines (periodic, producer_consumer, a sequence with "
		  "a timer)",
		  "deadline_misses max=0"),
	BAD_CHECK("no check has that name; `ktstr checks` lists them",
		  "fairness distance=30permille"),
	BAD_CHECK("its bound is missing: distance=, thousandths from 0permille to "
		  "1000permille",
		  "share"),
	BAD_CHECK("distance \"30\": expected thousandths from 0permille to 1000permille",
		  "share distance=30"),
	BAD_CHECK("share has no gap", "share gap=1ms"),
	BAD_CHECK("of=b names no workers", "isolation of=b"),
	BAD_STEPS(
		"step hold-0: hold \"1\": expected a duration with its unit, such as 50ms, a "
		"percentage, or until WORKERS exit max=TIME, until WORKERS iterations=N max=TIME, "
		"until payload NAME exit max=TIME",
		{ .hold = "1" }),
	BAD_STEPS("step s: hold \"0\": must be longer than nothing", { .name = "s", .hold = "0" }),
	BAD_STEPS("step hold-0: op \"set b weight=1\": no cgroup is named b",
		  { .ops = OPS("set b weight=1"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"set a weight=0\": weight \"0\": the kernel takes 1 to "
		  "10000",
		  { .ops = OPS("set a weight=0"), .hold = "1s" }),
	BAD_STEPS("steps: none has a hold", { .ops = OPS("freeze a") }),
	BAD_STEPS("step hold-0: op \"move a/spin to b\": no cgroup is named b",
		  { .ops = OPS("move a/spin to b"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"move b to a\": no workers are named b",
		  { .ops = OPS("move b to a"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"swap a a\": both must have a cpuset",
		  { .ops = OPS("swap a a"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"nice a/spin 20\": nice \"20\": nice is from -20 to 19",
		  { .ops = OPS("nice a/spin 20"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"policy a/spin rt\": \"rt\": expected normal, batch, idle, "
		  "fifo PRIO, rr PRIO, deadline RUNTIME/DEADLINE/PERIOD or ext",
		  { .ops = OPS("policy a/spin rt"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"signal a/spin 9\": signal \"9\": expected STOP, CONT, TERM or "
		  "KILL",
		  { .ops = OPS("signal a/spin 9"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"nice a/spin 1\": the workers are not there",
		  { .ops = OPS("stop a/spin", "nice a/spin 1"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"offline cpu 0\": \"cpu 0\": CPU 0 stays online",
		  { .ops = OPS("offline cpu 0"), .hold = "1s" }),
	BAD_STEPS("step hold-0: every \"5ms\": only a loop in a hold has an interval",
		  { .hold = "1s", .every = "5ms" }),
	BAD_STEPS("step hold-0: loop: it needs an interval, every",
		  { .hold = "1s", .loop = OPS("mark x") }),
	BAD_STEPS("step hold-0: op \"explode a\": expected add, remove, set, clear, swap, freeze, "
		  "thaw, write, mark, snapshot, move, affinity, nice, policy, spawn, stop, signal, "
		  "run, wait, "
		  "kill, offline or online",
		  { .ops = OPS("explode a"), .hold = "1s" }),
	BAD_STEPS("step hold-0: op \"freeze a now\": nothing may follow the cgroup",
		  { .ops = OPS("freeze a now"), .hold = "1s" }),
	{ .scenario = { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }), .checks = ISOLATED },
	  .words = "scenario x: hold \"\": a scenario has either a hold or steps" },
	{ .scenario = { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }), .hold = "1s" },
	  .words = "scenario x: checks: there are none" },
	{ .scenario = { .topology = "2n3l1c1t",
			.cgroups = CGROUPS({ .name = "a", .workers = SPIN }),
			.hold = "1s",
			.checks = ISOLATED },
	  .words = NULL },
	{ .scenario = { .timeout = "soon",
			.cgroups = CGROUPS({ .name = "a", .workers = SPIN }),
			.hold = "1s",
			.checks = ISOLATED },
	  .words =
		  "scenario x: timeout \"soon\": expected a duration with its unit, such as 50ms" },
};

TEST(bad_scenarios_are_refused_with_scenario_field_and_value)
{

	for (size_t i = 0; i < ARRAY_SIZE(bad_scenarios); i++) {
		struct cell cell;

		assert_int_equal(compile(&bad_scenarios[i].scenario, &cell), -EINVAL);
		if (bad_scenarios[i].words)
			assert_string_equal(err_text(), bad_scenarios[i].words);
	}
}

TESTS(T(tables_become_a_plan), T(names_of_workers_say_where_they_are),
      T(each_gives_every_worker_its_cpu), T(knobs_are_the_kernels_values),
      T(workers_have_deadlines_slices_sessions_and_memory),
      T(affinity_can_be_whole_cores_or_drawn_by_the_seed),
      T(operations_change_the_scene_of_later_windows_only),
      T(workers_and_cpus_move_and_the_scene_with_them),
      T(every_turn_of_a_loop_says_where_workers_may_be), T(workers_come_and_go_by_operations),
      T(needs_that_the_machine_has_not_are_an_outcome),
      T(bad_scenarios_are_refused_with_scenario_field_and_value))
