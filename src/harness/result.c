// SPDX-License-Identifier: GPL-2.0-only
#include "harness/result.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void result_deinit(struct result *r)
{
	findings_free(r->findings, r->finding_count);
	for (uint32_t i = 0; r->windows && i < r->cell.window_count; i++)
		free(r->windows[i].cpus);
	free(r->windows);
	timeline_deinit(&r->timeline);
	snapshots_deinit(&r->snapshots);
	buf_deinit(&r->reason);
	buf_deinit(&r->console);
	buf_deinit(&r->disks);
	buf_deinit(&r->payloads);
	buf_deinit(&r->rerun);
	cell_deinit(&r->cell);
	*r = (struct result){ 0 };
}

char *result_name(const struct result *r, char *text)
{
	const struct fault *f = r->cell.fault;

	snprintf(text, RESULT_NAME_BYTES, "%s%s%s", r->record->name, f ? "!" : "",
		 f ? f->name : "");
	return text;
}

void result_conclude(struct result *r)
{
	const char *expected = r->record->scenario->expected_reason;

	r->verdict = VERDICT_PASS;
	for (uint32_t i = 0; i < r->finding_count; i++)
		r->verdict = verdict_worse(r->verdict, r->findings[i].verdict);
	if (r->verdict == VERDICT_FAIL && expected) {
		r->verdict = VERDICT_XFAIL;
		buf_printf(&r->reason, "expected: %s", expected);
	}
}

static void json_lines(struct json *j, const char *key, const char *text)
{
	cleanup(buf_deinit) struct buf line = BUF_NULL;

	json_array(j, key);
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		buf_reset(&line);
		buf_add(&line, text, (size_t)(end - text));
		json_str(j, NULL, buf_text(&line));
	}
	json_array_end(j);
}

static void noise_json(const struct finding *f, struct json *j)
{
	json_object(j, "noise");
	json_u64(j, "permille", f->noise_permille);
	json_u64(j, "limit_permille", f->noise_limit_permille);
	json_u64(j, "cpu", f->noise_cpu);
	json_object_end(j);
}

static void finding_json(const struct finding *f, uint64_t window_ns, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "claim", f->claim->text);
	json_str(j, "check", f->claim->check->name);
	json_str(j, "verdict", verdict_name(f->verdict));
	json_str(j, "unit", f->unit);
	json_u64(j, "observed", f->observed);
	json_u64(j, "bound", f->bound);
	json_u64(j, "samples", f->samples);
	json_str(j, "window", f->window->name);
	json_u64(j, "window_ns", window_ns);
	json_bool(j, "held", f->holds);
	if (f->is_timed)
		noise_json(f, j);
	json_str(j, "figures", buf_text(&f->figures));
	json_lines(j, "evidence", buf_text(&f->evidence));
	if (f->details.len)
		json_raw(j, "details", buf_text(&f->details));
	json_object_end(j);
}

uint64_t result_window_ns(const struct result *r, const struct cell_window *w)
{
	const struct result_window *is;

	if (w == &r->cell.whole)
		return r->run_ns;
	is = r->windows ? &r->windows[w - r->cell.windows] : NULL;
	return is && is->end_ns > is->begin_ns ? is->end_ns - is->begin_ns : w->hold_ns;
}

static void cpu_json(const struct result_cpu *cpu, struct json *j)
{
	json_object(j, NULL);
	json_u64(j, "busy_ns", cpu->busy_ns);
	json_u64(j, "idle_ns", cpu->idle_ns);
	json_u64(j, "waited_ns", cpu->waited_ns);
	json_u64(j, "steal_ns", cpu->steal_ns);
	json_u64(j, "host_delay_ns", cpu->host_delay_ns);
	json_u64(j, "noise_permille", cpu->noise_permille);
	json_object_end(j);
}

static void windows_json(const struct result *r, struct json *j)
{
	json_array(j, "windows");
	for (uint32_t w = 0; r->windows && w < r->cell.window_count; w++) {
		json_object(j, NULL);
		json_str(j, "name", r->cell.windows[w].name);
		json_u64(j, "begin_ns", r->windows[w].begin_ns);
		json_u64(j, "end_ns", r->windows[w].end_ns);
		json_u64(j, "ticks", r->windows[w].ticks);
		json_u64(j, "ticks_ns", r->windows[w].ticks_ns);
		if (r->cell.windows[w].condition[0]) {
			json_str(j, "condition", r->cell.windows[w].condition);
			json_bool(j, "is_met", r->windows[w].is_condition_met);
		}
		json_array(j, "cpus");
		for (unsigned cpu = 0; cpu < r->cpu_count; cpu++)
			cpu_json(&r->windows[w].cpus[cpu], j);
		json_array_end(j);
		json_object_end(j);
	}
	json_array_end(j);
}

/* What a scenario cost beyond its declared time, in a machine that was up. */
static uint64_t overhead_ns(const struct result *r)
{
	return r->run_ns > r->cell.hold_ns ? r->run_ns - r->cell.hold_ns : 0;
}

void result_json(const struct result *r, struct buf *out)
{
	struct json j = json_to(out);
	char name[RESULT_NAME_BYTES];

	json_object(&j, NULL);
	json_str(&j, "scenario", result_name(r, name));
	if (r->cell.fault)
		json_str(&j, "fault", r->cell.fault->text);
	json_str(&j, "topology", r->topology);
	json_str(&j, "kernel", r->kernel);
	json_u64(&j, "repeat", r->repeat);
	json_u64(&j, "repeats", r->repeats);
	json_str(&j, "verdict", verdict_name(r->verdict));
	json_str(&j, "reason", r->reason.len ? buf_text(&r->reason) : NULL);
	json_u64(&j, "boot_ns", r->boot_ns);
	json_u64(&j, "run_ns", r->run_ns);
	json_u64(&j, "total_ns", r->total_ns);
	json_u64(&j, "declared_ns", r->cell.hold_ns);
	json_u64(&j, "overhead_ns", overhead_ns(r));
	json_array(&j, "claims");
	for (uint32_t i = 0; i < r->finding_count; i++)
		finding_json(&r->findings[i], result_window_ns(r, r->findings[i].window), &j);
	json_array_end(&j);
	windows_json(r, &j);
	timeline_json(&r->timeline, &r->cell, &r->clock, &j);
	snapshots_json(&r->snapshots, &r->cell, &r->clock, &j);
	if (r->payloads.len)
		json_raw(&j, "payloads", buf_text(&r->payloads));
	if (r->disks.len)
		json_raw(&j, "disks", buf_text(&r->disks));
	if (r->console.len)
		json_lines(&j, "console", buf_text(&r->console));
	json_str(&j, "rerun", buf_text(&r->rerun));
	json_object_end(&j);
}
