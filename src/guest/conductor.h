/* SPDX-License-Identifier: GPL-2.0-only */
/* The conductor: one process for one plan. It is forked by init, makes cgroups and workers, runs the
 * steps, samples, reports, and is gone; if it crashes, init tells the host and cleans up. It writes
 * its frames into a pipe that init passes on.
 *
 * Parts: conductor.c runs steps and holds; ops.c does the operations; crew.c makes, stops and
 * reports workers; sample.c reads the kernel's figures; payload.c runs programs beside them. */
#pragma once

#include "base/buf.h"
#include "guest/loop.h"
#include "guest/pool.h"
#include "wire/frame.h"
#include "wire/plan.h"
#include "wire/report.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The figures of a worker at one moment, as far as they only grow. */
struct worker_sample {
	uint64_t iterations;
	uint64_t checkpoints;
	uint64_t migrations;
	uint64_t deadline_misses;
	uint64_t bytes;
	uint64_t pages_local;
	uint64_t pages_remote;
	uint64_t cpu_ns;
	uint64_t run_delay_ns;
	uint64_t slices;
};

/* What the conductor knows of a worker. */
struct member {
	pid_t pid; /* of its process; 0: not spawned */
	int schedstat_fd;
	int stat_fd; /* only if the conductor looks at queues; else -1 */
	bool is_alive;
	bool is_stopping;
	bool is_killed;		    /* by an operation of the plan */
	int wait_status;	    /* of its process, when that has ended */
	struct worker_sample begin; /* at the open window's begin, or its start */
	/* As crew_sample() found it. */
	struct worker_sample now;
	struct wire_gap waiting; /* for a CPU, at that moment; length 0: it did not */
	bool is_runnable;	 /* as the kernel has it, if the conductor looks at queues */
	uint32_t queue_cpu;
	struct telemetry_part earlier; /* of its life, windows that are over */
};

/* A program of the plan's payload table. */
struct payload {
	pid_t pid;
	struct watch out;
	struct watch err;
	struct watch status; /* what the child says before it becomes the program */
	bool has_run;
	bool is_at_gate; /* set up, and waits */
	bool has_begun;	 /* at start_ns */
	bool has_ended;
	bool is_unstartable;
	bool is_timeout;
	bool is_killed;
	uint64_t sent_bytes[2]; /* of stdout and stderr */
	uint64_t limit_ns;	/* when it is killed; UINT64_MAX: never */
	int wait_status;
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t cpu_ns;
	struct conductor *conductor;
};

/* A file that was written and gets its old value back. */
struct undo {
	const char *path;
	char *value;
};

struct conductor {
	const struct plan *plan;
	struct pool pool;
	struct member *members;
	struct cpu_mask *allowed; /* of each worker, as the last OP_ALLOWED has it */
	struct payload *payloads;
	bool *has_cgroup; /* which of the plan's exist */
	bool *is_frozen;
	struct undo *undos;
	uint32_t undo_count;
	struct loop loop;
	struct watch child_watch;
	struct watch ready_watch;
	struct watch control_watch;
	int out_fd;
	uint32_t seq;
	struct buf out;
	uint32_t step;
	bool is_window_open;
	uint32_t snapshot_op; /* the op for which samples are being sent; else 0 */
	bool looks_at_queues; /* the plan has ticks or snapshots: stat files are open */
	uint64_t sample_ns;   /* of the last crew_sample() */
	uint64_t window_start_ns;
	uint64_t window_end_ns;	     /* of the one that is being reported */
	uint64_t report_deadline_ns; /* how long a stop may take */
	bool is_stopped;	     /* by the host */
	bool has_failed;	     /* FAILED was sent */
};

enum conductor_status { CONDUCTOR_OK = 0, CONDUCTOR_FAILED = 1, CONDUCTOR_STOPPED = 2 };

/* Run the plan; the calling process is the conductor. @out_fd takes frames, a byte on @control_fd
 * means stop. Returns the status for DONE. */
enum conductor_status conductor_run(const struct plan *plan, int out_fd, int control_fd);

/* For the parts. */

/* Send a frame to init. A conductor without init has no purpose: it exits when that fails. */
void conductor_send(struct conductor *c, enum frame_type type, const void *head, size_t head_len,
		    const void *tail, size_t tail_len);
/* The same, but it may wait for the next frame that is sent: what init and the channel cost is not spent
 * inside a hold. */
