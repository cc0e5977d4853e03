// SPDX-License-Identifier: GPL-2.0-only
/* Every workload that needs neither root nor a disk, performed on this host by iteration count. */
#include "guest/conductor.h"
#include "guest/workload_table.h"

#include "base/util.h"
#include "rehearsal.h"

#include <ktstr/custom.h>

#include "test.h"

#include <string.h>
#include <sys/wait.h>

KTSTR_WORK(halfway)
{
	ktstr_compute(self, params[0]);
	ktstr_yield(self);
}

/* Waiting is what they do: give them times that suit a test. */
static void shorten(struct plan_group *g)
{
	const struct workload *w = workload_by_id(g->workload);

	for (unsigned i = 0; i < w->param_count; i++)
		if (w->params[i].unit == PARAM_NS)
			g->params[i] = MAX(w->params[i].min, 200 * NSEC_PER_USEC);
}

static void perform(uint32_t workload, uint32_t flags)
{
	uint64_t params[PLAN_PARAMS];
	char text[512];

	workload_defaults(workload_by_id(workload), params);
	cleanup(plan_deinit) struct plan p =
		rehearsal_plan(workload, workload_ensemble(workload_by_id(workload), params), 30);
	p.groups[0].flags = flags;
	shorten(&p.groups[0]);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	if (*rehearsal_failure(&r, text))
		fail_msg("%s: %s", workload_by_id(workload)->name, text);
	for (uint32_t i = 0; i < p.header.worker_count; i++)
		assert_int_equal(rehearsal_report(&r, i, REPORT_WHOLE).end, WORKER_STOPPED);
}

static const uint32_t harmless[] = {
	WORK_SPIN,
	WORK_YIELD,
	WORK_BURSTY,
	WORK_PIPE_PINGPONG,
	WORK_FUTEX_PINGPONG,
	WORK_ALU_HOT,
	WORK_MIXED,
	WORK_PERIODIC,
	WORK_IDLE_CHURN,
	WORK_TIMER_LATENCY,
	WORK_FUTEX_FANOUT,
	WORK_FANOUT_COMPUTE,
	WORK_WAKE_CHAIN,
	WORK_ASYMMETRIC_WAKER,
	WORK_THUNDERING_HERD,
	WORK_EPOLL_STORM,
	WORK_SIGNAL_STORM,
	WORK_PRODUCER_CONSUMER,
	WORK_MUTEX,
	WORK_AFFINITY_CHURN,
	WORK_CROSS_AFFINITY_CHURN,
	WORK_PAGE_FAULT_CHURN,
	WORK_CACHE_PRESSURE,
	WORK_CACHE_YIELD,
	WORK_CACHE_PIPE,
	WORK_IPC_VARIANCE,
	WORK_NET_LOOPBACK,
	WORK_IRQ_WAKE,
	WORK_SCHBENCH,
	WORK_REQUEST_MIX,
};

TEST(every_harmless_workload_makes_progress_and_stops_when_told)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		perform(harmless[i], 0);
	perform(WORK_FORK_EXIT, 0);
}

TEST(every_harmless_workload_runs_as_threads)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		perform(harmless[i], GROUP_THREADS);
}

TEST(every_workload_of_the_table_has_a_function)
{
	for (uint32_t id = 1; id < WORK_END; id++)
		assert_true(workload_is_known(id));
	assert_false(workload_is_known(0));
	assert_false(workload_is_known(WORK_END));
}

TEST(a_sequence_does_its_phases_in_order_with_loops)
{
	static const struct plan_phase phases[] = { { .kind = PHASE_RUN, .value = 100000 },
						    { .kind = PHASE_YIELD, .value = 2 },
						    { .kind = PHASE_LOOP, .to = 0, .value = 3 },
						    { .kind = PHASE_SLEEP, .value = 100000 },
						    { .kind = PHASE_TIMER, .value = 1000000 } };
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SEQUENCE, 1, 39);

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		assert_int_equal(plan_add_phase(&p, &phases[i], NULL), 0);
	p.groups[0].phase_count = ARRAY_SIZE(phases);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	struct wire_report whole = rehearsal_report(&r, 0, REPORT_WHOLE);

	/* Three passes: four times the run and its yields, then the two waits. */
	assert_true(whole.iterations >= 39);
	assert_true(whole.wakes >= 4);
	assert_true(whole.cpu_ns >= 8 * 100000);
}

/* Each turn computes for longer than two periods of its timer. */
TEST(a_sequence_counts_the_periods_that_passed_before_its_timer)
{
	static const struct plan_phase phases[] = { { .kind = PHASE_RUN, .value = 5000000 },
						    { .kind = PHASE_TIMER, .value = 2000000 } };
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_SEQUENCE, 1, 8);

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		assert_int_equal(plan_add_phase(&p, &phases[i], NULL), 0);
	p.groups[0].phase_count = ARRAY_SIZE(phases);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);
	struct wire_report whole = rehearsal_report(&r, 0, REPORT_WHOLE);

	/* Four turns; before the first timer there was none to miss. */
	assert_true(whole.iterations >= 8);
	assert_true(whole.deadline_misses >= 2 * 3);
}

TEST(a_function_of_the_author_is_called_until_the_stop)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_CUSTOM, 1, 20);

	assert_int_equal(plan_add_string(&p, "halfway", &p.groups[0].text), 0);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_true(rehearsal_report(&r, 0, REPORT_WHOLE).iterations >= 20);
}

TEST(a_function_that_is_not_there_is_named)
{
	cleanup(plan_deinit) struct plan p = rehearsal_plan(WORK_CUSTOM, 1, 20);
	char text[512];

	assert_int_equal(plan_add_string(&p, "nowhere", &p.groups[0].text), 0);
	cleanup(rehearsal_deinit) struct rehearsal r = rehearse(&p);

	assert_non_null(strstr(rehearsal_failure(&r, text), "KTSTR_WORK(nowhere)"));
}

TESTS(T(every_harmless_workload_makes_progress_and_stops_when_told),
      T(every_harmless_workload_runs_as_threads), T(every_workload_of_the_table_has_a_function),
      T(a_sequence_does_its_phases_in_order_with_loops),
      T(a_sequence_counts_the_periods_that_passed_before_its_timer),
      T(a_function_of_the_author_is_called_until_the_stop),
      T(a_function_that_is_not_there_is_named))
