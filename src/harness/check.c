// SPDX-License-Identifier: GPL-2.0-only
/* The table of checks, and claims as scenarios write them. */
#include "harness/check.h"

#include "base/util.h"
#include "harness/cell.h"
#include "harness/held.h"
#include "harness/spec.h"
#include "harness/telemetry.h"

#include <errno.h>
#include <stdlib.h>

static const struct check *const checks[] = {
	&check_share,
	&check_starvation,
	&check_work_conservation,
	&check_isolation,
	&check_wake_latency,
	&check_throughput,
	&check_spread,
	&check_migration_ratio,
	&check_locality,
	&check_deadline_misses,
	&check_throttling,
	&check_exit,
	&check_metric,
	NULL,
};

const struct check *const *check_table(void)
{
	return checks;
}

static const struct check *find_check(const char *name)
{
	for (const struct check *const *c = checks; *c; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

/* Settings hold no spaces: "cpu:0" is the cpuset "cpu 0". */
static int set_within(struct claim *c, const char *value)
{
	char *colon;

	c->within = strdup(value);
	if (!c->within)
		return err_new(-ENOMEM, "out of memory for %s", value);
	colon = strchr(c->within, ':');
	if (colon)
		*colon = ' ';
	return 0;
}

static int set_value(struct claim *c, const struct spec_arg *arg)
{
	if (strcmp(arg->key, "of") == 0) {
		c->scope = strdup(arg->value);
		return c->scope ? 0 : err_new(-ENOMEM, "out of memory for %s", arg->value);
	}
	if (strcmp(arg->key, "name") == 0 && c->check->takes_metric) {
		c->metric = strdup(arg->value);
		return c->metric ? 0 : err_new(-ENOMEM, "out of memory for %s", arg->value);
	}
	if (strcmp(arg->key, "within") == 0 && c->check->takes_within)
		return set_within(c, arg->value);
	for (unsigned i = 0; i < c->check->param_count; i++) {
		const struct check_param *p = &c->check->params[i];
		int r;

		if (strcmp(p->name, arg->key) != 0)
			continue;
		r = spec_value(arg->value, p->unit, &c->values[i]);
		c->is_given[i] = true;
		return r < 0 ? err_prefix(r, "%s ", arg->key) : 0;
	}
	return err_new(-EINVAL, "%s has no %s", c->check->name, arg->key);
}

static int require_bound(const struct claim *c)
{
	const struct check_param *first = NULL;

	if (c->check->takes_metric && !c->metric)
		return err_new(-EINVAL, "name=, the metric, is missing");
	for (unsigned i = 0; i < c->check->param_count; i++) {
		if (!c->check->params[i].is_bound)
			continue;
		if (c->is_given[i])
			return 0;
		first = first ? first : &c->check->params[i];
	}
	if (!first)
		return 0;
	return err_new(-EINVAL, "its bound is missing: %s=, %s", first->name,
		       spec_unit_text(first->unit));
}

/* No value could be between bounds that are crossed, and none below one of no time. */
static int check_bounds(const struct claim *c)
{
	const struct check_param *params = c->check->params;
	int least = -1, most = -1;

	for (unsigned i = 0; i < c->check->param_count; i++) {
		if (!params[i].is_bound || !c->is_given[i])
			continue;
		if (params[i].unit == PARAM_NS && !c->values[i])
			return err_new(-EINVAL, "%s: a bound of no time cannot hold",
				       params[i].name);
		if (strcmp(params[i].name, "min") == 0)
			least = (int)i;
		if (strcmp(params[i].name, "max") == 0)
			most = (int)i;
	}
	if (least >= 0 && most >= 0 && c->values[least] > c->values[most])
		return err_new(-EINVAL, "min is over max");
	return 0;
}

int claim_parse(const char *text, struct claim *ret)
{
	struct spec s;
	struct claim c = { .text = text };
	int r = spec_parse(text, &s);

	if (r < 0)
		return err_trace(r);
	c.check = find_check(s.name);
	if (!c.check)
		r = err_new(-EINVAL, "no check has that name; `ktstr checks` lists them");
	for (unsigned i = 0; r == 0 && i < c.check->param_count; i++)
		c.values[i] = c.check->params[i].value;
	for (unsigned i = 0; r == 0 && i < s.count; i++)
		r = set_value(&c, &s.args[i]);
	if (r == 0)
		r = require_bound(&c);
	if (r == 0)
		r = check_bounds(&c);
	spec_deinit(&s);
	if (r < 0) {
		claim_deinit(&c);
		return err_prefix(r, "\"%s\": ", text);
	}
	*ret = c;
	return 0;
}

void claim_deinit(struct claim *c)
{
	free(c->scope);
	free(c->within);
	free(c->metric);
	free(c->unit);
	*c = (struct claim){ 0 };
}

/* Is @path the claim's scope, or below it? */
static bool is_in_scope(const struct claim *c, const char *path)
{
	size_t len = c->scope ? strlen(c->scope) : 0;

	return !c->scope || (strncmp(path, c->scope, len) == 0 && (!path[len] || path[len] == '/'));
}

/* "a" covers a's workers and those of a/b; "a/spin" one entry. */
bool claim_covers(const struct claim *c, const struct cell *cell, uint32_t group)
{
	char name[CELL_NAME_BYTES];

	cell_group_name(cell, group, name);
	return is_in_scope(c, name);
}

bool claim_covers_cgroup(const struct claim *c, const char *path)
{
	return is_in_scope(c, path);
}

bool claim_has_payload_cgroup(const struct claim *c, const struct cell *cell)
{
	for (uint32_t i = 0; c->check->is_of_cgroups && i < cell->plan.header.payload_count; i++) {
		uint32_t cgroup = cell->plan.payloads[i].cgroup;

		if (cgroup != PLAN_NONE && claim_covers_cgroup(c, cell->plan.cgroups[cgroup].path))
			return true;
	}
	return false;
}

bool claim_judges(const struct claim *claim, const struct cell *cell,
		  const struct cell_window *window, uint32_t worker)
{
	uint32_t group = cell->plan.workers[worker].group;

	return claim_covers(claim, cell, group) &&
	       held_in_window(cell, window, group) != HELD_THROUGHOUT;
}

/* Are any of the workers that the claim is about there in the window? Of nobody there is nothing to
 * claim; nor of those whom the scenario itself lets not run, but for their part, which is nothing. Who is
 * left beside them does not count if the check can say nothing of him: a hog has no wake-ups. */
bool claim_is_about_window(const struct claim *claim, const struct cell *cell,
			   const struct cell_window *window)
{
	bool has_held = false, has_runner = false, has_judged = false;

	for (uint32_t g = 0; g < cell->plan.header.group_count; g++) {
		bool is_held = claim->check != &check_share &&
			       held_in_window(cell, window, g) == HELD_THROUGHOUT;
		bool is_about = !claim->check->is_about || claim->check->is_about(cell, g);

		if (!claim_covers(claim, cell, g) || !cell_window_has_group(window, g))
			continue;
		has_held |= is_held && is_about;
		has_runner |= !is_held;
		has_judged |= !is_held && is_about;
	}
	if (has_held)
		return has_judged || claim_has_payload_cgroup(claim, cell);
	return has_runner || claim_has_payload_cgroup(claim, cell);
}

bool claim_covers_payload(const struct claim *c, const struct cell *cell, uint32_t payload)
{
	return !c->scope || strcmp(c->scope, cell->plan.payloads[payload].name) == 0;
}

/* A claim that held over nothing did not hold: a worker that never ran was never outside its cpuset
 * either. */
static void refuse_nothing(struct finding *f)
{
	if (f->samples || f->verdict == VERDICT_FAIL || f->verdict == VERDICT_INFRA)
		return;
	f->verdict = VERDICT_UNDECIDED;
	f->holds = false;
	buf_str(&f->evidence, "there was nothing to see: no sample\n");
}

void finding_check_length(struct finding *f, const struct telemetry *telemetry)
{
	const struct window_data *d = telemetry_window(telemetry, f->window);
	uint64_t length_ns = grown(d->begin_ns, d->end_ns);

	if (length_ns > f->bound || f->verdict == VERDICT_FAIL)
		return;
	f->is_too_short = true;
	f->holds = false;
	f->verdict = VERDICT_UNDECIDED;
	buf_printf(
		&f->evidence,
		"the window was %.1f ms long, no longer than the bound: nothing could break it\n",
		(double)length_ns / 1e6);
}

static int judge(const struct claim *claim, const struct cell *cell,
		 const struct cell_window *window, const struct telemetry *telemetry,
		 struct finding *f)
{
	int r;

	f->claim = claim;
	f->window = window;
	r = claim->check->evaluate(claim, cell, window, telemetry, f);
	if (!f->is_timed)
		f->holds = f->verdict == VERDICT_PASS;
	refuse_nothing(f);
	if (r == 0)
		r = buf_ok(&f->figures);
	if (r == 0)
		r = buf_ok(&f->evidence);
	return r;
}

static void finding_deinit(struct finding *f)
{
	buf_deinit(&f->figures);
	buf_deinit(&f->evidence);
	buf_deinit(&f->details);
}

static bool has_longer(const struct finding *all, uint32_t count, const struct claim *claim)
{
	for (uint32_t i = 0; i < count; i++) {
		if (all[i].claim == claim && !all[i].is_too_short)
			return true;
	}
	return false;
}

/* A window that is too short for a claim says nothing about it: what the others say stands. Returns how many
 * are left. */
static uint32_t drop_short(struct finding *all, uint32_t count)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (all[i].is_too_short && has_longer(all, count, all[i].claim)) {
			finding_deinit(&all[i]);
			continue;
		}
		all[left++] = all[i];
	}
	memset(&all[left], 0, (count - left) * sizeof(*all));
	return left;
}

