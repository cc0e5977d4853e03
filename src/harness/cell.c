// SPDX-License-Identifier: GPL-2.0-only
/* From a scenario's table to a cell: needs, machine, cgroups, workers, steps, claims, in this order;
 * then the plan is checked as the guest will check it, and its size measured. */
#include "harness/cell.h"

#include "base/util.h"
#include "harness/compile.h"
#include "harness/patience.h"
#include "harness/scene.h"
#include "harness/spec.h"
#include "vmm/machine_check.h"
#include "wire/frame.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static const char default_topology[] = "1n1l2c1t";

/* What the machine would refuse, too, but in bytes and after everything else is ready. */
static int read_memory(const char *text, struct cell *cell)
{
	uint64_t least = machine_least_memory_bytes(&cell->topology), bytes;
	int r = spec_value(text, PARAM_BYTES, &bytes);

	if (r < 0)
		return err_prefix(r, "memory ");
	if (!is_aligned(bytes, MIB) || bytes < least)
		return err_new(
			-EINVAL,
			"memory \"%s\": a machine with %u nodes has whole MiB, at least %lluM",
			text, cell->topology.nodes, (unsigned long long)(least / MIB));
	cell->memory_bytes = bytes;
	return 0;
}

static int choose_machine(struct cell *cell, const struct cell_options *options)
{
	const struct ktstr_scenario *s = cell->record->scenario;
	const char *label = s->topology ? s->topology : default_topology;
	int r = 0;

	if (options->topology)
		cell->topology = *options->topology;
	else
		r = topology_parse(label, &cell->topology);
	if (r < 0)
		return err_trace(r);
	cell->memory_bytes = options->memory_bytes;
	if (!cell->memory_bytes && s->memory)
		return read_memory(s->memory, cell);
	if (!cell->memory_bytes)
		cell->memory_bytes = 512 * MIB + 8 * MIB * topology_cpu_count(&cell->topology);
	return 0;
}

static int compile_disks(struct cell *cell, const struct cell_options *options)
{
	const struct ktstr_scenario *s = cell->record->scenario;
	bool has_disk = options->has_disk || (s->disks && s->disks[0]);

	if (cell->needs_disk && !has_disk)
		return err_new(-EINVAL, "disks: a workload reads the test disk, and there is none");
	return 0;
}

/* Boot apart, a scenario takes its holds and the making and ending of its workers. */
static int choose_timeout(struct cell *cell, const struct cell_options *options)
{
	const char *own = cell->record->scenario->timeout;

	int r = own ? spec_timeout(own, &cell->timeout_ns) : 0;

	if (r < 0)
		return err_prefix(r, "timeout ");
	if (options->timeout_ns)
		cell->timeout_ns = options->timeout_ns;
	if (!cell->timeout_ns)
		cell->timeout_ns = 20 * NSEC_PER_SEC + 2 * cell->hold_ns + cell->wait_ns +
				   cell->plan.header.worker_count * NSEC_PER_SEC / 4 +
				   patience_run_ns(&cell->topology);
	return 0;
}

static int finish_plan(struct cell *cell, const struct cell_options *options)
{
	struct buf encoded = BUF_NULL;
	int r;

	cell->plan.header.version = WIRE_VERSION;
	cell->plan.header.seed = options->seed;
	cell->plan.header.report_deadline_ns =
		5 * NSEC_PER_SEC + patience_report_ns(&cell->topology);
	r = plan_encode(&cell->plan, &encoded);
	buf_deinit(&encoded);
	return r;
}

static int compile_parts(struct cell *cell, const struct cell_options *options)
{
	struct compiler c = { .cell = cell,
			      .scenario = cell->record->scenario,
			      .fault = options->fault,
			      .step = CELL_BACKDROP,
			      .seed = options->seed };
	unsigned cpus = topology_cpu_count(&cell->topology);
	uint32_t empty;
	int r;

	for (unsigned cpu = 0; cpu < cpus; cpu++)
		mask_set(&c.machine, cpu);
	r = plan_add_string(&cell->plan, "", &empty);
	if (r == 0)
		r = compile_check_step_names(&c);
	if (r == 0)
		r = compile_cgroups(&c);
	if (r == 0)
		r = compile_workers(&c);
	if (r == 0)
		r = compile_first_scene(&c);
	if (r == 0)
		r = compile_payloads(&c);
	if (r == 0)
		r = compile_steps(&c);
	scene_deinit(&c.scene);
	if (r == 0)
		r = compile_claims(cell);
	if (r == 0)
		r = compile_disks(cell, options);
	if (r == 0)
		r = choose_timeout(cell, options);
	if (r == 0)
		r = finish_plan(cell, options);
	return r;
}

