/* SPDX-License-Identifier: GPL-2.0-only */
/* The results store: one SQLite file in which every run and every verdict stays. A verdict is
 * committed when it falls, so that a crash of the harness, the guest or QEMU loses nothing that was
 * already known; a run that has no end time was cut off, or goes on.
 *
 *   run     one command line: when, where, with what; its end and exit status, which only a run has whose
 *           verdicts have all fallen
 *   result  one verdict of a run: the columns that queries ask for, and the whole record as JSON
 *   metric  a view of the records: the figures of payloads, one a row
 *
 * The file is in WAL mode: several runs may write at the same time, and readers never wait.
 * Source: sqlite.org, "Write-Ahead Logging". */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct store;

struct store_result {
	const char *scenario;
	const char *topology;
	const char *kernel;  /* release, "" when it never said it */
	const char *verdict; /* "PASS", "FAIL", ... */
	uint64_t duration_ns;
	const char *record; /* the whole record, one JSON object */
};

/* What store_results() hands out for each row; the strings are valid during the call. */
struct store_row {
	int64_t run;
	const char *started; /* UTC, RFC 3339 */
	const char *command; /* the run's command line */
	struct store_result result;
};

/* $XDG_STATE_HOME/ktstr/results.db or ~/.local/state/ktstr/results.db. Appends to @ret. 0, or -ENOENT
 * with words when neither variable nor HOME is set. */
int store_default_path(struct buf *ret) must_check;

/* Open the file, make it and its directory if they are missing. Returns 0; -EROFS, -EACCES and
 * the like with words that name the path; -EPROTO if it is no store or one of a later version.
 * @ret is freed by store_free(). One thread. */
int store_open(const char *path, struct store **ret) must_check;
struct store *store_free(struct store *s);
static inline void store_freep(struct store **s)
{
	*s = store_free(*s);
}

/* A new run of @command. @run_ret: its number, which grows. */
int store_run_begin(struct store *s, const char *command, int64_t *run_ret) must_check;
int store_run_end(struct store *s, int64_t run, int exit_status) must_check;

/* Add a verdict; it is durable against a crash of this process when this returns. */
int store_add(struct store *s, int64_t run, const struct store_result *result) must_check;

/* The same for a record alone, as result_json() wrote it, perhaps in another process: the columns are
 * taken from it. */
int store_add_record(struct store *s, int64_t run, const char *record) must_check;

/* A run without an end: it was cut off, or goes on. The strings are valid during the call. */
struct store_unfinished {
	int64_t run;
	const char *started;
	const char *command;
	uint64_t verdicts; /* that it has */
};

/* Call @visit for each run of store_results() that is unfinished, oldest first; for @run 0 also for
 * later ones, which have no verdict yet. */
int store_unfinished(struct store *s, int64_t run,
		     int (*visit)(void *ctx, const struct store_unfinished *u),
		     void *ctx) must_check;

/* Is there a run of that number? 0, or STORE_NO_RUN with the newest one's number in @newest_ret (0: there
 * is none at all). */
enum store_outcome { STORE_NO_RUN = 1 };
int store_find_run(struct store *s, int64_t run, int64_t *newest_ret) must_check;

/* Call @visit for each verdict of run @run (0: the newest run that has any; -1: all runs), oldest first. @visit
 * returns 0 to go on; anything else ends the walk and is returned. */
int store_results(struct store *s, int64_t run,
		  int (*visit)(void *ctx, const struct store_row *row), void *ctx) must_check;
