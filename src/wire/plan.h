/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan: everything the guest does for one scenario, resolved by the host before it is sent. The
 * guest takes no decision: cpusets are CPU numbers, counts are counts, durations are nanoseconds.
 *
 * Tables                          what they hold
 *   cgroups   struct plan_cgroup  every cgroup that exists at some time, parents before children
 *   groups    struct plan_group   workers of one kind: workload, parameters, policy, memory policy
 *   workers   struct plan_worker  one for each worker: its group, cgroup, affinity. The workers of
 * a group are adjacent, in the group's order; each `ensemble` of them in turn works together (both
 * ends of a pipe, say) phases    struct plan_phase   programs of the workload `sequence` payloads
 * struct plan_payload programs run beside the workers ops       struct plan_op      what is done,
 * in lists that steps name steps     struct plan_step    run an op list, open the gates, hold
 * (perhaps looping an op list) strings   bytes               NUL-terminated, named by offset;
 * offset 0 is always ""
 *
 * Steps are the only control flow. A step runs its ops in order. If it holds (kind other than
 * HOLD_NONE) the gates of all workers spawned so far open together and the hold is a window:
 * samples are taken at its two ends, every worker reports for it. Workers spawned by a loop's ops
 * start at the end of that turn's ops. Workers may be stopped and spawned again: then there is a
 * report of each life. After the last step everything that still exists is stopped
 * and removed. A backdrop is a first step with HOLD_NONE whose groups no later op stops; cgroups of
 * one step end with it because the host lists STOP and CGROUP_REMOVE as the next step's first ops.
 *
 * To add an operation: append to enum plan_op_code, add its row to the table in plan.c (name, which
 * tables its targets index), give src/guest/ops.c the function of that code. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "wire/mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PLAN_CGROUPS_MAX = 512,
	PLAN_GROUPS_MAX = 1024,
	PLAN_WORKERS_MAX = 4096,
	PLAN_PHASES_MAX = 4096,
	PLAN_PAYLOADS_MAX = 64,
	PLAN_OPS_MAX = 2048,
	PLAN_STEPS_MAX = 256,
	PLAN_STRINGS_MAX = 256 * 1024,
	PLAN_PARAMS = 8,
	PLAN_NAME_BYTES = 64,
	PLAN_PATH_BYTES = 128,
};

#define PLAN_NONE UINT32_MAX /* "no cgroup", "no target" */
#define PLAN_MAX UINT64_MAX  /* the kernel's word "max" as a knob's value */
#define PLAN_PERIOD_US UINT64_C(100000)

/* The knobs of a cgroup: the kernel's files. Value semantics are the file's own unless said. */
enum plan_knob {
	KNOB_CPUSET,	  /* cpuset.cpus; the set is plan_cgroup.cpuset or plan_op.mask */
	KNOB_MEMS,	  /* cpuset.mems; value: node bit mask */
	KNOB_PARTITION,	  /* cpuset.cpus.partition; 0 member, 1 root, 2 isolated */
	KNOB_WEIGHT,	  /* cpu.weight 1..10000 */
	KNOB_WEIGHT_NICE, /* cpu.weight.nice; value: nice + 20 */
	KNOB_IDLE,	  /* cpu.idle 0, 1 */
	KNOB_QUOTA,  /* cpu.max quota in us, PLAN_MAX: none; the period is KNOB_PERIOD's value */
	KNOB_PERIOD, /* cpu.max period in us; only together with KNOB_QUOTA */
	KNOB_BURST,  /* cpu.max.burst in us */
	KNOB_UCLAMP_MIN, /* cpu.uclamp.min in permille */
	KNOB_UCLAMP_MAX, /* cpu.uclamp.max in permille */
	KNOB_MEMORY_MIN, /* bytes; these five take PLAN_MAX */
	KNOB_MEMORY_LOW,
	KNOB_MEMORY_HIGH,
	KNOB_MEMORY_MAX,
	KNOB_SWAP_MAX,
	KNOB_IO_WEIGHT, /* io.weight default 1..10000 */
	KNOB_PIDS_MAX,	/* or PLAN_MAX */
	KNOB_COUNT,
	KNOB_SLOTS = 24, /* room in the record */
};

struct plan_cgroup {
	char path[PLAN_PATH_BYTES]; /* below the root: "a", "a/b"; [A-Za-z0-9_.-] and '/' */
	uint64_t knobs;		    /* bit KNOB_x: this knob is written when the cgroup is made */
	uint64_t values[KNOB_SLOTS];
	struct cpu_mask cpuset;
};