void conductor_keep(struct conductor *c, enum frame_type type, const void *head, size_t head_len,
		    const void *tail, size_t tail_len);
void conductor_event(struct conductor *c, const struct wire_event *e);
/* The first failure is sent to the host and ends the plan; later ones are its consequences. */
void conductor_fail(struct conductor *c, enum wire_failed_kind kind, uint32_t index,
		    const char *text);
/* Is the plan over early? */
bool conductor_is_ending(const struct conductor *c);
/* Handle events until @is_done(ctx) says so. 0; -ETIMEDOUT at the deadline; -ECANCELED when the plan
 * ends early. */
int conductor_wait(struct conductor *c, bool (*is_done)(const struct conductor *c, uint32_t index),
		   uint32_t index, uint64_t deadline_ns) must_check;

/* crew.c: make, stop; crew_report.c: measure, report */
int crew_init(struct conductor *c) must_check;
void crew_deinit(struct conductor *c);
/* Make a group's workers; returns when all stand at their gates. */
int crew_spawn(struct conductor *c, uint32_t group) must_check;
/* Stop them and send their reports; returns when all have ended, by force at the deadline. */
void crew_stop(struct conductor *c, uint32_t group);
void crew_stop_all(struct conductor *c);
void crew_open_gates(struct conductor *c);
/* Read the figures of all live workers into their members, for samples and reports, as of sample_ns:
 * first who waits, which takes no time, then the kernel's figures. */
void crew_sample(struct conductor *c, uint64_t now);
/* Begin a window, or end it: workers write the next part from this instant on. */
void crew_begin_window(struct conductor *c);
void crew_end_window(struct conductor *c);
/* How a worker ended, or that it runs. */
enum worker_end crew_end_of(const struct conductor *c, uint32_t worker);
/* Report a worker that has ended: the open window, then its life. */
void crew_report_end(struct conductor *c, uint32_t worker);
/* Report the window that has ended, from what crew_sample() found then. */
void crew_report_window(struct conductor *c);
/* A process has ended. Is it one of a worker's? */
bool crew_ended(struct conductor *c, pid_t pid, int wait_status);
bool crew_has_exited(const struct conductor *c, uint32_t group);
/* What its workers have done in the open window. */
uint64_t crew_iterations(const struct conductor *c, uint32_t group);

/* sample.c */
/* Bring a worker's figures up to date: first, for all of them close together, the CPU time of those
 * that are processes (exact, one system call); then the rest. */
void sample_cpu_clock(const struct conductor *c, uint32_t worker, struct worker_sample *s);
void sample_worker(const struct conductor *c, uint32_t worker, struct worker_sample *s);
/* Is it on a CPU's queue, and on whose? Only if the conductor looks at queues. */
void sample_queue(struct member *m);
/* For how long a worker has been waiting for a CPU at @now; 0: it does not. @is_wake_ret: since a
 * wake-up. */
uint64_t sample_waiting_ns(const struct conductor *c, uint32_t worker, uint64_t now,
			   bool *is_wake_ret);
/* Send samples: of CPUs and cgroups as they are now, of workers as crew_sample() found them. */
void sample_system(struct conductor *c, enum wire_sample_reason reason);
void sample_tasks(struct conductor *c, enum wire_sample_reason reason);

/* ops.c: do one operation. 0 or a negative errno with words. */
int op_run(struct conductor *c, uint32_t index) must_check;
/* What its failure is to be called: did the kernel lack the file that it writes? */
enum wire_failed_kind op_failure(const struct conductor *c, uint32_t index);
void ops_undo(struct conductor *c);

/* payload.c */
/* Start it: now, or, with @is_gated, set it up and let it wait for the next opening of the gates, of
 * which payload_open_gates() tells. */
int payload_start(struct conductor *c, uint32_t index, bool is_gated) must_check;
void payload_open_gates(struct conductor *c, uint64_t ns);
/* Wait for its end; after @limit_ns (0: never) it is killed. */
int payload_wait(struct conductor *c, uint32_t index, uint64_t limit_ns) must_check;
void payload_kill(struct conductor *c, uint32_t index);
void payload_kill_all(struct conductor *c);
bool payload_has_ended(const struct conductor *c, uint32_t index);
bool payload_ended(struct conductor *c, pid_t pid, int wait_status, const struct rusage *usage);
/* The earliest time limit of a running payload; UINT64_MAX: none. */
uint64_t payload_deadline_ns(const struct conductor *c);
void payload_enforce_deadlines(struct conductor *c);
