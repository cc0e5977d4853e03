// SPDX-License-Identifier: GPL-2.0-only
/* A hostile guest while it runs a plan: the bytes are its end of the channel. Whatever it says, the
 * judge comes to some verdict, and the record of it can be written. */
#include "base/cleanup.h"
#include "harness/judge.h"

#include <ktstr/ktstr.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ktstr_scenario scenario = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin", .count = "2" }) },
			   { .name = "b/c",
			     .max = "10ms/100ms",
			     .workers = WORKERS({ .work = "pipe_pingpong" }) }),
	.steps = STEPS({ .hold = "1s" },
		       { .ops = OPS("set a weight=300", "snapshot s"), .hold = "1s" }),
	.checks = CHECKS("share distance=30permille", "starvation gap=100ms",
			 "isolation within=cpu:0", "wake_latency p99=1ms max=2ms",
			 "work_conservation gap=300ms", "spread max=50permille",
			 "throughput min=1000", "throttling min=1"),
};

static const struct ktstr_scenario with_payloads = {
	.topology = "1n1l2c1t",
	.cgroups =
		CGROUPS({ .name = "a",
			  .workers = WORKERS({ .work = "spin" }),
			  .payloads = PAYLOADS(
				  { .name = "p",
				    .command = "sh",
				    .file = "/tmp/f",
				    .metrics = METRICS(
					    { .name = "j", .json = "a.*", .source = "stdout" },
					    { .name = "y", .yaml = "a.0", .is_exact = true }) }) }),
	.payloads = PAYLOADS({ .name = "q", .command = "sh" }),
	.hold = "1s",
	.checks = CHECKS("metric name=j max=5", "metric name=y min=1", "exit of=q status=1"),
};

static void listen(struct telemetry *t, struct buf *in)
{
	uint32_t seq = 0, step;
	struct frame f;
	bool is_end;

	while (frame_peek(in, seq, &f) == 0) {
		int r = telemetry_add(t, &f, &step, &is_end);

		assert(r >= 0 || err_text()[0]);
		frame_consume(in, &f);
		seq++;
		if (r < 0)
			break;
	}
	err_clear();
}

static void judge(const struct ktstr_record *record, const uint8_t *data, size_t size)
{
	static const struct cell_options options = { 0 };
	cleanup(buf_deinit) struct buf in = BUF_NULL, out = BUF_NULL;
	cleanup(result_deinit) struct result result = { .record = record };
	cleanup(telemetry_deinit) struct telemetry t = TELEMETRY_NULL;

	/* Not a property of the input: without a cell there is nothing to test. */
	if (cell_compile(record, &options, &result.cell) || telemetry_init(&t, &result.cell))
		abort();
	buf_add(&in, data, size);
	listen(&t, &in);
	assert(judge_trial(&result, &t) == 0);
	result.snapshots = t.snapshots;
	t.snapshots = SNAPSHOTS_NULL;
	result_json(&result, &out);
	assert(out.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ktstr_record records[] = {
		{ .name = "x", .scenario = &scenario },
		{ .name = "y", .scenario = &with_payloads },
	};

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		judge(&records[i], data, size);
	return 0;
}
