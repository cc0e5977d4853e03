/* SPDX-License-Identifier: GPL-2.0-only */
/* A run: the chosen scenarios, one after the other, each on a machine that fits, and each as often
 * as is asked for before the next one's turn, because that needs the fewest boots. A booted machine
 * goes on to the next scenario if that wants the same machine and the last verdict was PASS or UNDECIDED;
 * otherwise the next one gets a fresh boot. Every result is stored and reported before the next
 * scenario begins.
 *
 * Everything the user said is checked before anything boots. */
#pragma once

#include "base/err.h"
#include "harness/boot_image.h"
#include "harness/cell.h"
#include "harness/registry.h"
#include "harness/report.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

struct run_options {
	struct cell_options cell;
	const char *const *disks; /* in front of each scenario's own: the first is the test disk */
	unsigned disk_count;
	const struct fault *faults; /* run each on its scenario, which must be chosen, too */
	unsigned fault_count;
	/* The machine's image with the files of all payloads; NULL: no scenario has any. */
	const struct boot_image *payload_image;
	const char *kernel;	 /* as the user said it; NULL: the default */
	const char *kernel_args; /* NULL: none */
	const char *program;	 /* name of this program, for "again" lines */
	unsigned repeat;	 /* how often each scenario runs, at least 1 */
	bool has_kaslr;
	bool is_verbose; /* console to stderr */
	int signal_fd;
	int record_fd;	     /* each result also as a JSON line; -1: nowhere */
	struct store *store; /* NULL: results are not kept */
	int64_t store_run;
};

enum run_outcome { RUN_INTERRUPTED = 1 };

/* Check everything that can be known without booting: each scenario on its machine, each disk. 0, or
 * a negative errno with words. */
int runner_check(const struct registry *chosen, const struct run_options *options) must_check;

/* The same for one disk specification: it parses, and its backing can be opened as it asks. */
int runner_check_disk(const char *text) must_check;

/* How many verdicts such a run has when it is through; every fault names one of @chosen. */
size_t runner_verdict_count(const struct registry *chosen, const struct run_options *options);

/* Run. 0 when all have a verdict (reporter->counts has them); RUN_INTERRUPTED; or a negative errno
 * with words if no machine can be made as asked. */
int runner_run(const struct registry *chosen, const struct run_options *options,
	       const struct boot_image *image, struct reporter *reporter) must_check;
