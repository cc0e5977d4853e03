// SPDX-License-Identifier: GPL-2.0-only
/* Decoders of what the guest tells the host. */
#include "wire/report.h"

#include "base/util.h"

#include <errno.h>

/* Copy a payload of exactly @want bytes. */
static int copy_exact(const char *frame, const void *payload, size_t len, void *ret, size_t want)
{
	if (len != want)
		return err_new(-EPROTO, "%s: %zu bytes, expected %zu", frame, len, want);
	memcpy(ret, payload, want);
	return 0;
}

/* Copy the head of a payload that goes on behind it. */
static int copy_head(const char *frame, const void *payload, size_t len, void *ret, size_t want)
{
	if (len < want)
		return err_new(-EPROTO, "%s: %zu bytes, at least %zu expected", frame, len, want);
	memcpy(ret, payload, want);
	return 0;
}

static int below(const char *frame, const char *field, uint32_t value, uint32_t limit)
{
	if (value < limit)
		return 0;
	return err_new(-EPROTO, "%s: %s %u, must be below %u", frame, field, value, limit);
}

int ready_decode(const void *payload, size_t len, struct wire_ready *ret)
{
	struct wire_ready m;
	int r = copy_exact("READY", payload, len, &m, sizeof(m));

	if (r)
		return r;
	if (m.flags & ~(uint32_t)READY_FLAGS_ALL)
		return err_new(-EPROTO, "READY: unknown flags 0x%x", m.flags);
	m.release[sizeof(m.release) - 1] = '\0';
	*ret = m;
	return 0;
}

int clock_decode(const void *payload, size_t len, struct wire_clock *ret)
{
	return copy_exact("CLOCK", payload, len, ret, sizeof(*ret));
}

/* What an event's index counts, by its code. */
static uint32_t event_limit(uint32_t code, const struct wire_limits *limits)
{
	switch (code) {
	case EVENT_OP:
	case EVENT_OP_FAILED:
	case EVENT_MARK:
		return limits->ops;
	case EVENT_GATE:
	case EVENT_HOLD_BEGIN:
	case EVENT_HOLD_END:
		return limits->steps;
	case EVENT_WORKER_EXIT:
		return limits->workers;
	case EVENT_PAYLOAD_START:
		return limits->payloads;
	default:
		return UINT32_MAX;
	}
}

int event_decode(const void *payload, size_t len, const struct wire_limits *limits,
		 struct wire_event *ret)
{
	struct wire_event m;
	int r = copy_exact("EVENT", payload, len, &m, sizeof(m));

	if (r)
		return r;
	if (!m.code || m.code >= EVENT_CODES)
		return err_new(-EPROTO, "EVENT: code %u is unknown", m.code);
	r = below("EVENT", "index", m.index, event_limit(m.code, limits));
	if (r)
		return r;
	m.text[sizeof(m.text) - 1] = '\0';
	*ret = m;
	return 0;
}

int done_decode(const void *payload, size_t len, struct wire_done *ret)
{
	return copy_exact("DONE", payload, len, ret, sizeof(*ret));
}

int payload_exit_decode(const void *payload, size_t len, const struct wire_limits *limits,
			struct wire_payload_exit *ret)
{
	struct wire_payload_exit m;
	int r = copy_exact("PAYLOAD_EXIT", payload, len, &m, sizeof(m));

	if (!r)
		r = below("PAYLOAD_EXIT", "payload", m.payload, limits->payloads);
	if (!r)
		r = below("PAYLOAD_EXIT", "end", m.end, PAYLOAD_ENDS);
	if (!r)
		*ret = m;
	return r;
}

int failed_decode(const void *payload, size_t len, struct wire_failed *ret, const char **text_ret,
		  size_t *text_len_ret)
{
	int r = copy_head("FAILED", payload, len, ret, sizeof(*ret));

	if (r)
		return r;
	*text_ret = (const char *)payload + sizeof(*ret);
	*text_len_ret = len - sizeof(*ret);
	return 0;
}

int payload_out_decode(const void *payload, size_t len, const struct wire_limits *limits,
		       struct wire_payload_out *ret, const void **data_ret, size_t *data_len_ret)
{
	struct wire_payload_out m;
	int r = copy_head("PAYLOAD_OUT", payload, len, &m, sizeof(m));

	if (!r)
		r = below("PAYLOAD_OUT", "payload", m.payload, limits->payloads);
	if (!r && (m.stream < 1 || m.stream > 3))
		r = err_new(-EPROTO, "PAYLOAD_OUT: stream %u", m.stream);
	if (r)
		return r;
	*ret = m;
	*data_ret = (const char *)payload + sizeof(m);
	*data_len_ret = len - sizeof(m);
	return 0;
}

