// SPDX-License-Identifier: GPL-2.0-only
/* Operations: each becomes an op of the plan and changes the scene as it will change the guest, so
 * that every window is judged against the settings that were in force in it.
 *
 * To add one: a row in the table of verbs or of settings below, its line in ktstr/scenario.h. */
#include "harness/compile.h"

#include "base/buf.h"
#include "base/util.h"
#include "harness/scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int compile_add_op(struct compiler *c, const struct plan_op *op)
{
	struct cell *cell = c->cell;
	uint32_t index;
	int r = plan_add_op(&cell->plan, op, &index);
	const char **grown;

	if (r < 0)
		return err_trace(r);
	grown = realloc(cell->op_texts, (index + 1) * sizeof(*grown));
	if (!grown)
		return err_new(-ENOMEM, "out of memory for operations");
	cell->op_texts = grown;
	grown[index] = c->op_text;
	return 0;
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
	int r = compile_refresh(c);

	if (r == 0)
		r = compile_add_op(c, op);
	return r < 0 ? err_trace(r) : add_allowed(c, before);
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

/* The cgroup that is the next word, and there. */
static int take_cgroup(const struct compiler *c, const char **rest, uint32_t *ret)
{
	char word[PLAN_PATH_BYTES];

	if (!compile_take_word(rest, word, sizeof(word)))
		return err_new(-EINVAL, "a cgroup is missing");
	*ret = compile_find_cgroup(c, word);
	if (*ret == PLAN_NONE)
		return err_new(-EINVAL, "no cgroup is named %s", word);
	if (!c->scene.cgroups[*ret].is_there)
		return err_new(-EINVAL, "cgroup %s is not there", word);
	return 0;
}

/* "swap A B": @rest is B. */
static int op_swap(struct compiler *c, uint32_t cgroup, const char *rest)
{
	struct plan_op op = { .code = OP_CGROUP_SWAP, .target = cgroup };
	struct scene before;
	int r;

	r = take_cgroup(c, &rest, &op.other);
	if (r < 0)
		return err_trace(r);
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

static int add_named_op(struct compiler *c, enum plan_op_code code, const char *rest)
{
	struct plan_op op = { .code = (uint16_t)code };
	int r = plan_add_string(&c->cell->plan, rest, &op.text);

	return r < 0 ? err_trace(r) : compile_add_op(c, &op);
}

static int op_mark(struct compiler *c, const char *rest)
{
	return add_named_op(c, OP_MARK, rest);
}

static int op_snapshot(struct compiler *c, const char *rest)
{
	return add_named_op(c, OP_SNAPSHOT, rest);
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
	{ "add", false, true, NULL, compile_op_add },
	{ "remove", false, true, NULL, compile_op_remove },
	{ "set", true, true, compile_op_set, NULL },
	{ "clear", true, true, compile_op_clear, NULL },
	{ "swap", true, true, op_swap, NULL },
	{ "freeze", true, false, op_freeze, NULL },
	{ "thaw", true, false, op_thaw, NULL },
	{ "write", false, true, NULL, op_write },
	{ "mark", false, true, NULL, op_mark },
	{ "snapshot", false, true, NULL, op_snapshot },
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

static int unknown_verb(const char *text)
{
	cleanup(buf_deinit) struct buf words = BUF_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		buf_printf(&words, "%s%s",
			   i == 0		       ? ""
			   : i + 1 < ARRAY_SIZE(verbs) ? ", "
						       : " or ",
			   verbs[i].word);
	return err_new(-EINVAL, "expected %s", buf_text(&words));
}

/* "VERB [CGROUP] [REST]". */
static int compile_verb(struct compiler *c, const char *text)
{
	char word[PLAN_PATH_BYTES];
	const struct verb *verb = NULL;
	uint32_t cgroup = PLAN_NONE;
	const char *rest = text;
	int r = 0;

	if (compile_take_word(&rest, word, sizeof(word)))
		verb = find_verb(word);
	if (!verb)
		return unknown_verb(text);
	if (verb->has_cgroup)
		r = take_cgroup(c, &rest, &cgroup);
	if (r < 0)
		return err_trace(r);
	if (verb->has_rest != (rest[0] != '\0'))
		return err_new(-EINVAL, "%s",
			       verb->has_rest ? "something is missing at the end"
					      : "nothing may follow the cgroup");
	return verb->compile ? verb->compile(c, cgroup, rest) : verb->compile_rest(c, rest);
}

int compile_op(struct compiler *c, const char *text)
{
	int r;

	c->op_text = text;
	r = compile_verb(c, text);
	c->op_text = NULL;
	compile_note_held(c);
	return r < 0 ? err_prefix(r, "op \"%s\": ", text) : 0;
}

int compile_ops(struct compiler *c, const char *const *ops)
{
	int r = 0;

	for (; ops && *ops && r == 0; ops++)
		r = compile_op(c, *ops);
	return r;
}
