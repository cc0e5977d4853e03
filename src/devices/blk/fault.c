// SPDX-License-Identifier: GPL-2.0-only
/* Fault rules: matching, firing, logging. Parsing is fault_parse.c, what an action does to a
 * transfer is io.c's business. */
#include "devices/blk/fault.h"

#include "base/json.h"
#include "base/util.h"

#include <errno.h>

enum {
	CALL_ACTIONS = 1 << BLK_FAULT_SHORT | 1 << BLK_FAULT_ZERO | 1 << BLK_FAULT_EINTR |
		       1 << BLK_FAULT_ERRNO,
};

int blk_faults_init(struct blk_faults *f, const struct blk_fault_rule *rules, unsigned count)
{
	if (count > BLK_FAULT_RULES_MAX)
		return err_new(-ENOSPC, "%u fault rules; there is room for %d", count,
			       BLK_FAULT_RULES_MAX);
	*f = (struct blk_faults){ .rule_count = count };
	for (unsigned i = 0; i < count; i++) {
		f->rules[i] = rules[i];
		f->states[i].rng.state = rules[i].seed;
	}
	return 0;
}

static bool rule_matches(const struct blk_fault_rule *rule, const struct blk_fault_subject *s)
{
	if (!(rule->ops & 1u << s->op))
		return false;
	if (!rule->has_sectors)
		return true;
	/* Both ends of the subject are below 2^55: it was checked against the capacity. */
	return s->sectors && s->sector <= rule->last_sector &&
	       s->sector + s->sectors - 1 >= rule->first_sector;
}

/* How often a rule may fire; nth alone means that one match. */
static uint64_t firings_max(const struct blk_fault_rule *rule)
{
	if (rule->count)
		return rule->count;
	return rule->nth && !rule->has_prob ? 1 : UINT64_MAX;
}

static void log_firing(struct blk_faults *f, unsigned i, const struct blk_fault_subject *s)
{
	f->log[counter_get(&f->logged) % BLK_FAULT_LOG_RECORDS] = (struct blk_fault_record){
		.time_ns = s->now_ns,
		.request = s->request,
		.sector = s->sector,
		.sectors = s->sectors,
		.rule = (uint8_t)i,
		.op = (uint8_t)s->op,
		.action = (uint8_t)f->rules[i].action,
		.queue = (uint8_t)s->queue,
	};
	counter_bump(&f->logged, 1);
}

static bool count_match(struct blk_faults *f, unsigned i, const struct blk_fault_subject *s)
{
	bool is_match = rule_matches(&f->rules[i], s);

	f->states[i].matches += is_match;
	return is_match;
}

/* Does rule @i fire on the match just counted? */
static bool rule_fires(struct blk_faults *f, unsigned i, const struct blk_fault_subject *s)
{
	const struct blk_fault_rule *rule = &f->rules[i];

	if (f->states[i].matches < rule->nth || f->states[i].firings >= firings_max(rule))
		return false;
	if (rule->has_prob && blk_rng_below(&f->states[i].rng, 1000000000) >= rule->prob_billionths)
		return false;
	f->states[i].firings++;
	log_firing(f, i, s);
	return true;
}

enum blk_fault_action blk_faults_call(struct blk_faults *f, const struct blk_fault_subject *s,
				      int *error_ret)
{
	enum blk_fault_action decided = BLK_FAULT_COUNT;

	for (unsigned i = 0; i < f->rule_count; i++) {
		if (!(CALL_ACTIONS & 1 << f->rules[i].action) || !count_match(f, i, s))
			continue;
		if (decided != BLK_FAULT_COUNT || !rule_fires(f, i, s))
			continue;
		*error_ret = f->rules[i].error;
		decided = f->rules[i].action;
	}
	return decided;
}

struct blk_fault_verdict blk_faults_request(struct blk_faults *f, const struct blk_fault_subject *s)
{
	struct blk_fault_verdict verdict = { 0 };

	for (unsigned i = 0; i < f->rule_count; i++) {
		const struct blk_fault_rule *rule = &f->rules[i];

		if (CALL_ACTIONS & 1 << rule->action || !count_match(f, i, s) ||
		    !rule_fires(f, i, s))
			continue;
		verdict.actions |= 1u << rule->action;
		verdict.delay_ns += rule->delay_ns;
		if (rule->action == BLK_FAULT_CORRUPT)
			verdict.random = blk_rng_next(&f->states[i].rng);
	}
	return verdict;
}

static void record_json(struct json *j, const struct blk_fault_record *r)
{
	json_object(j, NULL);
	json_u64(j, "time_ns", r->time_ns);
	json_u64(j, "rule", r->rule);
	json_str(j, "action", blk_fault_action_name(r->action));
	json_u64(j, "request", r->request);
	json_u64(j, "queue", r->queue);
	json_str(j, "op", blk_op_name(r->op));
	json_u64(j, "sector", r->sector);
	json_u64(j, "sectors", r->sectors);
	json_object_end(j);
}

void blk_faults_json(const struct blk_faults *f, struct json *j, const char *key)
{
	uint64_t kept = MIN(f->logged, (uint64_t)BLK_FAULT_LOG_RECORDS);

	json_array(j, key);
	for (uint64_t i = f->logged - kept; i < f->logged; i++)
		record_json(j, &f->log[i % BLK_FAULT_LOG_RECORDS]);
	json_array_end(j);
}
