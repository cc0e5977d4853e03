// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr workloads`: what workers can do, from the table that both sides compile. The --man form is
 * the section of ktstr(1), made at build time, so that the page cannot tell another story. */
#include "cli/command.h"

#include "base/json.h"
#include "base/util.h"
#include "wire/workloads.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

enum workloads_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_MAN };

static const struct argp_option workloads_options[] = {
	{ "json", 'j', NULL, 0, "Print the table as JSON", 0 },
	{ "man", 'm', NULL, 0, "Print the table as a section of a scdoc manual page", 0 },
	{ 0 },
};

static error_t workloads_option(int key, char *arg, struct argp_state *state)
{
	enum workloads_format *format = state->input;

	switch (key) {
	case 'j':
		*format = FORMAT_JSON;
		return 0;
	case 'm':
		*format = FORMAT_MAN;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp workloads_argp = {
	.options = workloads_options,
	.parser = workloads_option,
	.doc = "List the workloads that a scenario's workers can run, with their parameters: "
	       "default, "
	       "least and largest value.",
};

/* A value as a scenario writes it: the largest unit that divides it. */
static void add_value(struct buf *out, enum param_unit unit, uint64_t value)
{
	static const struct {
		enum param_unit unit;
		uint64_t factor;
		const char *suffix;
	} scales[] = {
		{ PARAM_NS, NSEC_PER_SEC, "s" },   { PARAM_NS, NSEC_PER_MSEC, "ms" },
		{ PARAM_NS, NSEC_PER_USEC, "us" }, { PARAM_NS, 1, "ns" },
		{ PARAM_BYTES, GIB, "GiB" },	   { PARAM_BYTES, MIB, "MiB" },
		{ PARAM_BYTES, KIB, "KiB" },	   { PARAM_BYTES, 1, "B" },
	};

	for (size_t i = 0; value && i < ARRAY_SIZE(scales); i++) {
		if (scales[i].unit == unit && value % scales[i].factor == 0) {
			buf_printf(out, "%" PRIu64 "%s", value / scales[i].factor,
				   scales[i].suffix);
			return;
		}
	}
	buf_printf(out, "%" PRIu64, value);
}

/* What `count` of its workers must be a multiple of. */
static void add_group(struct buf *out, const struct workload *w, bool is_man)
{
	uint64_t params[PLAN_PARAMS];
	const char *before = "";

	workload_defaults(w, params);
	if (workload_ensemble(w, params) == 1)
		return;
	buf_str(out, is_man ? "\tcount: a multiple of " : "    count: a multiple of ");
	if (w->fixed_members) {
		buf_printf(out, "%u", w->fixed_members);
		before = " + ";
	}
	for (unsigned i = 0; i < w->param_count; i++) {
		if (!w->params[i].is_members)
			continue;
		buf_printf(out, is_man ? "%s_%s_" : "%s%s", before, w->params[i].name);
		before = " + ";
	}
	buf_str(out, is_man ? "\n\n" : "\n");
}

static void add_text_param(struct buf *out, const struct workload *w, bool is_man)
{
	if (w->text_name)
		buf_printf(out,
			   is_man ? "\t_%s_=  %s; it must be given\n\n"
				  : "    %s=  %s; it must be given\n",
			   w->text_name, w->text_help);
}

static void add_text(struct buf *out, const struct workload *w, bool is_man)
{
	buf_printf(out, is_man ? "*%s*\n\t%s\n\n" : "%s: %s\n", w->name, w->summary);
	add_group(out, w, is_man);
	add_text_param(out, w, is_man);
	for (unsigned i = 0; i < w->param_count; i++) {
		const struct workload_param *p = &w->params[i];

		buf_printf(out, is_man ? "\t_%s_=" : "    %s=", p->name);
		add_value(out, p->unit, p->value);
		buf_printf(out, "  %s (", p->help);
		add_value(out, p->unit, p->min);
		buf_str(out, " to ");
		add_value(out, p->unit, p->max);
		buf_str(out, is_man ? ")\n\n" : ")\n");
	}
}

static void add_json_text_param(struct json *j, const struct workload *w)
{
	if (!w->text_name)
		return;
	json_object(j, NULL);
	json_str(j, "name", w->text_name);
	json_str(j, "unit", "text");
	json_bool(j, "required", true);
	json_str(j, "help", w->text_help);
	json_object_end(j);
}

static void add_json(struct json *j, const struct workload *w)
{
	uint64_t params[PLAN_PARAMS];

	workload_defaults(w, params);
	json_object(j, NULL);
	json_str(j, "name", w->name);
	json_str(j, "summary", w->summary);
	json_bool(j, "needs_disk", w->flags & WORKLOAD_NEEDS_DISK);
	/* Of its workers the count is a multiple; with other values of what adds workers another. */
	json_u64(j, "count_multiple", workload_ensemble(w, params));
	json_array(j, "parameters");
	add_json_text_param(j, w);
	for (unsigned i = 0; i < w->param_count; i++) {
		const struct workload_param *p = &w->params[i];

		json_object(j, NULL);
		json_str(j, "name", p->name);
		json_str(j, "unit", param_unit_name(p->unit));
		json_u64(j, "default", p->value);
		json_u64(j, "min", p->min);
		json_u64(j, "max", p->max);
		json_bool(j, "adds_workers", p->is_members);
		json_str(j, "help", p->help);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static int workloads_run(const struct command *self, int argc, char **argv)
{
	enum workloads_format format = FORMAT_TEXT;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);

	command_parse(self, argc, argv, &format);
	if (format == FORMAT_JSON)
		json_array(&j, NULL);
	if (format == FORMAT_MAN)
		buf_str(&out, "# WORKLOADS\n\n");
	for (uint32_t id = 1; id < WORK_END; id++) {
		const struct workload *w = workload_by_id(id);

		if (w && format == FORMAT_JSON)
			add_json(&j, w);
		else if (w)
			add_text(&out, w, format == FORMAT_MAN);
	}
	if (format == FORMAT_JSON) {
		json_array_end(&j);
		buf_str(&out, "\n");
	}
	if (buf_ok(&out) < 0)
		return command_fail(self, false, EXIT_INFRA);
	fputs(buf_text(&out), stdout);
	return 0;
}

const struct command cmd_workloads = {
	.name = "workloads",
	.summary = "what workers can do, with parameters",
	.argp = &workloads_argp,
	.run = workloads_run,
};
