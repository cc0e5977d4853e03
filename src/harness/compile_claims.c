// SPDX-License-Identifier: GPL-2.0-only
/* Claims, and what they say about the cell's own tables: workers, CPUs, payloads and their metrics. */
#include "harness/compile.h"

#include "base/str.h"
#include "base/util.h"
#include "harness/cpuspec.h"

#include <errno.h>
#include <stdlib.h>

/* Does name= mean that metric: "METRIC", or "PAYLOAD/METRIC"? */
static bool is_metric(const char *wanted, const char *payload, const char *metric)
{
	const char *slash = strchr(wanted, '/');
	size_t len = slash ? (size_t)(slash - wanted) : 0;

	if (!slash)
		return strcmp(wanted, metric) == 0;
	return strncmp(wanted, payload, len) == 0 && !payload[len] &&
	       strcmp(slash + 1, metric) == 0;
}

static int bind_metric(const struct cell *cell, struct claim *claim)
{
	unsigned found = 0;

	for (uint32_t i = 0; i < cell->plan.header.payload_count; i++) {
		const struct ktstr_payload *p = cell->payloads[i].from;

		for (const struct ktstr_metric *m = p->metrics; m && m->name; m++) {
			if (!is_metric(claim->metric, p->name, m->name))
				continue;
			claim->payload = i;
			claim->payload_metric = m;
			found++;
		}
	}
	if (!found)
		return err_new(-EINVAL, "no metric is named %s", claim->metric);
	if (found > 1)
		return err_new(-EINVAL, "several metrics are named %s; say PAYLOAD/METRIC",
			       claim->metric);
	return str_printf(&claim->unit, "milli %s",
			  claim->payload_metric->unit ? claim->payload_metric->unit : "units");
}

static int bind_to_payloads(const struct cell *cell, struct claim *claim)
{
	bool is_empty = true;

	if (claim->metric && claim->scope)
		return err_new(-EINVAL, "name=PAYLOAD/METRIC says which one, not of=");
	if (claim->metric)
		return bind_metric(cell, claim);
	for (uint32_t i = 0; i < cell->plan.header.payload_count; i++)
		is_empty &= !claim_covers_payload(claim, cell, i);
	if (is_empty && claim->scope)
		return err_new(-EINVAL, "of=%s names no payload", claim->scope);
	return is_empty ? err_new(-EINVAL, "there are no payloads") : 0;
}

static bool is_there_once(const struct cell *cell, uint32_t group)
{
	for (uint32_t w = 0; w < cell->window_count; w++) {
		if (cell_window_has_group(&cell->windows[w], group))
			return true;
	}
	return false;
}

static bool is_about_any(const struct cell *cell, const struct claim *claim)
{
	for (uint32_t w = 0; w < cell->window_count; w++) {
		if (claim_is_about_window(claim, cell, &cell->windows[w]))
			return true;
	}
	return false;
}

/* A bound on a wait that no hold is long enough for can never be broken: that is no claim. */
static int check_holds(const struct cell *cell, const struct claim *claim)
{
	uint64_t longest_ns = 0;

	if (claim->check != &check_starvation)
		return 0;
	for (uint32_t w = 0; w < cell->window_count; w++) {
		if (claim_is_about_window(claim, cell, &cell->windows[w]))
			longest_ns = MAX(longest_ns, cell->windows[w].hold_ns);
	}
	if (claim->values[0] < longest_ns)
		return 0;
	return err_new(-EINVAL, "gap: no hold %sis longer than the bound",
		       claim->scope ? "that has its workers " : "");
}

static int bind_to_workers(const struct cell *cell, struct claim *claim)
{
	bool is_empty = !claim_has_payload_cgroup(claim, cell);

	for (uint32_t g = 0; g < cell->plan.header.group_count; g++)
		is_empty &= !claim_covers(claim, cell, g) || !is_there_once(cell, g);
	if (is_empty && claim->scope)
		return err_new(-EINVAL, "of=%s names no workers", claim->scope);
	if (is_empty)
		return err_new(-EINVAL, "there are no workers");
	if (!is_about_any(cell, claim))
		return err_new(-EINVAL, "the scenario itself holds its workers back in every hold "
					"(freeze, signal STOP)");
	if (claim->check == &check_share && cell->plan.header.payload_count)
		return err_new(-EINVAL, "nobody knows what the payloads want of the CPU; claim "
					"something else beside them");
	if (check_holds(cell, claim) < 0)
		return err_trace(-EINVAL);
	if (claim->within)
		return cpuspec_resolve(claim->within, &cell->topology, &claim->within_cpus);
	return 0;
}

/* How often windows are sampled inside: ten times a second, with many CPUs and workers less often, so
 * that reading their figures stays a small part of the time; but as often as a bound needs it. No
 * window has more than a few hundred ticks. */
static void choose_sample_ns(struct cell *cell, const struct claim *claim)
{
	enum { TICKS_MAX = 240 };
	uint64_t read = cell->plan.header.worker_count + topology_cpu_count(&cell->topology);
	uint64_t least_ns = MAX(100 * NSEC_PER_MSEC, cell->hold_ns / TICKS_MAX);
	uint64_t ns = MAX(least_ns, read * NSEC_PER_MSEC),
		 *sample_ns = &cell->plan.header.sample_ns;

	if (claim->check->ticks_in_bound)
		ns = MIN(ns, claim->values[0] / claim->check->ticks_in_bound);
	ns = MAX(ns, least_ns);
	*sample_ns = *sample_ns ? MIN(*sample_ns, ns) : ns;
}

/* What a claim says about the cell's own tables. */
static int bind_claim(const struct cell *cell, struct claim *claim)
{
	int r = claim->check->is_of_payloads ? bind_to_payloads(cell, claim)
					     : bind_to_workers(cell, claim);

	if (r == 0 && claim->check->bind)
		r = claim->check->bind(claim, cell);
	return r < 0 ? err_prefix(r, "\"%s\": ", claim->text) : 0;
}

static int add_claim(struct cell *cell, const char *text)
{
	struct claim *claim = &cell->claims[cell->claim_count];
	int r = claim_parse(text, claim);

	if (r < 0)
		return err_trace(r);
	cell->claim_count++;
	if (claim->check->needs_ticks)
		choose_sample_ns(cell, claim);
	return bind_claim(cell, claim);
}

/* Every payload has to end well, whether somebody says so or not. */
static bool wants_exit(const struct cell *cell)
{
	bool is_claimed = false;

	for (uint32_t i = 0; i < cell->claim_count; i++)
		is_claimed |= cell->claims[i].check == &check_exit && !cell->claims[i].scope;
	return cell->plan.header.payload_count && !is_claimed;
}

int compile_claims(struct cell *cell)
{
	const char *const *from = cell->record->scenario->checks;
	uint32_t count = 0;
	int r = 0;

	while (from && from[count])
		count++;
	if (count == 0 && !cell->plan.header.payload_count)
		return err_new(-EINVAL, "checks: there are none");
	cell->claims = calloc(count + 1, sizeof(*cell->claims));
	if (!cell->claims)
		return err_new(-ENOMEM, "out of memory for checks");
	for (uint32_t i = 0; i < count && r == 0; i++)
		r = add_claim(cell, from[i]);
	if (r == 0 && wants_exit(cell))
		r = add_claim(cell, "exit");
	cell->whole = (struct cell_window){ .step = PLAN_NONE,
					    .name = "run",
					    .hold_ns = cell->hold_ns + cell->wait_ns };
	return r < 0 ? err_prefix(r, "check ") : 0;
}
