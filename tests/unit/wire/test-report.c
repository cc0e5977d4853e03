// SPDX-License-Identifier: GPL-2.0-only
#include "wire/report.h"

#include "base/buf.h"

#include "test.h"

#include <errno.h>
#include <string.h>

static const struct wire_limits limits = {
	.workers = 4, .cgroups = 2, .payloads = 1, .steps = 3, .ops = 5, .buckets = 100
};

static struct wire_report good_report(void)
{
	return (struct wire_report){ .worker = 3,
				     .window = 2,
				     .gap = { .cpu_before = REPORT_NO_CPU, .cpu_after = 511 } };
}

TEST(a_report_with_buckets_arrives)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	struct wire_report in = good_report(), out;
	struct wire_bucket buckets[] = { { .index = 1, .count = 5 }, { .index = 99, .count = 1 } };
	struct wire_bucket got;

	in.bucket_count = 2;
	memset(in.text, 'x', sizeof(in.text));
	buf_add(&b, &in, sizeof(in));
	buf_add(&b, buckets, sizeof(buckets));
	assert_int_equal(report_decode(b.data, b.len, &limits, &out), 0);
	assert_int_equal(strlen(out.text), WIRE_TEXT_BYTES - 1);
	assert_int_equal(report_bucket(b.data, 1, &limits, &got), 0);
	assert_int_equal(got.index, 99);
	assert_int_equal(report_decode(b.data, b.len - 1, &limits, &out), -EPROTO);
}

TEST(buckets_out_of_order_or_range_are_refused)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	struct wire_report in = good_report();
	struct wire_bucket buckets[] = { { .index = 7 }, { .index = 7 }, { .index = 100 } };
	struct wire_bucket got;

	in.bucket_count = 3;
	buf_add(&b, &in, sizeof(in));
	buf_add(&b, buckets, sizeof(buckets));
	assert_int_equal(report_bucket(b.data, 0, &limits, &got), 0);
	assert_int_equal(report_bucket(b.data, 1, &limits, &got), -EPROTO);
	assert_int_equal(report_bucket(b.data, 2, &limits, &got), -EPROTO);
}

TEST(indices_outside_the_plan_are_refused)
{
	struct wire_report in[] = { good_report(), good_report(), good_report(),
				    good_report(), good_report(), good_report() };
	struct wire_report out;

	in[0].worker = 4;
	in[1].window = 3;
	in[2].end = WORKER_KILLED + 1;
	in[3].gap.cpu_after = 512;
	in[4].bucket_count = UINT32_MAX;
	in[5].outside_count = 1;
	in[5].outside_cpu = 512;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(report_decode(&in[i], sizeof(in[i]), &limits, &out), -EPROTO);
	in[1].window = REPORT_WHOLE;
	assert_int_equal(report_decode(&in[1], sizeof(in[1]), &limits, &out), 0);
}

TEST(samples_hold_as_many_records_as_they_say)
{
	struct {
		struct wire_sample head;
		struct wire_taskstat tasks[2];
	} in = { .head = { .count = 2, .step = 2, .reason = SAMPLE_TICK },
		 .tasks = { { .worker = 3 }, { .worker = 4 } } };
	struct wire_sample head;
	struct wire_taskstat t;
	size_t record = sizeof(t);

	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), 0);
	assert_int_equal(taskstat_at(&in, 0, &limits, &t), 0);
	assert_int_equal(t.worker, 3);
	assert_int_equal(taskstat_at(&in, 1, &limits, &t), -EPROTO);
	in.tasks[1] = (struct wire_taskstat){ .queue_cpu = WIRE_CPUS };
	assert_int_equal(taskstat_at(&in, 1, &limits, &t), -EPROTO);
	in.tasks[1].queue_cpu = REPORT_NO_CPU;
	assert_int_equal(taskstat_at(&in, 1, &limits, &t), 0);
	in.head.count = 3;
	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), -EPROTO);
	in.head.count = UINT32_MAX;
	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), -EPROTO);
	in.head = (struct wire_sample){ .count = 2, .step = 2, .reason = SAMPLE_REASONS };
	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), -EPROTO);
	in.head = (struct wire_sample){
		.count = 2, .step = 2, .reason = SAMPLE_SNAPSHOT, .op = limits.ops
	};
	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), -EPROTO);
	in.head.op--;
	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), 0);
	in.head = (struct wire_sample){ .count = 2, .step = 3, .reason = SAMPLE_TICK };
	assert_int_equal(sample_decode(&in, sizeof(in), record, &limits, &head), -EPROTO);
	assert_int_equal(sample_decode(&in, 3, record, &limits, &head), -EPROTO);
}

TEST(events_are_checked_by_their_code)
{
	struct wire_event e = { .code = EVENT_OP, .index = 4 }, out;

	assert_int_equal(event_decode(&e, sizeof(e), &limits, &out), 0);
	e.index = 5;
	assert_int_equal(event_decode(&e, sizeof(e), &limits, &out), -EPROTO);
	e.code = EVENT_PLAN_BEGIN;
	assert_int_equal(event_decode(&e, sizeof(e), &limits, &out), 0);
	e.code = EVENT_CODES;
	assert_int_equal(event_decode(&e, sizeof(e), &limits, &out), -EPROTO);
	e.code = 0;
	assert_int_equal(event_decode(&e, sizeof(e), &limits, &out), -EPROTO);
}

TEST(texts_behind_a_head_are_bounded_by_the_frame)
{
	struct {
		struct wire_failed head;
		char text[4];
	} in = { .head = { .kind = FAILED_PLAN }, .text = "oops" };
	struct wire_failed head;
	const char *text;
	size_t len;

	assert_int_equal(failed_decode(&in, sizeof(in), &head, &text, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(text, "oops", 4);
	assert_int_equal(failed_decode(&in, sizeof(head) - 1, &head, &text, &len), -EPROTO);
}

TEST(ready_carries_known_features_and_no_other_flag)
{
	struct wire_ready in = { .flags = READY_FLAGS_ALL }, out;

	memset(in.release, 'x', sizeof(in.release));
	assert_int_equal(ready_decode(&in, sizeof(in), &out), 0);
	assert_int_equal(out.flags >> READY_FEATURES_SHIFT, FEATURES_ALL);
	assert_int_equal(strlen(out.release), sizeof(out.release) - 1);
	assert_int_equal(ready_decode(&in, sizeof(in) - 1, &out), -EPROTO);
	for (unsigned bit = 0; bit < 32; bit++) {
		bool is_known = READY_FLAGS_ALL >> bit & 1;

		in.flags = 1U << bit;
		assert_int_equal(ready_decode(&in, sizeof(in), &out), is_known ? 0 : -EPROTO);
	}
}

TESTS(T(a_report_with_buckets_arrives), T(buckets_out_of_order_or_range_are_refused),
      T(indices_outside_the_plan_are_refused), T(samples_hold_as_many_records_as_they_say),
      T(ready_carries_known_features_and_no_other_flag), T(events_are_checked_by_their_code),
      T(texts_behind_a_head_are_bounded_by_the_frame))
