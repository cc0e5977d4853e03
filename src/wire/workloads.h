/* SPDX-License-Identifier: GPL-2.0-only */
/* The workloads by name, with their parameters: what a scenario may say and what help prints. The
 * functions that do the work are in src/guest/work_*.c. This table is data for both sides.
 *
 * To add a workload: append to enum workload_id (never renumber), add its block to the table in
 * workloads.c (at most PLAN_PARAMS parameters), write its function in the src/guest/work_*.c of its
 * theme and put it in the table of src/guest/workload_table.c (a unit test misses it otherwise). */
#pragma once

#include "base/err.h"
#include "wire/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum workload_id {
	WORK_SPIN = 1,
	WORK_YIELD = 2,
	WORK_BURSTY = 3,
	WORK_PIPE_PINGPONG = 4,
	WORK_FUTEX_PINGPONG = 5,
	WORK_IO_RAND_READ = 6,
	WORK_ALU_HOT = 7,
	WORK_MIXED = 8,
	WORK_PERIODIC = 9,
	WORK_IDLE_CHURN = 10,
	WORK_TIMER_LATENCY = 11,
	WORK_FUTEX_FANOUT = 12,
	WORK_FANOUT_COMPUTE = 13,
	WORK_WAKE_CHAIN = 14,
	WORK_ASYMMETRIC_WAKER = 15,
	WORK_THUNDERING_HERD = 16,
	WORK_EPOLL_STORM = 17,
	WORK_SIGNAL_STORM = 18,
	WORK_PRODUCER_CONSUMER = 19,
	WORK_MUTEX = 20,
	WORK_PRIORITY_INVERSION = 21,
	WORK_RT_STARVATION = 22,
	WORK_PREEMPT_STORM = 23,
	WORK_FORK_EXIT = 24,
	WORK_NICE_SWEEP = 25,
	WORK_AFFINITY_CHURN = 26,
	WORK_CROSS_AFFINITY_CHURN = 27,
	WORK_POLICY_CHURN = 28,
	WORK_CGROUP_CHURN = 29,
	WORK_CGROUP_ATTACH_STORM = 30,
	WORK_NUMA_MIGRATION_CHURN = 31,
	WORK_NUMA_WORKING_SET = 32,
	WORK_PAGE_FAULT_CHURN = 33,
	WORK_CACHE_PRESSURE = 34,
	WORK_CACHE_YIELD = 35,
	WORK_CACHE_PIPE = 36,
	WORK_IPC_VARIANCE = 37,
	WORK_SMT_SIBLING_SPIN = 38,
	WORK_IO_SYNC_WRITE = 39,
	WORK_IO_CONVOY = 40,
	WORK_NET_LOOPBACK = 41,
	WORK_IRQ_WAKE = 42,
	WORK_SCHBENCH = 43,
	WORK_REQUEST_MIX = 44,
	WORK_SEQUENCE = 45,
	WORK_CUSTOM = 46,
	WORK_END,
};

/* How a parameter is written and what its number means. */
enum param_unit {
	PARAM_COUNT,	/* a bare number */
	PARAM_NS,	/* a duration with its unit, nanoseconds inside */
	PARAM_BYTES,	/* a size with its suffix, bytes inside */
	PARAM_PERMILLE, /* a bare number 0..1000 */
	PARAM_HZ,	/* a bare number, per second */
	PARAM_MILLI,	/* a number with at most three decimals, thousandths inside */
};

struct workload_param {
	const char *name;
	enum param_unit unit;
	uint64_t value; /* the default */
	uint64_t min;
	uint64_t max;
	uint64_t multiple; /* of which it must be one; 0: of none */
	bool is_members;   /* its value adds that many workers to an ensemble */
	const char *help;
};

enum {
	WORKLOAD_NEEDS_DISK = 1 << 0,	 /* a virtio block device in the machine */
	WORKLOAD_NEEDS_PROCESS = 1 << 1, /* not as threads: it forks or moves itself */
	WORKLOAD_NEEDS_TWO_CPUS = 1 << 2,
	WORKLOAD_HAS_PHASES = 1 << 3,	/* takes plan_phase records */
	WORKLOAD_HAS_FUNCTION = 1 << 4, /* plan_group.text names the author's function */
	WORKLOAD_BLOCKS = 1 << 5,	/* its workers sleep: share claims ask for their demand */
	WORKLOAD_HOG = 1 << 6,		/* each wants a CPU all the time, any that it is allowed */
	WORKLOAD_OWN_RANK = 1 << 7, /* they set their own nice values, and are weighed by them */
	WORKLOAD_OWN_AFFINITY = 1 << 8, /* they set their own affinity */
	WORKLOAD_REALTIME = 1 << 9,	/* some of them make themselves real-time */
	WORKLOAD_TIMED = 1 << 10, /* each sleeps to a time, once in its PARAM_NS times together */
	WORKLOAD_TIMED_FIRST = 1 << 11, /* the first of an ensemble does, the others may never */
};

struct workload {
	const char *name;
	const char *summary;
	uint32_t flags;
	uint32_t fixed_members; /* workers in an ensemble besides what parameters add */
	unsigned param_count;
	struct workload_param params[PLAN_PARAMS];
	/* The parameter whose value is a text, which must be given; NULL: there is none. */
	const char *text_name;
	const char *text_help;
};

/* The workload of an id, or of a name; NULL if there is none. The records live for ever. */
const struct workload *workload_by_id(uint32_t id);
const struct workload *workload_by_name(const char *name, uint32_t *id_ret);

/* Fill @params with the defaults. */
void workload_defaults(const struct workload *w, uint64_t params[PLAN_PARAMS]);

/* The index of a parameter by name, or -1. */
int workload_param_index(const struct workload *w, const char *name);

/* How many workers work together: a group's worker count is a multiple of it. */
uint32_t workload_ensemble(const struct workload *w, const uint64_t params[PLAN_PARAMS]);

/* 0, or -EINVAL with words ("bursty: burst 0 is below 1us..."). */
int workload_check(const struct workload *w, const uint64_t params[PLAN_PARAMS]) must_check;

const char *param_unit_name(enum param_unit unit); /* "count", "ns", "bytes", "permille", "Hz" */
