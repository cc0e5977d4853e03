// SPDX-License-Identifier: GPL-2.0-only
/* Claims are judged only over whole windows with a report from every worker. What is missing is our
 * own trouble or the guest's, never a fault of the scheduler: with one exception. A worker that did
 * not answer its stop was perhaps never run: its figures up to then are judged, and only if no claim
 * catches it the verdict is INFRA. */
#include "harness/judge.h"

#include "base/util.h"
#include "harness/payload_record.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void infra(struct result *result)
{
	result->verdict = VERDICT_INFRA;
}

/* Workers with so many iterations to do may have done them before the window began. */
static bool has_finished_before(const struct result *result, const struct telemetry *t, uint32_t w,
				uint64_t begin_ns)
{
	const struct plan *p = &result->cell.plan;
	const struct wire_report *r = &t->whole[w].report;

	return p->groups[p->workers[w].group].iterations && t->whole[w].is_there &&
	       r->end == WORKER_FINISHED && r->end_ns <= begin_ns;
}

/* A hold that was cut short, or of whose CPUs the figures are missing, is no window to judge. */
static bool is_hold_whole(struct result *result, const struct telemetry *t, uint32_t window)
{
	const struct window_data *d = &t->windows[window];
	const struct cell_window *declared = &result->cell.windows[window];
	uint64_t length_ns = d->end_ns - d->begin_ns;

	if (!d->is_condition_met && length_ns < declared->hold_ns) {
		buf_printf(&result->reason, "window %s: it was cut short: %llu of %llu ms",
			   declared->name, (unsigned long long)(length_ns / NSEC_PER_MSEC),
			   (unsigned long long)(declared->hold_ns / NSEC_PER_MSEC));
		return false;
	}
	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		if (d->begin[cpu].is_there && d->end[cpu].is_there)
			continue;
		buf_printf(&result->reason, "window %s: no figures of CPU %u at its %s",
			   declared->name, cpu, d->begin[cpu].is_there ? "end" : "begin");
		return false;
	}
	return true;
}

static bool is_window_whole(struct result *result, const struct telemetry *t, uint32_t window)
{
	const struct window_data *d = &t->windows[window];
	const struct scene *scene = &result->cell.windows[window].scene;
	const char *name = result->cell.windows[window].name;
	char worker[CELL_NAME_BYTES];

	if (!d->has_begun || !d->has_ended || d->end_ns <= d->begin_ns) {
		buf_printf(&result->reason, "window %s never ended", name);
		return false;
	}
	if (!is_hold_whole(result, t, window))
		return false;
	for (uint32_t w = 0; w < t->worker_count; w++) {
		if (d->reports[w].is_there ||
		    scene->groups[result->cell.plan.workers[w].group].is_stopped ||
		    has_finished_before(result, t, w, d->begin_ns))
			continue;
		buf_printf(&result->reason, "window %s: no report from %s", name,
			   cell_worker_name(&result->cell, w, worker));
		return false;
	}
	return true;
}

/* Does the scenario itself kill them? */
static bool is_to_be_killed(const struct cell *cell, uint32_t group)
{
	for (uint32_t i = 0; i < cell->plan.header.op_count; i++) {
		const struct plan_op *op = &cell->plan.ops[i];

		if (op->code == OP_SIGNAL && op->target == group &&
		    (op->args[0] == SIGKILL || op->args[0] == SIGTERM))
			return true;
	}
	return false;
}

/* The signal, if one ended it, and its own words. */
static void describe_end(struct buf *out, const struct wire_report *r)
{
	int status = r->end_status;
	bool is_signal = r->end == WORKER_CRASHED && WIFSIGNALED(status);

	if (is_signal)
		buf_printf(out, "killed by signal %d (%s)%s", WTERMSIG(status),
			   strsignal(WTERMSIG(status)), r->text[0] ? ", " : "");
	else if (r->end == WORKER_CRASHED && !r->text[0])
		buf_printf(out, "exit status %d", WEXITSTATUS(status));
	buf_str(out, r->text);
}