/* How a task is scheduled: sched_setattr(2)'s fields. */
enum {
	SCHED_HAS_POLICY = 1 << 0, /* policy and its numbers are set; else inherited */
	SCHED_HAS_NICE = 1 << 1,   /* nice is set */
	SCHED_HAS_SLICE = 1 << 2,  /* runtime_ns is a custom slice for NORMAL or BATCH */
	SCHED_HAS_UCLAMP = 1 << 3, /* uclamp_min, uclamp_max are set */
	SCHED_RESET_ON_FORK = 1 << 4,
	SCHED_WIRE_FLAGS_ALL = (1 << 5) - 1,
};

/* linux/sched.h, which libc has not. While no BPF scheduler is loaded these tasks are of the fair class,
 * with the weight of their nice value (Linux kernel/sched/ext.c, task_should_scx()). */
enum { POLICY_EXT = 7 };

struct plan_sched {
	uint32_t flags;
	uint32_t policy;   /* SCHED_NORMAL 0, FIFO 1, RR 2, BATCH 3, IDLE 5, DEADLINE 6, EXT 7 */
	int32_t nice;	   /* -20..19 */
	uint32_t priority; /* 1..99 for FIFO and RR, else 0 */
	uint64_t runtime_ns;
	uint64_t deadline_ns;
	uint64_t period_ns;
	uint32_t uclamp_min;
	uint32_t uclamp_max;
};

enum {
	GROUP_THREADS = 1 << 0,	    /* the workers are threads of one process; all in one cgroup */
	GROUP_NEW_SESSION = 1 << 1, /* setsid(): an autogroup of its own */
	GROUP_FLAGS_ALL = (1 << 2) - 1
};

struct plan_group {
	char name[PLAN_NAME_BYTES]; /* for events and messages */
	uint32_t workload;	    /* enum workload_id */
	uint32_t flags;
	uint64_t params[PLAN_PARAMS]; /* in the order of the workload's table, each set */
	uint32_t first_worker;
	uint32_t worker_count; /* a multiple of ensemble */
	uint32_t ensemble;     /* workload_ensemble() of the parameters */
	uint32_t text;	       /* string offset: name of the `custom` function, else 0 */
	uint32_t first_phase;
	uint32_t phase_count; /* of `sequence`, else 0 */
	struct plan_sched sched;
	uint32_t mempolicy;  /* enum plan_mempolicy */
	uint32_t iterations; /* each worker ends by itself after so many; 0: it does not */
	uint64_t mem_nodes;  /* bit mask for BIND, PREFERRED, INTERLEAVE, WEIGHTED_INTERLEAVE */
};

/* Linux's MPOL_* numbers; DEFAULT leaves it inherited. */
enum plan_mempolicy {
	MEMPOLICY_DEFAULT = 0,
	MEMPOLICY_PREFERRED = 1,
	MEMPOLICY_BIND = 2,
	MEMPOLICY_INTERLEAVE = 3,
	MEMPOLICY_LOCAL = 4,
	MEMPOLICY_WEIGHTED_INTERLEAVE = 6,
};

struct plan_worker {
	uint32_t group;
	uint32_t cgroup; /* PLAN_NONE: the root of the hierarchy, beside the plan's cgroups */
	struct cpu_mask affinity; /* empty: inherited (nothing is set) */
	struct cpu_mask allowed;  /* where it may run, cpuset and affinity together: what isolation
				   * is counted against at first; empty: not counted */
};

/* One phase of a `sequence`; the worker repeats the whole list until it is stopped. */
enum plan_phase_kind {
	PHASE_RUN = 1,	 /* value: CPU time in ns */
	PHASE_SLEEP = 2, /* value: ns */
	PHASE_TIMER = 3, /* value: period in ns: sleep until the next multiple since the gate */
	PHASE_YIELD = 4, /* value: how often */
	PHASE_IO = 5,	 /* value: how many 4 KiB reads of the test disk */
	PHASE_LOOP = 6,	 /* go back to phase `to` (relative to the group's first), value times */
};

struct plan_phase {
	uint32_t kind;
	uint32_t to;
	uint64_t value;
};

struct plan_payload {
	char name[PLAN_NAME_BYTES];
	uint32_t cgroup; /* or PLAN_NONE */
	uint32_t flags;	 /* EXEC_ROOT */
	uint32_t argv;	 /* string offset of argc strings, one behind the other */
	uint32_t argc;
	uint32_t env;
	uint32_t envc;
	uint64_t timeout_ns; /* 0: none */
	uint32_t file;	     /* string offset of the file that it writes; 0: none */
	uint32_t zero;
	struct plan_sched sched;
	struct cpu_mask affinity;
};

