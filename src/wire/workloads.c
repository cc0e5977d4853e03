// SPDX-License-Identifier: GPL-2.0-only
/* The table of workloads. Every text here is shown by `ktstr workloads` and in the man page. One
 * "unit" of work is one dependent multiply-add, about a nanosecond on current hardware. */
#include "wire/workloads.h"

#include "base/util.h"

#include <errno.h>
#include <inttypes.h>

#define COUNT(n, def, lo, hi, text)                                                                \
	{                                                                                          \
		.name = (n), .unit = PARAM_COUNT, .value = (def), .min = (lo), .max = (hi),        \
		.help = (text)                                                                     \
	}
#define MEMBERS(n, def, lo, hi, text)                                                              \
	{                                                                                          \
		.name = (n), .unit = PARAM_COUNT, .value = (def), .min = (lo), .max = (hi),        \
		.is_members = true, .help = (text)                                                 \
	}
#define TIME(n, def, lo, hi, text)                                                                 \
	{                                                                                          \
		.name = (n), .unit = PARAM_NS, .value = (def), .min = (lo), .max = (hi),           \
		.help = (text)                                                                     \
	}
#define BYTES(n, def, lo, hi, text)                                                                \
	{                                                                                          \
		.name = (n), .unit = PARAM_BYTES, .value = (def), .min = (lo), .max = (hi),        \
		.help = (text)                                                                     \
	}
#define BLOCK(text)                                                                                \
	{                                                                                          \
		.name = "block", .unit = PARAM_BYTES, .value = 4 * KIB, .min = 4 * KIB,            \
		.max = 1 * MIB, .multiple = 4 * KIB, .help = (text)                                \
	}
#define PERMILLE(n, def, text)                                                                     \
	{                                                                                          \
		.name = (n), .unit = PARAM_PERMILLE, .value = (def), .min = 0, .max = 1000,        \
		.help = (text)                                                                     \
	}
#define HZ(n, def, lo, hi, text)                                                                   \
	{                                                                                          \
		.name = (n), .unit = PARAM_HZ, .value = (def), .min = (lo), .max = (hi),           \
		.help = (text)                                                                     \
	}
#define WORK_UNITS(def) COUNT("work", def, 1, 100000000, "units of computing per iteration")

#define US NSEC_PER_USEC
#define MS NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

