// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr run`: scenarios to verdicts. Checks everything first, then finds out where it can run, then
 * runs; the store is that of the outermost process. */
#include "cli/command.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/util.h"
#include "cli/machine_options.h"
#include "cli/reexec.h"
#include "harness/dry_run.h"
#include "harness/payload_files.h"
#include "harness/record_sink.h"
#include "harness/runner.h"
#include "harness/store.h"
#include "host/carrier.h"
#include "host/carrier_frame.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEY_RECORD = 256, KEY_SEED, KEY_NO_STORE, KEY_FAULT, KEY_DRY_RUN };

enum { REPEAT_MAX = 100000, FAULTS_MAX = 256 };

struct run_command {
	const struct command *self;
	struct machine_options machine;
	const struct report_format *format;
	const char *record; /* file for JSON lines */
	uint64_t seed;
	uint64_t repeat;
	bool has_no_store;
	bool is_dry;
	struct fault *faults; /* room for FAULTS_MAX */
	unsigned fault_count;
	char **patterns;
	size_t pattern_count;
	int argc;
	char **argv;
	struct store *store;
	int64_t store_run;
	size_t planned; /* verdicts to come */
	size_t kept;	/* verdicts that fell, and are stored */
};

static const struct argp_option run_options[] = {
	{ "format", 'f', "pretty|ktap|json", 0, "How results are printed", 0 },
	{ "json", 'j', NULL, 0, "The same as --format=json", 0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0,
	  "Check everything that can be checked without a machine, print what would run, and end",
	  0 },
	{ "record", KEY_RECORD, "FILE", 0, "Append each result as a line of JSON to FILE", 0 },
	{ "seed", KEY_SEED, "N", 0, "Seed of workloads that take random decisions (default 1)", 0 },
	{ "repeat", 'n', "N", 0,
	  "Run each scenario N times, one after the other; count its verdicts", 0 },
	{ "no-store", KEY_NO_STORE, NULL, 0, "Do not keep the results in the store", 0 },
	{ "fault", KEY_FAULT, "SCENARIO/NAME: OP; ...", 0,
	  "For testing ktstr itself: run SCENARIO once more with operations that the checks are "
	  "not "
	  "told of; the result is called SCENARIO!NAME (docs/honesty.md)",
	  0 },
	{ 0 },
};

static int add_fault(struct run_command *run, const char *text)
{
	if (!run->faults)
		run->faults = calloc(FAULTS_MAX, sizeof(*run->faults));
	if (!run->faults)
		return err_new(-ENOMEM, "out of memory");
	if (run->fault_count == FAULTS_MAX)
		return err_new(-E2BIG, "more than %d faults", FAULTS_MAX);
	return fault_parse(text, &run->faults[run->fault_count++]);
}

static void free_faults(struct run_command *run)
{
	for (unsigned i = 0; i < run->fault_count; i++)
		fault_deinit(&run->faults[i]);
	free(run->faults);
	run->faults = NULL;
}

