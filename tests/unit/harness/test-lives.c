// SPDX-License-Identifier: GPL-2.0-only
/* What comes, changes and goes while a scenario runs, as the compiler follows it. */
#include "harness/cell.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <signal.h>
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

/* The codes of a step's operations, as letters: A add, R remove, S spawn, T stop, K signal, W thaw, L
 * allowed, . anything else. */
static const char *op_letters(const struct cell *c, uint32_t step, char *text)
{
	static const char letters[] = {
		[OP_CGROUP_ADD] = 'A', [OP_CGROUP_REMOVE] = 'R', [OP_SPAWN] = 'S',  [OP_STOP] = 'T',
		[OP_SIGNAL] = 'K',     [OP_CGROUP_THAW] = 'W',	 [OP_ALLOWED] = 'L'
	};
	const struct plan_step *s = &c->plan.steps[step];
	uint32_t i;

	for (i = 0; i < s->op_count; i++) {
		unsigned code = c->plan.ops[s->first_op + i].code;

		text[i] = code < sizeof(letters) && letters[code] ? letters[code] : '.';
	}
	text[i] = '\0';
	return text;
}

static const struct ktstr_scenario own_cgroups = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "base", .workers = SPIN }),
	.steps =
		STEPS({ .hold = "1s" },
		      { .ops = OPS("set base weight=50"),
			.cgroups = CGROUPS({ .name = "own/x", .workers = SPIN }),
			.hold = "1s" },
		      { .cgroups = CGROUPS({ .name = "own",
					     .cpuset = "cpu 1",
					     .workers = WORKERS({ .name = "x", .work = "spin" }) }),
			.hold = "1s" },
		      { .hold = "1s" }),
	.checks = ISOLATED,
};

TEST(a_steps_cgroups_come_after_its_operations_and_end_with_it)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	char text[64];

	assert_int_equal(compile(&own_cgroups, &cell), 0);
	assert_int_equal(cell.plan.header.cgroup_count, 4);
	assert_int_equal(cell.cgroups[0].step, CELL_BACKDROP);
	assert_int_equal(cell.cgroups[1].step, 1);
	assert_int_equal(cell.cgroups[2].step, 1);
	assert_int_equal(cell.cgroups[3].step, 2);
	assert_string_equal(op_letters(&cell, 0, text), "AS");
	assert_string_equal(op_letters(&cell, 1, text), "");
	assert_string_equal(op_letters(&cell, 2, text), ".AAS");
	assert_string_equal(op_letters(&cell, 3, text), "TRAS");
	assert_string_equal(op_letters(&cell, 4, text), "TR");
	assert_false(cell_window_has_group(&cell.windows[0], 1));
	assert_true(cell_window_has_group(&cell.windows[1], 1));
	assert_false(cell_window_has_group(&cell.windows[2], 1));
	assert_true(cell_window_has_group(&cell.windows[2], 2));
	assert_true(cell_window_has_group(&cell.windows[3], 0));
	assert_int_equal(mask_count(&cell.windows[2].scene.allowed[2]), 1);
}

static const struct ktstr_scenario added = {
	.cgroups = CGROUPS(
		{ .name = "base", .workers = SPIN },
		{ .name = "late",
		  .weight = 300,
		  .workers = WORKERS({ .work = "spin" }, { .name = "later", .work = "spin" }) }),
	.steps =
		STEPS({ .hold = "1s" },
		      { .ops = OPS("add late", "set late weight=20", "freeze late"), .hold = "1s" },
		      { .ops = OPS("thaw late", "spawn late/later", "freeze late", "remove late"),
			.hold = "1s" },
		      { .ops = OPS("add late"), .hold = "1s" }),
	.checks = ISOLATED,
};

