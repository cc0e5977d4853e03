/* SPDX-License-Identifier: GPL-2.0-only */
/* What `snapshot` operations caught: the figures of every CPU, worker and cgroup at one moment of the
 * scenario, as the guest's kernel has them. They are evidence for who reads the record; no claim is
 * judged by them. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "harness/cell.h"
#include "harness/session.h"
#include "wire/frame.h"
#include "wire/report.h"

#include <stdint.h>
#include <stdio.h>

/* The three samples of a snapshot, in the order in which they come. */
enum snapshot_part { SNAPSHOT_WORKERS, SNAPSHOT_CPUS, SNAPSHOT_CGROUPS, SNAPSHOT_PARTS };

struct snapshot {
	uint32_t op;			  /* that asked for it; of the plan that was sent */
	uint64_t ns;			  /* guest time */
	struct buf parts[SNAPSHOT_PARTS]; /* payloads of frames, checked; empty: it has not come */
};

struct snapshots {
	struct snapshot *all;
	uint32_t count;
	uint32_t left_out; /* a loop can make more than are kept */
};

#define SNAPSHOTS_NULL ((struct snapshots){ 0 })

/* Keep a frame (TASKSTAT, CPUSTAT, CGROUPSTAT) with the decoded head @head, whose reason is
 * SAMPLE_SNAPSHOT. 0; -EPROTO with words if a record is bad, or the frames come in another order;
 * -ENOMEM. */
int snapshots_add(struct snapshots *s, const struct frame *f, const struct wire_sample *head,
		  const struct wire_limits *limits) must_check;
void snapshots_deinit(struct snapshots *s);

/* Append "snapshots" and "snapshots_left_out" to the record of @cell; nothing if there are none. CPUs
 * that the machine does not have are left out. */
void snapshots_json(const struct snapshots *s, const struct cell *cell,
		    const struct clock_relation *clock, struct json *j);

/* For people: each with its workers, who waits on which CPU. */
void snapshots_print(const struct snapshots *s, const struct cell *cell, FILE *out);
