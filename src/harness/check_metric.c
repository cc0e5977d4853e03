// SPDX-License-Identifier: GPL-2.0-only
/* metric: a figure that a payload wrote is within its bounds. The program measured it, over its own
 * life, so the noise of just that time counts: unless the metric is exact, as a count of errors is,
 * the claim is UNDECIDED when there was too much of it. A figure that is not there is nobody's
 * verdict: INFRA, or UNDECIDED if the payload did not come to its end in time. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/noise.h"
#include "harness/payload_record.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

enum { PARAM_MIN, PARAM_MAX, PARAM_NOISE };

/* As far as a finding's thousandths go without losing one. */
static const double value_max = 9e12;

static void missing(const struct telemetry *t, uint32_t payload, const char *why,
		    struct finding *ret)
{
	bool is_late = t->payloads[payload].has_ended &&
		       t->payloads[payload].exit.end == PAYLOAD_TIMED_OUT;

	ret->verdict = is_late ? VERDICT_UNDECIDED : VERDICT_INFRA;
	buf_printf(&ret->figures, "%s has no value", ret->claim->metric);
	buf_printf(&ret->evidence, "%s\n", why);
	payload_last_lines(t, payload, &ret->evidence);
}

static void judge_bounds(const struct claim *claim, double value, struct finding *ret)
{
	double milli = value * 1000;
	bool has_min = claim->is_given[PARAM_MIN], has_max = claim->is_given[PARAM_MAX];
	bool is_low = has_min && milli < (double)claim->values[PARAM_MIN];
	bool is_high = has_max && milli > (double)claim->values[PARAM_MAX];

	/* What breaks a bound by less than a thousandth is shown as one that breaks it. */
	ret->observed = (uint64_t)(is_high ? ceil(milli) : is_low ? floor(milli) : milli + 0.5);
	if (is_low)
		ret->bound = claim->values[PARAM_MIN];
	ret->samples = 1;
	ret->holds = !is_low && !is_high;
	ret->verdict = ret->holds ? VERDICT_PASS : VERDICT_FAIL;
}

static void apply_noise(const struct claim *claim, const struct telemetry *t, struct finding *ret)
{
	unsigned cpu, noise = telemetry_payload_noise_permille(t, claim->payload, &cpu);
	uint64_t limit = claim->values[PARAM_NOISE];

	ret->is_timed = true;
	ret->noise_permille = noise;
	ret->noise_cpu = cpu;
	ret->noise_limit_permille = limit;
	if (noise > limit)
		ret->verdict = VERDICT_UNDECIDED;
	buf_printf(&ret->evidence,
		   "the bound %s; noise: the host took %u permille of the payload's life from CPU "
		   "%u, limit %" PRIu64 " permille\n",
		   ret->holds ? "held" : "was broken", noise, cpu, limit);
}

static int metric_evaluate(const struct claim *claim, const struct cell *cell,
			   const struct cell_window *window, const struct telemetry *t,
			   struct finding *ret)
{
	const struct ktstr_metric *m = claim->payload_metric;
	double value;
	int r = payload_metric(t, claim->payload, m, &value);

	ret->unit = claim->unit;
	ret->bound = claim->values[claim->is_given[PARAM_MAX] ? PARAM_MAX : PARAM_MIN];
	if (r == -ENOMEM)
		return err_trace(r);
	if (r < 0) {
		missing(t, claim->payload, err_text(), ret);
		err_clear();
		return 0;
	}
	if (value < 0 || value > value_max) {
		missing(t, claim->payload, "a claim compares values from 0 to 9e12", ret);
		return 0;
	}
	judge_bounds(claim, value, ret);
	buf_printf(&ret->figures, "%s %.*g%s%s", claim->metric, ret->holds ? 6 : 15, value,
		   m->unit ? " " : "", m->unit ? m->unit : "");
	if (!m->is_exact)
		apply_noise(claim, t, ret);
	if (ret->verdict != VERDICT_PASS)
		payload_last_lines(t, claim->payload, &ret->evidence);
	return 0;
}

const struct check check_metric = {
	.name = "metric",
	.summary = "a figure of a payload's output is within its bounds",
	.is_of_payloads = true,
	.takes_metric = true,
	.param_count = 3,
	.params = { [PARAM_MIN] = { .name = "min",
				    .unit = PARAM_MILLI,
				    .is_bound = true,
				    .help = "least value, in the metric's unit" },
		    [PARAM_MAX] = { .name = "max",
				    .unit = PARAM_MILLI,
				    .is_bound = true,
				    .help = "greatest value, in the metric's unit" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.evaluate = metric_evaluate,
};
