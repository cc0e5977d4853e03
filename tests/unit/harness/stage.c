// SPDX-License-Identifier: GPL-2.0-only
#include "stage.h"

#include "base/util.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t first_ns = 5 * NSEC_PER_SEC, apart_ns = 10 * NSEC_PER_SEC;

/* As much CPU time as its part of the machine, if all want the same. */
static struct wire_report report_of(const struct stage *s, const struct window_data *d,
				    uint32_t worker)
{
	return (struct wire_report){ .worker = worker,
				     .end = WORKER_RUNNING,
				     .start_ns = d->begin_ns,
				     .end_ns = d->end_ns,
				     .iterations = 1000,
				     .checkpoints = 1000,
				     .cpu_ns = (d->end_ns - d->begin_ns) * s->t.cpu_count /
					       s->t.worker_count };
}

static void fill_window(struct stage *s, uint32_t i)
{
	struct window_data *d = &s->t.windows[i];

	d->has_begun = d->has_ended = true;
	d->begin_ns = first_ns + i * apart_ns;
	d->end_ns = d->begin_ns + s->result.cell.windows[i].hold_ns;
	for (unsigned cpu = 0; cpu < s->t.cpu_count; cpu++)
		d->begin[cpu].is_there = d->end[cpu].is_there = true;
	for (uint32_t c = 0; c < s->result.cell.plan.header.cgroup_count; c++)
		d->cgroups_begin[c].is_there = d->cgroups_end[c].is_there = true;
	for (uint32_t w = 0; w < s->t.worker_count; w++) {
		d->reports[w].is_there = true;
		d->reports[w].report = report_of(s, d, w);
		s->t.whole[w].is_there = true;
		s->t.whole[w].report = d->reports[w].report;
		s->t.whole[w].report.start_ns = first_ns;
		s->t.whole[w].report.end = WORKER_STOPPED;
	}
}

void stage_set(struct stage *s, const struct ktstr_scenario *scenario)
{
	static const struct cell_options options = { 0 };

	*s = (struct stage){ .record = { .name = "x", .file = "x.c", .scenario = scenario } };
	s->result.record = &s->record;
	if (cell_compile(&s->record, &options, &s->result.cell))
		fail_msg("%s", err_text());
	assert_int_equal(telemetry_init(&s->t, &s->result.cell), 0);
	s->t.is_done = true;
	for (uint32_t i = 0; i < s->t.window_count; i++)
		fill_window(s, i);
}

void stage_deinit(struct stage *s)
{
	telemetry_deinit(&s->t);
	result_deinit(&s->result);
}

const char *stage_refusal(const struct ktstr_scenario *scenario)
{
	static const struct cell_options options = { 0 };
	struct ktstr_record record = { .name = "x", .file = "x.c", .scenario = scenario };
	static char words[1024];
	struct cell cell;

	words[0] = '\0';
	if (cell_compile(&record, &options, &cell) == 0) {
		cell_deinit(&cell);
		return words;
	}
	strncpy(words, err_text(), sizeof(words) - 1);
	err_clear();
	return words;
}

enum verdict stage_verdict(struct stage *s)
{
	assert_int_equal(judge_trial(&s->result, &s->t), 0);
	return s->result.verdict;
}

const struct finding *stage_finding(const struct stage *s, const char *check, uint32_t window)
{
	for (uint32_t i = 0; i < s->result.finding_count; i++) {
		const struct finding *f = &s->result.findings[i];

		if (strcmp(f->claim->check->name, check) == 0 &&
		    f->window == &s->result.cell.windows[window])
			return f;
	}
	return NULL;
}

struct window_data *stage_window(struct stage *s, uint32_t window)
{
	return &s->t.windows[window];
}

struct wire_report *stage_report(struct stage *s, uint32_t window, uint32_t worker)
{
	return &s->t.windows[window].reports[worker].report;
}

void stage_wake(struct stage *s, uint32_t window, uint32_t worker, unsigned count, uint64_t ns)
{
	struct worker_report *r = &s->t.windows[window].reports[worker];

	if (!r->wakes) {
		r->wakes = calloc(1, sizeof(*r->wakes));
		assert_non_null(r->wakes);
		*r->wakes = HIST_EMPTY;
	}
	for (unsigned i = 0; i < count; i++)
		hist_add(r->wakes, ns);
	r->report.wakes += count;
	r->report.wake_max_ns = r->wakes->max_ns;
}
