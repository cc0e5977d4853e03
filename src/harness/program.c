// SPDX-License-Identifier: GPL-2.0-only
/* The phases of a sequence, word by word. */
#include "harness/program.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>

struct phase_word {
	const char *name;
	uint32_t kind;
	int (*parse)(const char *text, uint64_t *ret);
	const char *form;
};

static const struct phase_word phase_words[] = {
	{ "run", PHASE_RUN, parse_duration_ns, "a duration with its unit" },
	{ "sleep", PHASE_SLEEP, parse_duration_ns, "a duration with its unit" },
	{ "timer", PHASE_TIMER, parse_duration_ns, "a duration with its unit" },
	{ "yield", PHASE_YIELD, parse_u64, "a number" },
	{ "io", PHASE_IO, parse_u64, "a number" },
};

/* "KxN" */
static int parse_loop(char *text, uint32_t position, struct plan_phase *ret)
{
	char *times = strchr(text, 'x');
	uint64_t to = 0, count = 0;

	if (!times)
		return -EINVAL;
	*times = '\0';
	if (!position || parse_u64_in(text, 0, position - 1, &to) < 0 ||
	    parse_u64_in(times + 1, 1, UINT32_MAX, &count) < 0)
		return -EINVAL;
	*ret = (struct plan_phase){ .kind = PHASE_LOOP, .to = (uint32_t)to, .value = count };
	return 0;
}

static int parse_phase(char *word, uint32_t position, struct plan_phase *ret)
{
	char *value = strchr(word, ':');

	if (!value)
		return err_new(-EINVAL, "phase \"%s\": expected KIND:VALUE", word);
	*value++ = '\0';
	if (strcmp(word, "loop") == 0) {
		if (parse_loop(value, position, ret) == 0)
			return 0;
		return err_new(-EINVAL, "phase %u: loop: expected KxN, K an earlier phase",
			       position);
	}
	for (size_t i = 0; i < ARRAY_SIZE(phase_words); i++) {
		const struct phase_word *w = &phase_words[i];

		if (strcmp(w->name, word) != 0)
			continue;
		*ret = (struct plan_phase){ .kind = w->kind };
		if (w->parse(value, &ret->value) == 0 && ret->value)
			return 0;
		return err_new(-EINVAL, "phase %s \"%s\": expected %s, not 0", word, value,
			       w->form);
	}
	return err_new(-EINVAL, "phase \"%s\": expected run, sleep, timer, yield, io or loop",
		       word);
}

int program_parse(const char *text, struct program *ret)
{
	cleanup(freep) char *copy = strdup(text);
	struct program p = { 0 };
	char *rest = NULL;

	if (!copy)
		return err_new(-ENOMEM, "out of memory for \"%s\"", text);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		int r;

		if (p.count == ARRAY_SIZE(p.phases))
			return err_new(-EINVAL, "more than %zu phases", ARRAY_SIZE(p.phases));
		r = parse_phase(word, p.count, &p.phases[p.count]);
		if (r < 0)
			return err_trace(r);
		p.count++;
	}
	if (!p.count)
		return err_new(-EINVAL, "no phases");
	*ret = p;
	return 0;
}
