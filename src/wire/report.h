/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest tells the host. All times are the guest's CLOCK_MONOTONIC in nanoseconds unless a
 * name says otherwise; the host relates them to its own clock by CLOCK exchanges.
 *
 * Counters in samples (CPUSTAT, TASKSTAT, CGROUPSTAT) are absolute: the host subtracts the sample
 * at a hold's begin from the one at its end. A REPORT is about one window (the hold of a step), or,
 * with window REPORT_WHOLE, about the worker's whole life; every worker sends one of those last.
 *
 * The decoders take what a hostile guest may send: they check lengths, terminate texts, and refuse
 * indices at or above the given limits, so that the host may index its plan with what they return.
 * What they do not check: that figures are plausible. */
#pragma once

#include "base/err.h"
#include "wire/feature.h"
#include "wire/mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_TEXT_BYTES = 128, REPORT_WHOLE = UINT16_MAX, REPORT_NO_CPU = UINT32_MAX };

/* The guest sends this much of each of a payload's streams, and at most one frame more, from which the
 * host knows that there was more. */
enum { PAYLOAD_OUT_MAX = 1 << 20 };

/* wire_ready.flags: facts, and behind them the set of features (wire/feature.h). */
enum {
	READY_HAS_DISK = 1 << 0, /* /dev/vda is there */
	READY_FEATURES_SHIFT = 8,
	READY_FLAGS_ALL = READY_HAS_DISK | FEATURES_ALL << READY_FEATURES_SHIFT,
};

/* Payload of READY. */
struct wire_ready {
	uint32_t version; /* WIRE_VERSION */
	uint32_t cpus_online;
	uint32_t cpus_possible;
	uint32_t nodes;
	uint32_t flags;		/* READY_* */
	uint32_t modules;	/* loaded by init */
	uint64_t init_start_ns; /* CLOCK_BOOTTIME when init's main began: the kernel's part of boot
				 */
	uint64_t now_ns;
	uint64_t memory_bytes;
	char release[64];
};

/* Payload of CLOCK, both ways; the host sends guest_ns 0. */
struct wire_clock {
	uint64_t host_ns;
	uint64_t guest_ns;
};

enum wire_event_code {
	EVENT_PLAN_BEGIN = 1, /* index: the plan's id */
	EVENT_OP = 2,	      /* index: op, args: start ns, end ns, code, 0; after the op is done */
	EVENT_OP_FAILED = 3,  /* the same, args[3] errno, text: why (op had OP_ALLOW_FAILURE) */
	EVENT_GATE = 4,	      /* index: step; the gates opened at ns */
	EVENT_HOLD_BEGIN = 5, /* index: step */
	EVENT_HOLD_END = 6,   /* index: step, args[0] 1: its condition came before its time */
	EVENT_WORKER_EXIT =
		7,	    /* index: worker, args[0] wait status: it went before it was told to */
	EVENT_MARK = 8,	    /* index: op, text: the mark */
	EVENT_PLAN_END = 9, /* index: the plan's id */
	EVENT_PAYLOAD_START = 10, /* index: payload */
	EVENT_CODES,
};

struct wire_event {
	uint64_t ns;
	uint32_t code;
	uint32_t index;
	uint64_t args[4];
	char text[WIRE_TEXT_BYTES];
};

/* Head of the three kinds of samples; `count` records follow. All figures of a sample were read
 * between ns and ns_end. */
enum wire_sample_reason {
	SAMPLE_HOLD_BEGIN = 1,
	SAMPLE_HOLD_END = 2,
	SAMPLE_TICK = 3,
	SAMPLE_SNAPSHOT = 4, /* TASKSTAT, CPUSTAT, CGROUPSTAT, then the EVENT_OP of their op */
	SAMPLE_REASONS,
};

struct wire_sample {
	uint64_t ns;
	uint64_t ns_end;
	uint32_t step;
	uint32_t reason; /* enum wire_sample_reason */
	uint32_t count;
	uint32_t op;	 /* of a snapshot: which op asked for it; else 0 */
	uint64_t own_ns; /* CPU time of the guest's own processes (init, conductor) until now */
};

/* One CPU. user to steal: /proc/stat (10 ms steps); run_*: /proc/schedstat, exact. */
struct wire_cpustat {
	uint32_t cpu;
	uint32_t is_online; /* 0, 1; an offline CPU's figures are 0 */
	uint64_t user_ns;   /* user and nice */
	uint64_t system_ns; /* system, irq, softirq */
	uint64_t idle_ns;   /* idle and iowait */
	uint64_t steal_ns;
	uint64_t run_ns;       /* time that tasks ran here */
	uint64_t run_delay_ns; /* time that tasks waited here */
	uint64_t slices;       /* how many times a task was put on the CPU */
};