enum plan_op_code {
	OP_CGROUP_ADD = 1,    /* target: cgroup; made with its knobs */
	OP_CGROUP_REMOVE = 2, /* target: cgroup; everything in it is killed first */
	OP_CGROUP_SET = 3,    /* target: cgroup; args[0] enum plan_knob, args[1] value, args[2] the
			       * period for KNOB_QUOTA; mask for KNOB_CPUSET (empty: clear) */
	OP_CGROUP_SWAP = 4,   /* target, other: cgroups that swap their cpuset.cpus */
	OP_CGROUP_FREEZE = 5, /* target: cgroup; done when cgroup.events says frozen */
	OP_CGROUP_THAW = 6,   /* target: cgroup */
	OP_SPAWN = 7,	      /* target: group; done when all its workers stand at their gates */
	OP_STOP = 8,	      /* target: group; done when all have reported */
	OP_MOVE = 9,	      /* target: group, other: cgroup or PLAN_NONE; see OP_ALLOWED */
	OP_AFFINITY = 10,     /* target: group; mask: the CPUs */
	OP_SCHED = 11,	      /* target: group; sched in args, see plan_op_sched() */
	OP_SIGNAL = 12,	     /* target: group; args[0] signal number; after KILL and TERM it is done
			       * when all have ended, and their end is WORKER_KILLED */
	OP_CPU_OFFLINE = 13, /* mask: the CPUs */
	OP_CPU_ONLINE = 14,  /* mask: the CPUs */
	OP_WRITE = 15, /* text: path, text2: value; the old value comes back at the plan's end */
	OP_PAYLOAD_RUN = 16,   /* target: payload; args[0] 1: it starts when the next gates open */
	OP_PAYLOAD_WAIT = 17,  /* target: payload; args[0] ns: then it is killed; 0: no limit */
	OP_PAYLOAD_KILL = 18,  /* target: payload */
	OP_MARK = 19,	       /* text: what the event says */
	OP_SNAPSHOT = 20,      /* text: its name; samples of everything, SAMPLE_SNAPSHOT */
	OP_SCHED_ATTACH = 21,  /* reserved: refused by name */
	OP_SCHED_DETACH = 22,  /* reserved: refused by name */
	OP_SCHED_REPLACE = 23, /* reserved: refused by name */
};

enum {
	OP_ALLOW_FAILURE = 1 << 0, /* an error becomes an event, not the plan's end */
	OP_FLAGS_ALL = (1 << 1) - 1
};

/* For operations that change where workers may run (CGROUP_SET cpuset, CGROUP_SWAP, MOVE, AFFINITY)
 * the host lists the new allowed sets of the touched workers behind the op, as OP_ALLOWED records:
 * isolation is counted against them from the moment the write returned; until then old and new
 * sets are both allowed. They hold for workers that are spawned later, too. */
enum { OP_ALLOWED = 64 /* target: first worker, args[0] number of workers; mask: allowed CPUs */ };

enum { PLAN_OP_ARGS = 7 };

struct plan_op {
	uint16_t code;
	uint16_t flags;
	uint32_t target;
	uint32_t other;
	uint32_t text;
	uint32_t text2;
	uint32_t zero;
	uint64_t args[PLAN_OP_ARGS];
	struct cpu_mask mask;
};

enum plan_hold {
	HOLD_NONE = 0,	     /* gates stay as they are, no window */
	HOLD_TIME = 1,	     /* hold_ns */
	HOLD_EXITS = 2,	     /* until all workers of group `target` have exited, at most hold_ns */
	HOLD_PAYLOAD = 3,    /* until payload `target` has exited, at most hold_ns */
	HOLD_ITERATIONS = 4, /* until group `target` has `value` iterations in this hold, at most
			      * hold_ns */
};

struct plan_step {
	char name[PLAN_NAME_BYTES];
	uint32_t first_op;
	uint32_t op_count;
	uint32_t hold; /* enum plan_hold */
	uint32_t target;
	uint64_t hold_ns; /* not 0 unless HOLD_NONE */
	uint64_t value;
	uint32_t loop_first_op;
	uint32_t loop_op_count;	   /* 0: no loop */
	uint64_t loop_interval_ns; /* from the start of one turn to the next; not 0 with a loop */
};

