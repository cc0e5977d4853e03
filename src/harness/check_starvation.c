// SPDX-License-Identifier: GPL-2.0-only
/* starvation: the longest stretch in which a worker wanted to run and made no progress. The finding
 * names the longest wait of every worker: when, where before and after; and for those over the bound,
 * and the longest of all, what each CPU did meanwhile, between the two ticks around the wait. Idle and
 * stolen time come in steps of 10 ms; run delay is counted when the task that waited gets its CPU. */
#include "harness/check.h"

#include "base/json.h"
#include "base/util.h"
#include "harness/held.h"
#include "harness/noise.h"

#include <errno.h>

enum { PARAM_GAP, PARAM_NOISE };

/* Figures of all CPUs are kept for so many waits: a record stays readable. */
enum { DETAILED_MAX = 16 };

/* What a CPU did between two samples. */
struct cpu_span {
	uint64_t idle_ns, steal_ns, busy_ns, waited_ns;
};

/* The samples around a wait; ends of the window where there are no ticks. */
struct span {
	const struct cpu_sample *from, *to;
	uint64_t length_ns;
};

static struct span span_of(const struct window_data *data, const struct wire_gap *gap)
{
	struct span s = { data->begin, data->end, grown(data->begin_ns, data->end_ns) };
	uint32_t ticks = telemetry_ticks(data), from = 0, to;

	if (ticks < 2)
		return s;
	while (from + 2 < ticks && data->ticks[from + 1].ns <= gap->start_ns)
		from++;
	to = from + 1;
	while (to + 1 < ticks && data->ticks[to].ns_end < gap->start_ns + gap->length_ns)
		to++;
	s.from = data->ticks[from].cpus;
	s.to = data->ticks[to].cpus;
	s.length_ns = grown(data->ticks[from].ns, data->ticks[to].ns_end);
	return s;
}

static struct cpu_span cpu_in(const struct span *s, unsigned cpu)
{
	const struct wire_cpustat *a = &s->from[cpu].stat, *b = &s->to[cpu].stat;

	return (struct cpu_span){ .idle_ns = grown(a->idle_ns, b->idle_ns),
				  .steal_ns = grown(a->steal_ns, b->steal_ns),
				  .busy_ns = grown(a->run_ns, b->run_ns),
				  .waited_ns = grown(a->run_delay_ns, b->run_delay_ns) };
}

/* ---- words ---- */

static void describe_cpu(struct buf *out, const char *word, uint32_t cpu)
{
	if (cpu == REPORT_NO_CPU)
		buf_printf(out, ", %s it had not run", word);
	else
		buf_printf(out, ", %s on CPU %u", word, cpu);
}

static void describe_wait(const struct cell *cell, const struct window_data *data, uint32_t worker,
			  struct buf *out)
{
	const struct wire_gap *gap = &data->reports[worker].report.gap;
	char name[CELL_NAME_BYTES];

	buf_printf(out, "%s waited %.1f ms, %.1f ms into the window",
		   cell_worker_name(cell, worker, name), (double)gap->length_ns / 1e6,
		   (double)grown(data->begin_ns, gap->start_ns) / 1e6);
	describe_cpu(out, "before", gap->cpu_before);
	if (gap->is_open)
		buf_str(out, ", and it had not ended when the window did");
	else
		describe_cpu(out, "after", gap->cpu_after);
	buf_str(out, gap->is_wake ? ", after a wake-up\n" : "\n");
}

static void describe_cpus(const struct telemetry *t, const struct window_data *data,
			  const struct wire_gap *gap, struct buf *out)
{
	struct span s = span_of(data, gap);

	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		struct cpu_span is = cpu_in(&s, cpu);

		buf_printf(out,
			   "CPU %u in the %.0f ms around it: %.0f ms idle, %.0f ms stolen, tasks "
			   "waited %.0f ms\n",
			   cpu, (double)s.length_ns / 1e6, (double)is.idle_ns / 1e6,
			   (double)is.steal_ns / 1e6, (double)is.waited_ns / 1e6);
	}
}

