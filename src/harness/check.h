/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks: the claims that scenarios make, as records, and the findings that come out of judging
 * them against the telemetry of a run.
 *
 * To add a check: write its record in a file check_NAME.c, declare it below, put it into the table
 * of check.c and its line into ktstr/check.h. A must-pass and a must-fail scenario go with it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "harness/verdict.h"
#include "wire/mask.h"
#include "wire/workloads.h"

#include <stdbool.h>
#include <stdint.h>

struct cell;
struct cell_window;
struct telemetry;
struct claim;

enum { CHECK_PARAMS = 6 };

struct check_param {
	const char *name;
	enum param_unit unit;
	uint64_t value; /* default; not used for bounds */
	bool is_bound;	/* at least one of a check's bounds must be given */
	const char *help;
};

/* What judging one claim over one window came to. */
struct finding {
	const struct claim *claim;
	const struct cell_window *window;
	enum verdict verdict; /* PASS, FAIL, UNDECIDED or INFRA */
	const char *unit;     /* of observed and bound */
	uint64_t observed;
	uint64_t bound;
	uint64_t samples;
	bool holds;	   /* the bound held, whatever noise made of the verdict */
	bool is_too_short; /* the window is, for the bound to be broken in it */
	bool is_timed; /* a claim about time, under the rule of noise.h; else the noise_ are 0 */
	unsigned noise_permille; /* of the window, on the CPU where it was most */
	unsigned noise_cpu;
	uint64_t noise_limit_permille;
	struct buf figures;  /* one line: what was seen */
	struct buf evidence; /* lines, each ended by \n: who, when, where */
	struct buf details;  /* a JSON array for the record, or empty */
};

struct check {
	const char *name;
	const char *summary;
	bool takes_within;	 /* within=CPUSET */
	bool needs_ticks;	 /* its windows are sampled inside, too: */
	unsigned ticks_in_bound; /* so often in its first parameter, a time; 0: any */
	bool takes_metric;	 /* name=METRIC or name=PAYLOAD/METRIC, and must have it */
	bool is_of_payloads;	 /* of= names a payload; judged once, over the whole run */
	bool is_of_cgroups;	 /* it is about cgroups: one with nothing but payloads will do */
	unsigned param_count;
	struct check_param params[CHECK_PARAMS];
	/* Can it say anything of the workers of that entry? NULL: of all. */
	bool (*is_about)(const struct cell *cell, uint32_t group);
	/* Before boot: can the claim be judged in this cell? 0 or -EINVAL with words. NULL: in
	 * any. */
	int (*bind)(const struct claim *claim, const struct cell *cell);
	/* Judge @claim over @window into @ret, which comes with claim and window set and the rest
	 * zero. 0 or -ENOMEM. */
	int (*evaluate)(const struct claim *claim, const struct cell *cell,
			const struct cell_window *window, const struct telemetry *telemetry,
			struct finding *ret);
};

extern const struct check check_share;
extern const struct check check_starvation;
extern const struct check check_work_conservation;
extern const struct check check_isolation;
extern const struct check check_wake_latency;
extern const struct check check_throughput;
extern const struct check check_spread;
extern const struct check check_migration_ratio;
extern const struct check check_locality;
extern const struct check check_deadline_misses;
extern const struct check check_throttling;
extern const struct check check_exit;
extern const struct check check_metric;

/* The table, ended by NULL. */
const struct check *const *check_table(void);

/* A check with its bounds, as a scenario states it. */
struct claim {
	const struct check *check;
	const char *text; /* as written, borrowed from the scenario */
	uint64_t values[CHECK_PARAMS];
	bool is_given[CHECK_PARAMS];
	char *scope;		     /* of=CGROUP[/WORKERS]; NULL: everybody */
	char *within;		     /* within=: a cpuset specification; NULL: none */
	struct cpu_mask within_cpus; /* resolved for the cell */
	char *metric;		     /* name=; NULL: none */
	/* For the cell: the payload and its metric that name= means, and "milli UNIT". */
	uint32_t payload;
	const struct ktstr_metric *payload_metric;
	char *unit;
};

/* Parse. -EINVAL with words: unknown check or parameter, unit missing, no bound. claim_deinit()
 * frees. */
int claim_parse(const char *text, struct claim *ret) must_check;
void claim_deinit(struct claim *c);

/* Is that payload inside the claim's scope? */
bool claim_covers_payload(const struct claim *c, const struct cell *cell, uint32_t payload);

/* Is worker entry @group inside the claim's scope? */
bool claim_covers(const struct claim *c, const struct cell *cell, uint32_t group);

/* Is the cgroup at @path in the claim's scope, itself or below it? */
bool claim_covers_cgroup(const struct claim *c, const char *path);

/* Is there a payload in a cgroup that the claim, one about cgroups, is about? */
bool claim_has_payload_cgroup(const struct claim *c, const struct cell *cell);

/* Is @worker inside the scope, and let run by the scenario in @window (held.h), at least for a part of it? */
bool claim_judges(const struct claim *c, const struct cell *cell, const struct cell_window *window,
		  uint32_t worker);

/* Are workers that the claim is about there in @window, and let run by the scenario (held.h)? Or payloads?
 * Else it is not judged there. */
bool claim_is_about_window(const struct claim *c, const struct cell *cell,
			   const struct cell_window *window);

/* For a bound in ns on what happens inside the window: was it long enough to break it? Else sets
 * is_too_short, and UNDECIDED unless it is worse already. Such a finding is kept only where the claim has no
 * other. */
void finding_check_length(struct finding *f, const struct telemetry *telemetry);

/* Judge all claims of @cell: over all its windows, and those about payloads over the whole run. @ret
 * is an array of findings for findings_free(). 0 or -ENOMEM. */
int check_all(const struct cell *cell, const struct telemetry *telemetry, struct finding **ret,
	      uint32_t *count_ret) must_check;
struct finding *findings_free(struct finding *all, uint32_t count);
