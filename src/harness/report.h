/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run prints: a line or a block for each result as it falls, and a summary. Formats are
 * records.
 *
 * To add a format: write its record in report_NAME.c, declare it below, put it into the table of
 * report.c. */
#pragma once

#include "harness/result.h"

#include <stdbool.h>
#include <stdio.h>

struct reporter;

struct report_format {
	const char *name;
	void (*begin)(struct reporter *r); /* NULL: nothing */
	void (*result)(struct reporter *r, const struct result *result);
	/* All repetitions of the scenario that @last repeated are done: r->of_scenario counts them,
	 * r->tally keeps what is to be said at the end. Not called for what runs once. */
	void (*scenario)(struct reporter *r, const struct result *last);
	void (*end)(struct reporter *r);
};

extern const struct report_format report_pretty;
extern const struct report_format report_ktap;
extern const struct report_format report_json;

struct reporter {
	const struct report_format *format;
	FILE *out;
	FILE *progress; /* a terminal that may show what is going on, or NULL */
	bool has_color;
	bool is_verbose;  /* evidence also for what passed */
	unsigned planned; /* results to come in all */
	unsigned shown;
	uint64_t start_ns;
	struct verdict_counts counts;
	struct verdict_counts of_scenario; /* the one that is being repeated */
	struct buf tally; /* of the scenarios before it, in the format's own form */
};

/* The format of that name, or NULL. */
const struct report_format *report_find(const char *name);

/* Print to @out; progress goes to @progress_fd if that is a terminal and the format is for people.
 * Colours are used on a terminal unless NO_COLOR is set and not empty (no-color.org). */
void reporter_init(struct reporter *r, const struct report_format *format, FILE *out,
		   int progress_fd, bool is_verbose);
void reporter_deinit(struct reporter *r);

void reporter_begin(struct reporter *r, unsigned planned);
/* What is being done now, for a terminal. */
void reporter_progress(struct reporter *r, const char *scenario, const char *what);
void reporter_result(struct reporter *r, const struct result *result);
void reporter_end(struct reporter *r);

/* Duration for people: "820 ms", "1.3 s", "2 min 5 s". @text has 32 bytes. Returns @text. */
const char *report_duration(uint64_t ns, char *text);
/* A value of a finding in its unit: "120.0 ms", "30 permille". @text has 48 bytes. Returns @text. */
const char *report_value(uint64_t value, const char *unit, char *text);
