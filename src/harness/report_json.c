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

static void json_end(struct reporter *r)
{
	cleanup(buf_deinit) struct buf line = BUF_NULL;
	struct json j = json_to(&line);

	json_object(&j, NULL);
	json_object(&j, "summary");
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		json_u64(&j, verdict_name(v), r->counts.of[v]);
	json_object_end(&j);
	json_u64(&j, "total_ns", now_ns() - r->start_ns);
	json_object_end(&j);
	fprintf(r->out, "%s\n", buf_text(&line));
}

const struct report_format report_json = {
	.name = "json",
	.result = json_result,
	.end = json_end,
};
