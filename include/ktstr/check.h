/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks: what a scenario claims. One string each, "NAME BOUND=VALUE ...", units spelled out; a
 * check without its bound is an error before anything boots. `ktstr list --checks` prints the
 * table.
 *
 *   share distance=30permille      every cgroup and worker got its part of the CPU time, against
 * the ideal fluid allocation; the largest difference between a part obtained and the ideal part, in
 * thousandths of the ideal part starvation gap=300ms           no worker went longer without making
 * progress, while it wanted to isolation                      nobody ran outside its cpuset or
 * affinity wake_latency p99=10ms          wake-to-run latency; bounds p50, p99, max, one or more
 *
 * A check speaks about all workers, or with of=CGROUP[/WORKERS] about those. Claims about time
 * (starvation, wake_latency) take noise=10permille: when the host stole a larger part of the window
 * than that, the verdict of a broken bound is UNDECIDED, with the figures. */
#pragma once

/* The list ends with NULL; the macro adds it. */
#define CHECKS(...) ((const char *const[]){ __VA_ARGS__, 0 })