static error_t run_option(int key, char *arg, struct argp_state *state)
{
	struct run_command *run = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &run->machine;
		return 0;
	case 'f':
		run->format = report_find(arg);
		if (!run->format)
			argp_error(state, "--format %s: expected pretty, ktap or json", arg);
		return 0;
	case 'j':
		run->format = &report_json;
		return 0;
	case KEY_DRY_RUN:
		run->is_dry = true;
		return 0;
	case KEY_RECORD:
		/* The first one counts: in the carrier that is the outer process's own. */
		if (!run->record)
			run->record = arg;
		return 0;
	case KEY_SEED:
		if (parse_u64(arg, &run->seed) < 0)
			argp_error(state, "--seed %s: expected a number", arg);
		return 0;
	case 'n':
		if (parse_u64_in(arg, 1, REPEAT_MAX, &run->repeat) < 0)
			argp_error(state, "--repeat %s: expected a number from 1 to %d", arg,
				   REPEAT_MAX);
		return 0;
	case KEY_FAULT:
		if (add_fault(run, arg) < 0)
			argp_error(state, "--fault: %s", err_text());
		return 0;
	case KEY_NO_STORE:
		run->has_no_store = true;
		return 0;
	case ARGP_KEY_ARGS:
		run->patterns = state->argv + state->next;
		run->pattern_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (run->is_dry && run->format == &report_ktap)
			argp_error(state, "--dry-run has no verdicts for --format=ktap");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child run_children[] = { { &machine_argp, 0, "The machine:", 1 }, { 0 } };

static const struct argp run_argp = {
	.options = run_options,
	.parser = run_option,
	.args_doc = "[NAME|GLOB|FILE.yaml[:NAME]|FILE.json...]",
	.doc = "Boot the kernel under test in a machine of its own, run scenarios in it, print a "
	       "verdict for each.\vExit status: 0 all claims held; 1 a FAIL or TIMEOUT; 2 bad "
	       "usage "
	       "or a bad scenario; 3 no FAIL, but INFRA or BOOT; 4 nothing ran; 5 no FAIL, but "
	       "UNDECIDED; 130 interrupted.",
	.children = run_children,
};

static int fail(const struct run_command *run, int r)
{
	return command_fail(run->self, run->machine.is_verbose, command_status_of_error(r));
}

static struct run_options runner_options(const struct run_command *run)
{
	const struct machine_options *m = &run->machine;

	return (struct run_options){
		.cell = { .topology = m->has_topology ? &m->topology : NULL,
			  .memory_bytes = m->memory_bytes,
			  .timeout_ns = m->timeout_ns,
			  .seed = run->seed,
			  .has_disk = m->disk_count > 0 },
		.disks = m->disks,
		.disk_count = m->disk_count,
		.faults = run->faults,
		.fault_count = run->fault_count,
		.kernel = m->kernel,
		.kernel_args = m->kernel_args,
		.program = program_invocation_short_name,
		.repeat = (unsigned)run->repeat,
		.has_kaslr = m->has_kaslr,
		.is_verbose = m->is_verbose,
		.signal_fd = -1,
		.record_fd = -1,
		.store = run->store,
		.store_run = run->store_run,
	};
}

/* ---- the store ---- */

static int open_store(struct run_command *run)
{
	cleanup(buf_deinit) struct buf path = BUF_NULL, line = BUF_NULL;
	int r;

	/* Inside the carrier nothing that is stored would last: results go out as a record. */
	if (run->has_no_store || carrier_is_inside())
		return 0;
	for (int i = 0; i < run->argc; i++)
		buf_printf(&line, "%s%s", i ? " " : "", run->argv[i]);
	r = store_default_path(&path);
	if (r == 0)
		r = store_open(buf_text(&path), &run->store);
	if (r == 0)
		r = store_run_begin(run->store, buf_text(&line), &run->store_run);
	return r;
}

/* A run that was cut short, by whatever, gets no end: `ktstr results` calls it unfinished. */
static int close_store(struct run_command *run, int status)
{
	bool is_finished = run->store && run->kept == run->planned;
	int r = is_finished ? store_run_end(run->store, run->store_run, status) : 0;

	run->store = store_free(run->store);
	return r;
}

static int open_record(const struct run_command *run, int *fd_ret)
{
	*fd_ret = -1;
	if (!run->record)
		return 0;
	*fd_ret = open(run->record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	return *fd_ret < 0 ? err_new(-errno, "record %s: %s", run->record, strerror(errno)) : 0;
}

/* ---- in the carrier ---- */

static int run_elsewhere(struct run_command *run, int *status_ret)
{
	cleanup(record_sink_deinit) struct record_sink sink = RECORD_SINK_NULL;
	cleanup(freep) char *extra = NULL, *program = NULL;
	cleanup(freep) const char **argv = NULL;
	struct accel_job job = { .options = &run->machine,
				 .record = record_sink_take,
				 .record_ctx = &sink };
	int r = open_record(run, &sink.file_fd);

	sink.store = run->store;
	sink.run = run->store_run;
	if (r == 0)
		r = str_printf(&extra, "--record=/proc/self/fd/%d", CARRIER_RECORD_FD);
	if (r == 0)
		r = reexec_argv(run->argc, run->argv, extra, &argv, &program);
	if (r == 0) {
		job.argv = argv;
		r = accel_run(&job, status_ret);
	}
	run->kept = sink.count;
	return r;
}

/* ---- here ---- */

static int run_with_signals(struct run_command *run, const struct registry *chosen,
			    struct run_options *options, const struct boot_image *image,
			    int *status_ret)
{
	struct reporter reporter;
	sigset_t old;
	int r = carrier_signals_take(&options->signal_fd, &old);

	if (r < 0)
		return err_trace(r);
	reporter_init(&reporter, run->format, stdout, STDERR_FILENO, run->machine.is_verbose);
	r = runner_run(chosen, options, image, &reporter);
	carrier_signals_give_back(&options->signal_fd, &old);
	*status_ret =
		r == RUN_INTERRUPTED ? EXIT_INTERRUPTED : verdict_exit_status(&reporter.counts);
	run->kept = reporter.shown;
	reporter_deinit(&reporter);
	return r < 0 ? r : 0;
}

/* The same image with what the payloads need, if there are any. */
static int add_payload_image(const struct registry *chosen, struct run_options *options,
			     const struct boot_image_desc *plain, struct boot_image *ret)
{
	cleanup(words_deinit) struct words files = WORDS_NULL;
	struct boot_image_desc desc = *plain;
	int r = payload_files(chosen, &options->cell, &files);

	desc.includes = (const char *const *)files.list;
	desc.include_count = files.count;
	if (r == 0 && files.count)
		r = boot_image_make(&desc, ret);
	if (r == 0 && files.count)
		options->payload_image = ret;
	return r;
}

static int run_here(struct run_command *run, const struct registry *chosen, int *status_ret)
{
	const struct kernel_progress progress = { .say = machine_options_say };
	const struct boot_image_desc desc = { .kernel = run->machine.kernel,
					      .progress = &progress };
	cleanup(boot_image_deinit) struct boot_image image = BOOT_IMAGE_NULL;
	cleanup(boot_image_deinit) struct boot_image payload_image = BOOT_IMAGE_NULL;
	struct run_options options = runner_options(run);
	int r = boot_image_make(&desc, &image);

	if (r == 0)
		r = add_payload_image(chosen, &options, &desc, &payload_image);
	if (r == 0)
		r = open_record(run, &options.record_fd);
	if (r == 0)
		r = run_with_signals(run, chosen, &options, &image, status_ret);
	fd_close(options.record_fd);
	return r;
}

/* ---- before it begins ---- */

static int find_kernel(const struct run_command *run, struct kernel_image *ret)
{
	const struct kernel_progress progress = { .say = machine_options_say };

	return kernel_find(run->machine.kernel, KERNEL_CLOUD, &progress, ret);
}

/* Also where it will be run in the carrier: a kernel that is not there is said at once. */
static int check_kernel(const struct run_command *run)
{
	struct kernel_image kernel = KERNEL_IMAGE_NULL;
	int r = find_kernel(run, &kernel);

	kernel_image_deinit(&kernel);
	return r;
}

/* A host without a kernel can check scenarios, too, unless it was told which. */
static int run_dry(const struct run_command *run, const struct registry *chosen,
		   const struct run_options *options)
{
	cleanup(kernel_image_deinit) struct kernel_image kernel = KERNEL_IMAGE_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	int r = find_kernel(run, &kernel);

	if (r == -ENOENT && !run->machine.kernel) {
		err_clear();
		r = 0;
	}
	if (r == 0)
		r = dry_run(chosen, options, kernel.release, run->format == &report_json, &out);
	if (r == 0)
		fputs(buf_text(&out), stdout);
	return r;
}

static int run_run(const struct command *self, int argc, char **argv)
{
	struct run_command run = { .self = self,
				   .format = &report_pretty,
				   .seed = 1,
				   .repeat = 1,
				   .argc = argc,
				   .argv = argv };
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	struct run_options options;
	int status = 0, r, closed;

	command_parse(self, argc, argv, &run);
	options = runner_options(&run);
	r = registry_choose(run.patterns, run.pattern_count, &all, &chosen);
	run.planned = runner_verdict_count(&chosen, &options);
	if (r == 0)
		r = runner_check(&chosen, &options);
	if (r == 0 && run.is_dry) {
		r = run_dry(&run, &chosen, &options);
		free_faults(&run);
		return r < 0 ? fail(&run, r) : 0;
	}
	if (r == 0)
		r = check_kernel(&run);
	if (r == 0)
		r = accel_choose(&run.machine);
	if (r < 0)
		return fail(&run, r);
	closed = open_store(&run);
	if (closed < 0)
		return fail(&run, closed);
	r = r == ACCEL_ELSEWHERE ? run_elsewhere(&run, &status) : run_here(&run, &chosen, &status);
	if (r < 0)
		status = fail(&run, r);
	closed = close_store(&run, status);
	free_faults(&run);
	return closed < 0 ? fail(&run, closed) : status;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "run scenarios, print verdicts",
	.argp = &run_argp,
	.run = run_run,
};