TEST(what_an_operation_adds_is_not_there_before_and_comes_back_as_declared)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	char text[64];

	assert_int_equal(compile(&added, &cell), 0);
	assert_string_equal(op_letters(&cell, 0, text), "AS");
	assert_string_equal(op_letters(&cell, 2, text), "AS..");
	/* A frozen one is thawed first, or it would not hear the stop. */
	assert_string_equal(op_letters(&cell, 3, text), "WS.WTTR");
	assert_string_equal(op_letters(&cell, 4, text), "AS");
	assert_false(cell.windows[0].scene.cgroups[1].is_there);
	assert_int_equal(cell.windows[1].scene.cgroups[1].weight, 20);
	assert_true(cell.windows[1].scene.cgroups[1].is_frozen);
	assert_int_equal(cell.windows[3].scene.cgroups[1].weight, 300);
	assert_false(cell.windows[3].scene.cgroups[1].is_frozen);
	assert_true(cell_group_respawns(&cell, 1));
	assert_false(cell_group_respawns(&cell, 0));
}

static const struct ktstr_scenario all_settings = {
	.topology = "2n2l2c1t",
	.cgroups = CGROUPS({ .name = "a",
			     .cpuset = "node 0",
			     .mems = "node 0",
			     .max = "50ms/100ms",
			     .max_burst = "10ms",
			     .workers = SPIN }),
	.steps =
		STEPS({ .ops = OPS("set a cpuset=cpu 3", "set a mems=node 1", "set a weight=7",
				   "set a max=20ms/50ms", "set a max_burst=5ms",
				   "set a memory_max=64M", "set a memory_high=max",
				   "set a memory_low=1M", "set a io_weight=9", "set a pids_max=12"),
			.hold = "1s" },
		      { .ops = OPS("set a idle=1"), .hold = "1s" },
		      { .ops = OPS("clear a idle", "clear a cpuset", "clear a mems",
				   "clear a weight", "clear a max_burst", "clear a max",
				   "clear a memory_max", "clear a memory_high",
				   "clear a memory_low", "clear a io_weight", "clear a pids_max"),
			.hold = "1s" }),
	.checks = ISOLATED,
};

TEST(every_setting_can_be_set_and_cleared_and_the_scene_follows)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct scene_cgroup *a;

	assert_int_equal(compile(&all_settings, &cell), 0);
	a = &cell.windows[0].scene.cgroups[0];
	assert_int_equal(a->cpus.bits[0], 0x8);
	assert_int_equal(a->own_mems, 2);
	assert_int_equal(a->weight, 7);
	assert_int_equal(a->quota_us, 20000);
	assert_int_equal(a->period_us, 50000);
	assert_int_equal(a->burst_us, 5000);
	assert_int_equal(a->pids_max, 12);
	assert_true(cell.windows[1].scene.cgroups[0].is_idle);
	a = &cell.windows[2].scene.cgroups[0];
	assert_false(a->is_idle);
	assert_int_equal(a->weight, 100);
	assert_int_equal(a->cpus.bits[0], 0xf);
	assert_int_equal(a->own_mems, 3);
	assert_true(a->quota_us == PLAN_MAX && a->pids_max == PLAN_MAX);
	assert_int_equal(a->burst_us, 0);
}

static const struct ktstr_scenario looped = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = SPIN }, { .name = "b", .workers = SPIN }),
	.steps = STEPS({ .hold = "1s",
			 .loop = OPS("kill a/spin", "set b weight=10", "spawn a/spin",
				     "set b weight=20", "set b cpuset=cpu 1", "clear b cpuset"),
			 .every = "50ms" }),
	.checks = ISOLATED,
};

TEST(a_loop_keeps_what_each_operation_leaves_behind)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct cell_window *w;
	const struct plan_op *op;

	assert_int_equal(compile(&looped, &cell), 0);
	w = &cell.windows[0];
	op = &cell.plan.ops[cell.plan.steps[1].loop_first_op];
	assert_int_equal(op[0].code, OP_SIGNAL);
	assert_int_equal(op[0].args[0], SIGKILL);
	assert_int_equal(w->turn_count, 6);
	assert_true(w->turns[0].scene.groups[0].is_stopped);
	assert_int_equal(w->turns[1].scene.cgroups[1].weight, 10);
	assert_false(w->turns[2].scene.groups[0].is_stopped);
	assert_int_equal(w->turns[3].scene.cgroups[1].weight, 20);
	assert_int_equal(mask_count(&w->turns[4].scene.allowed[1]), 1);
	assert_int_equal(mask_count(&w->turns[5].scene.allowed[1]), 2);
	/* The operation that moves a CPU set is two ops of the plan. */
	assert_int_equal(w->turns[3].end_op, 4);
	assert_int_equal(w->turns[4].end_op, 6);
	assert_string_equal(cell.op_texts[cell.plan.steps[1].loop_first_op], "kill a/spin");
}

