/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks: what a scenario claims. One string each, "NAME BOUND=VALUE ...", units spelled out; a
 * check without its bound is an error before anything boots. `ktstr checks` prints the table.
 *
 *   share distance=30permille   every cgroup and every entry of workers got its part of the CPU
 *                               time, against the ideal fluid allocation; the largest difference
 *                               between a part and its ideal, in thousandths of what all got;
 *                               deadline and real-time workers come first, up to runtime and 95 %
 *                               (a scenario that has written sched_rt_runtime_us, sched_rt_period_us
 *                               or the fair server's files cannot claim it of real-time workers);
 *                               and no cgroup got more than its quota allows. What a max_burst may
 *                               have saved before a hold is no FAIL: UNDECIDED, up to so much over
 *                               the bound
 *   starvation gap=300ms        no worker went longer without progress while it wanted to run; a hold
 *                               (until ...) no longer than the bound is not judged, nor is it for
 *                               work_conservation: UNDECIDED if it is so with all
 *   work_conservation gap=500ms no CPU was idle longer while another had two or more tasks to run, one
 *                               of them allowed there; speaks of workers that want a CPU all the
 *                               time (spin and its like), neither real-time, frozen nor under a
 *                               quota; proven from counters sampled ten times a second, so a gap
 *                               below two ticks is refused
 *   isolation                   nobody ran outside its cpuset or affinity; with within=llc:0 (a
 *                               cpuset specification, ':' for its space), nor outside that
 *   wake_latency p99=10ms       wake-to-run latency; bounds p50, p99, max, one or more; of all workers
 *                               in scope together, but one whose work sleeps to a time and that did
 *                               not wake once makes it UNDECIDED, and FAIL where it was due for
 *                               longer than every bound
 *
 *   throughput min=1000         all workers in scope together, iterations in a second
 *   spread max=50permille       workers of one entry are equals: between the CPU times of the
 *                               luckiest and the unluckiest, in thousandths of the former
 *   migration_ratio max=10permille  looks that found a worker on another CPU than the look before
 *   locality min=900permille    pages of numa_working_set, which has to be there, on the node of the
 *                               CPU that used them; memory lies where it was touched first, and a
 *                               worker that is not bound may be moved away from it: the kernel's NUMA
 *                               balancing brings them together within seconds, not at once
 *   throttling min=1            how often quotas throttled their cgroups (nr_throttled of
 *                               cpu.stat); bounds min, which needs a cgroup with a quota, max, or
 *                               both; too many are UNDECIDED where the host took a quota for each
 *                               that is too many; a cgroup that a loop removes or adds counts anew
 *                               each time, and is refused
 *   deadline_misses max=0       periodic work that was not done when its next period began, or that
 *                               never came to run; of workers that have deadlines
 *   exit                        payloads ended by themselves with status=0 (the default), or were
 *                               killed by the scenario; of=PAYLOAD; claimed of every payload, in
 *                               words or not; one that did not end in time is a matter of noise=
 *   metric name=iops min=100    a figure of a payload's output (payload.h), PAYLOAD/METRIC where
 *                               several have that name; bounds min, max, or both, with at most
 *                               three decimals, in its own unit; about time, unless it is_exact
 *
 * A check speaks about all workers, or with of=CGROUP[/WORKERS] about those. A claim of which there was
 * not one sample is UNDECIDED: what nobody saw did not hold.
 *
 * Workers that the scenario itself holds back (freeze, signal STOP) are left out of a hold in which they
 * never may run, by all but share; a claim that has nobody left in any hold is an error. What was due
 * before a hold, while they were held back, is not charged in it. Where a loop holds them back for a part
 * of the hold, what is over a bound by no more than that is UNDECIDED, and a starvation bound that is
 * shorter than a turn of a loop that leaves them so is an error.
 *
 * Noise: all but share, isolation, locality and throttling are about time. While the host took more
 * of the window from some CPU than noise=100permille (the default), such a claim is UNDECIDED,
 * whether its bound held or was broken (the finding says which): noise makes waits longer, and hides
 * them, too, when the rival's vCPU is the one that does not run. A wait that is over its bound by no
 * more than the host took in all is UNDECIDED as well; so is a median that so much, taken from the
 * wake-ups next to its bound, would bring within it; and so are deadlines missed (the periods that the
 * host took, and one, of each worker), a rate (that part of the least) and a spread (what it took
 * unevenly from the CPUs of the equals). */
#pragma once

/* The list ends with NULL; the macro adds it. */
#define CHECKS(...) ((const char *const[]){ __VA_ARGS__, 0 })
