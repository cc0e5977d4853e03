// SPDX-License-Identifier: GPL-2.0-only
/* Steps: a first one, without a window, that makes everything; then the scenario's own, each with
 * its operations and its hold. Operations change the scene as they will change the guest, so that
 * every window is judged against the settings that were in force in it.
 *
 * To add an operation: a row in the table of verbs or of settings below, its line in
 * ktstr/scenario.h. */
#include "harness/compile.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_op(struct compiler *c, const struct plan_op *op)
{
	return plan_add_op(&c->cell->plan, op, NULL);
}

/* After an operation that moves CPU sets: tell the guest each worker's new set, adjacent workers of
 * one set at once. */
static int add_allowed(struct compiler *c, const struct scene *before)
{
	uint32_t count = c->cell->plan.header.worker_count;

	for (uint32_t i = 0, end; i < count; i = end) {
		const struct cpu_mask *now = &c->scene.allowed[i];
		struct plan_op op = { .code = OP_ALLOWED, .target = i, .mask = *now };
		int r;

		for (end = i + 1; end < count; end++) {
			if (memcmp(now, &c->scene.allowed[end], sizeof(*now)) != 0 ||
			    memcmp(&before->allowed[i], &before->allowed[end], sizeof(*now)) != 0)
				break;
		}
		if (memcmp(now, &before->allowed[i], sizeof(*now)) == 0)
			continue;
		op.args[0] = end - i;
		r = add_op(c, &op);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int set_weight(struct compiler *c, uint32_t cgroup, const char *value)
{
	struct plan_op op = { .code = OP_CGROUP_SET, .target = cgroup, .args = { KNOB_WEIGHT } };

	if (parse_u64_in(value, 1, 10000, &op.args[1]) < 0)
		return err_new(-EINVAL, "\"%s\": the kernel takes 1 to 10000", value);
	c->scene.cgroups[cgroup].weight = (unsigned)op.args[1];
	return add_op(c, &op);
}

static int set_max(struct compiler *c, uint32_t cgroup, const char *value)
{
	struct plan_op op = { .code = OP_CGROUP_SET, .target = cgroup, .args = { KNOB_QUOTA } };
	int r = spec_max(value, &op.args[1], &op.args[2]);

	if (r < 0)
		return err_trace(r);
	c->scene.cgroups[cgroup].quota_us = op.args[1];
	c->scene.cgroups[cgroup].period_us = op.args[2];
	return add_op(c, &op);
}

static int set_cpuset(struct compiler *c, uint32_t cgroup, const char *value)
{
	struct plan_op op = { .code = OP_CGROUP_SET, .target = cgroup, .args = { KNOB_CPUSET } };
	struct scene before;
	int r = cpuspec_resolve(value, &c->cell->topology, &op.mask);

	if (r == 0)
		r = scene_copy(&c->scene, &c->cell->plan, &before);
	if (r < 0)
		return err_trace(r);
	c->scene.cgroups[cgroup].own = op.mask;
	r = compile_refresh_cpus(c);
	if (r == 0)
		r = add_op(c, &op);
	if (r == 0)
		r = add_allowed(c, &before);
	scene_deinit(&before);
	return r;
}

struct setting {
	const char *key;
	int (*set)(struct compiler *c, uint32_t cgroup, const char *value);
};

static const struct setting settings[] = {
	{ "weight", set_weight },
	{ "max", set_max },
	{ "cpuset", set_cpuset },
};

/* "weight=300": the key ends at '=', the value is all the rest. */
static int op_set(struct compiler *c, uint32_t cgroup, const char *rest)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		size_t len = strlen(settings[i].key);
		int r;

		if (strncmp(rest, settings[i].key, len) != 0 || rest[len] != '=')
			continue;
		r = settings[i].set(c, cgroup, rest + len + 1);
		return r < 0 ? err_prefix(r, "%s ", settings[i].key) : 0;
	}
	return err_new(-EINVAL, "\"%s\": expected weight=, max= or cpuset=", rest);
}

/* "write /proc/sys/kernel/x=1": the old value comes back when the plan ends. */
static int op_write(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_WRITE };
	const char *equals = strchr(rest, '=');
	char path[256];
	int r;

	if (rest[0] != '/' || !equals || (size_t)(equals - rest) >= sizeof(path) || !equals[1])
		return err_new(-EINVAL, "expected write /PATH=VALUE");
	memcpy(path, rest, (size_t)(equals - rest));
	path[equals - rest] = '\0';
	r = plan_add_string(&c->cell->plan, path, &op.text);
	if (r == 0)
		r = plan_add_string(&c->cell->plan, equals + 1, &op.text2);
	return r < 0 ? err_trace(r) : add_op(c, &op);
}

static int op_freeze(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_CGROUP_FREEZE, .target = cgroup };

	c->scene.cgroups[cgroup].is_frozen = true;
	return add_op(c, &op);
}

static int op_thaw(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_CGROUP_THAW, .target = cgroup };

	c->scene.cgroups[cgroup].is_frozen = false;
	return add_op(c, &op);
}

struct verb {
	const char *word;
	bool has_cgroup; /* a cgroup follows the word */
	bool has_rest;	 /* something more follows */
	int (*compile)(struct compiler *c, uint32_t cgroup, const char *rest);
};

