/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of every command that makes a machine: run, exec, shell. A command has them as an argp
 * child and hands its struct machine_options over in ARGP_KEY_INIT (child_inputs[0]). */
#pragma once

#include "cli/command.h"
#include "harness/cell.h"

#include <stdbool.h>
#include <stdint.h>

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_CARRIER };

enum { MACHINE_OPTIONS_DISKS = 16 };

struct machine_options {
	const char *kernel; /* NULL: the default */
	bool has_topology;
	struct topology topology;
	uint64_t memory_bytes; /* 0: by the scenario */
	const char *disks[MACHINE_OPTIONS_DISKS];
	unsigned disk_count;
	const char *kernel_args;
	uint64_t timeout_ns; /* 0: the default */
	enum accel accel;
	bool has_kaslr;
	bool is_verbose;
};

extern const struct argp machine_argp;

/* Print a line of progress on stderr: a kernel_progress.say. */
void machine_options_say(void *ctx, const char *line);

/* Where to run. Returns 0: here, there is KVM; ACCEL_ELSEWHERE: in the carrier, which the user has
 * been told, and accel_run() does it; or a negative errno with words (no KVM where it was asked for). */
enum { ACCEL_ELSEWHERE = 1 };
int accel_choose(const struct machine_options *options) must_check;

struct accel_job {
	const struct machine_options *options; /* its writable disks are writable inside */
	const char *const *argv;	       /* of the command inside, NULL at the end */
	int (*record)(void *ctx, const void *bytes, size_t len); /* as in host/carrier.h */
	void *record_ctx;
	bool is_tty; /* give it the terminal */
	bool has_stdin;
};

/* Run a command line in a carrier of its own. 0 and the command's exit status, or a negative errno
 * with words. */
int accel_run(const struct accel_job *job, int *status_ret) must_check;
