// SPDX-License-Identifier: GPL-2.0-only
/* JSON lines: one object for each result, as the store keeps it, then one for the run. */
#include "harness/report.h"

#include "base/json.h"
#include "base/util.h"

static void json_result(struct reporter *r, const struct result *result)
{
	cleanup(buf_deinit) struct buf line = BUF_NULL;

	result_json(result, &line);
	fprintf(r->out, "%s\n", buf_text(&line));
}

static void json_counts(struct json *j, const struct verdict_counts *counts)
{
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		json_u64(j, verdict_name(v), counts->of[v]);
}

static void json_scenario(struct reporter *r, const struct result *last)
{
	char name[RESULT_NAME_BYTES];
	struct json j = json_to(&r->tally);

	if (r->tally.len)
		buf_str(&r->tally, ",");
	json_object(&j, NULL);
	json_str(&j, "scenario", result_name(last, name));
	json_str(&j, "topology", last->topology);
	json_counts(&j, &r->of_scenario);
	json_object_end(&j);
}

static void json_end(struct reporter *r)
{
	cleanup(buf_deinit) struct buf line = BUF_NULL, all = BUF_NULL;
	struct json j = json_to(&line);

	json_object(&j, NULL);
	json_object(&j, "summary");
	json_counts(&j, &r->counts);
	json_object_end(&j);
	if (r->tally.len) {
		buf_printf(&all, "[%s]", buf_text(&r->tally));
		json_raw(&j, "scenarios", buf_text(&all));
	}
	json_u64(&j, "total_ns", now_ns() - r->start_ns);
	json_object_end(&j);
	fprintf(r->out, "%s\n", buf_text(&line));
}

const struct report_format report_json = {
	.name = "json",
	.result = json_result,
	.scenario = json_scenario,
	.end = json_end,
};