/* Compile once more, with the fault, and keep of that nothing but the plan: so no part of what is
 * judged by can know of it. */
static int compile_faulted(struct cell *cell, const struct cell_options *options)
{
	struct cell other = { .record = cell->record };
	int r = choose_machine(&other, options);

	if (r == 0)
		r = compile_parts(&other, options);
	if (r < 0) {
		cell_deinit(&other);
		return err_prefix(r, "fault %s: ", options->fault->name);
	}
	assert(other.plan.header.worker_count == cell->plan.header.worker_count);
	cell->faulted = other.plan;
	other.plan = PLAN_NULL;
	free(cell->op_texts);
	cell->op_texts = other.op_texts;
	other.op_texts = NULL;
	cell_deinit(&other);
	return 0;
}

int cell_compile(const struct ktstr_record *record, const struct cell_options *options,
		 struct cell *ret)
{
	struct cell_options honest = *options;
	struct cell cell = { .record = record };
	int r = choose_machine(&cell, options);

	if (r == 0)
		r = compile_check_needs(&cell);
	honest.fault = NULL;
	if (r == 0)
		r = compile_parts(&cell, &honest);
	if (r == 0 && options->fault)
		r = compile_faulted(&cell, options);
	if (r < 0) {
		cell_deinit(&cell);
		return err_prefix(r, "scenario %s: ", record->name);
	}
	cell.fault = options->fault;
	*ret = cell;
	return r;
}

bool scenario_step_is_end(const struct ktstr_step *s)
{
	return !s->name && !s->ops && !s->cgroups && !s->hold && !s->loop && !s->every;
}

void cell_window_deinit(struct cell_window *w)
{
	for (uint32_t i = 0; i < w->turn_count; i++)
		scene_deinit(&w->turns[i].scene);
	free(w->turns);
	scene_deinit(&w->scene);
}

void cell_deinit(struct cell *c)
{
	for (uint32_t i = 0; i < c->window_count; i++)
		cell_window_deinit(&c->windows[i]);
	for (uint32_t i = 0; i < c->claim_count; i++)
		claim_deinit(&c->claims[i]);
	for (uint32_t i = 0; c->payloads && i < c->plan.header.payload_count; i++)
		free(c->payloads[i].program);
	free(c->payloads);
	free(c->windows);
	free(c->op_texts);
	free(c->claims);
	free(c->cgroups);
	plan_deinit(&c->plan);
	plan_deinit(&c->faulted);
	*c = CELL_NULL;
}

const struct plan *cell_sent_plan(const struct cell *c)
{
	return c->fault ? &c->faulted : &c->plan;
}

char *cell_group_name(const struct cell *c, uint32_t group, char *text)
{
	const struct plan_group *g = &c->plan.groups[group];
	uint32_t cgroup = c->plan.workers[g->first_worker].cgroup;

	if (cgroup == PLAN_NONE)
		snprintf(text, CELL_NAME_BYTES, "%s", g->name);
	else
		snprintf(text, CELL_NAME_BYTES, "%s/%s", c->plan.cgroups[cgroup].path, g->name);
	return text;
}

char *cell_worker_name(const struct cell *c, uint32_t worker, char *text)
{
	uint32_t group = c->plan.workers[worker].group;
	const struct plan_group *g = &c->plan.groups[group];
	size_t len;

	cell_group_name(c, group, text);
	len = strlen(text);
	if (g->worker_count > 1)
		snprintf(text + len, CELL_NAME_BYTES - len, "[%u]", worker - g->first_worker);
	return text;
}

bool cell_window_has_group(const struct cell_window *w, uint32_t group)
{
	bool has = !w->scene.groups[group].is_stopped;

	for (uint32_t i = 0; i < w->turn_count; i++)
		has |= !w->turns[i].scene.groups[group].is_stopped;
	return has;
}

bool cell_group_respawns(const struct cell *c, uint32_t group)
{
	unsigned spawns = 0;

	for (uint32_t i = 0; i < c->plan.header.op_count; i++)
		spawns += c->plan.ops[i].code == OP_SPAWN && c->plan.ops[i].target == group;
	return spawns > 1;
}

const struct cell_window *cell_window_of_step(const struct cell *c, uint32_t step)
{
	for (uint32_t i = 0; i < c->window_count; i++) {
		if (c->windows[i].step == step)
			return &c->windows[i];
	}
	return NULL;
}

/* Linux kernel/sched/core.c, sched_prio_to_weight[]. */
static const unsigned nice_weights[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
	1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
	110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

unsigned cell_nice_weight(const struct plan_sched *s)
{
	if (s->flags & SCHED_HAS_POLICY && s->policy == SCHED_IDLE)
		return 3;
	return nice_weights[s->flags & SCHED_HAS_NICE ? s->nice + 20 : 20];
}