struct plan_header {
	uint32_t version; /* WIRE_VERSION */
	uint32_t id;	  /* the host's own; comes back in DONE */
	uint32_t cgroup_count;
	uint32_t group_count;
	uint32_t worker_count;
	uint32_t phase_count;
	uint32_t payload_count;
	uint32_t op_count;
	uint32_t step_count;
	uint32_t strings_bytes; /* at least 1: offset 0 is "" */
	uint64_t sample_ns;	/* CPUSTAT and TASKSTAT also this often inside holds; 0: at the ends
				   only */
	uint64_t seed;		/* for workloads that take random decisions */
	uint64_t report_deadline_ns; /* how long stopped workers may take to report; 0: 10 s */
};

_Static_assert(sizeof(struct plan_cgroup) == 128 + 8 + 8 * KNOB_SLOTS + 64, "wire layout");
_Static_assert(sizeof(struct plan_sched) == 48, "wire layout");
_Static_assert(sizeof(struct plan_group) == 64 + 8 + 64 + 24 + 48 + 16, "wire layout");
_Static_assert(sizeof(struct plan_worker) == 8 + 128, "wire layout");
_Static_assert(sizeof(struct plan_phase) == 16, "wire layout");
_Static_assert(sizeof(struct plan_payload) == 64 + 24 + 8 + 8 + 48 + 64, "wire layout");
_Static_assert(sizeof(struct plan_op) == 24 + 8 * PLAN_OP_ARGS + 64, "wire layout");
_Static_assert(sizeof(struct plan_step) == 64 + 16 + 16 + 16, "wire layout");
_Static_assert(sizeof(struct plan_header) == 64, "wire layout");
_Static_assert(KNOB_COUNT <= KNOB_SLOTS, "knobs fit their record");

/* A plan in memory, on either side. The arrays are the plan's own (plan_deinit()). The host fills a
 * PLAN_NULL one with the adders below; the guest gets one from plan_decode(). */
struct plan {
	struct plan_header header;
	struct plan_cgroup *cgroups;
	struct plan_group *groups;
	struct plan_worker *workers;
	struct plan_phase *phases;
	struct plan_payload *payloads;
	struct plan_op *ops;
	struct plan_step *steps;
	char *strings;
};

#define PLAN_NULL ((struct plan){ 0 })

void plan_deinit(struct plan *p);

/* Append @record's copy to its table. Returns its index in @index_ret (may be NULL). 0; -E2BIG with
 * words when the table is full; -ENOMEM. */
int plan_add_cgroup(struct plan *p, const struct plan_cgroup *record,
		    uint32_t *index_ret) must_check;
int plan_add_group(struct plan *p, const struct plan_group *record, uint32_t *index_ret) must_check;
int plan_add_worker(struct plan *p, const struct plan_worker *record,
		    uint32_t *index_ret) must_check;
int plan_add_phase(struct plan *p, const struct plan_phase *record, uint32_t *index_ret) must_check;
int plan_add_payload(struct plan *p, const struct plan_payload *record,
		     uint32_t *index_ret) must_check;
int plan_add_op(struct plan *p, const struct plan_op *record, uint32_t *index_ret) must_check;
int plan_add_step(struct plan *p, const struct plan_step *record, uint32_t *index_ret) must_check;
/* The same for a string; equal to its neighbour or not, each call appends. "" is offset 0. */
int plan_add_string(struct plan *p, const char *text, uint32_t *offset_ret) must_check;

/* Check every index, range, name and flag of a plan as the guest would. 0, or -EINVAL with words
 * that name table, index and field ("group hogs: workload 77 is unknown"). The host may call it
 * before boot; plan_encode() and plan_decode() call it themselves. header.version and strings (at
 * least one plan_add_string(), of "" if there is none) must be set. */
int plan_check(const struct plan *p) must_check;

/* Append the payload of a PLAN frame. 0; plan_check()'s errors; -EMSGSIZE with words if it is over
 * FRAME_PAYLOAD_MAX. */
int plan_encode(const struct plan *p, struct buf *out) must_check;

/* Decode and check a PLAN payload. 0; -EPROTO with words; -ENOMEM. The caller deinits @ret. */
int plan_decode(const void *payload, size_t len, struct plan *ret) must_check;

/* The string at @offset; "" for offsets that a checked plan does not have. */
const char *plan_string(const struct plan *p, uint32_t offset);

/* A plan_sched as the arguments of OP_SCHED, and back. */
void plan_op_set_sched(struct plan_op *op, const struct plan_sched *s);
struct plan_sched plan_op_sched(const struct plan_op *op);

/* Words for messages and logs: "cgroup-set"; "unknown" for others. */
const char *plan_op_name(unsigned code);
/* The file of a knob, "cpu.weight"; "unknown" for others. */
const char *plan_knob_name(unsigned knob);
