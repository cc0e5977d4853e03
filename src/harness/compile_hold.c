// SPDX-License-Identifier: GPL-2.0-only
/* Holds: "500ms", "25%", "until WORKERS exit max=2s", "until WORKERS iterations=1000 max=2s", "until
 * payload NAME exit max=10s". */
#include "harness/compile.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A hold in its parts. */
struct hold_words {
	bool is_until;
	bool is_payload;
	char name[CELL_NAME_BYTES];
	uint64_t iterations; /* 0: the condition is an exit */
	char limit[32];	     /* a time, or a percentage */
};

/* What stands behind @key in @word; NULL if it is something else. */
static const char *value_of(const char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) == 0 ? word + len : NULL;
}

static int bad_hold(const char *text)
{
	return err_new(-EINVAL,
		       "\"%s\": expected a duration with its unit, such as 50ms, a percentage, "
		       "or until WORKERS exit max=TIME, until WORKERS iterations=N max=TIME, until "
		       "payload NAME exit max=TIME",
		       text);
}

static int parse_until(const char *text, struct hold_words *ret)
{
	const char *rest = text + strlen("until ");
	char word[64];
	const char *value;

	rest += strspn(rest, " ");
	ret->is_until = true;
	ret->is_payload = value_of(rest, "payload ");
	if (ret->is_payload && !compile_take_word(&rest, word, sizeof(word)))
		return bad_hold(text);
	if (!compile_take_word(&rest, ret->name, sizeof(ret->name)) ||
	    !compile_take_word(&rest, word, sizeof(word)))
		return bad_hold(text);
	value = value_of(word, "iterations=");
	if (value && parse_u64_in(value, 1, UINT32_MAX, &ret->iterations) < 0)
		return err_new(-EINVAL, "iterations \"%s\": expected a number from 1", value);
	if (ret->is_payload ? strcmp(word, "exit") != 0 : !value && strcmp(word, "exit") != 0)
		return bad_hold(text);
	value = compile_take_word(&rest, word, sizeof(word)) ? value_of(word, "max=") : NULL;
	if (!value || *rest || strlen(value) >= sizeof(ret->limit))
		return bad_hold(text);
	snprintf(ret->limit, sizeof(ret->limit), "%s", value);
	return 0;
}

static int parse_hold(const char *text, struct hold_words *ret)
{
	*ret = (struct hold_words){ 0 };
	if (value_of(text, "until "))
		return parse_until(text, ret);
	if (strlen(text) >= sizeof(ret->limit))
		return bad_hold(text);
	snprintf(ret->limit, sizeof(ret->limit), "%s", text);
	return 0;
}

/* "25%": 0 and the number, or -EINVAL without words. */
static int parse_percent(const char *text, uint64_t *ret)
{
	size_t len = strlen(text);
	char number[8];

	if (len < 2 || len > sizeof(number) || text[len - 1] != '%')
		return -EINVAL;
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	return parse_u64_in(number, 1, 100, ret);
}

int compile_check_hold(const char *text)
{
	struct hold_words words;
	uint64_t number;
	int r = parse_hold(text, &words);

	if (r < 0)
		return err_trace(r);
	if (parse_percent(words.limit, &number) == 0)
		return 0;
	r = parse_duration_ns(words.limit, &number);
	if (r == -ERANGE)
		return err_new(-EINVAL, "\"%s\": the time is too large, or too fine", text);
	return r < 0 ? bad_hold(text) : 0;
}

static int resolve_limit(struct compiler *c, const char *limit, uint64_t *ret)
{
	uint64_t percent;

	if (parse_percent(limit, &percent) < 0)
		return spec_value(limit, PARAM_NS, ret);
	if (!c->duration_ns)
		return err_new(-EINVAL, "the scenario has no duration that it could be a part of");
	c->duration_percent += (unsigned)percent;
	if (c->duration_percent > 100)
		return err_new(-EINVAL, "the holds are %u%% of the duration together",
			       c->duration_percent);
	*ret = c->duration_ns * percent / 100;
	return 0;
}

static int find_payload(const struct compiler *c, const char *name, uint32_t *ret)
{
	const struct plan *p = &c->cell->plan;

	for (uint32_t i = 0; i < p->header.payload_count; i++) {
		if (strcmp(p->payloads[i].name, name) != 0)
			continue;
		*ret = i;
		return c->cell->payloads[i].has_run
			       ? 0
			       : err_new(-EINVAL, "payload %s has not been run before", name);
	}
	return err_new(-EINVAL, "no payload is named %s", name);
}

/* Can the workers end by themselves? Otherwise there is nothing to wait for. */
static int check_end(const struct compiler *c, uint32_t group)
{
	const struct plan_group *g = &c->cell->plan.groups[group];

	if (compile_is_frozen(c, c->scene.groups[group].cgroup))
		return err_new(-EINVAL, "the workers are frozen");
	if (g->iterations)
		return 0;
	return err_new(-EINVAL, "the workers never end by themselves: they have no iterations");
}

static int resolve_condition(struct compiler *c, const struct hold_words *words,
			     struct plan_step *step)
{
	const char *name = words->name;
	int r;

	if (words->is_payload) {
		step->hold = HOLD_PAYLOAD;
		return find_payload(c, name, &step->target);
	}
	step->hold = words->iterations ? HOLD_ITERATIONS : HOLD_EXITS;
	step->value = words->iterations;
	r = compile_take_group(c, &name, &step->target);
	return r || words->iterations ? r : check_end(c, step->target);
}

int compile_hold(struct compiler *c, const char *text, struct plan_step *step,
		 char condition_ret[PLAN_NAME_BYTES * 2])
{
	struct hold_words words;
	int r = parse_hold(text, &words);

	condition_ret[0] = '\0';
	step->hold = HOLD_TIME;
	if (r == 0)
		r = compile_check_hold(text);
	if (r < 0)
		return err_prefix(r, "hold ");
	r = resolve_limit(c, words.limit, &step->hold_ns);
	if (r == 0 && words.is_until)
		r = resolve_condition(c, &words, step);
	if (r == 0 && step->hold_ns == 0)
		r = err_new(-EINVAL, "must be longer than nothing");
	if (words.is_until)
		snprintf(condition_ret, PLAN_NAME_BYTES * 2, "%s", text);
	return r < 0 ? err_prefix(r, "hold \"%s\": ", text) : 0;
}
