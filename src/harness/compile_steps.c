// SPDX-License-Identifier: GPL-2.0-only
/* Steps: a first one, without a window, that makes everything; then the scenario's own, each with
 * its operations and its hold. */
#include "harness/compile.h"

#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_end(const struct ktstr_step *s)
{
	return !s->name && !s->hold && !s->ops && !s->loop && !s->every;
}

static bool has_spawn(const struct ktstr_step *step, const char *name)
{
	static const char verb[] = "spawn ";

	for (const char *const *op = step->ops; op && *op; op++) {
		if (strncmp(*op, verb, sizeof(verb) - 1) == 0 &&
		    strcmp(*op + sizeof(verb) - 1, name) == 0)
			return true;
	}
	return false;
}

/* Workers that a step spawns are not there before. */
static bool is_spawned_later(const struct compiler *c, uint32_t group)
{
	char name[CELL_NAME_BYTES];

	cell_group_name(c->cell, group, name);
	for (const struct ktstr_step *s = c->scenario->steps; s && !is_end(s); s++) {
		if (has_spawn(s, name))
			return true;
	}
	return false;
}

/* Make all cgroups, parents first as the table has them, then the workers behind their gates. */
static int add_setup(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	struct plan_step step = { .name = "setup", .hold = HOLD_NONE };
	int r = 0;

	for (uint32_t i = 0; i < p->header.cgroup_count && r == 0; i++)
		r = compile_add_op(c, &(struct plan_op){ .code = OP_CGROUP_ADD, .target = i });
	for (uint32_t i = 0; i < p->header.group_count && r == 0; i++) {
		c->scene.groups[i].is_stopped = is_spawned_later(c, i);
		c->scene.groups[i].has_lived = !c->scene.groups[i].is_stopped;
		if (c->scene.groups[i].has_lived)
			r = compile_add_op(c, &(struct plan_op){ .code = OP_SPAWN, .target = i });
	}
	if (r == 0)
		r = compile_payload_starts(c);
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

/* The list is done once before the hold, so that every turn in it finds what the last one has left,
 * and the sets that it tells the guest are those of every turn. */
static int compile_loop(struct compiler *c, const struct ktstr_step *from, struct plan_step *step)
{
	struct plan *p = &c->cell->plan;
	struct scene first;
	int r;

	if (!from->every)
		return err_new(-EINVAL, "loop: it needs an interval, every");
	r = spec_value(from->every, PARAM_NS, &step->loop_interval_ns);
	if (r < 0)
		return err_prefix(r, "every ");
	c->is_looping = true;
	r = compile_ops(c, from->loop);
	step->op_count = p->header.op_count - step->first_op;
	step->loop_first_op = p->header.op_count;
	if (r == 0)
		r = scene_copy(&c->scene, p, &first);
	if (r < 0)
		return err_prefix(r, "loop: ");
	r = compile_ops(c, from->loop);
	step->loop_op_count = p->header.op_count - step->loop_first_op;
	if (r == 0 && memcmp(first.allowed, c->scene.allowed,
			     p->header.worker_count * sizeof(*first.allowed)) != 0)
		r = err_new(-EINVAL, "workers may use other CPUs after each turn");
	c->is_looping = false;
	scene_deinit(&first);
	return r < 0 ? err_prefix(r, "loop: ") : 0;
}

static int compile_hold(const char *text, struct plan_step *step)
{
	int r = spec_value(text, PARAM_NS, &step->hold_ns);

	if (r < 0)
		return err_trace(r);
	if (step->hold_ns == 0)
		return err_new(-EINVAL, "hold \"%s\": must be longer than nothing", text);
	step->hold = HOLD_TIME;
	return 0;
}

/* The fault's operations, after which the compiler stands where it stood. */
static int compile_fault(struct compiler *c)
{
	struct cpu_mask offline = c->offline;
	struct scene before;
	int r = scene_copy(&c->scene, &c->cell->plan, &before);

	if (r < 0)
		return err_trace(r);
	c->is_faulting = true;
	r = compile_ops(c, c->fault->ops);
	c->is_faulting = false;
	scene_deinit(&c->scene);
	c->scene = before;
	c->offline = offline;
	return r;
}

static int compile_parts(struct compiler *c, const struct ktstr_step *from, struct plan_step *step)
{
	int r = compile_ops(c, from->ops);

	if (r == 0 && c->fault && from->hold && c->cell->window_count == 0)
		r = compile_fault(c);

	step->op_count = c->cell->plan.header.op_count - step->first_op;
	if (r == 0 && from->hold)
		r = compile_hold(from->hold, step);
	if (r < 0 || (!from->loop && !from->every))
		return r;
	if (!from->loop || !from->hold)
		return err_new(-EINVAL, "every \"%s\": only a loop in a hold has an interval",
			       from->every ? from->every : "");
	return compile_loop(c, from, step);
}

static int compile_step(struct compiler *c, const struct ktstr_step *from)
{
	struct plan *p = &c->cell->plan;
	struct plan_step step = { .first_op = p->header.op_count, .hold = HOLD_NONE };
	uint32_t index;
	int r;

	if (from->name)
		snprintf(step.name, sizeof(step.name), "%s", from->name);
	else
		snprintf(step.name, sizeof(step.name), "%s-%u", from->hold ? "hold" : "ops",
			 c->cell->window_count);
	r = compile_parts(c, from, &step);
	if (r < 0)
		return err_prefix(r, "step %s: ", step.name);
	r = plan_add_step(p, &step, &index);
	if (r < 0 || step.hold == HOLD_NONE)
		return r;
	return add_window(c, index);
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
	for (const struct ktstr_step *step = s->steps; step && !is_end(step) && r == 0; step++)
		r = compile_step(c, step);
	if (r == 0 && c->cell->window_count == 0)
		return err_new(-EINVAL, "steps: none has a hold");
	return r;
}
