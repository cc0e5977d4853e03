/* SPDX-License-Identifier: GPL-2.0-only */
/* A run that went well, told to the judge: every window of a scenario as long as declared, a host that
 * took nothing, workers that worked. A test spoils what it is about. */
#pragma once

#include "harness/judge.h"
#include "harness/telemetry.h"

#include <ktstr/ktstr.h>

struct stage {
	struct ktstr_record record;
	struct result result;
	struct telemetry t;
};

void stage_set(struct stage *s, const struct ktstr_scenario *scenario);
void stage_deinit(struct stage *s);

/* The words of the error that compiling it ends with, "" if it does not. */
const char *stage_refusal(const struct ktstr_scenario *scenario);

enum verdict stage_verdict(struct stage *s);

/* What was found of @check in window @window; NULL: it was not judged there. */
const struct finding *stage_finding(const struct stage *s, const char *check, uint32_t window);

struct window_data *stage_window(struct stage *s, uint32_t window);
struct wire_report *stage_report(struct stage *s, uint32_t window, uint32_t worker);
/* Its wake-ups, @count of @ns each. */
void stage_wake(struct stage *s, uint32_t window, uint32_t worker, unsigned count, uint64_t ns);
