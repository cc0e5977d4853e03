// SPDX-License-Identifier: GPL-2.0-only
#include "harness/payload_files.h"

#include "base/util.h"

static bool have_payloads(const struct ktstr_cgroup *g)
{
	bool has_any = false;

	for (; g && g->name; g++)
		has_any |= g->payloads && g->payloads->name;
	return has_any;
}

bool scenario_has_payloads(const struct ktstr_scenario *s)
{
	bool has_any = (s->payloads && s->payloads->name) || have_payloads(s->cgroups);

	for (const struct ktstr_step *p = s->steps; p && !scenario_step_is_end(p); p++)
		has_any |= have_payloads(p->cgroups);
	return has_any;
}

static int add_cell(const struct cell *cell, struct words *ret)
{
	int r = 0;

	for (uint32_t i = 0; i < cell->plan.header.payload_count && r == 0; i++) {
		const struct cell_payload *p = &cell->payloads[i];

		r = words_add(ret, p->program);
		for (const char *const *f = p->from->include; f && *f && r == 0; f++)
			r = words_add(ret, *f);
	}
	return r;
}

int payload_files(const struct registry *chosen, const struct cell_options *options,
		  struct words *ret)
{
	for (size_t i = 0; i < chosen->count; i++) {
		cleanup(cell_deinit) struct cell cell = CELL_NULL;
		int r = 0;

		if (scenario_has_payloads(chosen->records[i]->scenario))
			r = cell_compile(chosen->records[i], options, &cell);
		if (r == 0)
			r = add_cell(&cell, ret);
		if (r < 0)
			return err_trace(r);
		err_clear();
	}
	return 0;
}
