/* SPDX-License-Identifier: GPL-2.0-only */
/* Payloads: programs of the host that run in the guest beside the workers, in their cgroup, with the
 * shared libraries that they need; and metrics, figures that are read from what they write.
 *
 *   command   the program and its arguments, split into words at spaces; '...' and "..." keep spaces,
 *             \ keeps the next character. The program is found on this host (PATH, or a path), and
 *             has that path in the guest. What follows in args is taken as it is.
 *   start     a payload that no operation runs starts together with the first workers, when it stands
 *             in its cgroup with its affinity, policy and nice value; one that "run NAME" names in a
 *             step starts there. "wait NAME [TIME]" waits for its end, at most that long: then it is
 *             killed, as by its timeout. "kill NAME" ends it. Each runs once.
 *   end       the scenario's end kills what still runs. Every payload has to end with status 0, unless
 *             the scenario killed it: without a word, as the check `exit` (check.h) would say it.
 *   output    stdout, stderr and the file are kept up to 1 MiB each; more is dropped.
 *
 * Beside payloads there can be no `share` claim: nobody knows what they want of the CPU. */
#pragma once

#include <stdbool.h>

/* Where a figure is. Exactly one of json, yaml and pattern says it:
 *   json, yaml  a path into the document: keys and positions (from 0) between dots, "*" for every
 *               one: "jobs.0.read.iops", "metrics.*.bogo-ops"; a key with a dot in quotes:
 *               "jobs.0.read.clat_ns.percentile.\"99.000000\"". Text before the document is skipped.
 *   pattern     an extended regular expression (regex(7)), matched line by line, with one group
 *               around the number: "^Time: ([0-9.]+)" */
struct ktstr_metric {
	const char *name; /* letters, digits, _ - . */
	const char *json;
	const char *yaml;
	const char *pattern;
	const char
		*source; /* stdout, stderr or file; default: the file, if it has one, else stdout */
	const char
		*take; /* of several values the first, last, min, max, sum or mean; default: there
			       must be one */
	const char *unit; /* for reports: "IOPS" */
	bool is_exact; /* no noise of the host can change it, as a count of errors; all others are
			       about time, and claims about them UNDECIDED under noise */
};

struct ktstr_payload {
	const char *name; /* letters, digits, _ - . ; no other payload of the scenario has it */
	const char *command;
	const char *const *args;    /* ARGS(...): more of the command */
	const char *const *env;	    /* ARGS("NAME=VALUE"): besides PATH, HOME=/, LANG=C */
	const char *const *include; /* ARGS(...): files and directories of the host, at their paths;
				       programs with their libraries */
	const char *file;	    /* that it writes in the guest, for metrics: "/tmp/out.yaml" */
	const char *timeout;	    /* from its start; then it is killed, and has failed */
	const char *affinity;	    /* these four as workers have them (workload.h) */
	const char *policy;
	const char *slice;
	int nice;
	const struct ktstr_metric *metrics; /* METRICS(...) */
};

/* The lists end with an entry of NULL; the macros add it. */
#define PAYLOADS(...) ((const struct ktstr_payload[]){ __VA_ARGS__, { .name = 0 } })
#define METRICS(...) ((const struct ktstr_metric[]){ __VA_ARGS__, { .name = 0 } })
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, 0 })
