// SPDX-License-Identifier: GPL-2.0-only
#include "harness/fault.h"

#include "base/cleanup.h"
#include "harness/cell.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

static const struct ktstr_scenario scenario = {
	.topology = "1n1l4c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .name = "hog", .work = "spin" }) },
			   { .name = "b",
			     .cpuset = "cpu 0-1",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.steps = STEPS({ .ops = OPS("set b cpuset=cpu 2"), .hold = "1s" },
		       { .ops = OPS("set b cpuset=cpu 3"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
};

static const struct ktstr_record record = { .name = "x", .scenario = &scenario };

static int compile(const struct fault *fault, struct cell *cell)
{
	const struct cell_options options = { .fault = fault };

	return cell_compile(&record, &options, cell);
}

static struct cell with_fault(const char *text, struct fault *fault)
{
	struct cell cell = CELL_NULL;

	assert_int_equal(fault_parse(text, fault), 0);
	assert_int_equal(compile(fault, &cell), 0);
	return cell;
}

TEST(text_is_cut_into_operations_and_works)
{
	cleanup(fault_deinit) struct fault f = FAULT_NULL;

	assert_int_equal(fault_parse("x/odd: freeze a ;work a/hog yield;  nice a/hog -5", &f), 0);
	assert_string_equal(f.scenario, "x");
	assert_string_equal(f.name, "odd");
	assert_int_equal(f.op_count, 2);
	assert_string_equal(f.ops[0], "freeze a");
	assert_string_equal(f.ops[1], "nice a/hog -5");
	assert_null(f.ops[2]);
	assert_string_equal(fault_work(&f, "a/hog"), "yield");
	assert_null(fault_work(&f, "b/spin"));
}

TEST(what_is_no_fault_is_refused)
{
	static const char *const bad[] = { "",
					   "x",
					   "x: freeze a",
					   "/y: freeze a",
					   "x/: freeze a",
					   "x/y",
					   "x/y:",
					   "x/y: ",
					   "x/y: ; freeze a",
					   "x/y: work a/hog",
					   "x/y z: freeze a",
					   "x/y: freeze a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = FAULT_NULL;

		assert_int_equal(fault_parse(bad[i], &f), -EINVAL);
		assert_non_null(strstr(err_text(), bad[i]));
		err_clear();
	}
}

/* The cell is what the judge has: it must not differ in one byte of what it is compiled into. */
static void assert_same_to_the_judge(const struct cell *honest, const struct cell *faulted)
{
	const struct plan *p = &honest->plan, *q = &faulted->plan;

	assert_memory_equal(&p->header, &q->header, sizeof(p->header));
	assert_memory_equal(p->ops, q->ops, p->header.op_count * sizeof(*p->ops));
	assert_memory_equal(p->steps, q->steps, p->header.step_count * sizeof(*p->steps));
	assert_memory_equal(p->groups, q->groups, p->header.group_count * sizeof(*p->groups));
	assert_memory_equal(p->workers, q->workers, p->header.worker_count * sizeof(*p->workers));
	assert_int_equal(honest->window_count, faulted->window_count);
	for (uint32_t i = 0; i < honest->window_count; i++) {
		const struct scene *a = &honest->windows[i].scene, *b = &faulted->windows[i].scene;

		assert_memory_equal(a->cgroups, b->cgroups,
				    p->header.cgroup_count * sizeof(*a->cgroups));
		assert_memory_equal(a->groups, b->groups,
				    p->header.group_count * sizeof(*a->groups));
		assert_memory_equal(a->allowed, b->allowed,
				    p->header.worker_count * sizeof(*a->allowed));
	}
}

TEST(judge_knows_nothing_of_a_fault)
{
	static const char *const faults[] = {
		"x/a: set a weight=7",	      "x/b: freeze b",
		"x/c: offline cpu 1",	      "x/d: set b cpuset=cpu 0",
		"x/e: affinity a/hog cpu 3",  "x/f: move a/hog to b",
		"x/g: work a/hog yield",      "x/h: policy a/hog fifo 5",
		"x/i: signal a/hog STOP",     "x/j: stop a/hog",
		"x/k: write /proc/sys/a/b=1",
	};
	cleanup(cell_deinit) struct cell honest = CELL_NULL;

	assert_int_equal(compile(NULL, &honest), 0);
	assert_ptr_equal(cell_sent_plan(&honest), &honest.plan);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		cleanup(fault_deinit) struct fault f = FAULT_NULL;
		cleanup(cell_deinit) struct cell faulted = with_fault(faults[i], &f);

		assert_same_to_the_judge(&honest, &faulted);
		assert_ptr_equal(cell_sent_plan(&faulted), &faulted.faulted);
	}
}

static const struct plan_op *find_op(const struct plan *p, unsigned code)
{
	for (uint32_t i = 0; i < p->header.op_count; i++) {
		if (p->ops[i].code == code)
			return &p->ops[i];
	}
	return NULL;
}

TEST(guest_is_told_before_the_first_hold)
{
	cleanup(fault_deinit) struct fault f = FAULT_NULL;
	cleanup(cell_deinit) struct cell cell = with_fault("x/stop: signal a/hog STOP", &f);
	const struct plan *p = cell_sent_plan(&cell);
	const struct plan_step *first = &p->steps[1];
	const struct plan_op *last = &p->ops[first->first_op + first->op_count - 1];

	assert_int_equal(first->hold, HOLD_TIME);
	assert_int_equal(last->code, OP_SIGNAL);
	assert_int_equal(last->args[0], SIGSTOP);
	assert_null(find_op(&cell.plan, OP_SIGNAL));
	assert_int_equal(plan_check(p), 0);
}

/* The guest counts workers outside their sets: by the sets of the scenario, not those of the fault. */
TEST(guests_own_watch_is_not_told_of_the_set_of_a_fault)
{
	cleanup(fault_deinit) struct fault f = FAULT_NULL;
	cleanup(cell_deinit) struct cell cell = with_fault("x/set: set b cpuset=cpu 0", &f);
	unsigned allowed = 0, said = 0;

	for (uint32_t i = 0; i < cell.plan.header.op_count; i++)
		allowed += cell.plan.ops[i].code == OP_ALLOWED;
	for (uint32_t i = 0; i < cell.faulted.header.op_count; i++)
		said += cell.faulted.ops[i].code == OP_ALLOWED;
	assert_true(allowed > 0);
	assert_int_equal(said, allowed);
	assert_int_equal(cell.faulted.header.op_count, cell.plan.header.op_count + 1);
}

TEST(other_work_takes_the_place_of_the_scenarios)
{
	cleanup(fault_deinit) struct fault f = FAULT_NULL;
	cleanup(cell_deinit) struct cell cell = with_fault("x/lazy: work a/hog yield", &f);

	assert_int_equal(cell.plan.groups[0].workload, WORK_SPIN);
	assert_int_equal(cell.faulted.groups[0].workload, WORK_YIELD);
	assert_string_equal(cell.faulted.groups[0].name, "hog");
}

TEST(a_fault_that_cannot_be_is_an_error_by_its_name)
{
	static const char *const bad[] = { "x/bad: freeze c", "x/bad: affinity b/spin cpu 9",
					   "x/bad: work a/hog pipe_pingpong",
					   "x/bad: work a/hog nonsense" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cleanup(fault_deinit) struct fault f = FAULT_NULL;
		struct cell cell = CELL_NULL;

		assert_int_equal(fault_parse(bad[i], &f), 0);
		assert_int_equal(compile(&f, &cell), -EINVAL);
		assert_non_null(strstr(err_text(), "scenario x: fault bad: "));
		err_clear();
	}
}

TESTS(T(text_is_cut_into_operations_and_works), T(what_is_no_fault_is_refused),
      T(judge_knows_nothing_of_a_fault), T(guest_is_told_before_the_first_hold),
      T(guests_own_watch_is_not_told_of_the_set_of_a_fault),
      T(other_work_takes_the_place_of_the_scenarios),
      T(a_fault_that_cannot_be_is_an_error_by_its_name))