static const struct ktstr_scenario conditions = {
	.duration = "4s",
	.workers = WORKERS({ .name = "w", .work = "spin", .iterations = 10 }),
	.steps = STEPS({ .hold = "25%" }, { .hold = "until w iterations=1000 max=2s" },
		       { .hold = "until w exit max=50%" }),
	.checks = ISOLATED,
};

TEST(holds_are_times_parts_and_conditions)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan_step *s;

	assert_int_equal(compile(&conditions, &cell), 0);
	s = cell.plan.steps;
	assert_int_equal(s[1].hold, HOLD_TIME);
	assert_int_equal(s[1].hold_ns, NSEC_PER_SEC);
	assert_int_equal(s[2].hold, HOLD_ITERATIONS);
	assert_int_equal(s[2].value, 1000);
	assert_int_equal(s[2].hold_ns, 2 * NSEC_PER_SEC);
	assert_int_equal(s[3].hold, HOLD_EXITS);
	assert_int_equal(s[3].hold_ns, 2 * NSEC_PER_SEC);
	assert_int_equal(cell.plan.groups[0].iterations, 10);
	assert_string_equal(cell.windows[0].condition, "");
	assert_string_equal(cell.windows[2].condition, "until w exit max=50%");
}

static const struct ktstr_scenario new_kernels[] = {
	{ .workers = WORKERS({ .work = "spin", .slice = "1ms" }),
	  .hold = "1s",
	  .checks = ISOLATED },
	{ .topology = "2n2l1c1t",
	  .workers = WORKERS({ .work = "spin", .memory_policy = "weighted-interleave all" }),
	  .hold = "1s",
	  .checks = ISOLATED },
	{ .cgroups = CGROUPS(
		  { .name = "a", .workers = WORKERS({ .work = "spin", .affinity = "cpu 0" }) }),
	  .steps = STEPS({ .ops = OPS("set a cpuset=cpu 0"), .hold = "1s" }),
	  .checks = ISOLATED },
	{ .cgroups = CGROUPS({ .name = "a", .workers = SPIN }),
	  .workers = WORKERS({ .work = "yield", .affinity = "cpu 1" }),
	  .steps = STEPS({ .ops = OPS("stop a/spin", "move yield to a"), .hold = "1s" }),
	  .checks = ISOLATED },
	{ .workers = SPIN, .hold = "1s", .checks = ISOLATED },
};

TEST(what_old_kernels_lack_is_known_before_boot)
{
	static const char *const releases[] = { "6.12", "6.9", "6.2", "6.2", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(new_kernels); i++) {
		cleanup(cell_deinit) struct cell cell = CELL_NULL;

		assert_int_equal(compile(&new_kernels[i], &cell), 0);
		if (releases[i])
			assert_string_equal(cell.least_kernel, releases[i]);
		else
			assert_null(cell.least_kernel);
	}
}

struct bad_step {
	const char *words;
	struct ktstr_step step;
};

#define BAD(w, ...)                                                                                \
	{                                                                                          \
		"scenario x: step s: " w,                                                          \
		{                                                                                  \
			.name = "s", __VA_ARGS__                                                   \
		}                                                                                  \
	}
#define BAD_OP(op, w) BAD("op \"" op "\": " w, .ops = OPS(op))

