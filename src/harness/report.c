// SPDX-License-Identifier: GPL-2.0-only
#include "harness/report.h"

#include "base/str.h"
#include "base/util.h"

#include <stdlib.h>
#include <unistd.h>

static const struct report_format *const formats[] = { &report_pretty, &report_ktap, &report_json };

const struct report_format *report_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	}
	return NULL;
}

void reporter_init(struct reporter *r, const struct report_format *format, FILE *out,
		   int progress_fd, bool is_verbose)
{
	const char *no_color = getenv("NO_COLOR");
	bool is_for_people = format == &report_pretty;

	*r = (struct reporter){
		.format = format,
		.out = out,
		.progress = is_for_people && isatty(progress_fd) ? stderr : NULL,
		.has_color = is_for_people && isatty(fileno(out)) && !(no_color && no_color[0]),
		.is_verbose = is_verbose,
		.start_ns = now_ns(),
	};
}

void reporter_deinit(struct reporter *r)
{
	buf_deinit(&r->tally);
}

static void clear_progress(struct reporter *r)
{
	if (r->progress)
		fputs("\r\033[K", r->progress);
}

void reporter_begin(struct reporter *r, unsigned planned)
{
	r->planned = planned;
	if (r->format->begin)
		r->format->begin(r);
	fflush(r->out);
}

void reporter_progress(struct reporter *r, const char *scenario, const char *what)
{
	if (!r->progress)
		return;
	fprintf(r->progress, "\r\033[K[%u/%u] %s: %s", r->shown + 1, r->planned, scenario, what);
	fflush(r->progress);
}

void reporter_result(struct reporter *r, const struct result *result)
{
	clear_progress(r);
	r->counts.of[result->verdict]++;
	r->shown++;
	r->of_scenario.of[result->verdict]++;
	r->format->result(r, result);
	if (result->repeat >= result->repeats) {
		if (result->repeats > 1)
			r->format->scenario(r, result);
		r->of_scenario = (struct verdict_counts){ 0 };
	}
	fflush(r->out);
}

void reporter_end(struct reporter *r)
{
	clear_progress(r);
	r->format->end(r);
	fflush(r->out);
}

const char *report_duration(uint64_t ns, char *text)
{
	uint64_t s = ns / NSEC_PER_SEC;

	if (ns < NSEC_PER_SEC)
		snprintf(text, 32, "%u ms", (unsigned)(ns / NSEC_PER_MSEC));
	else if (s < 120)
		snprintf(text, 32, "%.1f s", (double)ns / (double)NSEC_PER_SEC);
	else
		snprintf(text, 32, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	return text;
}

const char *report_value(uint64_t value, const char *unit, char *text)
{
	if (strcmp(unit, "ns") == 0)
		snprintf(text, 48, "%.3f ms", (double)value / 1e6);
	else if (str_starts_with(unit, "milli "))
		snprintf(text, 48, "%.3f %s", (double)value / 1e3, unit + strlen("milli "));
	else
		snprintf(text, 48, "%llu %s", (unsigned long long)value, unit);
	return text;
}
