/* SPDX-License-Identifier: GPL-2.0-only */
/* Workers: who does what in a cgroup. Everything but numbers without a unit is a short string of
 * one grammar, checked on the host before anything boots; scenario files carry the same strings.
 *
 *   work      NAME [PARAMETER=VALUE ...]: a workload of `ktstr workloads` and its parameters, with
 *             units: "spin", "bursty burst=50ms sleep=100ms", "io_rand_read block=4KiB".
 *             Two take a text: "sequence phases=run:2ms,sleep:1ms,timer:10ms,yield:3,io:2,loop:0x4"
 *             (loop:KxN goes back to phase K, N times), "custom function=NAME" (custom.h)
 *   count     how many: "4"; "per-cpu" (one for each CPU that the cgroup may use); "150%" (of those
 *             CPUs, rounded up). Default "1". A workload that works in groups (a ping-pong is two
 *             tasks) counts tasks, and the count must be a multiple of its group.
 *   affinity  which CPUs each of them may use: a cpuset specification (scenario.h); "each"
 *             (worker i is bound to the i-th CPU of its cgroup, again from the first when they
 *             run out); "smt" (the same with whole cores: all hardware threads of the i-th);
 *             "random N" (N CPUs of its cgroup, drawn for each worker from --seed).
 *             Default: inherit.
 *   policy    "normal" (default), "batch", "idle", "fifo PRIO", "rr PRIO",
 *             "deadline RUNTIME/DEADLINE/PERIOD" (the kernel wants those on all CPUs: no affinity),
 *             "ext": those of a BPF scheduler; while none is loaded the kernel runs them as normal
 *             ones, and so they are judged. Needs a kernel with sched_ext, which Debian's 6.12 is
 *             not (CONFIG_SCHED_CLASS_EXT is not set): the verdict is SKIP there
 *   slice     a custom slice for normal and batch, "100us" to "100ms" (kernels from 6.12 on)
 *   nice      -20 to 19, for normal, batch, idle and ext
 *   as        "process" (default: each worker one) or "thread" (all of them in one process)
 *   memory_policy  "local", or "bind NODES", "preferred NODES", "interleave NODES",
 *             "weighted-interleave NODES", with nodes as scenario.h has them: "bind node 0"
 *   iterations  each of them ends by itself after so many; 0: none does. Only for workloads whose
 *             workers do not need each other
 *   is_session  a session, and so an autogroup, of their own */
#pragma once

#include <stdbool.h>

struct ktstr_workers {
	const char *
		name; /* for reports: letters, digits, _ - ., at most 63; default: the workload's. No
			     other entry of the cgroup is given the same */
	const char *work;
	const char *count;
	const char *affinity;
	const char *policy;
	const char *as;
	const char *slice;
	const char *memory_policy;
	unsigned iterations;
	int nice;
	bool is_session;
};

/* The list ends with an entry whose .work is NULL; the macro adds it. */
#define WORKERS(...) ((const struct ktstr_workers[]){ __VA_ARGS__, { .work = 0 } })
