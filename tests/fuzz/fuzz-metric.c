// SPDX-License-Identifier: GPL-2.0-only
/* What a payload wrote, read as JSON, as YAML and line by line: every byte is the guest's. Whatever it
 * is: a finite number, or words that say why there is none. The paths and patterns are an author's. */
#include "base/err.h"
#include "harness/metric.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ktstr_metric metrics[] = {
	{ .name = "m", .json = "jobs.0.read.iops" },
	{ .name = "m", .json = "*.*.*", .take = "sum" },
	{ .name = "m", .json = "0", .take = "last" },
	{ .name = "m", .yaml = "metrics.0.bogo-ops" },
	{ .name = "m", .yaml = "*.*.*.*", .take = "mean" },
	{ .name = "m", .pattern = "^Time: ([0-9.]+)" },
	{ .name = "m", .pattern = "Max: *([0-9]+|x*)*", .take = "max" },
	{ .name = "m", .pattern = "=(.*)", .take = "min" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ktstr_payload payload = { .name = "p" };
	const struct metric_text texts[METRIC_STREAMS] = {
		{ .data = (const char *)data, .len = size }, { .data = "" }, { .data = "" }
	};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		double value;
		int r;

		if (metric_check(&payload, &metrics[i]) < 0)
			continue;
		r = metric_read(&payload, &metrics[i], texts, &value);
		assert(r == 0 ? isfinite(value) : err_text()[0] != '\0');
		err_clear();
	}
	return 0;
}