/* In a scenario of cgroup a (spin, quota 10ms, pids.max 3), b/in (spin; cpuset CPU 0), free and dl. */
static const struct bad_step bad_steps[] = {
	BAD("op \"add a\": cgroup a is there already", .ops = OPS("remove a", "add a", "add a")),
	BAD_OP("add c", "no cgroup is named c"),
	BAD_OP("remove c", "no cgroup is named c"),
	BAD("op \"set a weight=5\": cgroup a is not there",
	    .ops = OPS("remove a", "set a weight=5")),
	BAD("op \"remove a\": cgroup a is not there", .ops = OPS("remove a", "remove a")),
	BAD("op \"spawn a/spin\": workers a/spin: cgroup a is not there",
	    .ops = OPS("remove a", "spawn a/spin")),
	BAD("op \"add b/in\": cgroup b, which it is inside, is not there",
	    .ops = OPS("remove b", "add b/in")),
	BAD("op \"move free to a\": cgroup a is not there",
	    .ops = OPS("remove a", "move free to a")),
	BAD("op \"stop a/spin\": cgroup a is frozen", .ops = OPS("freeze a", "stop a/spin")),
	BAD("op \"spawn a/spin\": workers a/spin: cgroup a is frozen",
	    .ops = OPS("stop a/spin", "freeze a", "spawn a/spin")),
	BAD("op \"spawn a/spin\": workers a/spin: cgroup a: pids_max \"1\": it would hold 2 tasks",
	    .ops = OPS("stop a/spin", "set a pids_max=1", "spawn a/spin")),
	BAD("op \"kill a/spin\": the workers are not there",
	    .ops = OPS("stop a/spin", "kill a/spin")),
	BAD("op \"signal free TERM\": signal \"TERM\": stopped workers take it after CONT only",
	    .ops = OPS("signal free STOP", "signal free TERM")),
	BAD_OP("set a weight=0", "weight \"0\": the kernel takes 1 to 10000"),
	BAD("op \"set a weight=5\": weight \"5\": an idle cgroup takes none",
	    .ops = OPS("set a idle=1", "set a weight=5")),
	BAD_OP("set a idle=2", "idle \"2\": the kernel takes 0 to 1"),
	BAD_OP("set a weight=", "weight \"\": a value is missing; clear takes it away"),
	BAD_OP("set a color=red", "\"color=red\": expected one of cpuset, mems, weight, idle, max, "
				  "max_burst, memory_max, "
				  "memory_high, memory_low, io_weight, pids_max"),
	BAD_OP("clear a color",
	       "\"color\": expected one of cpuset, mems, weight, idle, max, max_burst, memory_max, "
	       "memory_high, memory_low, io_weight, pids_max"),
	BAD_OP("set a max_burst=20ms", "max_burst \"20ms\": it can be at most the quota of max"),
	BAD("op \"set a max=2ms/10ms\": max \"2ms/10ms\": max_burst, which is 5000 us, can be at "
	    "most the quota",
	    .ops = OPS("set a max_burst=5ms", "set a max=2ms/10ms")),
	BAD_OP("set b max_burst=1ms", "max_burst \"1ms\": it can be at most the quota of max"),
	BAD_OP("set a mems=node 1", "mems \"node 1\": machine 1n1l2c1t has nodes 0-0"),
	BAD_OP("set a memory_max=lots",
	       "memory_max \"lots\": expected a size with its unit, such as 64M, or max"),
	BAD_OP("set b cpuset=cpu 1",
	       "cgroup b/in: cpuset \"0\": none of it is left by the cgroups above"),
	BAD_OP("offline cpu 5", "\"cpu 5\": machine 1n1l2c1t has CPUs 0-1"),
	BAD("op \"offline cpu 1\": workers free: affinity \"1\": none of its CPUs is online",
	    .ops = OPS("stop dl", "affinity free cpu 1", "offline cpu 1")),
	BAD_OP("affinity dl cpu 0", "\"cpu 0\": deadline workers cannot have one"),
	BAD_OP("policy b/in/spin deadline 1ms/5ms/5ms",
	       "policy: deadline workers must be allowed on all CPUs, and the cpuset is 0"),
	BAD_OP("policy free deadline 9ms/10ms/10ms",
	       "deadline workers ask for 190% of a CPU, of 2 CPUs every kernel admits 180%"),
	BAD("op \"policy free deadline 1ms/10ms/10ms\": policy: deadline workers cannot have an "
	    "affinity",
	    .ops = OPS("affinity free cpu 1", "policy free deadline 1ms/10ms/10ms")),
	BAD_OP("offline cpu 1",
	       "deadline workers ask for 100% of a CPU, of 1 CPUs every kernel admits 90%"),
	BAD("cgroup \"a\": declared twice, or after one inside it", .hold = "1s",
	    .cgroups = CGROUPS({ .name = "a" })),
	BAD("cgroups: they would end with the step, which has no hold",
	    .cgroups = CGROUPS({ .name = "own", .workers = SPIN })),
	BAD("cgroup a has workers or payloads of its own", .hold = "1s",
	    .cgroups = CGROUPS({ .name = "a/own", .workers = SPIN })),
	BAD("loop: op \"stop a/spin\": the workers are not there", .loop = OPS("stop a/spin"),
	    .every = "10ms"),
	BAD("hold \"25%\": the scenario has no duration that it could be a part of", .hold = "25%"),
	BAD("hold \"until free exit max=1s\": the workers never end by themselves: they have no "
	    "iterations",
	    .hold = "until free exit max=1s"),
	BAD("hold \"until none exit max=1s\": no workers are named none",
	    .hold = "until none exit max=1s"),
	BAD("hold \"until payload p exit max=1s\": no payload is named p",
	    .hold = "until payload p exit max=1s"),
};

