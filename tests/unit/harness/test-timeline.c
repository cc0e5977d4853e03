// SPDX-License-Identifier: GPL-2.0-only
#include "harness/timeline.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/telemetry.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <stdlib.h>
#include <string.h>

static const struct ktstr_scenario scenario = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .name = "turns",
			 .hold = "1s",
			 .loop = OPS("stop a/spin", "set a cpuset=cpu 0", "clear a cpuset",
				     "spawn a/spin"),
			 .every = "100ms" }),
	.checks = CHECKS("isolation"),
};

static const struct ktstr_record record = { .name = "x", .scenario = &scenario };
static const struct cell_options options = { 0 };

static struct cell compiled(void)
{
	struct cell cell;

	assert_int_equal(cell_compile(&record, &options, &cell), 0);
	return cell;
}

static char *json_of(const struct timeline *t, const struct cell *cell)
{
	static const struct clock_relation clock = { .is_known = true,
						     .guest_minus_host_ns = -1000,
						     .error_ns = 7 };
	struct buf out = BUF_NULL;
	struct json j = json_to(&out);
	char *text;

	json_object(&j, NULL);
	timeline_json(t, cell, &clock, &j);
	json_object_end(&j);
	text = strdup(buf_text(&out));
	buf_deinit(&out);
	return text;
}

TEST(events_are_told_in_words_on_both_clocks)
{
	cleanup(cell_deinit) struct cell cell = compiled();
	cleanup(timeline_deinit) struct timeline t = TIMELINE_NULL;
	uint32_t loop = cell.plan.steps[1].loop_first_op;
	const struct wire_event events[] = {
		{ .ns = 5000, .code = EVENT_OP, .index = 0, .args = { 4000, 4500, OP_CGROUP_ADD } },
		{ .ns = 6000, .code = EVENT_HOLD_BEGIN, .index = 1 },
		{ .ns = 7000, .code = EVENT_OP, .index = loop, .args = { 6500, 6900, OP_STOP } },
		{ .ns = 8000, .code = EVENT_WORKER_EXIT, .index = 0 },
	};
	cleanup(freep) char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		assert_int_equal(timeline_add(&t, &events[i]), 0);
	text = json_of(&t, &cell);
	assert_string_equal(
		text,
		"{\"clock\":{\"guest_minus_host_ns\":-1000,\"error_ns\":7},\"events\":["
		"{\"event\":\"op\",\"what\":\"cgroup-add a\",\"guest_ns\":5000,\"host_ns\":6000,"
		"\"start_ns\":4000,\"end_ns\":4500},"
		"{\"event\":\"hold_begin\",\"what\":\"turns\",\"guest_ns\":6000,\"host_ns\":7000},"
		"{\"event\":\"op\",\"what\":\"stop a/spin\",\"guest_ns\":7000,\"host_ns\":8000,"
		"\"start_ns\":6500,\"end_ns\":6900},"
		"{\"event\":\"worker_exit\",\"what\":\"a/spin\",\"guest_ns\":8000,"
		"\"host_ns\":9000}],\"events_left_out\":0}");
}

TEST(a_loop_without_end_leaves_room_for_the_rest)
{
	cleanup(timeline_deinit) struct timeline t = TIMELINE_NULL;
	const struct wire_event op = { .code = EVENT_OP }, end = { .code = EVENT_PLAN_END };

	for (int i = 0; i < 10000; i++)
		assert_int_equal(timeline_add(&t, &op), 0);
	assert_int_equal(timeline_add(&t, &end), 0);
	assert_int_equal(t.events[t.count - 1].code, EVENT_PLAN_END);
	assert_int_equal(t.count + t.left_out, 10001);
	assert_true(t.count < 5000);
}

/* Between the turns holds what a turn ends with; in it, what its last operation has left. */
TEST(each_turns_settings_count_for_as_long_as_they_held)
{
	cleanup(cell_deinit) struct cell cell = compiled();
	cleanup(turn_clock_deinit) struct turn_clock c;
	const struct cell_window *w = &cell.windows[0];

	assert_int_equal(w->turn_count, 4);
	assert_int_equal(turn_clock_init(&c, w), 0);
	turn_clock_start(&c, w, 1000);
	turn_clock_op(&c, w, 0, 1090, 1100);			  /* stop */
	turn_clock_op(&c, w, w->turns[1].end_op - 1, 1110, 1130); /* set */
	turn_clock_op(&c, w, w->turns[2].end_op - 1, 1200, 1200); /* clear */
	turn_clock_op(&c, w, w->turns[3].end_op - 1, 1200, 1400); /* spawn */
	turn_clock_op(&c, w, 77, 1400, 1500);			  /* nobody's */
	turn_clock_op(&c, w, 0, 1200, 1300); /* back in time: a guest may say so */
	turn_clock_op(&c, w, w->turns[3].end_op - 1, 1440, 1450);
	turn_clock_stop(&c, w, 2000);
	turn_clock_stop(&c, w, 9000);
	assert_int_equal(c.between_ns, 10 + 20 + 200 + 10);
	assert_int_equal(c.ns[0], 30 + 50);
	assert_int_equal(c.ns[1], 70);
	assert_int_equal(c.ns[2], 200);
	assert_int_equal(c.ns[3], 100 + 550);
}

TEST(the_lives_of_a_worker_add_up)
{
	struct worker_report to = { .is_there = true,
				    .report = { .end = WORKER_STOPPED,
						.start_ns = 50,
						.end_ns = 60,
						.cpu_ns = 3,
						.gap = { .length_ns = 5 },
						.wakes = 1,
						.wake_min_ns = 8,
						.wake_max_ns = 8 } };
	const struct wire_report more = { .end = WORKER_KILLED,
					  .end_status = 9,
					  .start_ns = 70,
					  .end_ns = 90,
					  .cpu_ns = 4,
					  .gap = { .length_ns = 2 },
					  .outside_count = 1,
					  .outside_cpu = 3,
					  .open_wake_ns = 6,
					  .wakes = 2,
					  .wake_min_ns = 4,
					  .wake_max_ns = 9 };
	struct hist *wakes = calloc(1, sizeof(*wakes));

	assert_non_null(wakes);
	*wakes = HIST_EMPTY;
	hist_add(wakes, 4);
	telemetry_merge_report(&to, &more, wakes);
	assert_int_equal(to.report.end, WORKER_KILLED);
	assert_int_equal(to.report.end_status, 9);
	assert_int_equal(to.report.start_ns, 50);
	assert_int_equal(to.report.end_ns, 90);
	assert_int_equal(to.report.cpu_ns, 7);
	assert_int_equal(to.report.gap.length_ns, 5);
	assert_int_equal(to.report.outside_cpu, 3);
	assert_int_equal(to.report.wake_min_ns, 4);
	assert_int_equal(to.report.wake_max_ns, 9);
	assert_int_equal(to.report.open_wake_ns, 6);
	assert_int_equal(to.wakes->count, 1);
	free(to.wakes);
}

TESTS(T(events_are_told_in_words_on_both_clocks), T(a_loop_without_end_leaves_room_for_the_rest),
      T(each_turns_settings_count_for_as_long_as_they_held), T(the_lives_of_a_worker_add_up))
