// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a stream of frames, both ways: whatever the far side sends, decoding ends, stays in
 * the payload, and hands out only indices that the receiver may use. What decodes as a plan encodes
 * to the same bytes again. */
#include "stats/hist.h"
#include "wire/exec.h"
#include "wire/frame.h"
#include "wire/plan.h"
#include "wire/report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_limits limits = {
	.workers = 8, .cgroups = 4, .payloads = 2, .steps = 3, .ops = 16, .buckets = HIST_BUCKETS
};

static void require(bool claim)
{
	if (!claim)
		abort();
}

static void take_plan(const struct frame *f)
{
	cleanup(plan_deinit) struct plan p = PLAN_NULL;
	cleanup(buf_deinit) struct buf again = BUF_NULL;

	if (plan_decode(f->payload, f->len, &p))
		return;
	require(plan_encode(&p, &again) == 0);
	require(again.len == f->len && memcmp(again.data, f->payload, f->len) == 0);
	for (uint32_t i = 0; i < p.header.op_count; i++)
		require(strlen(plan_string(&p, p.ops[i].text)) < p.header.strings_bytes);
}

static void take_exec(const struct frame *f)
{
	cleanup(exec_request_deinit) struct exec_request e = EXEC_REQUEST_NULL;
	size_t bytes = 0;

	if (exec_decode(f->payload, f->len, &e))
		return;
	for (char **s = e.argv; *s; s++)
		bytes += strlen(*s) + 1;
	for (char **s = e.envp; *s; s++)
		bytes += strlen(*s) + 1;
	require(e.argv[0] && bytes < f->len);
}

static void take_report(const struct frame *f)
{
	struct wire_report m;
	struct wire_bucket b;

	if (report_decode(f->payload, f->len, &limits, &m))
		return;
	require(m.worker < limits.workers && strlen(m.text) < sizeof(m.text));
	for (uint32_t i = 0; i < m.bucket_count; i++)
		if (!report_bucket(f->payload, i, &limits, &b))
			require(b.index < limits.buckets);
}

static void take_samples(const struct frame *f)
{
	struct wire_cgroupstat g;
	struct wire_taskstat t;
	struct wire_sample head;
	struct wire_cpustat c;

	if (!sample_decode(f->payload, f->len, sizeof(c), &limits, &head))
		for (uint32_t i = 0; i < head.count; i++)
			require(cpustat_at(f->payload, i, &c) || c.cpu < WIRE_CPUS);
	if (!sample_decode(f->payload, f->len, sizeof(t), &limits, &head))
		for (uint32_t i = 0; i < head.count; i++)
			require(taskstat_at(f->payload, i, &limits, &t) ||
				t.worker < limits.workers);
	if (!sample_decode(f->payload, f->len, sizeof(g), &limits, &head))
		for (uint32_t i = 0; i < head.count; i++)
			require(cgroupstat_at(f->payload, i, &limits, &g) ||
				g.cgroup < limits.cgroups);
}

static void take_others(const struct frame *f)
{
	struct wire_payload_exit payload_exit;
	struct wire_payload_out out;
	struct wire_failed failed;
	struct wire_winsize size;
	struct wire_signal signal;
	struct wire_ready ready;
	struct wire_event event;
	struct wire_clock clock;
	struct wire_done done;
	struct wire_exit e;
	const void *bytes;
	const char *text;
	size_t len;

	if (!ready_decode(f->payload, f->len, &ready))
		require(strlen(ready.release) < sizeof(ready.release) &&
			!(ready.flags & ~(uint32_t)READY_FLAGS_ALL));
	if (!event_decode(f->payload, f->len, &limits, &event))
		require(strlen(event.text) < sizeof(event.text));
	if (!failed_decode(f->payload, f->len, &failed, &text, &len))
		require(len <= f->len);
	if (!payload_out_decode(f->payload, f->len, &limits, &out, &bytes, &len))
		require(len <= f->len && out.payload < limits.payloads);
	if (!payload_exit_decode(f->payload, f->len, &limits, &payload_exit))
		require(payload_exit.payload < limits.payloads);
	if (!signal_decode(f->payload, f->len, &signal))
		require(signal.number >= 1 && signal.number <= 64);
	(void)!clock_decode(f->payload, f->len, &clock);
	(void)!done_decode(f->payload, f->len, &done);
	(void)!winsize_decode(f->payload, f->len, &size);
	(void)!exit_decode(f->payload, f->len, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(buf_deinit) struct buf in = BUF_NULL;
	struct frame f;

	buf_add(&in, data, size);
	for (uint32_t seq = 0; in.data && frame_peek(&in, seq, &f) == 0; seq++) {
		take_plan(&f);
		take_exec(&f);
		take_report(&f);
		take_samples(&f);
		take_others(&f);
		frame_consume(&in, &f);
	}
	return 0;
}