static const struct ktstr_cgroup around_cgroups[] = {
	{ .name = "a",
	  .max = "10ms/100ms",
	  .pids_max = 3,
	  .workers = WORKERS({ .work = "spin", .count = "2" }) },
	{ .name = "b" },
	{ .name = "b/in", .cpuset = "cpu 0", .workers = SPIN },
	{ .name = NULL },
};
static const struct ktstr_workers around_workers[] = {
	{ .name = "free", .work = "spin", .count = "1" },
	{ .name = "dl", .work = "spin", .policy = "deadline 10ms/10ms/10ms" },
	{ .work = NULL },
};

static const char *const around_checks[] = { "isolation", NULL };

static struct ktstr_scenario around(const struct ktstr_step *steps)
{
	return (struct ktstr_scenario){ .topology = "1n1l2c1t",
					.cgroups = around_cgroups,
					.workers = around_workers,
					.steps = steps,
					.checks = around_checks };
}

TEST(what_the_guest_would_refuse_is_refused_before_boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_steps); i++) {
		struct ktstr_step steps[] = { bad_steps[i].step,
					      { .hold = "1s" },
					      { .name = NULL } };
		struct ktstr_scenario s = around(steps);
		struct cell cell;

		if (!steps[0].hold && !steps[0].cgroups)
			steps[0].hold = "1s";
		assert_int_equal(compile(&s, &cell), -EINVAL);
		assert_string_equal(err_text(), bad_steps[i].words);
	}
}

