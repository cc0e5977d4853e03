// SPDX-License-Identifier: GPL-2.0-only
/* exit: payloads ended as they should. Every scenario with payloads claims it, in words or not. One
 * that the scenario killed did what it was there for. A payload that did not end in time is a matter
 * of time, under the rule of noise; an exit status is not. One that could not be started is trouble
 * of the scenario's or ours, and says nothing about the scheduler. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/noise.h"
#include "harness/payload_record.h"

enum { PARAM_STATUS, PARAM_NOISE };

/* A claim without of= leaves out those that another one names. */
static bool is_meant(const struct claim *claim, const struct cell *cell, uint32_t payload)
{
	if (claim->scope)
		return claim_covers_payload(claim, cell, payload);
	for (uint32_t i = 0; i < cell->claim_count; i++) {
		const struct claim *other = &cell->claims[i];

		if (other->check == &check_exit && other->scope &&
		    claim_covers_payload(other, cell, payload))
			return false;
	}
	return true;
}

static enum verdict judge_timeout(const struct claim *claim, const struct telemetry *t,
				  uint32_t payload, struct finding *ret)
{
	unsigned cpu, noise = telemetry_payload_noise_permille(t, payload, &cpu);
	uint64_t limit = claim->values[PARAM_NOISE];

	ret->is_timed = true;
	ret->noise_limit_permille = limit;
	if (noise >= ret->noise_permille) {
		ret->noise_permille = noise;
		ret->noise_cpu = cpu;
	}
	buf_printf(&ret->evidence,
		   "%s did not end in time; noise: the host took %u permille of its life from CPU "
		   "%u, limit %llu permille\n",
		   t->cell->plan.payloads[payload].name, noise, cpu, (unsigned long long)limit);
	return noise > limit ? VERDICT_UNDECIDED : VERDICT_FAIL;
}

static enum verdict judge_one(const struct claim *claim, const struct telemetry *t,
			      uint32_t payload, struct finding *ret)
{
	const struct payload_data *p = &t->payloads[payload];

	if (!p->has_ended || p->exit.end == PAYLOAD_NOT_STARTED)
		return VERDICT_INFRA;
	if (p->exit.end == PAYLOAD_KILLED)
		return VERDICT_PASS;
	if (p->exit.end == PAYLOAD_TIMED_OUT)
		return judge_timeout(claim, t, payload, ret);
	return p->exit.status == claim->values[PARAM_STATUS] ? VERDICT_PASS : VERDICT_FAIL;
}

static int exit_evaluate(const struct claim *claim, const struct cell *cell,
			 const struct cell_window *window, const struct telemetry *t,
			 struct finding *ret)
{
	const char *before = "";

	ret->unit = "payloads";
	ret->verdict = VERDICT_PASS;
	for (uint32_t i = 0; i < cell->plan.header.payload_count; i++) {
		enum verdict v;

		if (!is_meant(claim, cell, i))
			continue;
		v = judge_one(claim, t, i, ret);
		ret->verdict = verdict_worse(ret->verdict, v);
		ret->samples++;
		buf_str(&ret->figures, before);
		before = ", ";
		payload_words(t, i, &ret->figures);
		if (v == VERDICT_PASS)
			continue;
		ret->observed++;
		payload_last_lines(t, i, &ret->evidence);
	}
	ret->holds = ret->observed == 0;
	return 0;
}

const struct check check_exit = {
	.name = "exit",
	.summary =
		"payloads ended by themselves with their status, if the scenario did not kill them",
	.is_of_payloads = true,
	.param_count = 2,
	.params = { [PARAM_STATUS] = { .name = "status",
				       .unit = PARAM_COUNT,
				       .help = "the exit status, 128 and the number for a signal; "
					       "default 0" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.evaluate = exit_evaluate,
};
