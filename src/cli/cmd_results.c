// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr results`: what earlier runs found, from the store. The JSON form prints each verdict's whole
 * record as it was stored, one a line. */
#include "cli/command.h"

#include "base/json.h"
#include "base/parse.h"
#include "base/util.h"
#include "harness/store.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>

struct results_options {
	bool is_json;
	int64_t run; /* as store_results() takes it */
};

static const struct argp_option results_options[] = {
	{ "json", 'j', NULL, 0, "Print each record as one line of JSON", 0 },
	{ "all", 'a', NULL, 0, "All runs, not only the newest", 0 },
	{ "run", 'r', "N", 0, "Run number N", 0 },
	{ 0 },
};

static error_t results_option(int key, char *arg, struct argp_state *state)
{
	struct results_options *options = state->input;
	uint64_t run;

	switch (key) {
	case 'j':
		options->is_json = true;
		return 0;
	case 'a':
		options->run = -1;
		return 0;
	case 'r':
		if (parse_u64_in(arg, 1, INT64_MAX, &run))
			argp_error(state, "--run %s: not a run number", arg);
		options->run = (int64_t)run;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp results_argp = {
	.options = results_options,
	.parser = results_option,
	.doc = "Print the verdicts of the newest run, oldest first. Every verdict is stored when "
	       "it falls, in $XDG_STATE_HOME/ktstr/results.db or "
	       "~/.local/state/ktstr/results.db. A run that was cut off says so.\v"
	       "Exit status: 0; 2 bad usage, or no run of that number; 3 the store cannot be read.",
};

static int print_row(void *ctx, const struct store_row *row)
{
	const struct results_options *options = ctx;

	if (options->is_json)
		puts(row->result.record);
	else
		printf("%-5lld %s  %-9s %-20s %-10s %-24s %.1f s\n", (long long)row->run,
		       row->started, row->result.verdict, row->result.scenario,
		       row->result.topology, row->result.kernel,
		       (double)row->result.duration_ns / NSEC_PER_SEC);
	return 0;
}

static int print_unfinished(void *ctx, const struct store_unfinished *u)
{
	const struct results_options *options = ctx;
	cleanup(buf_deinit) struct buf line = BUF_NULL;
	struct json j = json_to(&line);

	if (!options->is_json) {
		printf("%-5lld %s  unfinished: %llu verdict%s, then it was cut off, or it goes on: "
		       "%s\n",
		       (long long)u->run, u->started, (unsigned long long)u->verdicts,
		       u->verdicts == 1 ? "" : "s", u->command);
		return 0;
	}
	json_object(&j, NULL);
	json_u64(&j, "unfinished_run", (uint64_t)u->run);
	json_str(&j, "started", u->started);
	json_str(&j, "command", u->command);
	json_u64(&j, "verdicts", u->verdicts);
	json_object_end(&j);
	puts(buf_text(&line));
	return 0;
}

/* A run that is asked for by its number has to be there. */
static int check_run(struct store *store, int64_t run)
{
	int64_t newest = 0;
	int r = run > 0 ? store_find_run(store, run, &newest) : 0;

	if (r != STORE_NO_RUN)
		return r;
	if (!newest)
		return err_new(-ENOENT, "there is no run %lld: nothing has run yet",
			       (long long)run);
	return err_new(-ENOENT, "there is no run %lld; the newest is %lld", (long long)run,
		       (long long)newest);
}

static int results_run(const struct command *self, int argc, char **argv)
{
	struct results_options options = { 0 };
	cleanup(buf_deinit) struct buf path = BUF_NULL;
	cleanup(store_freep) struct store *store = NULL;
	int r;

	command_parse(self, argc, argv, &options);
	r = store_default_path(&path);
	if (r == 0)
		r = store_open(buf_text(&path), &store);
	if (r == 0)
		r = check_run(store, options.run);
	if (r == 0)
		r = store_results(store, options.run, print_row, &options);
	if (r == 0)
		r = store_unfinished(store, options.run, print_unfinished, &options);
	return r < 0 ? command_fail(self, false, r == -ENOENT ? EXIT_USAGE : EXIT_INFRA) : 0;
}

const struct command cmd_results = {
	.name = "results",
	.summary = "the verdicts of earlier runs",
	.argp = &results_argp,
	.run = results_run,
};