static const struct {
	const char *words;
	struct ktstr_scenario scenario;
} bad_scenarios[] = {
	{ "scenario x: duration \"1s\": no hold is a part of it",
	  { .duration = "1s", .workers = SPIN, .hold = "1s", .checks = ISOLATED } },
	{ "scenario x: step hold-1: hold \"60%\": the holds are 120% of the duration together",
	  { .duration = "1s",
	    .workers = SPIN,
	    .steps = STEPS({ .hold = "60%" }, { .hold = "60%" }),
	    .checks = ISOLATED } },
	{ "scenario x: workers pipe_pingpong: iterations \"5\": workers of pipe_pingpong need each "
	  "other and cannot end alone",
	  { .workers = WORKERS({ .work = "pipe_pingpong", .iterations = 5 }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: workers spin: deadline workers ask for 190% of a CPU, of 2 CPUs every "
	  "kernel "
	  "admits 180%",
	  { .workers =
		    WORKERS({ .work = "spin", .count = "2", .policy = "deadline 19ms/20ms/20ms" }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: workers a/spin: policy: deadline workers must be allowed on all CPUs, and "
	  "the "
	  "cpuset is 0",
	  { .cgroups = CGROUPS(
		    { .name = "a",
		      .cpuset = "cpu 0",
		      .workers = WORKERS({ .work = "spin", .policy = "deadline 1ms/20ms/20ms" }) }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: workers a/spin: cgroup a: pids_max \"2\": it would hold 3 tasks",
	  { .cgroups = CGROUPS({ .name = "a",
				 .pids_max = 2,
				 .workers = WORKERS({ .work = "spin", .count = "3" }) }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: workers a/spin: memory_policy: none of its nodes is in the cgroup's mems, 0",
	  { .topology = "2n2l1c1t",
	    .cgroups = CGROUPS(
		    { .name = "a",
		      .mems = "node 0",
		      .workers = WORKERS({ .work = "spin", .memory_policy = "bind node 1" }) }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: cgroup a/b: mems \"1\": none of it is left by the cgroups above",
	  { .topology = "2n2l1c1t",
	    .cgroups = CGROUPS({ .name = "a", .mems = "node 0" },
			       { .name = "a/b", .mems = "node 1", .workers = SPIN }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: workers a/spin: cgroup a has cgroups inside it and cannot hold workers of "
	  "its "
	  "own",
	  { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }, { .name = "a/b" }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: step hold-0: cgroup a has workers or payloads of its own",
	  { .cgroups = CGROUPS(
		    { .name = "a", .payloads = PAYLOADS({ .name = "p", .command = "/bin/sh" }) }),
	    .workers = SPIN,
	    .steps =
		    STEPS({ .cgroups = CGROUPS({ .name = "a/b", .workers = SPIN }), .hold = "1s" }),
	    .checks = ISOLATED } },
	{ "scenario x: step hold-0: hold \"until payload p exit max=1s\": payload p has not been "
	  "run "
	  "before",
	  { .workers = SPIN,
	    .payloads = PAYLOADS({ .name = "p", .command = "/bin/sh" }),
	    .steps = STEPS({ .hold = "until payload p exit max=1s" },
			   { .ops = OPS("run p"), .hold = "1s" }),
	    .checks = ISOLATED } },
	{ "scenario x: step hold-0: hold \"until a/spin exit max=1s\": the workers are frozen",
	  { .cgroups = CGROUPS(
		    { .name = "a", .workers = WORKERS({ .work = "spin", .iterations = 5 }) }),
	    .steps = STEPS({ .ops = OPS("freeze a"), .hold = "until a/spin exit max=1s" }),
	    .checks = ISOLATED } },
	{ "scenario x: workers a/b/cache_pressure: cgroup a: memory_max \"1048576\": the working "
	  "sets of "
	  "its workers are 2097152 bytes",
	  { .cgroups = CGROUPS(
		    { .name = "a", .memory_max = "1M" },
		    { .name = "a/b",
		      .workers = WORKERS({ .work = "cache_pressure set=1M", .count = "2" }) }),
	    .hold = "1s",
	    .checks = ISOLATED } },
	{ "scenario x: step hold-0: op \"set a memory_max=1M\": memory_max cgroup a: memory_max "
	  "\"1048576\": the working sets of its workers are 4194304 bytes",
	  { .cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "numa_working_set" }) }),
	    .steps = STEPS({ .ops = OPS("set a memory_max=1M"), .hold = "1s" }),
	    .checks = ISOLATED } },
};

TEST(bad_scenarios_are_refused_with_their_reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_scenarios); i++) {
		struct cell cell;

		assert_int_equal(compile(&bad_scenarios[i].scenario, &cell), -EINVAL);
		assert_string_equal(err_text(), bad_scenarios[i].words);
	}
}

TESTS(T(a_steps_cgroups_come_after_its_operations_and_end_with_it),
      T(what_an_operation_adds_is_not_there_before_and_comes_back_as_declared),
      T(every_setting_can_be_set_and_cleared_and_the_scene_follows),
      T(a_loop_keeps_what_each_operation_leaves_behind), T(holds_are_times_parts_and_conditions),
      T(what_old_kernels_lack_is_known_before_boot),
      T(what_the_guest_would_refuse_is_refused_before_boot),
      T(bad_scenarios_are_refused_with_their_reason))