/* One worker that is alive. */
struct wire_taskstat {
	uint32_t worker;
	uint32_t cpu; /* where it last said it was; REPORT_NO_CPU before its first checkpoint */
	uint64_t iterations;
	uint64_t cpu_ns; /* /proc/PID/task/TID/schedstat: up to a tick old while it runs */
	uint64_t run_delay_ns;
	uint64_t slices;
	uint64_t waiting_ns; /* runnable but not running for so long at the sample's time, else 0 */
	/* As the kernel has it (/proc/PID/task/TID/stat), in plans with ticks or snapshots; else 0 and
	 * REPORT_NO_CPU. */
	uint32_t is_runnable; /* 1: state R, running or on a queue */
	uint32_t queue_cpu;   /* whose queue that is */
};

struct wire_cgroupstat {
	uint32_t cgroup;
	uint32_t zero;
	uint64_t usage_ns; /* cpu.stat */
	uint64_t periods;
	uint64_t throttled;
	uint64_t throttled_ns;
	uint64_t bursts;
};

enum worker_end {
	WORKER_RUNNING = 0,  /* in the reports of a window: it was alive at its end */
	WORKER_STOPPED = 1,  /* it was told to stop and said good-bye */
	WORKER_FINISHED = 2, /* its work was over by itself */
	WORKER_ERROR = 3,    /* its workload or its set-up failed; text says why */
	WORKER_CRASHED = 4,  /* end_status: the signal */
	WORKER_STUCK = 5,    /* it did not answer the stop within the deadline and was killed: the
			      * figures are those it had published */
	WORKER_KILLED = 6,   /* an OP_SIGNAL of the plan ended it; the same figures */
};

/* The longest wait: a stretch in which the worker was runnable (or thought it was running) and made
 * no progress. */
struct wire_gap {
	uint64_t length_ns;
	uint64_t start_ns;
	uint32_t cpu_before; /* where it was before and after; REPORT_NO_CPU: it had not run yet, or
			      * has not run since */
	uint32_t cpu_after;
	uint32_t is_open; /* 1: it had not ended when the window did */
	uint32_t is_wake; /* 1: it began with a wake-up (timer or partner), not on a CPU */
};

/* Payload of REPORT; bucket_count struct wire_bucket follow. */
struct wire_report {
	uint32_t worker;
	uint16_t window; /* step index, or REPORT_WHOLE */
	uint16_t end;	 /* enum worker_end */
	int32_t end_status;
	uint32_t tid;
	uint64_t start_ns; /* of the window, or when its gate opened */
	uint64_t end_ns;   /* of the window, or when it ended */
	uint64_t iterations;
	uint64_t checkpoints;
	uint64_t cpu_ns;
	uint64_t run_delay_ns;
	uint64_t slices;
	uint64_t migrations; /* checkpoints that found it on another CPU than the one before */
	struct cpu_mask cpus_used;
	struct wire_gap gap;
	/* Checkpoints that found it on a CPU outside its allowed set, after the write that forbade
	 * it had returned; the first such. */
	uint64_t outside_count;
	uint64_t outside_ns;
	uint32_t outside_cpu;
	uint32_t bucket_count;
	/* Wake-ups whose cause was known (a deadline or a partner's stamp): from it to running. */
	uint64_t wakes;
	uint64_t wake_sum_ns;
	uint64_t wake_min_ns;
	uint64_t wake_max_ns;
	uint64_t wake_max_at_ns;
	uint64_t
		open_wake_ns; /* at its end it was due for so long and had not run; else 0. Not among
				* the wake-ups; the gap tells of it only if it is the longest */
	uint64_t deadline_misses; /* periodic work that was not done when the next period began */
	uint64_t bytes;		  /* moved by I/O workloads */
	uint64_t pages_local;	  /* numa_working_set: pages on the node of the CPU it ran on */
	uint64_t pages_remote;
	char text[WIRE_TEXT_BYTES];
};

/* One bucket of the wake-latency histogram (stats/hist.h), index ascending, count not 0. */
struct wire_bucket {
	uint32_t index;
	uint32_t zero;
	uint64_t count;
};

struct wire_done {
	uint32_t plan_id;
	uint32_t status; /* 0: every step ran; 1: FAILED was sent; 2: ended early by STOP */
};

enum wire_failed_kind {
	FAILED_PLAN = 1,    /* the plan is bad, or what it changed could not be changed back */
	FAILED_WORKER = 2,  /* a worker crashed or had an error; index: worker */
	FAILED_GUEST = 3,   /* init itself met an error that the plan did not cause */
	FAILED_BUSY = 4,    /* a PLAN or EXEC came while another was running; that one goes on */
	FAILED_OP = 5,	    /* an op could not be done; index: op */
	FAILED_NO_FILE = 6, /* the same, because what it writes is not there in this kernel */
};

