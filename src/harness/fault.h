/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults, for testing the harness itself: a change of a scenario that the guest is told of and the
 * judge is not. The guest gets a plan with the fault in it; claims, scenes and all that is judged by
 * are compiled without it. A check that is worth anything says FAIL; one that stays quiet is known to
 * do so from docs/honesty.md. A result with a fault carries its name, and is nobody's verdict.
 *
 *   "SCENARIO/NAME: OP; OP ..."
 *
 * The operations are those of steps (ktstr/scenario.h), done before the first hold, where what they
 * do to the settings is forgotten again; and
 *   "work WORKERS WORK"   those workers do that, instead of what the scenario says */
#pragma once

#include "base/err.h"

enum { FAULT_OPS_MAX = 16 };

struct fault {
	char *storage;
	const char *text; /* as written, borrowed */
	const char *scenario;
	const char *name;
	const char *ops[FAULT_OPS_MAX + 1]; /* ended by NULL; without those of work */
	struct {
		const char *workers;
		const char *work;
	} works[FAULT_OPS_MAX];
	unsigned op_count;
	unsigned work_count;
};

#define FAULT_NULL ((struct fault){ 0 })

/* Parse; what the operations say is checked when the scenario is compiled with them. @text must
 * outlive @ret, which fault_deinit() frees. -EINVAL with words that begin with the text. */
int fault_parse(const char *text, struct fault *ret) must_check;
void fault_deinit(struct fault *f);

/* The work that those workers, "CGROUP/NAME", do by the fault; NULL: their own. */
const char *fault_work(const struct fault *f, const char *workers);
