// SPDX-License-Identifier: GPL-2.0-only
/* Steps: a first one, without a window, that makes the backdrop; then the scenario's own, each with
 * its operations, its cgroups and its hold. What a step has of its own ends with the first operations
 * of the next. */
#include "harness/compile.h"

#include "harness/scene.h"
#include "harness/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ktstr_step *compile_step_at(const struct compiler *c, uint32_t i)
{
	const struct ktstr_step *s = c->scenario->steps;

	for (; s && i && !scenario_step_is_end(s); i--)
		s++;
	return s && !scenario_step_is_end(s) ? s : NULL;
}

const char *compile_step_name(const struct compiler *c, uint32_t i, char *text)
{
	const struct ktstr_step *s = compile_step_at(c, i);
	unsigned holds = 0;

	for (uint32_t k = 0; k < i; k++)
		holds += compile_step_at(c, k)->hold != NULL;
	if (s->name)
		snprintf(text, PLAN_NAME_BYTES, "%s", s->name);
	else
		snprintf(text, PLAN_NAME_BYTES, "%s-%u", s->hold ? "hold" : "ops", holds);
	return text;
}

int compile_check_step_names(const struct compiler *c)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && compile_step_at(c, i); i++) {
		const char *name = compile_step_at(c, i)->name;

		r = name ? spec_name(name) : 0;
	}
	return r < 0 ? err_prefix(r, "steps: name ") : 0;
}

/* Make all cgroups, parents first as the table has them, then the workers behind their gates. */
static int add_setup(struct compiler *c)
{
	struct plan *p = &c->cell->plan;
	struct plan_step step = { .name = "setup", .hold = HOLD_NONE };
	int r = compile_begin_step(c, CELL_BACKDROP);

	step.op_count = p->header.op_count;
	return r < 0 ? err_trace(r) : plan_add_step(p, &step, NULL);
}

/* A step and its window, while they are compiled. */
struct part {
	const struct ktstr_step *from;
	struct plan_step step;
	struct cell_window window;
};

static int add_window(struct compiler *c, struct part *part, uint32_t step)
{
	struct cell *cell = c->cell;
	struct cell_window *grown;

	grown = realloc(cell->windows, (cell->window_count + 1) * sizeof(*grown));
	if (!grown)
		return err_new(-ENOMEM, "out of memory for windows");
	cell->windows = grown;
	grown += cell->window_count;
	*grown = part->window;
	part->window = (struct cell_window){ 0 };
	cell->window_count++;
	grown->step = step;
	grown->hold_ns = part->step.hold_ns;
	memcpy(grown->name, part->step.name, sizeof(grown->name));
	cell->hold_ns += part->step.hold_ns;
	if (scene_copy(&c->scene, &cell->plan, &grown->scene) < 0)
		return err_trace(-ENOMEM);
	for (uint32_t i = 0; i < cell->plan.header.group_count; i++)
		c->scene.groups[i].was_held = false;
	compile_note_held(c);
	return 0;
}

/* What each operation of a turn leaves behind is kept: it is in force until the next one is done. */
static int compile_turn(struct compiler *c, const char *const *ops, struct cell_window *window)
{
	uint32_t first_op = c->cell->plan.header.op_count;
	size_t count = 0;
	int r = 0;

	while (ops[count])
		count++;
	window->turns = calloc(count + 1, sizeof(*window->turns));
	if (!window->turns)
		return err_new(-ENOMEM, "out of memory for a loop");
	for (; *ops && r == 0; ops++) {
		struct cell_turn *turn = &window->turns[window->turn_count];

		r = compile_op(c, *ops);
		if (r == 0)
			r = scene_copy(&c->scene, &c->cell->plan, &turn->scene);
		if (r == 0)
			window->turn_count++;
		turn->end_op = c->cell->plan.header.op_count - first_op;
	}
	return r;
}

/* Does a turn end as it began? What is not there any more cannot be taken away again, nor the other way
 * round: only CPU sets need a look. */
static int compare_scenes(const struct compiler *c, const struct scene *first)
{
	const struct plan_header *h = &c->cell->plan.header;

	if (memcmp(first->allowed, c->scene.allowed, h->worker_count * sizeof(*first->allowed)) ==
	    0)
		return 0;
	return err_new(-EINVAL, "workers may use other CPUs after each turn");
}

enum { LOOP_MIN_NS = 100000 }; /* as plan_check() has it */

/* The list is done once before the hold, so that every turn in it finds what the last one has left,
 * and the sets that it tells the guest are those of every turn. */
