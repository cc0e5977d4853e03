// SPDX-License-Identifier: GPL-2.0-only
#include "guest/worker.h"

#include "base/util.h"

#include "test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* A worker without a conductor: the test's own thread. */
struct bench {
	struct pool_head head;
	struct telemetry telemetry;
	struct worker worker;
};

static struct bench *bench_new(void)
{
	static const struct plan_group endless;
	struct bench *b = aligned_alloc(128, sizeof(*b));

	assert_non_null(b);
	memset(b, 0, sizeof(*b));
	telemetry_part_clear(&b->telemetry.part[0]);
	telemetry_part_clear(&b->telemetry.part[1]);
	b->worker = (struct worker){ .pool = &b->head,
				     .telemetry = &b->telemetry,
				     .group = &endless,
				     .stride = 1,
				     .left = 1,
				     .cpu = REPORT_NO_CPU,
				     .is_linked = true,
				     .last_ns = now_ns() };
	return b;
}

static void benchp(struct bench **b)
{
	free(*b);
}

static struct cpu_mask only(unsigned cpu)
{
	struct cpu_mask m = { 0 };

	mask_set(&m, cpu);
	return m;
}

TEST(the_longest_gap_is_kept_and_begins_where_it_began)
{
	cleanup(benchp) struct bench *b = bench_new();
	uint64_t start = now_ns() - 50 * NSEC_PER_MSEC;

	b->worker.last_ns = start;
	worker_checkpoint(&b->worker);
	worker_checkpoint(&b->worker);
	assert_true(b->telemetry.part[0].gap.length_ns >= 50 * NSEC_PER_MSEC);
	assert_int_equal(b->telemetry.part[0].gap.start_ns, start);
	assert_int_equal(b->telemetry.part[0].gap.cpu_before, REPORT_NO_CPU);
}

TEST(a_gap_does_not_reach_beyond_its_window)
{
	cleanup(benchp) struct bench *b = bench_new();
	uint64_t now = now_ns();

	b->worker.last_ns = now - NSEC_PER_SEC;
	shared_set(&b->head.window_ns, now);
	worker_checkpoint(&b->worker);
	assert_int_equal(b->telemetry.part[0].gap.start_ns, now);
	assert_true(b->telemetry.part[0].gap.length_ns < NSEC_PER_SEC);
}

TEST(each_window_has_a_part_of_its_own)
{
	cleanup(benchp) struct bench *b = bench_new();

	worker_checkpoint(&b->worker);
	shared_set(&b->head.window, 1);
	worker_checkpoint(&b->worker);
	assert_int_equal(b->telemetry.part[0].is_used, 1);
	assert_int_equal(b->telemetry.part[1].is_used, 1);
	assert_true(mask_count(&b->telemetry.part[1].cpus_used) == 1);
}

TEST(blocking_is_no_gap_and_a_late_wake_is)
{
	cleanup(benchp) struct bench *b = bench_new();
	const struct telemetry_part *part = &b->telemetry.part[0];

	worker_block(&b->worker, DUE_UNKNOWN);
	b->worker.last_ns -= NSEC_PER_SEC;
	worker_unblock(&b->worker);
	assert_true(part->gap.length_ns < NSEC_PER_SEC);
	assert_int_equal(part->wakes.count, 0);
	worker_block(&b->worker, now_ns() - 20 * NSEC_PER_MSEC);
	worker_unblock(&b->worker);
	assert_int_equal(part->wakes.count, 1);
	assert_true(part->wakes.max_ns >= 20 * NSEC_PER_MSEC);
	assert_int_equal(part->gap.is_wake, 1);
}

TEST(a_deadline_that_has_not_come_is_no_late_wake)
{
	cleanup(benchp) struct bench *b = bench_new();

	worker_block(&b->worker, now_ns() + NSEC_PER_SEC);
	worker_unblock(&b->worker);
	assert_int_equal(b->telemetry.part[0].wakes.count, 0);
}

TEST(a_cpu_outside_the_allowed_set_is_counted_from_the_moment_it_is_forbidden)
{
	cleanup(benchp) struct bench *b = bench_new();
	struct cpu_mask here = only((unsigned)sched_getcpu()), elsewhere = only(511), all = { 0 };
	const struct telemetry_part *part = &b->telemetry.part[0];
	cpu_set_t set;

	/* The test must stay where it is for the claim to be true. */
	CPU_ZERO(&set);
	CPU_SET(mask_next(&here, 0), &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	worker_checkpoint(&b->worker);
	telemetry_allow(&b->telemetry.allowed, &here);
	worker_checkpoint(&b->worker);
	telemetry_widen(&b->telemetry.allowed, &elsewhere);
	worker_checkpoint(&b->worker);
	assert_int_equal(part->outside_count, 0);
	telemetry_allow(&b->telemetry.allowed, &elsewhere);
	worker_checkpoint(&b->worker);
	assert_int_equal(part->outside_count, 1);
	assert_int_equal(part->outside_cpu, mask_next(&here, 0));
	telemetry_widen(&b->telemetry.allowed, &all);
	worker_checkpoint(&b->worker);
	assert_int_equal(part->outside_count, 1);
}

TEST(parts_merge_to_what_one_would_have_seen)
{
	struct telemetry_part a, b;

	telemetry_part_clear(&a);
	telemetry_part_clear(&b);
	b.is_used = 1;
	b.gap.length_ns = 5;
	b.outside_count = 2;
	b.outside_cpu = 3;
	b.wake_max_at_ns = 77;
	mask_set(&b.cpus_used, 9);
	hist_add(&b.wakes, 100);
	telemetry_part_merge(&a, &b);
	telemetry_part_merge(&a, &b);
	assert_int_equal(a.gap.length_ns, 5);
	assert_int_equal(a.outside_count, 4);
	assert_int_equal(a.outside_cpu, 3);
	assert_int_equal(a.wake_max_at_ns, 77);
	assert_true(mask_has(&a.cpus_used, 9));
	assert_int_equal(a.wakes.count, 2);
}

TEST(checkpoints_become_rarer_when_iterations_are_short)
{
	cleanup(benchp) struct bench *b = bench_new();

	for (int i = 0; i < 20000; i++)
		worker_iterate(&b->worker);
	assert_int_equal(shared_get(&b->telemetry.iterations), 20000);
	assert_true(shared_get(&b->telemetry.checkpoints) < 2000);
}

TEST(who_sleeps_between_iterations_ends_with_the_last_one_as_well)
{
	static const struct plan_group ten = { .iterations = 10 };
	cleanup(benchp) struct bench *b = bench_new();

	b->worker.group = &ten;
	if (!sigsetjmp(b->worker.stop, 0)) {
		for (int i = 0; i < 1000; i++) {
			worker_block(&b->worker, DUE_UNKNOWN);
			worker_unblock(&b->worker);
			worker_iterate(&b->worker);
		}
	}
	assert_int_equal(shared_get(&b->telemetry.iterations), 10);
}

TESTS(T(the_longest_gap_is_kept_and_begins_where_it_began),
      T(a_gap_does_not_reach_beyond_its_window), T(each_window_has_a_part_of_its_own),
      T(blocking_is_no_gap_and_a_late_wake_is), T(a_deadline_that_has_not_come_is_no_late_wake),
      T(a_cpu_outside_the_allowed_set_is_counted_from_the_moment_it_is_forbidden),
      T(parts_merge_to_what_one_would_have_seen),
      T(checkpoints_become_rarer_when_iterations_are_short),
      T(who_sleeps_between_iterations_ends_with_the_last_one_as_well))
