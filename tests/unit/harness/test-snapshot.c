// SPDX-License-Identifier: GPL-2.0-only
#include "harness/snapshot.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <string.h>

static const struct ktstr_scenario scenario = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .ops = OPS("snapshot before") }, { .hold = "1s" }),
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

static uint32_t snapshot_op(const struct cell *cell)
{
	uint32_t i = 0;

	while (cell->plan.ops[i].code != OP_SNAPSHOT)
		i++;
	return i;
}

/* The bytes of one part: a head and a record. */
static struct buf part(uint32_t op, const void *record_bytes, size_t bytes)
{
	struct wire_sample head = {
		.ns = 5000, .reason = SAMPLE_SNAPSHOT, .count = bytes != 0, .op = op
	};
	struct buf out = BUF_NULL;

	buf_add(&out, &head, sizeof(head));
	buf_add(&out, record_bytes, bytes);
	return out;
}

static int add(struct snapshots *s, const struct cell *cell, enum frame_type type,
	       const void *record_bytes, size_t bytes)
{
	const struct wire_limits limits = { .workers = cell->plan.header.worker_count,
					    .cgroups = cell->plan.header.cgroup_count,
					    .ops = cell->plan.header.op_count };
	cleanup(buf_deinit) struct buf in = part(snapshot_op(cell), record_bytes, bytes);
	struct frame f = { .type = type, .len = (uint32_t)in.len, .payload = in.data };
	struct wire_sample head;

	memcpy(&head, in.data, sizeof(head));
	return snapshots_add(s, &f, &head, &limits);
}

static int add_whole(struct snapshots *s, const struct cell *cell)
{
	const struct wire_taskstat task = { .cpu = 1,
					    .iterations = 7,
					    .cpu_ns = 2000000,
					    .run_delay_ns = 3000000,
					    .is_runnable = 1,
					    .queue_cpu = 1 };
	const struct wire_cpustat cpu = { .cpu = 1, .is_online = 1, .run_ns = 11 };
	const struct wire_cgroupstat cgroup = { .usage_ns = 13 };
	int r = add(s, cell, FRAME_TASKSTAT, &task, sizeof(task));

	if (r == 0)
		r = add(s, cell, FRAME_CPUSTAT, &cpu, sizeof(cpu));
	return r == 0 ? add(s, cell, FRAME_CGROUPSTAT, &cgroup, sizeof(cgroup)) : r;
}

TEST(a_snapshot_is_told_with_its_name_and_all_its_parts)
{
	static const struct clock_relation clock = { .is_known = true,
						     .guest_minus_host_ns = -1000 };
	cleanup(cell_deinit) struct cell cell = compiled();
	cleanup(snapshots_deinit) struct snapshots s = SNAPSHOTS_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);

	assert_int_equal(add_whole(&s, &cell), 0);
	json_object(&j, NULL);
	snapshots_json(&s, &cell, &clock, &j);
	json_object_end(&j);
	assert_string_equal(
		buf_text(&out),
		"{\"snapshots\":[{\"name\":\"before\",\"guest_ns\":5000,\"host_ns\":6000,"
		"\"workers\":[{\"worker\":\"a/spin\",\"cpu\":1,\"queue_cpu\":1,"
		"\"is_runnable\":true,\"iterations\":7,\"cpu_ns\":2000000,"
		"\"run_delay_ns\":3000000,\"slices\":0,\"waiting_ns\":0}],"
		"\"cpus\":[{\"cpu\":1,\"is_online\":true,\"user_ns\":0,\"system_ns\":0,"
		"\"idle_ns\":0,\"steal_ns\":0,\"run_ns\":11,\"run_delay_ns\":0,\"slices\":0}],"
		"\"cgroups\":[{\"cgroup\":\"a\",\"usage_ns\":13,\"periods\":0,\"throttled\":0,"
		"\"throttled_ns\":0,\"bursts\":0}]}],\"snapshots_left_out\":0}");
}

TEST(parts_out_of_order_are_refused)
{
	cleanup(cell_deinit) struct cell cell = compiled();
	cleanup(snapshots_deinit) struct snapshots s = SNAPSHOTS_NULL;

	assert_int_equal(add(&s, &cell, FRAME_CPUSTAT, NULL, 0), -EPROTO);
	assert_int_equal(add(&s, &cell, FRAME_TASKSTAT, NULL, 0), 0);
	assert_int_equal(add(&s, &cell, FRAME_CGROUPSTAT, NULL, 0), -EPROTO);
	assert_int_equal(add(&s, &cell, FRAME_CPUSTAT, NULL, 0), 0);
	assert_int_equal(add(&s, &cell, FRAME_CPUSTAT, NULL, 0), -EPROTO);
	assert_non_null(strstr(err_text(), "CPUSTAT"));
}

TEST(records_of_nobody_are_refused)
{
	cleanup(cell_deinit) struct cell cell = compiled();
	cleanup(snapshots_deinit) struct snapshots s = SNAPSHOTS_NULL;
	const struct wire_taskstat task = { .worker = 1, .queue_cpu = REPORT_NO_CPU };
	const struct wire_cgroupstat cgroup = { .cgroup = 1 };

	assert_int_equal(add(&s, &cell, FRAME_TASKSTAT, &task, sizeof(task)), -EPROTO);
	assert_int_equal(add(&s, &cell, FRAME_CGROUPSTAT, &cgroup, sizeof(cgroup)), -EPROTO);
	assert_int_equal(s.count, 0);
}

TEST(a_loop_without_end_keeps_the_first_ones)
{
	cleanup(cell_deinit) struct cell cell = compiled();
	cleanup(snapshots_deinit) struct snapshots s = SNAPSHOTS_NULL;

	for (int i = 0; i < 100; i++)
		assert_int_equal(add_whole(&s, &cell), 0);
	assert_int_equal(s.count, 64);
	assert_int_equal(s.left_out, 36);
}

TESTS(T(a_snapshot_is_told_with_its_name_and_all_its_parts), T(parts_out_of_order_are_refused),
      T(records_of_nobody_are_refused), T(a_loop_without_end_keeps_the_first_ones))