static const struct workload workloads[WORK_END] = {
	[WORK_SPIN] = {
		.name = "spin",
		.summary = "computes without a pause: the plain CPU hog",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 1,
		.params = { WORK_UNITS(1024) },
	},
	[WORK_YIELD] = {
		.name = "yield",
		.summary = "calls sched_yield() without a pause",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
	},
	[WORK_BURSTY] = {
		.name = "bursty",
		.summary = "computes for a while, sleeps for a while",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED,
		.fixed_members = 1,
		.param_count = 2,
		.params = { TIME("burst", 50 * MS, 1 * US, 100 * SEC, "CPU time of a burst"),
			    TIME("sleep", 100 * MS, 1 * US, 100 * SEC, "sleep after each burst") },
	},
	[WORK_PIPE_PINGPONG] = {
		.name = "pipe_pingpong",
		.summary = "two tasks hand one byte to and fro through pipes",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 2,
		.param_count = 1,
		.params = { COUNT("work", 1024, 0, 100000000, "units of computing per hand-over") },
	},
	[WORK_FUTEX_PINGPONG] = {
		.name = "futex_pingpong",
		.summary = "two tasks wake each other through a futex",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 2,
		.param_count = 1,
		.params = { COUNT("work", 1024, 0, 100000000, "units of computing per hand-over") },
	},
	[WORK_IO_RAND_READ] = {
		.name = "io_rand_read",
		.summary = "reads random blocks of the test disk, past the page cache",
		.flags = WORKLOAD_NEEDS_DISK | WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 2,
		.params = { BLOCK("size of a read, a multiple of 4 KiB"),
			    COUNT("work", 0, 0, 100000000, "units of computing after each read") },
	},
	[WORK_ALU_HOT] = {
		.name = "alu_hot",
		.summary = "computes with several independent chains, to load the core's execution ports",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 2,
		.params = { COUNT("width", 4, 1, 8, "independent chains"), WORK_UNITS(1024) },
	},
	[WORK_MIXED] = {
		.name = "mixed",
		.summary = "computes, then yields, again and again",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 1,
		.params = { WORK_UNITS(1024) },
	},
	[WORK_PERIODIC] = {
		.name = "periodic",
		.summary = "in each period computes for `run`; late work is a deadline miss",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED,
		.fixed_members = 1,
		.param_count = 2,
		.params = { TIME("run", 2 * MS, 1 * US, 100 * SEC, "CPU time in each period"),
			    TIME("period", 10 * MS, 10 * US, 100 * SEC, "the period") },
	},
	[WORK_IDLE_CHURN] = {
		.name = "idle_churn",
		.summary = "short bursts and short sleeps: CPUs enter and leave idle all the time",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED,
		.fixed_members = 1,
		.param_count = 2,
		.params = { TIME("burst", 1 * MS, 1 * US, 100 * SEC, "CPU time of a burst"),
			    TIME("sleep", 5 * MS, 1 * US, 100 * SEC, "sleep after each burst") },
	},
	[WORK_TIMER_LATENCY] = {
		.name = "timer_latency",
		.summary = "sleeps to absolute times and measures how late it runs (as cyclictest)",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED,
		.fixed_members = 1,
		.param_count = 1,
		.params = { TIME("interval", 1 * MS, 10 * US, 100 * SEC, "time between wake-ups") },
	},
	[WORK_FUTEX_FANOUT] = {
		.name = "futex_fanout",
		.summary = "one waker wakes all its waiters at once and waits until they have run",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 2,
		.params = { MEMBERS("waiters", 4, 1, 256, "tasks that are woken together"),
			    COUNT("work", 1024, 0, 100000000, "units of computing of each waiter") },
	},
	[WORK_FANOUT_COMPUTE] = {
		.name = "fanout_compute",
		.summary = "a dispatcher stamps messages to workers that compute over a working set",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED_FIRST,
		.fixed_members = 1,
		.param_count = 4,
		.params = { MEMBERS("workers", 4, 1, 256, "tasks that compute"),
			    BYTES("set", 256 * KIB, 4 * KIB, 256 * MIB, "working set of each worker"),
			    COUNT("operations", 5, 1, 10000, "passes over 1/64 of the set per message"),
			    TIME("sleep", 100 * US, 1 * US, 10 * SEC, "dispatcher's pause") },
	},
	[WORK_WAKE_CHAIN] = {
		.name = "wake_chain",
		.summary = "each task wakes the next one in a ring",
		.flags = WORKLOAD_BLOCKS,
		.param_count = 2,
		.params = { MEMBERS("depth", 4, 2, 256, "tasks in the ring"),
			    COUNT("work", 256, 0, 100000000, "units of computing of each task") },
	},
	[WORK_ASYMMETRIC_WAKER] = {
		.name = "asymmetric_waker",
		.summary = "a waker at nice 19 wakes a wakee at nice 0, which answers",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_OWN_RANK,
		.fixed_members = 2,
		.param_count = 1,
		.params = { COUNT("work", 1024, 0, 100000000, "units of computing per hand-over") },
	},
	[WORK_THUNDERING_HERD] = {
		.name = "thundering_herd",
		.summary = "waiters that are all woken at the same instant, at an interval",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED_FIRST,
		.fixed_members = 1,
		.param_count = 2,
		.params = { MEMBERS("waiters", 7, 1, 256, "tasks that are woken"),
			    TIME("interval", 5 * MS, 10 * US, 10 * SEC, "time between the wake-ups") },
	},
	[WORK_EPOLL_STORM] = {
		.name = "epoll_storm",
		.summary = "producers fire events at consumers that sleep in one epoll set",
		.flags = WORKLOAD_BLOCKS,
		.param_count = 3,
		.params = { MEMBERS("producers", 1, 1, 64, "tasks that fire"),
			    MEMBERS("consumers", 2, 1, 64, "tasks that wait"),
			    COUNT("burst", 32, 1, 1024, "events in one burst") },
	},
	[WORK_SIGNAL_STORM] = {
		.name = "signal_storm",
		.summary = "two tasks send each other real-time signals",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 2,
		.param_count = 2,
		.params = { COUNT("burst", 16, 1, 256, "signals in one burst"),
			    COUNT("work", 1024, 0, 100000000, "units of computing per burst") },
	},
	[WORK_PRODUCER_CONSUMER] = {
		.name = "producer_consumer",
		.summary = "producers fill a bounded queue at a rate, consumers empty it; late or dropped items are misses",
		.flags = WORKLOAD_BLOCKS,
		.param_count = 4,
		.params = { MEMBERS("producers", 2, 1, 64, "tasks that produce"),
			    MEMBERS("consumers", 1, 1, 64, "tasks that consume"),
			    HZ("rate", 1000, 1, 100000, "items per second of each producer"),
			    COUNT("work", 1024, 0, 100000000, "units of computing per item") },
	},
	[WORK_MUTEX] = {
		.name = "mutex",
		.summary = "contenders for one futex lock",
		.flags = WORKLOAD_BLOCKS,
		.param_count = 3,
		.params = { MEMBERS("contenders", 4, 2, 256, "tasks"),
			    COUNT("hold", 256, 0, 100000000, "units of computing under the lock"),
			    COUNT("work", 1024, 0, 100000000, "units of computing outside of it") },
	},
	[WORK_PRIORITY_INVERSION] = {
		.name = "priority_inversion",
		.summary = "high and low tasks share a lock while medium tasks hog the CPU; nice -10, 0, 19",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_OWN_RANK,
		.param_count = 5,
		.params = { MEMBERS("high", 1, 1, 16, "tasks at nice -10 that want the lock"),
			    MEMBERS("medium", 1, 1, 64, "tasks at nice 0 that spin"),
			    MEMBERS("low", 1, 1, 16, "tasks at nice 19 that hold the lock"),
			    COUNT("hold", 4096, 1, 100000000, "units of computing under the lock"),
			    COUNT("work", 4096, 0, 100000000, "units of computing outside of it") },
	},
	[WORK_RT_STARVATION] = {
		.name = "rt_starvation",
		.summary = "FIFO tasks that never sleep beside fair tasks",
		.flags = WORKLOAD_REALTIME,
		.param_count = 3,
		.params = { MEMBERS("rt", 1, 1, 64, "SCHED_FIFO tasks that spin"),
			    MEMBERS("fair", 1, 1, 64, "fair tasks that spin"),
			    COUNT("priority", 50, 1, 97, "of the FIFO tasks") },
	},
	[WORK_PREEMPT_STORM] = {
		.name = "preempt_storm",
		.summary = "a FIFO task that wakes at a high rate, beside fair tasks that compute",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_REALTIME | WORKLOAD_TIMED_FIRST,
		.fixed_members = 1,
		.param_count = 3,
		.params = { MEMBERS("fair", 2, 1, 64, "fair tasks that spin"),
			    COUNT("work", 1024, 0, 100000000, "units of computing at each wake-up"),
			    TIME("interval", 1 * MS, 10 * US, 10 * SEC, "time between wake-ups") },
	},
	[WORK_FORK_EXIT] = {
		.name = "fork_exit",
		.summary = "forks a child that exits at once, waits for it",
		.flags = WORKLOAD_NEEDS_PROCESS | WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 1,
		.params = { COUNT("work", 0, 0, 100000000, "units of computing of each child") },
	},
	[WORK_NICE_SWEEP] = {
		.name = "nice_sweep",
		.summary = "computes while it walks its own nice value from 0 to 19 and back",
		.flags = WORKLOAD_HOG | WORKLOAD_OWN_RANK,
		.fixed_members = 1,
		.param_count = 2,
		.params = { COUNT("work", 1024, 1, 100000000, "units of computing per iteration"),
			    TIME("interval", 10 * MS, 10 * US, 10 * SEC, "time at each value") },
	},
	[WORK_AFFINITY_CHURN] = {
		.name = "affinity_churn",
		.summary = "computes and binds itself to one CPU of its set after the other",
		.flags = WORKLOAD_OWN_AFFINITY,
		.fixed_members = 1,
		.param_count = 1,
		.params = { WORK_UNITS(1024) },
	},
	[WORK_CROSS_AFFINITY_CHURN] = {
		.name = "cross_affinity_churn",
		.summary = "two tasks that bind each other to changing CPUs",
		.flags = WORKLOAD_OWN_AFFINITY,
		.fixed_members = 2,
		.param_count = 1,
		.params = { WORK_UNITS(1024) },
	},
	[WORK_POLICY_CHURN] = {
		.name = "policy_churn",
		.summary = "computes and walks through NORMAL, BATCH, IDLE, FIFO and RR",
		.flags = WORKLOAD_REALTIME,
		.fixed_members = 1,
		.param_count = 1,
		.params = { WORK_UNITS(1024) },
	},
	[WORK_CGROUP_CHURN] = {
		.name = "cgroup_churn",
		.summary = "computes and moves itself between child cgroups of its own",
		.flags = WORKLOAD_NEEDS_PROCESS,
		.fixed_members = 1,
		.param_count = 2,
		.params = { COUNT("cgroups", 2, 2, 64, "child cgroups"),
			    TIME("interval", 100 * MS, 10 * US, 10 * SEC, "time in each") },
	},
	[WORK_CGROUP_ATTACH_STORM] = {
		.name = "cgroup_attach_storm",
		.summary = "forks children into a new cgroup, lets them exit, removes it",
		.flags = WORKLOAD_NEEDS_PROCESS | WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 1,
		.params = { COUNT("children", 4, 1, 64, "children in each turn") },
	},
	[WORK_NUMA_MIGRATION_CHURN] = {
		.name = "numa_migration_churn",
		.summary = "computes over memory and binds itself to one node after the other",
		.flags = WORKLOAD_OWN_AFFINITY,
		.fixed_members = 1,
		.param_count = 2,
		.params = { TIME("interval", 100 * MS, 100 * US, 10 * SEC, "time on each node"),
			    BYTES("set", 1 * MIB, 64 * KIB, 256 * MIB, "working set") },
	},
	[WORK_NUMA_WORKING_SET] = {
		.name = "numa_working_set",
		.summary = "computes over memory and counts which of its pages are on its node",
		.fixed_members = 1,
		.param_count = 2,
		.params = { BYTES("set", 4 * MIB, 64 * KIB, 256 * MIB, "working set"),
			    TIME("interval", 100 * MS, 1 * MS, 10 * SEC, "time between counts") },
	},
	[WORK_PAGE_FAULT_CHURN] = {
		.name = "page_fault_churn",
		.summary = "maps memory, touches pages, gives them back",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 2,
		.params = { BYTES("region", 4 * MIB, 64 * KIB, 256 * MIB, "size of the mapping"),
			    COUNT("touches", 256, 1, 65536, "pages touched in each turn") },
	},
	[WORK_CACHE_PRESSURE] = {
		.name = "cache_pressure",
		.summary = "walks over a working set with a stride",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 2,
		.params = { BYTES("set", 32 * KIB, 4 * KIB, 256 * MIB, "working set"),
			    BYTES("stride", 64, 8, 4 * KIB, "distance of accesses") },
	},
	[WORK_CACHE_YIELD] = {
		.name = "cache_yield",
		.summary = "walks over a working set, then yields",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 2,
		.params = { BYTES("set", 32 * KIB, 4 * KIB, 256 * MIB, "working set"),
			    BYTES("stride", 64, 8, 4 * KIB, "distance of accesses") },
	},
	[WORK_CACHE_PIPE] = {
		.name = "cache_pipe",
		.summary = "two tasks that walk over a working set between hand-overs through pipes",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 2,
		.param_count = 2,
		.params = { BYTES("set", 32 * KIB, 4 * KIB, 256 * MIB, "working set"),
			    BYTES("stride", 64, 8, 4 * KIB, "distance of accesses") },
	},
	[WORK_IPC_VARIANCE] = {
		.name = "ipc_variance",
		.summary = "alternates between computing in registers and missing the cache",
		.flags = WORKLOAD_HOG,
		.fixed_members = 1,
		.param_count = 2,
		.params = { WORK_UNITS(4096),
			    BYTES("set", 4 * MIB, 64 * KIB, 256 * MIB, "working set of the misses") },
	},
	[WORK_SMT_SIBLING_SPIN] = {
		.name = "smt_sibling_spin",
		.summary = "two hogs that bind themselves to the hardware threads of one core",
		.flags = WORKLOAD_NEEDS_TWO_CPUS | WORKLOAD_OWN_AFFINITY,
		.fixed_members = 2,
		.param_count = 1,
		.params = { WORK_UNITS(1024) },
	},
	[WORK_IO_SYNC_WRITE] = {
		.name = "io_sync_write",
		.summary = "writes blocks of the test disk in order, each with its flush",
		.flags = WORKLOAD_NEEDS_DISK | WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 2,
		.params = { BLOCK("size of a write, a multiple of 4 KiB"),
			    COUNT("work", 0, 0, 100000000, "units of computing after each write") },
	},
	[WORK_IO_CONVOY] = {
		.name = "io_convoy",
		.summary = "tasks that read the test disk under one lock",
		.flags = WORKLOAD_NEEDS_DISK | WORKLOAD_BLOCKS,
		.param_count = 2,
		.params = { MEMBERS("contenders", 4, 2, 64, "tasks"),
			    COUNT("work", 1024, 0, 100000000, "units of computing after each read") },
	},
	[WORK_NET_LOOPBACK] = {
		.name = "net_loopback",
		.summary = "two tasks that hand messages to and fro through loopback TCP",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 2,
		.param_count = 2,
		.params = { BYTES("message", 64, 1, 64 * KIB, "size of a message"),
			    COUNT("work", 256, 0, 100000000, "units of computing per hand-over") },
	},
	[WORK_IRQ_WAKE] = {
		.name = "irq_wake",
		.summary = "is woken from timer interrupt context (timerfd) at a high rate",
		.flags = WORKLOAD_BLOCKS | WORKLOAD_TIMED,
		.fixed_members = 1,
		.param_count = 2,
		.params = { TIME("interval", 1 * MS, 10 * US, 10 * SEC, "period of the timer"),
			    COUNT("work", 256, 0, 100000000, "units of computing per wake-up") },
	},
	[WORK_SCHBENCH] = {
		.name = "schbench",
		.summary = "message threads queue work to worker threads and wait for them (as schbench)",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 3,
		.params = { MEMBERS("workers", 4, 1, 256, "workers of one message thread"),
			    COUNT("work", 20000, 1, 100000000, "units of computing per request"),
			    TIME("think", 30 * US, 0, 10 * SEC, "sleep between requests") },
	},
	[WORK_REQUEST_MIX] = {
		.name = "request_mix",
		.summary = "a client and servers: cache hits compute, misses sleep as a backend would",
		.flags = WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.param_count = 5,
		.params = { MEMBERS("servers", 2, 1, 64, "tasks that serve"),
			    PERMILLE("hits", 900, "requests that hit the cache"),
			    TIME("think", 200 * US, 0, 10 * SEC, "client's pause between requests"),
			    TIME("backend", 2 * MS, 1 * US, 10 * SEC, "sleep of a miss"),
			    COUNT("work", 5000, 0, 100000000, "units of computing per request") },
	},
	[WORK_SEQUENCE] = {
		.name = "sequence",
		.summary = "does its phases in order, again and again",
		.flags = WORKLOAD_HAS_PHASES | WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.text_name = "phases",
		.text_help = "up to 64 with commas between them: run:TIME (CPU time), sleep:TIME, timer:TIME "
			     "(sleep to its next multiple), yield:N, io:N (reads of the test disk), loop:KxN "
			     "(N times back to phase K, from 0): run:2ms,sleep:1ms,loop:0x4",
	},
	[WORK_CUSTOM] = {
		.name = "custom",
		.summary = "calls a function of the program's own until it is stopped",
		.flags = WORKLOAD_HAS_FUNCTION | WORKLOAD_BLOCKS,
		.fixed_members = 1,
		.text_name = "function",
		.text_help = "its name, as KTSTR_WORK(NAME) defines it (ktstr/custom.h)",
		.param_count = 4,
		.params = { COUNT("a", 0, 0, UINT64_MAX, "handed to the function"),
			    COUNT("b", 0, 0, UINT64_MAX, "handed to the function"),
			    COUNT("c", 0, 0, UINT64_MAX, "handed to the function"),
			    COUNT("d", 0, 0, UINT64_MAX, "handed to the function") },
	},
};