static int compile_loop(struct compiler *c, struct part *part)
{
	struct plan_step *step = &part->step;
	struct plan *p = &c->cell->plan;
	struct scene first = { 0 };
	int r;

	if (!part->from->every)
		return err_new(-EINVAL, "loop: it needs an interval, every");
	r = spec_value(part->from->every, PARAM_NS, &step->loop_interval_ns);
	if (r < 0)
		return err_prefix(r, "every ");
	if (step->loop_interval_ns < LOOP_MIN_NS)
		return err_new(-EINVAL, "every \"%s\": it must be at least 100us",
			       part->from->every);
	c->is_looping = true;
	r = compile_ops(c, part->from->loop);
	step->op_count = p->header.op_count - step->first_op;
	step->loop_first_op = p->header.op_count;
	if (r == 0)
		r = scene_copy(&c->scene, p, &first);
	if (r == 0)
		r = compile_turn(c, part->from->loop, &part->window);
	if (r == 0)
		r = compare_scenes(c, &first);
	step->loop_op_count = p->header.op_count - step->loop_first_op;
	c->is_looping = false;
	scene_deinit(&first);
	return r < 0 ? err_prefix(r, "loop: ") : 0;
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

/* Operations, then the step's own cgroups, then the hold. */
static int compile_parts(struct compiler *c, struct part *part, uint32_t index)
{
	const struct ktstr_step *from = part->from;
	int r = index ? compile_end_step(c, index - 1) : 0;

	if (from->cgroups && !from->hold)
		return err_new(-EINVAL, "cgroups: they would end with the step, which has no hold");
	c->step = index;
	if (r == 0)
		r = compile_ops(c, from->ops);
	if (r == 0)
		r = compile_begin_step(c, index);
	if (r == 0 && c->fault && from->hold && c->cell->window_count == 0)
		r = compile_fault(c);
	part->step.op_count = c->cell->plan.header.op_count - part->step.first_op;
	if (r < 0 || (!from->loop && !from->every))
		return r;
	if (!from->loop || !from->hold)
		return err_new(-EINVAL, "every \"%s\": only a loop in a hold has an interval",
			       from->every ? from->every : "");
	return compile_loop(c, part);
}

static int compile_step(struct compiler *c, struct part *part, uint32_t index)
{
	int r = compile_parts(c, part, index);
	uint32_t step;

	if (r == 0 && part->from->hold)
		r = compile_hold(c, part->from->hold, &part->step, part->window.condition);
	/* The first turn in the hold is one interval after its begin. */
	if (r == 0 && part->from->loop && part->step.loop_interval_ns >= part->step.hold_ns)
		r = err_new(-EINVAL, "every \"%s\": the hold, %s, ends before the first turn in it",
			    part->from->every, part->from->hold);
	if (r < 0)
		return err_prefix(r, "step %s: ", part->step.name);
	r = plan_add_step(&c->cell->plan, &part->step, &step);
	return r < 0 || part->step.hold == HOLD_NONE ? r : add_window(c, part, step);
}

static int compile_one(struct compiler *c, const struct ktstr_step *from, const char *name,
		       uint32_t index)
{
	struct part part = { .from = from,
			     .step = { .first_op = c->cell->plan.header.op_count,
				       .hold = HOLD_NONE } };
	int r;

	snprintf(part.step.name, sizeof(part.step.name), "%s", name);
	r = compile_step(c, &part, index);
	cell_window_deinit(&part.window);
	return r;
}

static int take_duration(struct compiler *c)
{
	const char *text = c->scenario->duration;
	int r = text ? spec_value(text, PARAM_NS, &c->duration_ns) : 0;

	if (r == 0 && text && !c->duration_ns)
		return err_new(-EINVAL, "duration \"%s\": must be longer than nothing", text);
	return r < 0 ? err_prefix(r, "duration ") : 0;
}

int compile_steps(struct compiler *c)
{
	const struct ktstr_scenario *s = c->scenario;
	struct ktstr_step whole = { .name = "hold", .hold = s->hold };
	char name[PLAN_NAME_BYTES];
	int r;

	if (!s->hold == !s->steps)
		return err_new(-EINVAL, "hold \"%s\": a scenario has either a hold or steps",
			       s->hold ? s->hold : "");
	r = take_duration(c);
	if (r == 0)
		r = add_setup(c);
	if (s->hold && r == 0)
		r = compile_one(c, &whole, whole.name, 0);
	for (uint32_t i = 0; r == 0 && compile_step_at(c, i); i++)
		r = compile_one(c, compile_step_at(c, i), compile_step_name(c, i, name), i);
	if (r == 0 && c->cell->window_count == 0)
		return err_new(-EINVAL, "steps: none has a hold");
	if (r == 0 && s->duration && !c->duration_percent)
		return err_new(-EINVAL, "duration \"%s\": no hold is a part of it", s->duration);
	return r;
}
