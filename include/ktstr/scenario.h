/* SPDX-License-Identifier: GPL-2.0-only */
/* A scenario: one table that says what runs where for how long and what must be true of it. The
 * same scenario runs on every topology that meets its needs: everything in it that names CPUs is
 * resolved against the machine, on the host, before it boots.
 *
 * Cpuset specifications (cgroups, affinity, operations):
 *   "all"                 every CPU
 *   "llc 1", "node 0", "core 3", "cpu 2", with lists and ranges "llc 0,2-3", "cpu 0-3,7"
 *   "fraction 1/4..1/2"   the CPUs from a quarter of the machine up to its half
 *   "part 1/3"            the 1st of 3 disjoint, equal parts; "part 1/3 overlap=1" reaches one CPU
 *                         into its neighbour
 *   "thread 0"            the first hardware thread of every core
 * A specification that comes out empty, or outside the machine, is an error.
 *
 * Time is "250ms", "1s"; memory "512M", "4KiB", "64B", never without a unit but for 0; cpu.max "QUOTA/PERIOD", as "10ms/100ms", or "max".
 * A set of NUMA nodes is written as CPUs are: "node 0", "all"; it is the nodes of those CPUs.
 *
 * To add a scenario: write SCENARIO(name) = { ... }; in any file that is linked into the program.
 * Nothing else: the record registers itself. Names are C identifiers and must be unique. */
#pragma once

#include <ktstr/check.h>
#include <ktstr/payload.h>
#include <ktstr/workload.h>

#include <stdbool.h>

/* What machine and kernel must have; 0 and NULL ask for nothing. Without it the verdict is SKIP, which
 * says what is missing. A need changes no machine: what it has is said by topology and memory below.
 *
 * features are names of `ktstr list --features`, as "sched_debug" or "psi": the kernel has the one if
 * a path in /proc or /sys is there. It is the guest that looks, so the machine boots first. What needs
 * one by what it does, as policy ext needs sched_ext, does not have to say so. */
struct ktstr_needs {
	unsigned cpus;
	unsigned llcs;
	unsigned nodes;
	unsigned threads_per_core;
	const char *kernel;	     /* least release: "6.6" */
	const char *memory;	     /* guest RAM, at least: "512M" */
	const char *const *features; /* FEATURES("sched_debug", ...) */
};

struct ktstr_cgroup {
	const char *name; /* a path, "a/b" is inside "a"; parents that are not declared have no
			     settings */
	const char *cpuset;
	unsigned weight;	/* cpu.weight, 1 to 10000; 0: the kernel's default, 100 */
	const char *max;	/* cpu.max */
	const char *max_burst;	/* cpu.max.burst, at most the quota: "20ms" */
	const char *mems;	/* cpuset.mems, a set of nodes */
	const char *memory_max; /* memory.max, .high and .low: "64M" or "max" */
	const char *memory_high;
	const char *memory_low;
	unsigned io_weight; /* io.weight, 1 to 10000; 0: the kernel's default */
	unsigned pids_max;  /* pids.max; 0: no limit */
	bool is_idle;	    /* cpu.idle: all of it weighs as one SCHED_IDLE task; takes no weight */
	const struct ktstr_workers *workers;
	const struct ktstr_payload *payloads; /* PAYLOADS(...) */
};