/* Payload of FAILED: this, then a text without NUL. */
struct wire_failed {
	uint32_t plan_id; /* 0 outside plans */
	uint32_t kind;
	uint32_t index;
	uint32_t zero;
};

struct wire_payload_out {
	uint32_t payload;
	uint32_t stream; /* 1 stdout, 2 stderr, 3 its file, once, at its end */
};

enum payload_end {
	PAYLOAD_EXITED = 0,	 /* by itself, also by a signal of its own or another's */
	PAYLOAD_TIMED_OUT = 1,	 /* killed at its time limit */
	PAYLOAD_KILLED = 2,	 /* by an operation, or at the plan's end */
	PAYLOAD_NOT_STARTED = 3, /* it could not be set up or executed; stderr says why */
	PAYLOAD_ENDS,
};

struct wire_payload_exit {
	uint32_t payload;
	uint32_t status; /* as in struct wire_exit */
	uint32_t signal;
	uint32_t end; /* enum payload_end */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t cpu_ns; /* of it and its waited-for children */
};

_Static_assert(sizeof(struct wire_ready) == 48 + 64, "wire layout");
_Static_assert(sizeof(struct wire_clock) == 16, "wire layout");
_Static_assert(sizeof(struct wire_event) == 48 + 128, "wire layout");
_Static_assert(sizeof(struct wire_sample) == 40, "wire layout");
_Static_assert(sizeof(struct wire_cpustat) == 64, "wire layout");
_Static_assert(sizeof(struct wire_taskstat) == 56, "wire layout");
_Static_assert(sizeof(struct wire_cgroupstat) == 48, "wire layout");
_Static_assert(sizeof(struct wire_gap) == 32, "wire layout");
_Static_assert(sizeof(struct wire_report) == 16 + 64 + 64 + 32 + 24 + 80 + 128, "wire layout");
_Static_assert(sizeof(struct wire_bucket) == 16, "wire layout");
_Static_assert(sizeof(struct wire_done) == 8, "wire layout");
_Static_assert(sizeof(struct wire_failed) == 16, "wire layout");
_Static_assert(sizeof(struct wire_payload_out) == 8, "wire layout");
_Static_assert(sizeof(struct wire_payload_exit) == 40, "wire layout");

/* What indices in a guest's messages must be below: the counts of the plan that runs. CPUs are
 * always below WIRE_CPUS. */
struct wire_limits {
	uint32_t workers;
	uint32_t cgroups;
	uint32_t payloads;
	uint32_t steps;
	uint32_t ops;
	uint32_t buckets; /* of the histogram */
};

/* Each returns 0 and the copy, or -EPROTO with words that name the frame and the field. */
int ready_decode(const void *payload, size_t len, struct wire_ready *ret) must_check;
int clock_decode(const void *payload, size_t len, struct wire_clock *ret) must_check;
int event_decode(const void *payload, size_t len, const struct wire_limits *limits,
		 struct wire_event *ret) must_check;
int done_decode(const void *payload, size_t len, struct wire_done *ret) must_check;
int payload_exit_decode(const void *payload, size_t len, const struct wire_limits *limits,
			struct wire_payload_exit *ret) must_check;

/* The head, and where the bytes behind it begin; they borrow @payload. */
int failed_decode(const void *payload, size_t len, struct wire_failed *ret, const char **text_ret,
		  size_t *text_len_ret) must_check;
int payload_out_decode(const void *payload, size_t len, const struct wire_limits *limits,
		       struct wire_payload_out *ret, const void **data_ret,
		       size_t *data_len_ret) must_check;

/* A sample's head, after checking that its records fill the payload. Read record i with
 * cpustat_at() and its sisters, which check it. */
int sample_decode(const void *payload, size_t len, size_t record_bytes,
		  const struct wire_limits *limits, struct wire_sample *ret) must_check;
int cpustat_at(const void *payload, uint32_t i, struct wire_cpustat *ret) must_check;
int taskstat_at(const void *payload, uint32_t i, const struct wire_limits *limits,
		struct wire_taskstat *ret) must_check;
int cgroupstat_at(const void *payload, uint32_t i, const struct wire_limits *limits,
		  struct wire_cgroupstat *ret) must_check;

/* A report's head; its buckets with report_bucket(), i below bucket_count: index below the limit
 * and ascending, or -EPROTO. */
int report_decode(const void *payload, size_t len, const struct wire_limits *limits,
		  struct wire_report *ret) must_check;
int report_bucket(const void *payload, uint32_t i, const struct wire_limits *limits,
		  struct wire_bucket *ret) must_check;

/* Words for a worker's end: "stopped", "crashed". */
const char *worker_end_name(unsigned end);