/* The first worker whose life ended in a way that no scheduler explains. */
static bool has_broken_worker(struct result *result, const struct telemetry *t)
{
	for (uint32_t w = 0; w < t->worker_count; w++) {
		const struct wire_report *r = &t->whole[w].report;
		char name[CELL_NAME_BYTES];

		if (!t->whole[w].is_there || r->end == WORKER_RUNNING || r->end == WORKER_STOPPED ||
		    r->end == WORKER_FINISHED || r->end == WORKER_STUCK)
			continue;
		if (r->end == WORKER_KILLED &&
		    is_to_be_killed(&result->cell, result->cell.plan.workers[w].group))
			continue;
		buf_printf(&result->reason, "%s %s: ", cell_worker_name(&result->cell, w, name),
			   worker_end_name(r->end));
		describe_end(&result->reason, r);
		return true;
	}
	return false;
}

/* May a worker end before it is told to? */
static bool can_finish(const struct cell *cell, uint32_t worker)
{
	const struct plan_group *g = &cell->plan.groups[cell->plan.workers[worker].group];

	return g->iterations || workload_by_id(g->workload)->flags & WORKLOAD_HAS_FUNCTION;
}

static bool was_in_a_window(const struct telemetry *t, uint32_t worker)
{
	for (uint32_t w = 0; w < t->window_count; w++) {
		if (t->windows[w].reports[worker].is_there)
			return true;
	}
	return false;
}

/* What must not be taken for a good end because nobody said that it was a bad one. */
static bool has_unclear_end(struct result *result, const struct telemetry *t)
{
	char name[CELL_NAME_BYTES];

	for (uint32_t w = 0; w < t->worker_count; w++) {
		const char *what = NULL;

		if (!t->whole[w].is_there && was_in_a_window(t, w))
			what = "its last report is missing";
		else if (t->whole[w].report.end == WORKER_FINISHED && !can_finish(&result->cell, w))
			what = "its work has no end, and it ended";
		if (!what)
			continue;
		buf_printf(&result->reason, "%s: %s", cell_worker_name(&result->cell, w, name),
			   what);
		return true;
	}
	if (t->has_failed)
		buf_printf(&result->reason, "the guest: %s", t->failed_text);
	else if (t->is_done && t->done.status)
		buf_printf(&result->reason, "the guest ended the plan early, status %u",
			   t->done.status);
	return result->reason.len;
}

static const struct wire_report *find_stuck(const struct telemetry *t)
{
	for (uint32_t w = 0; w < t->worker_count; w++) {
		if (t->whole[w].is_there && t->whole[w].report.end == WORKER_STUCK)
			return &t->whole[w].report;
	}
	return NULL;
}

static void blame_stuck(struct result *result, const struct telemetry *t)
{
	const struct wire_report *stuck = find_stuck(t);
	char name[CELL_NAME_BYTES];

	if (!stuck || result->verdict == VERDICT_FAIL || result->verdict == VERDICT_XFAIL)
		return;
	buf_printf(&result->reason, "%s did not answer its stop and was killed",
		   cell_worker_name(&result->cell, stuck->worker, name));
	infra(result);
}

/* A hold whose condition did not come was not the hold that the scenario describes: that all claims
 * held in it proves nothing. Noise takes time from the condition as from everything else. */
static void blame_conditions(struct result *result, const struct telemetry *t)
{
	enum { NOISE_LIMIT_PERMILLE = 100 };

	for (uint32_t w = 0; w < t->window_count; w++) {
		const struct cell_window *window = &result->cell.windows[w];
		unsigned cpu, noise = telemetry_noise_permille(t, window, &cpu);

		if (!window->condition[0] || t->windows[w].is_condition_met ||
		    verdict_worse(result->verdict, VERDICT_UNDECIDED) != VERDICT_UNDECIDED)
			continue;
		buf_printf(&result->reason, "window %s: \"%s\": it did not come in %llu ms",
			   window->name, window->condition,
			   (unsigned long long)(window->hold_ns / NSEC_PER_MSEC));
		result->verdict = VERDICT_TIMEOUT;
		if (noise <= NOISE_LIMIT_PERMILLE)
			return;
		buf_printf(&result->reason,
			   "; the host took %u permille of that time from CPU %u, limit %d", noise,
			   cpu, NOISE_LIMIT_PERMILLE);
		result->verdict = VERDICT_UNDECIDED;
		return;
	}
}

static struct result_cpu cpu_figures(const struct window_data *d, unsigned cpu)
{
	const struct wire_cpustat *a = &d->begin[cpu].stat, *b = &d->end[cpu].stat;

