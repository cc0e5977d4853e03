// SPDX-License-Identifier: GPL-2.0-only
/* KTAP, version 1: what kernel CI reads. Verdicts that are neither ok nor not ok are skips with their
 * own word, so that no reader takes noise or our trouble for a kernel's failure; they are told from
 * each other by the words after SKIP. Source: Linux, Documentation/dev-tools/ktap.rst. */
#include "harness/report.h"

#include <string.h>

static void ktap_begin(struct reporter *r)
{
	fprintf(r->out, "KTAP version 1\n1..%u\n", r->planned);
}

static void print_comment(FILE *out, const char *head, const char *text)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		fprintf(out, "# %s: %.*s\n", head, (int)(end - text), text);
}

static bool is_not_ok(enum verdict v)
{
	return v == VERDICT_FAIL || v == VERDICT_TIMEOUT;
}

static void ktap_result(struct reporter *r, const struct result *result)
{
	enum verdict v = result->verdict;
	bool is_plain = v == VERDICT_PASS || is_not_ok(v);
	char name[RESULT_NAME_BYTES];

	for (uint32_t i = 0; i < result->finding_count; i++) {
		const struct finding *f = &result->findings[i];

		fprintf(r->out, "# %s: %s: %s\n", f->claim->text, verdict_name(f->verdict),
			buf_text(&f->figures));
		print_comment(r->out, "evidence", buf_text(&f->evidence));
	}
	if (!is_plain || v == VERDICT_TIMEOUT)
		print_comment(r->out, "console", buf_text(&result->console));
	fprintf(r->out, "%s %u %s-%s", is_not_ok(v) ? "not ok" : "ok", r->shown,
		result_name(result, name), result->topology);
	if (result->repeats > 1)
		fprintf(r->out, ".%u", result->repeat);
	if (v == VERDICT_XFAIL)
		fprintf(r->out, " # XFAIL %s", buf_text(&result->reason));
	else if (!is_plain)
		fprintf(r->out, " # SKIP %s %s", verdict_name(v), buf_text(&result->reason));
	else if (v == VERDICT_TIMEOUT)
		fprintf(r->out, " # TIMEOUT");
	fputc('\n', r->out);
}

static void ktap_scenario(struct reporter *r, const struct result *last)
{
	char name[RESULT_NAME_BYTES];
	char text[VERDICT_COUNTS_BYTES];

	fprintf(r->out, "# %s-%s: %s\n", result_name(last, name), last->topology,
		verdict_counts_text(&r->of_scenario, text));
}

static void ktap_end(struct reporter *r)
{
	const unsigned *of = r->counts.of;
	unsigned fail = of[VERDICT_FAIL] + of[VERDICT_TIMEOUT];
	unsigned pass = of[VERDICT_PASS] + of[VERDICT_XFAIL];

	fprintf(r->out, "# Totals: pass:%u fail:%u skip:%u\n", pass, fail, r->shown - pass - fail);
}

const struct report_format report_ktap = {
	.name = "ktap",
	.begin = ktap_begin,
	.result = ktap_result,
	.scenario = ktap_scenario,
	.end = ktap_end,
};