/* ---- the record ---- */

static void json_cpu(struct json *j, const char *key, uint32_t cpu)
{
	if (cpu == REPORT_NO_CPU)
		json_str(j, key, NULL);
	else
		json_u64(j, key, cpu);
}

static void json_span(struct json *j, const struct telemetry *t, const struct window_data *data,
		      const struct wire_gap *gap)
{
	struct span s = span_of(data, gap);

	json_u64(j, "around_ns", s.length_ns);
	json_array(j, "cpus");
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		struct cpu_span is = cpu_in(&s, cpu);

		json_object(j, NULL);
		json_u64(j, "idle_ns", is.idle_ns);
		json_u64(j, "steal_ns", is.steal_ns);
		json_u64(j, "busy_ns", is.busy_ns);
		json_u64(j, "waited_ns", is.waited_ns);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_wait(struct json *j, const struct cell *cell, const struct telemetry *t,
		      const struct window_data *data, uint32_t worker, bool is_detailed)
{
	const struct wire_gap *gap = &data->reports[worker].report.gap;
	char name[CELL_NAME_BYTES];

	json_object(j, NULL);
	json_str(j, "worker", cell_worker_name(cell, worker, name));
	json_u64(j, "wait_ns", gap->length_ns);
	json_u64(j, "into_window_ns", grown(data->begin_ns, gap->start_ns));
	json_cpu(j, "cpu_before", gap->cpu_before);
	json_cpu(j, "cpu_after", gap->is_open ? REPORT_NO_CPU : gap->cpu_after);
	json_bool(j, "is_open", gap->is_open);
	json_bool(j, "is_wake", gap->is_wake);
	if (is_detailed)
		json_span(j, t, data, gap);
	json_object_end(j);
}

/* ---- the claim ---- */

/* Of a wait over the bound that the scenario's own loop may have made, nobody knows how long the rest was. */
static bool may_be_held(const struct claim *claim, const struct cell *cell,
			const struct cell_window *window, const struct telemetry *t,
			uint32_t worker)
{
	uint64_t wait_ns = telemetry_window(t, window)->reports[worker].report.gap.length_ns;
	uint64_t held_ns = held_in_window_ns(cell, window, t, cell->plan.workers[worker].group);

	return wait_ns > claim->values[PARAM_GAP] &&
	       grown(held_ns, wait_ns) <= claim->values[PARAM_GAP];
}

static uint64_t wait_of(const struct claim *claim, const struct cell *cell,
			const struct cell_window *window, const struct telemetry *t,
			uint32_t worker)
{
	const struct worker_report *r = &telemetry_window(t, window)->reports[worker];

	if (!r->is_there || !claim_judges(claim, cell, window, worker) ||
	    may_be_held(claim, cell, window, t, worker))
		return 0;
	return r->report.gap.length_ns;
}

/* Of all workers in scope the one that waited longest. */
static uint32_t find_longest(const struct claim *claim, const struct cell *cell,
			     const struct cell_window *window, const struct telemetry *t,
			     struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	uint32_t longest = 0;

	for (uint32_t w = 0; w < cell->plan.header.worker_count; w++) {
		uint64_t gap_ns = wait_of(claim, cell, window, t, w);

		if (claim_judges(claim, cell, window, w))
			ret->samples += data->reports[w].report.checkpoints;
		if (gap_ns <= ret->observed)
			continue;
		ret->observed = gap_ns;
		longest = w;
	}
	return longest;
}

static void tell_waits(const struct claim *claim, const struct cell *cell,
		       const struct cell_window *window, const struct telemetry *t,
		       uint32_t longest, struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	struct json j = json_to(&ret->details);
	unsigned detailed = 0;

	json_array(&j, NULL);
	for (uint32_t w = 0; w < t->worker_count; w++) {
		uint64_t gap_ns = wait_of(claim, cell, window, t, w);
		bool is_over = gap_ns > ret->bound && detailed < DETAILED_MAX;

		if (!gap_ns)
			continue;
		if (gap_ns > ret->bound || w == longest)
			describe_wait(cell, data, w, &ret->evidence);
		json_wait(&j, cell, t, data, w, is_over || w == longest);
		detailed += is_over;
	}
	json_array_end(&j);
}

static void doubt_held(const struct claim *claim, const struct cell *cell,
		       const struct cell_window *window, const struct telemetry *t,
		       struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);

	for (uint32_t w = 0; w < t->worker_count; w++) {
		uint64_t held_ns = held_in_window_ns(cell, window, t, cell->plan.workers[w].group);

		if (!data->reports[w].is_there || !claim_judges(claim, cell, window, w) ||
		    !may_be_held(claim, cell, window, t, w))
			continue;
		describe_wait(cell, data, w, &ret->evidence);
		buf_printf(&ret->evidence,
			   "the scenario's own loop held it back for up to %.1f ms of the window: "
			   "how much of that was no wait, nobody knows\n",
			   (double)held_ns / 1e6);
		if (ret->verdict == VERDICT_PASS)
			ret->verdict = VERDICT_UNDECIDED;
	}
}

