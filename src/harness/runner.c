// SPDX-License-Identifier: GPL-2.0-only
#include "harness/runner.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/util.h"
#include "devices/blk/blk.h"
#include "harness/guest.h"
#include "harness/jobs.h"
#include "harness/judge.h"
#include "harness/rerun.h"
#include "harness/store.h"
#include "harness/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DISKS_MAX = MACHINE_DISKS_MAX };

/* What a machine is made from, as far as scenarios differ in it. */
struct machine_key {
	struct topology topology;
	uint64_t memory_bytes;
	const char *disks[DISKS_MAX];
	unsigned disk_count;
	bool has_payloads; /* it brings their files */
};

struct runner {
	const struct run_options *options;
	const struct boot_image *image;
	struct reporter *reporter;
	struct guest *guest;	/* NULL: none is running */
	struct machine_key key; /* of the guest */
	bool is_tainted;	/* the guest has run a fault */
	uint32_t next_plan_id;
};

static int collect_disks(const struct run_options *options, const struct ktstr_scenario *s,
			 struct machine_key *key)
{
	for (unsigned i = 0; i < options->disk_count && i < DISKS_MAX; i++)
		key->disks[key->disk_count++] = options->disks[i];
	for (const char *const *disk = s->disks; disk && *disk; disk++) {
		if (key->disk_count == DISKS_MAX)
			return err_new(-E2BIG, "more than %d disks", DISKS_MAX);
		key->disks[key->disk_count++] = *disk;
	}
	return 0;
}

static int key_of_cell(const struct run_options *options, const struct cell *cell,
		       struct machine_key *ret)
{
	struct machine_key key = { .topology = cell->topology,
				   .memory_bytes = cell->memory_bytes,
				   .has_payloads = cell->plan.header.payload_count > 0 };
	int r = collect_disks(options, cell->record->scenario, &key);

	if (r == 0)
		*ret = key;
	return r;
}

static bool is_same_machine(const struct machine_key *a, const struct machine_key *b)
{
	if (memcmp(&a->topology, &b->topology, sizeof(a->topology)) != 0 ||
	    a->memory_bytes != b->memory_bytes || a->disk_count != b->disk_count ||
	    a->has_payloads != b->has_payloads)
		return false;
	for (unsigned i = 0; i < a->disk_count; i++) {
		if (strcmp(a->disks[i], b->disks[i]) != 0)
			return false;
	}
	return true;
}

/* ---- before anything boots ---- */

int runner_check_disk(const char *text)
{
	struct blk_spec spec;
	struct blk *disk = NULL;
	int r = blk_spec_parse(text, &spec);

	/* The log must not be there when the machine's own disk makes it. */
	spec.record[0] = '\0';
	if (r == 0)
		r = blk_new(&spec, NULL, &disk);
	blk_free(disk);
	return r;
}

static int check_record(const struct ktstr_record *record, const struct fault *fault,
			const struct run_options *options)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	struct cell_options cell_options = options->cell;
	struct machine_key key;
	int r;

	cell_options.fault = fault;
	r = cell_compile(record, &cell_options, &cell);

	if (r)
		return r;
	r = key_of_cell(options, &cell, &key);
	for (unsigned i = 0; i < key.disk_count && r == 0; i++)
		r = runner_check_disk(key.disks[i]);
	return r < 0 ? err_prefix(r, "scenario %s: ", record->name) : 0;
}

static int check_fault(const struct registry *chosen, const struct fault *fault,
		       const struct run_options *options)
{
	for (size_t i = 0; i < chosen->count; i++) {
		if (strcmp(chosen->records[i]->name, fault->scenario) == 0)
			return check_record(chosen->records[i], fault, options);
	}
	return err_new(-EINVAL, "fault \"%s\": its scenario is not among those to run",
		       fault->text);
}

int runner_check(const struct registry *chosen, const struct run_options *options)
{
	int r = 0;

	for (size_t i = 0; i < chosen->count && r >= 0; i++)
		r = check_record(chosen->records[i], NULL, options);
	if (r >= 0)
		err_clear();
	for (unsigned i = 0; i < options->fault_count && r >= 0; i++)
		r = check_fault(chosen, &options->faults[i], options);
	if (r < 0)
		return err_trace(r);
	err_clear();
	return 0;
}

/* ---- machines ---- */

static void end_guest(struct runner *run)
{
	run->guest = guest_free(run->guest);
}