	return (struct result_cpu){
		.busy_ns = grown(a->run_ns, b->run_ns),
		.idle_ns = grown(a->idle_ns, b->idle_ns),
		.waited_ns = grown(a->run_delay_ns, b->run_delay_ns),
		.steal_ns = grown(a->steal_ns, b->steal_ns),
		.host_delay_ns = grown(d->host_delay_begin_ns[cpu], d->host_delay_end_ns[cpu]),
		.noise_permille = telemetry_cpu_noise_permille(d, cpu),
	};
}

/* The record keeps what every CPU did, whatever the verdict. */
static int keep_windows(struct result *result, const struct telemetry *t)
{
	result->windows = calloc(t->window_count + 1, sizeof(*result->windows));
	if (!result->windows)
		return err_new(-ENOMEM, "out of memory for %u windows", t->window_count);
	result->cpu_count = t->cpu_count;
	for (uint32_t w = 0; w < t->window_count; w++) {
		const struct window_data *d = &t->windows[w];
		struct result_window *to = &result->windows[w];

		to->begin_ns = d->begin_ns;
		to->end_ns = d->end_ns;
		to->ticks = telemetry_ticks(d);
		for (uint32_t i = 0; i < to->ticks; i++)
			to->ticks_ns += grown(d->ticks[i].ns, d->ticks[i].ns_end);
		to->is_condition_met = d->is_condition_met;
		to->cpus = calloc(t->cpu_count, sizeof(*to->cpus));
		if (!to->cpus)
			return err_new(-ENOMEM, "out of memory for %u CPUs", t->cpu_count);
		for (unsigned cpu = 0; cpu < t->cpu_count; cpu++)
			to->cpus[cpu] = cpu_figures(d, cpu);
	}
	return 0;
}

/* "step NAME, "OPERATION": ", in the scenario's words; what was made for it (its cgroups, say) has none. */
static void name_operation(struct result *result, uint32_t index)
{
	const struct plan *p = cell_sent_plan(&result->cell);
	const char *text = result->cell.op_texts ? result->cell.op_texts[index] : NULL;

	for (uint32_t i = 0; i < p->header.step_count; i++) {
		const struct plan_step *s = &p->steps[i];

		if (index - s->first_op < s->op_count ||
		    index - s->loop_first_op < s->loop_op_count)
			buf_printf(&result->reason, "step %s, ", s->name);
	}
	if (text)
		buf_printf(&result->reason, "\"%s\": ", text);
	else
		buf_printf(&result->reason, "%s: ", plan_op_name(p->ops[index].code));
}

/* The guest gave up. A file that the kernel does not have is no fault of anybody's: SKIP, as for
 * other things that a kernel lacks. */
static void take_failure(struct result *result, const struct telemetry *t)
{
	const struct plan *p = cell_sent_plan(&result->cell);
	uint32_t index = t->failed.index;
	bool is_op = t->failed.kind == FAILED_OP || t->failed.kind == FAILED_NO_FILE;

	infra(result);
	if (!is_op || index >= p->header.op_count) {
		buf_printf(&result->reason, "the guest: %s", t->failed_text);
		return;
	}
	name_operation(result, index);
	if (t->failed.kind == FAILED_NO_FILE && p->ops[index].code == OP_WRITE) {
		buf_printf(&result->reason, "this kernel has no %s",
			   plan_string(p, p->ops[index].text));
		result->verdict = VERDICT_SKIP;
		return;
	}
	buf_str(&result->reason, t->failed_text);
}

int judge_trial(struct result *result, const struct telemetry *t)
{
	int r = keep_windows(result, t);

	payloads_json(t, &result->payloads);
	if (r == 0)
		r = buf_ok(&result->payloads);
	if (r < 0)
		return err_trace(r);
	if (t->has_failed && t->failed.kind != FAILED_WORKER) {
		take_failure(result, t);
		return buf_ok(&result->reason);
	}
	if (has_broken_worker(result, t) || has_unclear_end(result, t)) {
		infra(result);
		return buf_ok(&result->reason);
	}
	for (uint32_t w = 0; w < t->window_count; w++) {
		if (!is_window_whole(result, t, w)) {
			infra(result);
			return buf_ok(&result->reason);
		}
	}
	r = check_all(&result->cell, t, &result->findings, &result->finding_count);
	if (r < 0)
		return err_trace(r);
	if (!result->finding_count) {
		buf_str(&result->reason, "no claim was judged");
		infra(result);
		return buf_ok(&result->reason);
	}
	result_conclude(result);
	blame_conditions(result, t);
	blame_stuck(result, t);
	return buf_ok(&result->reason);
}