/* A loop that leaves its workers held back does so until its next turn: no shorter bound can hold. */
static int starvation_bind(const struct claim *claim, const struct cell *cell)
{
	for (uint32_t i = 0; i < cell->window_count; i++) {
		const struct cell_window *w = &cell->windows[i];
		uint64_t turn_ns = cell->plan.steps[w->step].loop_interval_ns;

		for (uint32_t g = 0; g < cell->plan.header.group_count; g++) {
			if (!claim_covers(claim, cell, g) || claim->values[PARAM_GAP] >= turn_ns ||
			    held_in_window(cell, w, g) != HELD_PARTLY ||
			    !held_in_scene(cell, &w->turns[w->turn_count - 1].scene, g))
				continue;
			return err_new(-EINVAL,
				       "step %s: its loop holds workers back (freeze, signal STOP) "
				       "for %llu ms at a time, longer than the bound",
				       w->name, (unsigned long long)(turn_ns / NSEC_PER_MSEC));
		}
	}
	return 0;
}

static int starvation_evaluate(const struct claim *claim, const struct cell *cell,
			       const struct cell_window *window, const struct telemetry *t,
			       struct finding *ret)
{
	const struct window_data *data = telemetry_window(t, window);
	char name[CELL_NAME_BYTES];
	uint32_t longest;

	ret->unit = "ns";
	ret->bound = claim->values[PARAM_GAP];
	longest = find_longest(claim, cell, window, t, ret);
	buf_printf(&ret->figures, "longest wait %.1f ms", (double)ret->observed / 1e6);
	if (ret->observed > 0)
		buf_printf(&ret->figures, " (%s)", cell_worker_name(cell, longest, name));
	tell_waits(claim, cell, window, t, longest, ret);
	if (ret->observed > 0)
		describe_cpus(t, data, &data->reports[longest].report.gap, &ret->evidence);
	noise_judge_wait(ret, t, claim->values[PARAM_NOISE]);
	doubt_held(claim, cell, window, t, ret);
	finding_check_length(ret, t);
	return buf_ok(&ret->details);
}

const struct check check_starvation = {
	.name = "starvation",
	.summary = "nobody who wanted to run waited longer than the bound",
	.needs_ticks = true,
	.param_count = 2,
	.params = { [PARAM_GAP] = { .name = "gap",
				    .unit = PARAM_NS,
				    .is_bound = true,
				    .help = "longest wait" },
		    [PARAM_NOISE] = NOISE_PARAM },
	.bind = starvation_bind,
	.evaluate = starvation_evaluate,
};