static int boot(struct runner *run, const struct machine_key *key, struct guest_failure *why)
{
	const struct run_options *o = run->options;
	const struct guest_desc desc = {
		.image = key->has_payloads ? o->payload_image : run->image,
		.topology = key->topology,
		.memory_bytes = key->memory_bytes,
		.disks = key->disks,
		.disk_count = key->disk_count,
		.kernel_args = o->kernel_args,
		.signal_fd = o->signal_fd,
		.has_kaslr = o->has_kaslr,
		.is_verbose = o->is_verbose,
	};

	end_guest(run);
	run->key = *key;
	run->is_tainted = false;
	return guest_boot(&desc, &run->guest, why);
}

static void take_failure(struct result *result, struct guest_failure *why)
{
	result->verdict = why->verdict;
	result->reason = why->text;
	result->console = why->console;
	*why = (struct guest_failure){ 0 };
}

/* A guest for the cell: the one that runs, or a fresh one. GUEST_NOT_BOOTED leaves the verdict in
 * @result. */
static int have_guest(struct runner *run, struct result *result)
{
	struct guest_failure why = { 0 };
	struct machine_key key;
	int r = key_of_cell(run->options, &result->cell, &key);

	if (r < 0)
		return err_trace(r);
	if (run->guest && is_same_machine(&key, &run->key) &&
	    (!run->is_tainted || result->cell.fault))
		return 0;
	reporter_progress(run->reporter, result->record->name, "booting");
	r = boot(run, &key, &why);
	if (r == GUEST_NOT_BOOTED)
		take_failure(result, &why);
	if (r == 0)
		result->boot_ns = run->guest->boot_ns;
	return r;
}

/* ---- one scenario ---- */

static void infra(struct result *result, const char *what, const char *words)
{
	result->verdict = VERDICT_INFRA;
	buf_printf(&result->reason, "%s%s", what, words);
}

static int conclude(struct runner *run, struct result *result, const struct telemetry *t,
		    enum trial_end end)
{
	switch (end) {
	case TRIAL_DONE:
		return judge_trial(result, t);
	case TRIAL_TIMEOUT:
		result->verdict = VERDICT_TIMEOUT;
		buf_printf(&result->reason, "the guest did not finish in %g s",
			   (double)result->cell.timeout_ns / NSEC_PER_SEC);
		guest_where(run->guest, &result->reason);
		return 0;
	case TRIAL_ENDED:
		result->verdict = guest_death(run->guest, &result->reason);
		return 0;
	case TRIAL_INTERRUPTED:
		return RUN_INTERRUPTED;
	case TRIAL_GARBLED:
		infra(result, "the guest's init: ", err_text());
		return 0;
	}
	return 0;
}

/* What the disks did and suffered, so that a verdict can be held against it. */
static void record_disks(struct runner *run, struct result *result)
{
	struct json j = json_to(&result->disks);

	if (!run->key.disk_count)
		return;
	json_array(&j, NULL);
	for (unsigned i = 0; i < run->key.disk_count; i++)
		guest_disk_json(machine_disk(run->guest->machine, i), run->key.disks[i], &j);
	json_array_end(&j);
}

static int run_trial(struct runner *run, struct result *result, enum trial_end *end_ret)
{
	cleanup(telemetry_deinit) struct telemetry t = TELEMETRY_NULL;
	uint64_t start_ns = now_ns();
	int r;

	reporter_progress(run->reporter, result->record->name, "running");
	result->cell.plan.header.id = ++run->next_plan_id;
	result->cell.faulted.header.id = run->next_plan_id;
	r = telemetry_init(&t, &result->cell);
	if (r == 0)
		r = trial_run(&run->guest->session, run->guest->machine, &result->cell, &t,
			      end_ret);
	result->run_ns = now_ns() - start_ns;
	record_disks(run, result);
	if (r == 0)
		r = conclude(run, result, &t, *end_ret);
	result->clock = run->guest->clock;
	result->timeline = t.timeline;
	t.timeline = TIMELINE_NULL;
	result->snapshots = t.snapshots;
	t.snapshots = SNAPSHOTS_NULL;
	if (r == 0 && result->verdict != VERDICT_PASS)
		console_log_tail(&run->guest->console,
				 *end_ret == TRIAL_ENDED ? CONSOLE_DEATH_LINES : CONSOLE_TAIL_LINES,
				 &result->console);
	return r;
}

static bool is_skipped(struct result *result, int compiled)
{
	bool is_unmet = compiled == CELL_NEEDS_UNMET;

	if (is_unmet)
		buf_str(&result->reason, err_text());
	else
		is_unmet = cell_is_kernel_too_old(&result->cell, result->kernel, &result->reason);
	if (is_unmet)
		result->verdict = VERDICT_SKIP;
	return is_unmet;
}

