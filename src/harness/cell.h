/* SPDX-License-Identifier: GPL-2.0-only */
/* A cell: one scenario on one machine, compiled. It holds the plan for the guest, and what the host
 * has to remember to judge the guest's answers: names, the claims, and for each window the settings
 * that were in force in it (the scene).
 *
 * Compiling resolves and checks everything the scenario says; nothing has booted yet. */
#pragma once

#include "base/err.h"
#include "harness/check.h"
#include "harness/fault.h"
#include "vmm/topology.h"
#include "wire/feature.h"
#include "wire/plan.h"
#include "wire/workloads.h"

#include <ktstr/scenario.h>

#include <stdbool.h>
#include <stdint.h>

/* Settings of a cgroup in a window. */
struct scene_cgroup {
	bool is_there;
	unsigned weight;
	uint64_t quota_us; /* PLAN_MAX: none */
	uint64_t period_us;
	uint64_t burst_us;
	uint64_t pids_max;    /* PLAN_MAX: none */
	uint64_t memory_max;  /* bytes, PLAN_MAX: none */
	uint64_t own_mems;    /* one bit for each node; 0: none of its own */
	struct cpu_mask own;  /* its cpuset; empty: none */
	struct cpu_mask cpus; /* effective: its cpuset and those above it */
	bool is_frozen;
	bool is_idle; /* weighs as one SCHED_IDLE task */
};

/* Settings of the workers of one entry. */
struct scene_group {
	uint32_t cgroup; /* or PLAN_NONE */
	struct plan_sched sched;
	bool has_affinity;	  /* an operation has set it: */
	struct cpu_mask affinity; /* of all of them */
	bool is_paused;		  /* by SIGSTOP */
	bool is_stopped;	  /* not there: gone, or not spawned yet */
	bool was_held; /* back by the scenario (held.h) since the hold before this one ended */
};

struct scene {
	struct scene_cgroup *cgroups; /* as many as the plan has */
	struct scene_group *groups;
	struct cpu_mask *allowed; /* of each worker */
};

/* What one operation of a loop leaves behind, until the next one is done. */
struct cell_turn {
	uint32_t
		end_op; /* the operation's ops of the plan are below it, and not below its neighbour's */
	struct scene scene;
};

struct cell_window {
	uint32_t step; /* of the plan */
	char name[PLAN_NAME_BYTES];
	char condition[PLAN_NAME_BYTES * 2]; /* "until WORKERS exit", in words; "": a time only */
	uint64_t hold_ns;		     /* at most, if there is a condition */
	struct scene scene;		     /* between the turns, if there is a loop */
	struct cell_turn *turns;
	uint32_t turn_count;
};

struct cell_cgroup {
	uint32_t parent; /* or PLAN_NONE */
	uint32_t step;	 /* of the scenario, which it belongs to; CELL_BACKDROP */
};

struct cell_payload {
	const struct ktstr_payload *from;
	char *program; /* its path, here and in the guest */
	bool has_run;  /* where the compiler stands */
	bool is_over;  /* it was waited for, or killed */
};

enum { CELL_BACKDROP = INT32_MAX };

struct cell {
	const struct ktstr_record *record;
	struct topology topology;
	uint64_t memory_bytes;
	uint64_t timeout_ns; /* of the plan's run, without boot */
	uint64_t hold_ns;    /* of all windows */
	uint64_t wait_ns;    /* for payloads, outside of them: at most */
	struct plan plan;
	/* For testing the harness: the guest is given this plan, which differs by the fault; all
	 * that is judged by knows nothing of it. NULL: none. */
	const struct fault *fault;
	struct plan faulted;
	struct cell_cgroup *cgroups;
	struct cell_payload *payloads; /* as many as the plan has */
	struct cell_window *windows;
	uint32_t window_count;
	struct cell_window whole; /* the run, for claims about payloads: a name, no scene */
	struct claim *claims;
	uint32_t claim_count;
	bool needs_disk;
	/* The words of the operation that an op of the plan comes from; NULL: of none. As many as
	 * the plan has ops. */
	const char **op_texts;
	/* The least kernel for what the scenario says, "6.9", and what that is; NULL: any. */
	const char *least_kernel;
	const char *least_kernel_why;
	/* The features that the kernel must have, a set (wire/feature.h), and what for; NULL: the
	 * scenario says so itself. */
	uint32_t features;
	const char *feature_why[FEATURE_COUNT];
};

#define CELL_NULL ((struct cell){ 0 })

enum cell_outcome { CELL_NEEDS_UNMET = 1 };

/* What the command line says about all cells. */
struct cell_options {
	const struct topology *topology; /* NULL: the scenario's own */
	uint64_t memory_bytes;		 /* 0: the scenario's own, or by the number of CPUs */
	uint64_t timeout_ns;		 /* 0: the scenario's own */
	uint64_t seed;
	bool has_disk;		   /* the command line brings one */
	const struct fault *fault; /* NULL: none; must outlive the cell */
};

/* Is it the entry that ends the list? */
bool scenario_step_is_end(const struct ktstr_step *s);

/* Compile. Returns 0; CELL_NEEDS_UNMET, with what is missing in the error trail's words; -EINVAL
 * with words "scenario NAME: FIELD \"VALUE\": ..."; -ENOMEM. Free with cell_deinit(), after 0 and
 * after CELL_NEEDS_UNMET. */
int cell_compile(const struct ktstr_record *record, const struct cell_options *options,
		 struct cell *ret) must_check;
void cell_deinit(struct cell *c);

/* Is the kernel of that release too old for the cell? Does it lack a feature, having those of the set
 * @found? Then @why gets the words of the SKIP. */
bool cell_is_kernel_too_old(const struct cell *c, const char *release, struct buf *why);
bool cell_is_feature_missing(const struct cell *c, uint32_t found, struct buf *why);

/* What the guest is told: the plan, or the one with the fault in it. */
const struct plan *cell_sent_plan(const struct cell *c);

/* "left/spin": the name of an entry of workers, and "left/spin[2]": of one worker, for reports.
 * @text has CELL_NAME_BYTES. Returns @text. */
enum { CELL_NAME_BYTES = PLAN_PATH_BYTES + PLAN_NAME_BYTES + 16 };
char *cell_group_name(const struct cell *c, uint32_t group, char *text);
char *cell_worker_name(const struct cell *c, uint32_t worker, char *text);

void cell_window_deinit(struct cell_window *w);

/* Were workers of that entry there in the window, at least for a part of it? */
bool cell_window_has_group(const struct cell_window *w, uint32_t group);

/* Can a worker of the entry be spawned more than once, and so report more than once? */
bool cell_group_respawns(const struct cell *c, uint32_t group);

/* The window of a plan's step, or NULL. */
const struct cell_window *cell_window_of_step(const struct cell *c, uint32_t step);

/* Load weight of a worker as the kernel has it: of its nice value, 3 for SCHED_IDLE. */
unsigned cell_nice_weight(const struct plan_sched *s);