int check_all(const struct cell *cell, const struct telemetry *telemetry, struct finding **ret,
	      uint32_t *count_ret)
{
	uint32_t count = cell->claim_count * (cell->window_count + 1), i = 0;
	struct finding *all = calloc(count + 1, sizeof(*all));
	int r = all ? 0 : err_new(-ENOMEM, "out of memory for %u findings", count);

	for (uint32_t w = 0; w < cell->window_count; w++) {
		for (uint32_t c = 0; c < cell->claim_count && r == 0; c++) {
			const struct claim *claim = &cell->claims[c];

			if (claim->check->is_of_payloads ||
			    !claim_is_about_window(claim, cell, &cell->windows[w]))
				continue;
			r = judge(claim, cell, &cell->windows[w], telemetry, &all[i++]);
		}
	}
	for (uint32_t c = 0; c < cell->claim_count && r == 0; c++) {
		if (cell->claims[c].check->is_of_payloads)
			r = judge(&cell->claims[c], cell, &cell->whole, telemetry, &all[i++]);
	}
	if (r < 0) {
		findings_free(all, all ? count : 0);
		return err_trace(r);
	}
	*ret = all;
	*count_ret = drop_short(all, i);
	return 0;
}

struct finding *findings_free(struct finding *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		finding_deinit(&all[i]);
	free(all);
	return NULL;
}
