/* SPDX-License-Identifier: GPL-2.0-only */
/* One run of a cell's plan in a booted guest: send it, take in what comes, until the guest says DONE
 * or something else ends it. Says what happened, judges nothing. */
#pragma once

#include "base/err.h"
#include "harness/cell.h"
#include "harness/session.h"
#include "harness/telemetry.h"

#include <stdint.h>

struct machine;

enum trial_end {
	TRIAL_DONE,	   /* the guest ran the plan to its end, or said why it could not */
	TRIAL_TIMEOUT,	   /* the cell's time is over */
	TRIAL_ENDED,	   /* the machine ended */
	TRIAL_INTERRUPTED, /* the user wants to stop */
	TRIAL_GARBLED,	   /* the guest does not keep to the protocol; words in the error trail */
};

/* Run @cell over @session. The vCPU threads of @machine (NULL: none) are sampled at both ends of each
 * window. @telemetry was initialised for the cell. Returns 0 with @end_ret, or a negative errno with
 * words if our own side failed. */
int trial_run(struct session *session, struct machine *machine, struct cell *cell,
	      struct telemetry *telemetry, enum trial_end *end_ret) must_check;
