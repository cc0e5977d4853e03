// SPDX-License-Identifier: GPL-2.0-only
#include "harness/payload_record.h"

#include "base/json.h"
#include "base/util.h"
#include "harness/metric.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_BYTES = 4096, EVIDENCE_LINES = 8, EVIDENCE_LINE_BYTES = 160 };

_Static_assert((int)METRIC_STREAMS == (int)PAYLOAD_STREAMS, "each stream is a metric's source");

static const char *const end_names[PAYLOAD_ENDS] = {
	[PAYLOAD_EXITED] = "exited",
	[PAYLOAD_TIMED_OUT] = "timed out",
	[PAYLOAD_KILLED] = "killed by the scenario",
	[PAYLOAD_NOT_STARTED] = "not started",
};

static const char *end_name(const struct payload_data *p)
{
	return p->has_ended ? end_names[p->exit.end] : "unknown";
}

int payload_metric(const struct telemetry *t, uint32_t i, const struct ktstr_metric *m, double *ret)
{
	const struct payload_data *p = &t->payloads[i];
	struct metric_text texts[METRIC_STREAMS];

	for (int s = 0; s < METRIC_STREAMS; s++)
		texts[s] = (struct metric_text){ .data = buf_text(&p->streams[s].bytes),
						 .len = p->streams[s].bytes.len,
						 .is_cut = p->streams[s].is_cut };
	return metric_read(t->cell->payloads[i].from, m, texts, ret);
}

static double life_s(const struct payload_data *p)
{
	return p->exit.end_ns > p->exit.start_ns
		       ? (double)(p->exit.end_ns - p->exit.start_ns) / NSEC_PER_SEC
		       : 0;
}

static void add_end(const struct payload_data *p, struct buf *out)
{
	if (!p->has_ended || p->exit.end == PAYLOAD_NOT_STARTED)
		buf_str(out, end_name(p));
	else if (p->exit.end != PAYLOAD_EXITED)
		buf_printf(out, "%s after %.1f s", end_name(p), life_s(p));
	else if (p->exit.signal)
		buf_printf(out, "signal %u after %.1f s", p->exit.signal, life_s(p));
	else
		buf_printf(out, "exit %u after %.1f s", p->exit.status, life_s(p));
}

void payload_words(const struct telemetry *t, uint32_t i, struct buf *out)
{
	const struct ktstr_payload *from = t->cell->payloads[i].from;

	buf_printf(out, "%s: ", from->name);
	add_end(&t->payloads[i], out);
	for (const struct ktstr_metric *m = from->metrics; m && m->name; m++) {
		double value;

		if (payload_metric(t, i, m, &value) == 0)
			buf_printf(out, ", %s %.6g%s%s", m->name, value, m->unit ? " " : "",
				   m->unit ? m->unit : "");
		else
			err_clear();
	}
}

/* Where the last @lines lines of a text begin. */
static size_t tail_start(const char *text, size_t len, unsigned lines)
{
	size_t at = len;

	while (at && lines) {
		at--;
		if (at && text[at - 1] == '\n')
			lines--;
	}
	return at;
}

/* A line for a terminal: what could move its cursor is a dot. */
static void add_line(struct buf *out, const char *head, const char *text, size_t len)
{
	buf_str(out, head);
	for (size_t i = 0; i < len && i < EVIDENCE_LINE_BYTES; i++)
		buf_printf(out, "%c", isprint((unsigned char)text[i]) ? text[i] : '.');
	buf_str(out, "\n");
}

static void add_lines(const char *name, const char *stream, const struct buf *bytes,
		      struct buf *out)
{
	const char *text = buf_text(bytes), *end = text + bytes->len;
	char head[PLAN_NAME_BYTES + 16];

	snprintf(head, sizeof(head), "%s %s: ", name, stream);
	for (const char *line = text + tail_start(text, bytes->len, EVIDENCE_LINES); line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((newline ? newline : end) - line);

		add_line(out, head, line, len);
		line += len + 1;
	}
}

void payload_last_lines(const struct telemetry *t, uint32_t i, struct buf *out)
{
	const struct payload_data *p = &t->payloads[i];
	const char *name = t->cell->payloads[i].from->name;

	add_lines(name, "stdout", &p->streams[0].bytes, out);
	add_lines(name, "stderr", &p->streams[1].bytes, out);
}

/* ---- JSON ---- */

static void metric_json_member(const struct telemetry *t, uint32_t i, const struct ktstr_metric *m,
			       struct json *j)
{
	double value;
	int r = payload_metric(t, i, m, &value);

	json_object(j, NULL);
	json_str(j, "name", m->name);
	if (r == 0)
		json_double(j, "value", value);
	else
		json_str(j, "value", NULL);
	json_str(j, "unit", m->unit);
	json_bool(j, "is_exact", m->is_exact);
	if (r < 0)
		json_str(j, "why", err_text());
	json_object_end(j);
	err_clear();
}

/* The end of what it wrote; the whole of it would fill the store. */
static void stream_json(const struct payload_stream *s, const char *key, struct json *j)
{
	size_t kept = MIN(s->bytes.len, (size_t)RECORD_BYTES);
	cleanup(buf_deinit) struct buf text = BUF_NULL;

	if (kept)
		buf_add(&text, s->bytes.data + s->bytes.len - kept, kept);
	json_object(j, key);
	json_u64(j, "bytes", s->bytes.len);
	json_bool(j, "cut", s->is_cut);
	json_str(j, "end", buf_text(&text));
	json_object_end(j);
}

static void payload_json(const struct telemetry *t, uint32_t i, struct json *j)
{
	static const char *const keys[PAYLOAD_STREAMS] = { "stdout", "stderr", "file" };
	const struct ktstr_payload *from = t->cell->payloads[i].from;
	const struct payload_data *p = &t->payloads[i];
	unsigned cpu;

	json_object(j, NULL);
	json_str(j, "name", from->name);
	json_str(j, "program", t->cell->payloads[i].program);
	json_str(j, "end", end_name(p));
	json_u64(j, "status", p->exit.status);
	json_u64(j, "signal", p->exit.signal);
	json_u64(j, "start_ns", p->exit.start_ns);
	json_u64(j, "end_ns", p->exit.end_ns);
	json_u64(j, "cpu_ns", p->exit.cpu_ns);
	json_u64(j, "noise_permille", telemetry_payload_noise_permille(t, i, &cpu));
	json_array(j, "metrics");
	for (const struct ktstr_metric *m = from->metrics; m && m->name; m++)
		metric_json_member(t, i, m, j);
	json_array_end(j);
	for (int s = 0; s < PAYLOAD_STREAMS; s++)
		stream_json(&p->streams[s], keys[s], j);
	json_object_end(j);
}

void payloads_json(const struct telemetry *t, struct buf *out)
{
	struct json j = json_to(out);

	if (!t->limits.payloads)
		return;
	json_array(&j, NULL);
	for (uint32_t i = 0; i < t->limits.payloads; i++)
		payload_json(t, i, &j);
	json_array_end(&j);
}
