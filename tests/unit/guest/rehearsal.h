/* SPDX-License-Identifier: GPL-2.0-only */
/* Plans performed without a machine: the conductor runs as an ordinary process of this host, with
 * plans that need neither cgroups nor root, and its frames are collected. */
#pragma once

#include "base/buf.h"
#include "wire/plan.h"
#include "wire/report.h"
#include "wire/workloads.h"

struct rehearsal {
	int status; /* of the conductor's process, as wait() has it */
	struct buf stream;
	struct buf
		write_ends; /* offsets into it, size_t: where each write of the conductor ended */
	struct wire_limits limits;
};

/* A plan of one group of @workers workers with default parameters that holds until it has made
 * @iterations, 10 s at most. */
struct plan rehearsal_plan(uint32_t workload, uint32_t workers, uint64_t iterations);

/* Perform it. The caller owns both. */
struct rehearsal rehearse(const struct plan *p);
/* The same, with the host's stop waiting when it begins. */
struct rehearsal rehearse_stopped(const struct plan *p);
void rehearsal_deinit(struct rehearsal *r);

/* The @nth frame of a type: its payload and length; NULL if there are fewer. */
const void *rehearsal_frame(const struct rehearsal *r, unsigned type, unsigned nth,
			    size_t *len_ret);
unsigned rehearsal_count(const struct rehearsal *r, unsigned type);
/* The report of a worker for a window; fails the test without one. */
struct wire_report rehearsal_report(const struct rehearsal *r, uint32_t worker, uint16_t window);
/* The text of FAILED, in @text; "" if there was none. */
const char *rehearsal_failure(const struct rehearsal *r, char text[512]);