const struct workload *workload_by_id(uint32_t id)
{
	if (id >= WORK_END || !workloads[id].name)
		return NULL;
	return &workloads[id];
}

const struct workload *workload_by_name(const char *name, uint32_t *id_ret)
{
	for (uint32_t id = 0; id < WORK_END; id++) {
		if (!workloads[id].name || strcmp(workloads[id].name, name) != 0)
			continue;
		if (id_ret)
			*id_ret = id;
		return &workloads[id];
	}
	return NULL;
}

void workload_defaults(const struct workload *w, uint64_t params[PLAN_PARAMS])
{
	for (unsigned i = 0; i < PLAN_PARAMS; i++)
		params[i] = i < w->param_count ? w->params[i].value : 0;
}

int workload_param_index(const struct workload *w, const char *name)
{
	for (unsigned i = 0; i < w->param_count; i++)
		if (strcmp(w->params[i].name, name) == 0)
			return (int)i;
	return -1;
}

uint32_t workload_ensemble(const struct workload *w, const uint64_t params[PLAN_PARAMS])
{
	uint64_t n = w->fixed_members;

	for (unsigned i = 0; i < w->param_count; i++)
		if (w->params[i].is_members)
			n += MIN(params[i], w->params[i].max);
	return (uint32_t)n;
}

int workload_check(const struct workload *w, const uint64_t params[PLAN_PARAMS])
{
	for (unsigned i = 0; i < w->param_count; i++) {
		const struct workload_param *p = &w->params[i];

		if (params[i] < p->min || params[i] > p->max)
			return err_new(-EINVAL,
				       "workload %s: %s %" PRIu64 " is outside %" PRIu64
				       "..%" PRIu64 " (%s)",
				       w->name, p->name, params[i], p->min, p->max,
				       param_unit_name(p->unit));
		if (p->multiple && params[i] % p->multiple)
			return err_new(
				-EINVAL,
				"workload %s: %s %" PRIu64 " is no multiple of %" PRIu64 " (%s)",
				w->name, p->name, params[i], p->multiple, param_unit_name(p->unit));
	}
	return 0;
}

const char *param_unit_name(enum param_unit unit)
{
	static const char *const names[] = {
		[PARAM_COUNT] = "count",       [PARAM_NS] = "ns", [PARAM_BYTES] = "bytes",
		[PARAM_PERMILLE] = "permille", [PARAM_HZ] = "Hz", [PARAM_MILLI] = "decimal",
	};

	return (size_t)unit < ARRAY_SIZE(names) ? names[unit] : "unknown";
}
