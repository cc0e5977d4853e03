// SPDX-License-Identifier: GPL-2.0-only
/* For people: one line for what held; for the rest a block that says claim, limit, observed, window,
 * who and where, the console's last lines, and how to do it again. */
#include "harness/report.h"

#include "base/utf8.h"
#include "base/util.h"

#include <string.h>

static const char *const colors[VERDICT_COUNT] = {
	[VERDICT_PASS] = "\033[32m",   [VERDICT_FAIL] = "\033[1;31m",
	[VERDICT_SKIP] = "\033[36m",   [VERDICT_UNDECIDED] = "\033[33m",
	[VERDICT_XFAIL] = "\033[32m",  [VERDICT_TIMEOUT] = "\033[1;31m",
	[VERDICT_BOOT] = "\033[1;35m", [VERDICT_INFRA] = "\033[1;35m",
};

static bool is_settled(enum verdict v)
{
	return v == VERDICT_PASS || v == VERDICT_SKIP || v == VERDICT_XFAIL;
}

/* Of each claim the window in which it stood worst. */
static const struct finding *worst_of_claim(const struct result *result, const struct claim *claim)
{
	const struct finding *worst = NULL;

	for (uint32_t i = 0; i < result->finding_count; i++) {
		const struct finding *f = &result->findings[i];

		if (f->claim != claim)
			continue;
		if (!worst || verdict_worse(worst->verdict, f->verdict) != worst->verdict ||
		    (f->verdict == worst->verdict && f->observed > worst->observed))
			worst = f;
	}
	return worst;
}

/* Words of the guest, of its console and of scenarios: a terminal must not obey them. */
static void print_inert(FILE *out, const char *text)
{
	cleanup(buf_deinit) struct buf inert = BUF_NULL;

	utf8_add_printable(&inert, text);
	fputs(buf_text(&inert), out);
}

static void print_figures(FILE *out, const struct result *result)
{
	const char *before = "";

	if (result->reason.len) {
		print_inert(out, buf_text(&result->reason));
		before = "; ";
	}
	for (uint32_t c = 0; result->findings && c < result->cell.claim_count; c++) {
		const struct finding *f = worst_of_claim(result, &result->cell.claims[c]);

		if (f)
			fprintf(out, "%s%s: %s", before, f->claim->check->name,
				buf_text(&f->figures));
		before = "; ";
	}
}

static void print_lines(FILE *out, const char *head, const char *text)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		cleanup(buf_deinit) struct buf line = BUF_NULL;

		buf_add(&line, text, (size_t)(end - text));
		for (size_t i = 0; i < line.len; i++)
			if (line.data[i] == '\t')
				line.data[i] = ' ';
		fprintf(out, "    %-10s ", head);
		print_inert(out, buf_text(&line));
		fputs("\n", out);
		head = "";
	}
}

static void print_finding(FILE *out, const struct result *result, const struct finding *f)
{
	char observed[48], bound[48], hold[32];

	fprintf(out, "    %-10s %s: %s\n", "claim", f->claim->text, verdict_name(f->verdict));
	fprintf(out, "    %-10s %s, limit %s, in window %s of %s, %llu samples\n", "observed",
		report_value(f->observed, f->unit, observed),
		report_value(f->bound, f->unit, bound), f->window->name,
		report_duration(result_window_ns(result, f->window), hold),
		(unsigned long long)f->samples);
	print_lines(out, "evidence", buf_text(&f->evidence));
}

/* Every event, in milliseconds since the plan began. */
static void print_timeline(FILE *out, const struct result *result)
{
	const struct timeline *t = &result->timeline;
	char text[TIMELINE_TEXT_BYTES];

	for (uint32_t i = 0; i < t->count; i++)
		fprintf(out, "    %-10s +%.3f ms  %s\n", i ? "" : "events",
			((double)t->events[i].ns - (double)t->events[0].ns) / 1e6,
			timeline_text(&t->events[i], &result->cell, text));
	if (t->left_out)
		fprintf(out, "    %-10s %u events more are not kept\n", "", t->left_out);
}

static void pretty_result(struct reporter *r, const struct result *result)
{
	const char *color = r->has_color ? colors[result->verdict] : "";
	char took[32], name[RESULT_NAME_BYTES];

	fprintf(r->out, "%s%-9s%s %-20s %-10s %s  ", color, verdict_name(result->verdict),
		r->has_color ? "\033[0m" : "", result_name(result, name), result->topology,
		result->kernel);
	if (result->repeats > 1)
		fprintf(r->out, "%u/%u  ", result->repeat, result->repeats);
	print_figures(r->out, result);
	fprintf(r->out, "  (%s)\n", report_duration(result->total_ns, took));
	for (uint32_t i = 0; i < result->finding_count; i++) {
		if (r->is_verbose || result->findings[i].verdict != VERDICT_PASS)
			print_finding(r->out, result, &result->findings[i]);
	}
	if (r->is_verbose) {
		print_timeline(r->out, result);
		snapshots_print(&result->snapshots, &result->cell, r->out);
	}
	if (result->cell.fault)
		fprintf(r->out, "    %-10s %s\n", "FAULT", result->cell.fault->text);
	if (is_settled(result->verdict))
		return;
	print_lines(r->out, "console", buf_text(&result->console));
	fprintf(r->out, "    %-10s %s\n", "again", buf_text(&result->rerun));
}

static void pretty_scenario(struct reporter *r, const struct result *last)
{
	char name[RESULT_NAME_BYTES];
	char text[VERDICT_COUNTS_BYTES];

	buf_printf(&r->tally, "%-20s %-10s %s\n", result_name(last, name), last->topology,
		   verdict_counts_text(&r->of_scenario, text));
}

static void pretty_end(struct reporter *r)
{
	char text[VERDICT_COUNTS_BYTES], took[32];

	fputs(buf_text(&r->tally), r->out);
	fprintf(r->out, "%s in %s\n",
		r->shown ? verdict_counts_text(&r->counts, text) : "nothing ran",
		report_duration(now_ns() - r->start_ns, took));
}

const struct report_format report_pretty = {
	.name = "pretty",
	.result = pretty_result,
	.scenario = pretty_scenario,
	.end = pretty_end,
};
