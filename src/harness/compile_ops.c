// SPDX-License-Identifier: GPL-2.0-only
/* Operations: each becomes an op of the plan and changes the scene as it will change the guest, so
 * that every window is judged against the settings that were in force in it.
 *
 * To add one: a row in the table of verbs or of settings below, its line in ktstr/scenario.h. */
#include "harness/compile.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/cpuspec.h"
#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>
#include <string.h>

int compile_add_op(struct compiler *c, const struct plan_op *op)
{
	return plan_add_op(&c->cell->plan, op, NULL);
}

/* After an operation that moves CPU sets: tell the guest each worker's new set, adjacent workers of
 * one set at once. Of a fault the guest's own watch on isolation knows no more than the judge. */
static int add_allowed(struct compiler *c, const struct scene *before)
{
	uint32_t count = c->is_faulting ? 0 : c->cell->plan.header.worker_count;

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
		r = compile_add_op(c, &op);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int compile_add_moving_op(struct compiler *c, const struct plan_op *op, const struct scene *before)
{
	int r = compile_refresh_cpus(c);

	if (r == 0)
		r = compile_add_op(c, op);
	return r < 0 ? err_trace(r) : add_allowed(c, before);
}

static int set_weight(struct compiler *c, uint32_t cgroup, const char *value)
{
	struct plan_op op = { .code = OP_CGROUP_SET, .target = cgroup, .args = { KNOB_WEIGHT } };

	if (parse_u64_in(value, 1, 10000, &op.args[1]) < 0)
		return err_new(-EINVAL, "\"%s\": the kernel takes 1 to 10000", value);
	c->scene.cgroups[cgroup].weight = (unsigned)op.args[1];
	return compile_add_op(c, &op);
}

static int set_max(struct compiler *c, uint32_t cgroup, const char *value)
{
	struct plan_op op = { .code = OP_CGROUP_SET, .target = cgroup, .args = { KNOB_QUOTA } };
	int r = spec_max(value, &op.args[1], &op.args[2]);

	if (r < 0)
		return err_trace(r);
	c->scene.cgroups[cgroup].quota_us = op.args[1];
	c->scene.cgroups[cgroup].period_us = op.args[2];
	return compile_add_op(c, &op);
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
	r = compile_add_moving_op(c, &op, &before);
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
static int op_write(struct compiler *c, const char *rest)
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
	return r < 0 ? err_trace(r) : compile_add_op(c, &op);
}

static int op_freeze(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_CGROUP_FREEZE, .target = cgroup };

	c->scene.cgroups[cgroup].is_frozen = true;
	return compile_add_op(c, &op);
}

static int op_thaw(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_CGROUP_THAW, .target = cgroup };

	c->scene.cgroups[cgroup].is_frozen = false;
	return compile_add_op(c, &op);
}

/* "swap A B": @rest is B. */
static int op_swap(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_CGROUP_SWAP, .target = cgroup };
	struct scene before;
	int r;

	op.other = compile_find_cgroup(c, rest);
	if (op.other == PLAN_NONE)
		return err_new(-EINVAL, "no cgroup is named %s", rest);
	if (mask_is_empty(&c->scene.cgroups[cgroup].own) ||
	    mask_is_empty(&c->scene.cgroups[op.other].own))
		return err_new(-EINVAL, "both must have a cpuset");
	r = scene_copy(&c->scene, &c->cell->plan, &before);
	if (r < 0)
		return err_trace(r);
	c->scene.cgroups[cgroup].own = before.cgroups[op.other].own;
	c->scene.cgroups[op.other].own = before.cgroups[cgroup].own;
	r = compile_add_moving_op(c, &op, &before);
	scene_deinit(&before);
	return r;
}

static int op_mark(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_MARK };
	int r = plan_add_string(&c->cell->plan, rest, &op.text);

	return r < 0 ? err_trace(r) : compile_add_op(c, &op);
}

struct verb {
	const char *word;
	bool has_cgroup; /* a cgroup follows the word */
	bool has_rest;	 /* something more follows */
	/* One of the two; the second takes no cgroup. */
	int (*compile)(struct compiler *c, uint32_t cgroup, const char *rest);
	int (*compile_rest)(struct compiler *c, const char *rest);
};

static const struct verb verbs[] = {
	{ "set", true, true, op_set, NULL },
	{ "swap", true, true, op_swap, NULL },
	{ "freeze", true, false, op_freeze, NULL },
	{ "thaw", true, false, op_thaw, NULL },
	{ "write", false, true, NULL, op_write },
	{ "mark", false, true, NULL, op_mark },
	{ "move", false, true, NULL, compile_op_move },
	{ "affinity", false, true, NULL, compile_op_affinity },
	{ "nice", false, true, NULL, compile_op_nice },
	{ "policy", false, true, NULL, compile_op_policy },
	{ "spawn", false, true, NULL, compile_op_spawn },
	{ "stop", false, true, NULL, compile_op_stop },
	{ "signal", false, true, NULL, compile_op_signal },
	{ "run", false, true, NULL, compile_op_run },
	{ "wait", false, true, NULL, compile_op_wait },
	{ "kill", false, true, NULL, compile_op_kill },
	{ "offline", false, true, NULL, compile_op_offline },
	{ "online", false, true, NULL, compile_op_online },
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
bool compile_take_word(const char **p, char *word, size_t size)
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

	if (compile_take_word(&rest, word, sizeof(word)))
		verb = find_verb(word);
	if (!verb)
		return err_new(-EINVAL,
			       "op \"%s\": expected set, swap, freeze, thaw, "
			       "write, mark, move, affinity, nice, policy, spawn, stop, signal, "
			       "run, wait, kill, offline or online",
			       text);
	if (verb->has_cgroup) {
		if (!compile_take_word(&rest, word, sizeof(word)))
			return err_new(-EINVAL, "op \"%s\": a cgroup is missing", text);
		cgroup = compile_find_cgroup(c, word);
		if (cgroup == PLAN_NONE)
			return err_new(-EINVAL, "op \"%s\": no cgroup is named %s", text, word);
	}
	if (verb->has_rest != (rest[0] != '\0'))
		return err_new(-EINVAL, "op \"%s\": %s", text,
			       verb->has_rest ? "something is missing at the end"
					      : "nothing may follow the cgroup");
	r = verb->compile ? verb->compile(c, cgroup, rest) : verb->compile_rest(c, rest);
	return r < 0 ? err_prefix(r, "op \"%s\": ", text) : 0;
}

int compile_ops(struct compiler *c, const char *const *ops)
{
	int r = 0;

	for (; ops && *ops && r == 0; ops++)
		r = compile_op(c, *ops);
	return r;
}