/* One part of a scenario: operations, done in order; then its own cgroups are made, with their
 * workers; then a hold, in which the workers run and the checks are judged. The step's own cgroups
 * end when the step does, with everything that is in them then; the cgroups and workers of the
 * scenario itself are its backdrop: they live across all steps. Without a hold only the operations
 * are done. A loop is a list of operations that is done once before the hold and then in it, at an
 * interval; it has to end with the CPUs allowed and the workers alive that it began with.
 *
 * A hold is
 *   "500ms"            a time
 *   "25%"              a part of the scenario's duration
 *   "until WORKERS exit max=2s"              until all of them have ended by themselves
 *   "until WORKERS iterations=1000 max=2s"   until they have done so many in this hold, together
 *   "until payload NAME exit max=10s"        until that payload has ended
 * A condition that does not come within max ends the hold, too; then no claim that held makes the
 * verdict PASS: it is TIMEOUT, or UNDECIDED where the host took its share of the time.
 *
 * Operations are strings; WORKERS are called as in reports, CGROUP/NAME, or NAME outside of any:
 *   "add CGROUP", "remove CGROUP": with all that is declared inside it, and the workers in it. A
 *     declared cgroup of which the first such operation is add is not there before it
 *   "set CGROUP weight=300", and so cpuset, mems, idle (0 or 1), max, max_burst, memory_max,
 *     memory_high, memory_low, io_weight, pids_max, in the words of struct ktstr_cgroup
 *   "clear CGROUP cpuset", or another of them: back to the kernel's default; cpuset and mems become
 *     what the cgroup above it has at that moment
 *   "swap CGROUP CGROUP": they get each other's cpuset
 *   "freeze CGROUP", "thaw CGROUP"
 *   "move WORKERS to CGROUP", or "to /", outside of any cgroup of the scenario
 *   "affinity WORKERS CPUSET", "nice WORKERS -5", "policy WORKERS fifo 50", "policy WORKERS normal
 *     slice=3ms" (or batch): without a slice they have the kernel's again
 *   "spawn WORKERS", which are not there; "stop WORKERS", which can be spawned again, as declared.
 *     Workers of which the first such operation is spawn are not there before it
 *   "kill WORKERS": by SIGKILL, as "signal WORKERS KILL"; they can be spawned again
 *   "signal WORKERS STOP", CONT, TERM or KILL; checks judge a stopped one as if it wanted to run
 *   "run PAYLOAD", "wait PAYLOAD [TIME]", "kill PAYLOAD": see payload.h; not in a loop
 *   "offline CPUSET", "online CPUSET": all CPUs are back at the end
 *   "mark TEXT": an event in the record
 *   "snapshot NAME": the figures of every CPU, worker and cgroup at this moment, into the record
 *     (with -v also for people); it takes time, and judges nothing
 *   "write /PATH=VALUE": a sysctl, say; the old value comes back at the end */
struct ktstr_step {
	const char *name; /* for reports, as names of workers; default: hold-0, ... or ops-0, ... */
	const char *const *ops;		    /* OPS(...) */
	const struct ktstr_cgroup *cgroups; /* CGROUPS(...): of this step alone */
	const char *hold;		    /* NULL: none */
	const char *const *loop;	    /* OPS(...) */
	const char *every;		    /* its interval, at least 100us */
};

struct ktstr_scenario {
	const char *summary; /* one line: what it would catch */
	struct ktstr_needs needs;
	const char *topology;	  /* default machine, "1n2l4c1t"; NULL: 1n1l2c1t */
	const char *memory;	  /* guest RAM; NULL: the harness chooses */
	const char *const *disks; /* DISKS(...): virtio-blk devices, the first is the test disk */
	const struct ktstr_cgroup *cgroups;   /* the backdrop: they live across all steps */
	const struct ktstr_workers *workers;  /* outside of any cgroup of the scenario */
	const struct ktstr_payload *payloads; /* the same */
	const struct ktstr_step *steps;	      /* STEPS(...); or, instead, one hold: */
	const char *hold;
	const char *duration; /* what holds in percent are parts of: "4s" */
	const char *const *checks;
	const char *timeout;	  /* of the whole scenario, without boot; NULL: 20 s and twice
					its holds and more for many workers */
	const char *const *fixes; /* FIXES(...): "commit 12 hex (subject)" that it guards */
	const char
		*expected_reason; /* this scenario is known to fail, and why: FAIL becomes XFAIL */
	bool is_fixture; /* made to fail, for the harness's own tests: runs only when named */
};

/* The lists end with an entry of NULL; the macros add it. */
#define CGROUPS(...) ((const struct ktstr_cgroup[]){ __VA_ARGS__, { .name = 0 } })
#define STEPS(...) ((const struct ktstr_step[]){ __VA_ARGS__, { .name = 0 } })
#define OPS(...) ((const char *const[]){ __VA_ARGS__, 0 })
#define DISKS(...) ((const char *const[]){ __VA_ARGS__, 0 })
#define FEATURES(...) ((const char *const[]){ __VA_ARGS__, 0 })
#define FIXES(...) ((const char *const[]){ __VA_ARGS__, 0 })

/* What the linker section holds. retain keeps it under --gc-sections; aligned keeps gcc from
 * padding between records, so that the section is an array; its order is the linker's, and no one's
 * promise. */
struct ktstr_record {
	const char *name;
	const char *file;
	const struct ktstr_scenario *scenario;
	int line;
};

#define SCENARIO(id)                                                                               \
	static const struct ktstr_scenario ktstr_scenario_##id;                                    \
	static const struct ktstr_record ktstr_record_##id                                         \
		__attribute__((used, retain, section("ktstr_records"),                             \
			       aligned(_Alignof(struct ktstr_record)))) = {                        \
			.name = #id,                                                               \
			.file = __FILE__,                                                          \
			.scenario = &ktstr_scenario_##id,                                          \
			.line = __LINE__,                                                          \
		};                                                                                 \
	static const struct ktstr_scenario ktstr_scenario_##id
