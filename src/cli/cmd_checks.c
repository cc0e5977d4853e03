// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr checks`: what a scenario can claim, from the table of checks. */
#include "cli/command.h"

#include "base/json.h"
#include "harness/check.h"
#include "harness/spec.h"

#include <argp.h>
#include <stdio.h>

static const struct argp_option checks_options[] = {
	{ "json", 'j', NULL, 0, "Print the table as JSON", 0 },
	{ 0 },
};

static error_t checks_option(int key, char *arg, struct argp_state *state)
{
	bool *is_json = state->input;

	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*is_json = true;
	return 0;
}

static const struct argp checks_argp = {
	.options = checks_options,
	.parser = checks_option,
	.doc = "List the checks that a scenario can make, with their bounds. Every check takes "
	       "of=CGROUP[/WORKERS], to speak about those alone; of exit it is a payload.",
};

static void add_text(struct buf *out, const struct check *c)
{
	buf_printf(out, "%s: %s\n", c->name, c->summary);
	for (unsigned i = 0; i < c->param_count; i++) {
		const struct check_param *p = &c->params[i];

		buf_printf(out, "    %s=  %s; %s%s\n", p->name, p->help, spec_unit_text(p->unit),
			   p->is_bound ? " (a bound)" : "");
	}
	if (c->takes_within)
		buf_str(out, "    within=  a cpuset, with ':' for its space (llc:0)\n");
	if (c->takes_metric)
		buf_str(out, "    name=  a metric, METRIC or PAYLOAD/METRIC (needed)\n");
}

static void add_json(struct json *j, const struct check *c)
{
	json_object(j, NULL);
	json_str(j, "name", c->name);
	json_str(j, "summary", c->summary);
	json_bool(j, "takes_within", c->takes_within);
	json_bool(j, "takes_metric", c->takes_metric);
	json_bool(j, "is_of_payloads", c->is_of_payloads);
	json_array(j, "parameters");
	for (unsigned i = 0; i < c->param_count; i++) {
		const struct check_param *p = &c->params[i];

		json_object(j, NULL);
		json_str(j, "name", p->name);
		json_str(j, "unit", param_unit_name(p->unit));
		json_bool(j, "bound", p->is_bound);
		if (!p->is_bound)
			json_u64(j, "default", p->value);
		json_str(j, "help", p->help);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static int checks_run(const struct command *self, int argc, char **argv)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);
	bool is_json = false;

	command_parse(self, argc, argv, &is_json);
	if (is_json)
		json_array(&j, NULL);
	for (const struct check *const *c = check_table(); *c; c++) {
		if (is_json)
			add_json(&j, *c);
		else
			add_text(&out, *c);
	}
	if (is_json)
		json_array_end(&j);
	if (buf_ok(&out) < 0)
		return command_fail(self, false, EXIT_INFRA);
	fputs(buf_text(&out), stdout);
	if (is_json)
		fputc('\n', stdout);
	return 0;
}

const struct command cmd_checks = {
	.name = "checks",
	.summary = "what a scenario can claim, with bounds",
	.argp = &checks_argp,
	.run = checks_run,
};