/* What only the guest knows. It goes on: nothing was done in it. */
static bool is_skipped_by_guest(const struct runner *run, struct result *result)
{
	uint32_t found = run->guest->ready.flags >> READY_FEATURES_SHIFT;
	bool is_unmet = cell_is_feature_missing(&result->cell, found, &result->reason);

	if (is_unmet)
		result->verdict = VERDICT_SKIP;
	return is_unmet;
}

/* Does the machine go on? What broke a claim, or never ended, may have left its marks; noise of the
 * host leaves none. Of what a fault comes to we know what it comes from, and the next fault will do with the
 * machine that this one leaves. */
static bool can_go_on(const struct result *result, enum trial_end end)
{
	enum verdict v = result->verdict;

	return v == VERDICT_PASS || v == VERDICT_UNDECIDED ||
	       (result->cell.fault && end == TRIAL_DONE);
}

static int run_job(struct runner *run, const struct job *job, struct result *result)
{
	struct cell_options options = run->options->cell;
	enum trial_end end = TRIAL_ENDED;
	int r;

	options.fault = job->fault;
	snprintf(result->kernel, sizeof(result->kernel), "%s", run->image->kernel.release);
	r = cell_compile(job->record, &options, &result->cell);
	if (r < 0)
		return err_trace(r);
	topology_label(&result->cell.topology, result->topology);
	rerun_line(run->options, job->record, result->topology, job->fault, &result->rerun);
	if (is_skipped(result, r))
		return 0;
	r = have_guest(run, result);
	if (r == GUEST_NOT_BOOTED)
		return 0;
	if (r)
		return r == GUEST_INTERRUPTED ? RUN_INTERRUPTED : err_trace(r);
	snprintf(result->kernel, sizeof(result->kernel), "%s", run->guest->ready.release);
	if (is_skipped_by_guest(run, result))
		return 0;
	run->is_tainted = job->fault;
	r = run_trial(run, result, &end);
	if (r || !can_go_on(result, end))
		end_guest(run);
	return r;
}

/* ---- all of them ---- */

static int keep(struct runner *run, const struct result *result)
{
	cleanup(buf_deinit) struct buf record = BUF_NULL;
	const struct run_options *o = run->options;
	char name[RESULT_NAME_BYTES];
	struct store_result row = {
		.scenario = result_name(result, name),
		.topology = result->topology,
		.kernel = result->kernel,
		.verdict = verdict_name(result->verdict),
		.duration_ns = result->total_ns,
	};
	int r;

	result_json(result, &record);
	r = buf_ok(&record);
	row.record = buf_text(&record);
	if (r == 0 && o->store)
		r = store_add(o->store, o->store_run, &row);
	buf_str(&record, "\n");
	if (r == 0 && o->record_fd >= 0) {
		r = write_all(o->record_fd, record.data, record.len);
		if (r < 0)
			return err_new(r, "record: %s", strerror(-r));
	}
	return r;
}

static int run_once(struct runner *run, const struct job *job, unsigned repeat)
{
	cleanup(result_deinit) struct result result = { .record = job->record,
							.repeat = repeat,
							.repeats = run->options->repeat };
	uint64_t start_ns = now_ns();
	int r = run_job(run, job, &result);

	if (r)
		return r;
	result.total_ns = now_ns() - start_ns;
	r = keep(run, &result);
	if (r == 0)
		reporter_result(run->reporter, &result);
	return r;
}

static int run_repeatedly(struct runner *run, const struct job *job)
{
	int r = 0;

	for (unsigned i = 1; i <= run->options->repeat && r == 0; i++)
		r = run_once(run, job, i);
	return r;
}

size_t runner_verdict_count(const struct registry *chosen, const struct run_options *options)
{
	return (chosen->count + options->fault_count) * options->repeat;
}

int runner_run(const struct registry *chosen, const struct run_options *options,
	       const struct boot_image *image, struct reporter *reporter)
{
	struct runner run = { .options = options, .image = image, .reporter = reporter };
	cleanup(freep) struct job *jobs = NULL;
	size_t count = 0;
	int r = jobs_list(chosen, options, &jobs, &count);

	if (r < 0)
		return err_trace(r);
	reporter_begin(reporter, (unsigned)runner_verdict_count(chosen, options));
	for (size_t i = 0; i < count && r == 0; i++)
		r = run_repeatedly(&run, &jobs[i]);
	end_guest(&run);
	if (r == 0)
		reporter_end(reporter);
	return r;
}