static const struct verb verbs[] = {
	{ "set", true, true, op_set },
	{ "freeze", true, false, op_freeze },
	{ "thaw", true, false, op_thaw },
	{ "write", false, true, op_write },
};

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	}
	return NULL;
}

/* Take the next word of *@p, and the spaces behind it. False if there is none, or it is too long. */
static bool take_word(const char **p, char *word, size_t size)
{
	size_t len = strcspn(*p, " ");

	if (len == 0 || len >= size)
		return false;
	memcpy(word, *p, len);
	word[len] = '\0';
	*p += len + strspn(*p + len, " ");
	return true;
}

/* "VERB [CGROUP] [REST]". */
static int compile_op(struct compiler *c, const char *text)
{
	char word[PLAN_PATH_BYTES];
	const struct verb *verb = NULL;
	uint32_t cgroup = PLAN_NONE;
	const char *rest = text;
	int r;

	if (take_word(&rest, word, sizeof(word)))
		verb = find_verb(word);
	if (!verb)
		return err_new(-EINVAL, "op \"%s\": expected set, freeze, thaw or write", text);
	if (verb->has_cgroup) {
		if (!take_word(&rest, word, sizeof(word)))
			return err_new(-EINVAL, "op \"%s\": a cgroup is missing", text);
		cgroup = compile_find_cgroup(c, word);
		if (cgroup == PLAN_NONE)
			return err_new(-EINVAL, "op \"%s\": no cgroup is named %s", text, word);
	}
	if (verb->has_rest != (rest[0] != '\0'))
		return err_new(-EINVAL, "op \"%s\": %s", text,
			       verb->has_rest ? "something is missing at the end"
					      : "nothing may follow the cgroup");
	r = verb->compile(c, cgroup, rest);
	return r < 0 ? err_prefix(r, "op \"%s\": ", text) : 0;
}

static int compile_ops(struct compiler *c, const char *const *ops)
{
	int r = 0;

	for (; ops && *ops && r == 0; ops++)
		r = compile_op(c, *ops);
	return r;
}

/* Make all cgroups, parents first as the table has them, then the workers behind their gates. */
static int add_setup(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	struct plan_step step = { .name = "setup", .hold = HOLD_NONE };
	int r = 0;

	for (uint32_t i = 0; i < p->header.cgroup_count && r == 0; i++)
		r = add_op(c, &(struct plan_op){ .code = OP_CGROUP_ADD, .target = i });
	for (uint32_t i = 0; i < p->header.group_count && r == 0; i++)
		r = add_op(c, &(struct plan_op){ .code = OP_SPAWN, .target = i });
	step.op_count = p->header.op_count;
	return r < 0 ? err_trace(r) : plan_add_step(p, &step, NULL);
}

static int add_window(struct compiler *c, uint32_t step)
{
	struct cell *cell = c->cell;
	const struct plan_step *from = &cell->plan.steps[step];
	struct cell_window *grown;

	grown = realloc(cell->windows, (cell->window_count + 1) * sizeof(*grown));
	if (!grown)
		return err_new(-ENOMEM, "out of memory for windows");
	cell->windows = grown;
	grown += cell->window_count;
	*grown = (struct cell_window){ .step = step, .hold_ns = from->hold_ns };
	memcpy(grown->name, from->name, sizeof(grown->name));
	cell->hold_ns += from->hold_ns;
	if (scene_copy(&c->scene, &cell->plan, &grown->scene) < 0)
		return err_trace(-ENOMEM);
	cell->window_count++;
	return 0;
}

static int compile_step(struct compiler *c, const struct ktstr_step *from)
{
	struct plan *p = &c->cell->plan;
	struct plan_step step = { .first_op = p->header.op_count, .hold = HOLD_TIME };
	uint32_t index;
	int r;

	if (from->name)
		snprintf(step.name, sizeof(step.name), "%s", from->name);
	else
		snprintf(step.name, sizeof(step.name), "hold-%u", c->cell->window_count);
	r = compile_ops(c, from->ops);
	if (r == 0)
		r = spec_value(from->hold, PARAM_NS, &step.hold_ns);
	if (r == 0 && step.hold_ns == 0)
		r = err_new(-EINVAL, "hold \"%s\": must be longer than nothing", from->hold);
	if (r < 0)
		return err_prefix(r, "step %s: ", step.name);
	step.op_count = p->header.op_count - step.first_op;
	r = plan_add_step(p, &step, &index);
	return r < 0 ? err_trace(r) : add_window(c, index);
}

int compile_steps(struct compiler *c)
{
	const struct ktstr_scenario *s = c->scenario;
	struct ktstr_step whole = { .name = "hold", .hold = s->hold };
	int r;

	if (!s->hold == !s->steps)
		return err_new(-EINVAL, "hold \"%s\": a scenario has either a hold or steps",
			       s->hold ? s->hold : "");
	r = add_setup(c);
	if (s->hold && r == 0)
		return compile_step(c, &whole);
	for (const struct ktstr_step *step = s->steps; step && step->hold && r == 0; step++)
		r = compile_step(c, step);
	return r;
}