int sample_decode(const void *payload, size_t len, size_t record_bytes,
		  const struct wire_limits *limits, struct wire_sample *ret)
{
	struct wire_sample m;
	int r = copy_head("sample", payload, len, &m, sizeof(m));

	if (!r)
		r = below("sample", "step", m.step, limits->steps);
	if (!r && (!m.reason || m.reason >= SAMPLE_REASONS))
		r = err_new(-EPROTO, "sample: reason %u is unknown", m.reason);
	if (!r && m.reason == SAMPLE_SNAPSHOT)
		r = below("sample", "op", m.op, limits->ops);
	if (r)
		return r;
	if ((len - sizeof(m)) / record_bytes != m.count || (len - sizeof(m)) % record_bytes)
		return err_new(-EPROTO, "sample: %zu bytes are not %u records of %zu", len, m.count,
			       record_bytes);
	*ret = m;
	return 0;
}

static const void *record_at(const void *payload, uint32_t i, size_t record_bytes)
{
	return (const char *)payload + sizeof(struct wire_sample) + (size_t)i * record_bytes;
}

int cpustat_at(const void *payload, uint32_t i, struct wire_cpustat *ret)
{
	struct wire_cpustat m;
	int r;

	memcpy(&m, record_at(payload, i, sizeof(m)), sizeof(m));
	r = below("CPUSTAT", "cpu", m.cpu, WIRE_CPUS);
	if (!r)
		*ret = m;
	return r;
}

int taskstat_at(const void *payload, uint32_t i, const struct wire_limits *limits,
		struct wire_taskstat *ret)
{
	struct wire_taskstat m;
	int r;

	memcpy(&m, record_at(payload, i, sizeof(m)), sizeof(m));
	r = below("TASKSTAT", "worker", m.worker, limits->workers);
	if (!r && m.cpu != REPORT_NO_CPU)
		r = below("TASKSTAT", "cpu", m.cpu, WIRE_CPUS);
	if (!r && m.queue_cpu != REPORT_NO_CPU)
		r = below("TASKSTAT", "queue_cpu", m.queue_cpu, WIRE_CPUS);
	if (!r)
		*ret = m;
	return r;
}

int cgroupstat_at(const void *payload, uint32_t i, const struct wire_limits *limits,
		  struct wire_cgroupstat *ret)
{
	struct wire_cgroupstat m;
	int r;

	memcpy(&m, record_at(payload, i, sizeof(m)), sizeof(m));
	r = below("CGROUPSTAT", "cgroup", m.cgroup, limits->cgroups);
	if (!r)
		*ret = m;
	return r;
}

static int check_report(const struct wire_report *m, size_t len, const struct wire_limits *limits)
{
	int r = below("REPORT", "worker", m->worker, limits->workers);

	if (!r && m->window != REPORT_WHOLE)
		r = below("REPORT", "window", m->window, limits->steps);
	if (!r && m->end > WORKER_KILLED)
		r = err_new(-EPROTO, "REPORT: end %u is unknown", m->end);
	if (!r && m->gap.cpu_before != REPORT_NO_CPU)
		r = below("REPORT", "cpu_before", m->gap.cpu_before, WIRE_CPUS);
	if (!r && m->gap.cpu_after != REPORT_NO_CPU)
		r = below("REPORT", "cpu_after", m->gap.cpu_after, WIRE_CPUS);
	if (!r && m->outside_count)
		r = below("REPORT", "outside_cpu", m->outside_cpu, WIRE_CPUS);
	if (r)
		return r;
	if (m->bucket_count > limits->buckets ||
	    len - sizeof(*m) != m->bucket_count * sizeof(struct wire_bucket))
		return err_new(-EPROTO, "REPORT: %zu bytes do not hold %u buckets", len,
			       m->bucket_count);
	return 0;
}

int report_decode(const void *payload, size_t len, const struct wire_limits *limits,
		  struct wire_report *ret)
{
	struct wire_report m;
	int r = copy_head("REPORT", payload, len, &m, sizeof(m));

	if (!r)
		r = check_report(&m, len, limits);
	if (r)
		return r;
	m.text[sizeof(m.text) - 1] = '\0';
	*ret = m;
	return 0;
}

static uint32_t bucket_index(const void *payload, uint32_t i)
{
	return le32_get((const char *)payload + sizeof(struct wire_report) +
			(size_t)i * sizeof(struct wire_bucket));
}

int report_bucket(const void *payload, uint32_t i, const struct wire_limits *limits,
		  struct wire_bucket *ret)
{
	struct wire_bucket b;
	int r;

	memcpy(&b, (const char *)payload + sizeof(struct wire_report) + (size_t)i * sizeof(b),
	       sizeof(b));
	r = below("REPORT", "bucket", b.index, limits->buckets);
	if (!r && i && bucket_index(payload, i - 1) >= b.index)
		r = err_new(-EPROTO, "REPORT: buckets are out of order at %u", b.index);
	if (!r)
		*ret = b;
	return r;
}

const char *worker_end_name(unsigned end)
{
	static const char *const names[] = {
		[WORKER_RUNNING] = "running",	[WORKER_STOPPED] = "stopped",
		[WORKER_FINISHED] = "finished", [WORKER_ERROR] = "error",
		[WORKER_CRASHED] = "crashed",	[WORKER_STUCK] = "stuck",
		[WORKER_KILLED] = "killed",
	};

	return end < ARRAY_SIZE(names) ? names[end] : "unknown";
}
