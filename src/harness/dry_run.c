// SPDX-License-Identifier: GPL-2.0-only
#include "harness/dry_run.h"

#include "base/json.h"
#include "base/util.h"
#include "harness/jobs.h"
#include "harness/rerun.h"

/* One scenario on its machine. */
struct rehearsal {
	const struct job *job;
	struct cell cell;
	const char *release; /* of the kernel; NULL: none */
	char topology[TOPOLOGY_LABEL_BYTES];
	struct buf skip; /* why it would be one; empty: it would run */
	struct buf again;
};

static void rehearsal_deinit(struct rehearsal *r)
{
	cell_deinit(&r->cell);
	buf_deinit(&r->skip);
	buf_deinit(&r->again);
}

static int rehearse(const struct job *job, const struct run_options *options, const char *release,
		    struct rehearsal *ret)
{
	struct cell_options cell_options = options->cell;
	int r;

	ret->job = job;
	ret->release = release;
	cell_options.fault = job->fault;
	r = cell_compile(job->record, &cell_options, &ret->cell);
	if (r < 0)
		return err_trace(r);
	if (r == CELL_NEEDS_UNMET)
		buf_str(&ret->skip, err_text());
	else if (release)
		cell_is_kernel_too_old(&ret->cell, release, &ret->skip);
	err_clear();
	topology_label(&ret->cell.topology, ret->topology);
	rerun_line(options, job->record, ret->topology, job->fault, &ret->again);
	return 0;
}

/* ---- for people ---- */

static void text_window(struct buf *out, const struct cell_window *w)
{
	char hold[32];

	/* A condition says its longest time itself. */
	buf_printf(out, "    %-10s %s: %s\n", "window", w->name,
		   w->condition[0] ? w->condition : report_duration(w->hold_ns, hold));
}

static void text_parts(struct buf *out, const struct cell *c)
{
	char name[CELL_NAME_BYTES];

	for (uint32_t i = 0; i < c->plan.header.group_count; i++)
		buf_printf(out, "    %-10s %s, %u\n", "workers", cell_group_name(c, i, name),
			   c->plan.groups[i].worker_count);
	for (uint32_t i = 0; i < c->plan.header.payload_count; i++)
		buf_printf(out, "    %-10s %s, %s\n", "payload", c->payloads[i].from->name,
			   c->payloads[i].program);
	for (uint32_t i = 0; i < c->window_count; i++)
		text_window(out, &c->windows[i]);
	for (uint32_t i = 0; i < c->claim_count; i++)
		buf_printf(out, "    %-10s %s\n", "claim", c->claims[i].text);
	for (unsigned id = 0; id < FEATURE_COUNT; id++)
		if (c->features & 1U << id)
			buf_printf(out, "    %-10s %s, if the kernel has %s\n", "needs",
				   feature_at(id)->name, feature_at(id)->path);
}

static void text_rehearsal(struct buf *out, const struct rehearsal *r)
{
	const struct cell *c = &r->cell;
	unsigned cpus = topology_cpu_count(&c->topology);
	bool is_skipped = r->skip.len;
	char timeout[32];

	buf_printf(out, "%-9s %s%s%s  %s, %u CPU%s, %llu MiB  %s%s%s\n",
		   is_skipped ? "SKIP" : "would run", r->job->record->name,
		   r->job->fault ? "!" : "", r->job->fault ? r->job->fault->name : "", r->topology,
		   cpus, cpus == 1 ? "" : "s", (unsigned long long)(c->memory_bytes / MIB),
		   r->release ? r->release : "no kernel in the cache", is_skipped ? "  " : "",
		   buf_text(&r->skip));
	if (is_skipped)
		return;
	text_parts(out, c);
	buf_printf(out, "    %-10s %s\n    %-10s %s\n", "timeout",
		   report_duration(c->timeout_ns, timeout), "again", buf_text(&r->again));
}

/* ---- JSON ---- */

static void json_windows(struct json *j, const struct cell *c)
{
	json_array(j, "windows");
	for (uint32_t i = 0; i < c->window_count; i++) {
		const struct cell_window *w = &c->windows[i];

		json_object(j, NULL);
		json_str(j, "name", w->name);
		json_u64(j, "hold_ns", w->hold_ns);
		if (w->condition[0])
			json_str(j, "condition", w->condition);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_workers(struct json *j, const struct cell *c)
{
	char name[CELL_NAME_BYTES];

	json_array(j, "workers");
	for (uint32_t i = 0; i < c->plan.header.group_count; i++) {
		json_object(j, NULL);
		json_str(j, "name", cell_group_name(c, i, name));
		json_u64(j, "count", c->plan.groups[i].worker_count);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "payloads");
	for (uint32_t i = 0; i < c->plan.header.payload_count; i++) {
		json_object(j, NULL);
		json_str(j, "name", c->payloads[i].from->name);
		json_str(j, "program", c->payloads[i].program);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_parts(struct json *j, const struct cell *c)
{
	json_workers(j, c);
	json_windows(j, c);
	json_array(j, "claims");
	for (uint32_t i = 0; i < c->claim_count; i++)
		json_str(j, NULL, c->claims[i].text);
	json_array_end(j);
	json_array(j, "features");
	for (unsigned id = 0; id < FEATURE_COUNT; id++)
		if (c->features & 1U << id)
			json_str(j, NULL, feature_at(id)->name);
	json_array_end(j);
	json_u64(j, "timeout_ns", c->timeout_ns);
}

static void json_rehearsal(struct buf *out, const struct rehearsal *r)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_str(&j, "scenario", r->job->record->name);
	json_str(&j, "fault", r->job->fault ? r->job->fault->name : NULL);
	json_str(&j, "file", r->job->record->file);
	json_str(&j, "topology", r->topology);
	json_u64(&j, "cpus", topology_cpu_count(&r->cell.topology));
	json_u64(&j, "memory_bytes", r->cell.memory_bytes);
	json_str(&j, "kernel", r->release);
	json_str(&j, "skip", r->skip.len ? buf_text(&r->skip) : NULL);
	if (!r->skip.len)
		json_parts(&j, &r->cell);
	json_str(&j, "rerun", buf_text(&r->again));
	json_object_end(&j);
	buf_str(out, "\n");
}

int dry_run(const struct registry *chosen, const struct run_options *options, const char *release,
	    bool is_json, struct buf *out)
{
	cleanup(freep) struct job *jobs = NULL;
	size_t count = 0, skips = 0;
	int r = jobs_list(chosen, options, &jobs, &count);

	for (size_t i = 0; i < count && r == 0; i++) {
		cleanup(rehearsal_deinit) struct rehearsal one = { .cell = CELL_NULL };

		r = rehearse(&jobs[i], options, release, &one);
		if (r == 0 && is_json)
			json_rehearsal(out, &one);
		else if (r == 0)
			text_rehearsal(out, &one);
		skips += one.skip.len > 0;
	}
	if (r == 0 && !is_json)
		buf_printf(out, "%zu would run, %zu would be SKIP\n", count - skips, skips);
	return r < 0 ? err_trace(r) : buf_ok(out);
}
