/* SPDX-License-Identifier: GPL-2.0-only */
/* The short strings of scenarios that are not CPU sets: words of the form NAME KEY=VALUE ..., and
 * the quantities in them. All errors are -EINVAL with words that begin with the value in quotes;
 * who calls puts the field and the scenario before them. */
#pragma once

#include "base/err.h"
#include "wire/plan.h"
#include "wire/workloads.h"

#include <stdbool.h>
#include <stdint.h>

enum { SPEC_ARGS_MAX = 16 };

struct spec_arg {
	const char *key;
	const char *value;
};

/* "NAME KEY=VALUE ...": the strings are in @storage. */
struct spec {
	char *storage;
	const char *name;
	struct spec_arg args[SPEC_ARGS_MAX];
	unsigned count;
};

#define SPEC_NULL ((struct spec){ 0 })

/* Split @text. -EINVAL if there is no name, a word that is not KEY=VALUE, the same key twice, or
 * too many; -ENOMEM. Free with spec_deinit(). */
int spec_parse(const char *text, struct spec *ret) must_check;
void spec_deinit(struct spec *s);

/* What a unit's values look like, for messages: "a duration such as 50ms". */
const char *spec_unit_text(enum param_unit unit);

/* One value in the form of its unit: 12, 50ms, 4KiB, 30permille. */
int spec_value(const char *text, enum param_unit unit, uint64_t *ret) must_check;

/* A worker's work: the workload of that name, with all its parameters checked and set. */
int spec_work(const char *text, uint32_t *id_ret, uint64_t params_ret[PLAN_PARAMS]) must_check;

/* The text beside a work's numbers: the phases of a sequence, the name of a custom function. The
 * caller frees @ret. -EINVAL if there is none. */
int spec_work_text(const char *text, char **ret) must_check;

/* How many workers: "4", "per-cpu", "150%", of @cpus CPUs. NULL: 1. At least 1. */
int spec_count(const char *text, unsigned cpus, uint32_t *ret) must_check;

/* A kernel feature, by its name: its id of wire/feature.h. */
int spec_feature(const char *text, unsigned *ret) must_check;

/* What workers, steps and payloads are called: letters, digits, _ - ., as many as a plan has room for. */
int spec_name(const char *text) must_check;

/* A kernel release, "6.6" or "6.12.85": up to three numbers with dots between them; those that are not
 * said are 0. */
int spec_release(const char *text, unsigned ret[3]) must_check;

/* A limit of time, which 0 would not be: from 1ms on. */
int spec_timeout(const char *text, uint64_t *ns_ret) must_check;

/* A limit in bytes, "64M", or "max" (PLAN_MAX). */
int spec_limit(const char *text, uint64_t *ret) must_check;

/* "normal", "batch", "idle", "fifo 50", "rr 50", "deadline 2ms/10ms/10ms"; NULL: normal. With
 * @nice, -20 to 19. */
int spec_sched(const char *policy, int nice, struct plan_sched *ret) must_check;

/* Add a custom slice, "3ms", to what spec_sched() has made. */
int spec_slice(const char *text, struct plan_sched *sched) must_check;

/* cpu.max.burst, "20ms", in microseconds. */
int spec_burst(const char *text, uint64_t *us_ret) must_check;

/* cpu.max: "QUOTA/PERIOD" or "max" (PLAN_MAX). In microseconds, as the kernel takes them. */
int spec_max(const char *text, uint64_t *quota_us_ret, uint64_t *period_us_ret) must_check;
