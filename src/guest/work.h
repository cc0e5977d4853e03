/* SPDX-License-Identifier: GPL-2.0-only */
/* The workloads' functions, one file for each theme. Parameters arrive in the order of their table
 * in wire/workloads.c. */
#pragma once

#include "guest/worker.h"

/* work_cpu.c: computing */
void work_spin(struct worker *w, const uint64_t *p);
void work_alu_hot(struct worker *w, const uint64_t *p);
void work_yield(struct worker *w, const uint64_t *p);
void work_mixed(struct worker *w, const uint64_t *p);
/* work_timed.c: bursts, periods, timers */
void work_bursty(struct worker *w, const uint64_t *p);
void work_periodic(struct worker *w, const uint64_t *p);
/* Wait for the period after that which began at @begin_ns, and return its begin. If that has passed it is
 * not waited for: each period that is over by now is a deadline miss, but for @already of them. */
uint64_t work_next_period(struct worker *w, uint64_t begin_ns, uint64_t period_ns,
			  uint64_t already);
void work_timer_latency(struct worker *w, const uint64_t *p);
void work_irq_wake(struct worker *w, const uint64_t *p);
/* work_pair.c: two tasks that wake each other */
int prepare_pipes(struct ensemble *e, const uint64_t *p) must_check;
void work_pipe_pingpong(struct worker *w, const uint64_t *p);
void work_futex_pingpong(struct worker *w, const uint64_t *p);
void work_asymmetric_waker(struct worker *w, const uint64_t *p);
void work_cache_pipe(struct worker *w, const uint64_t *p);
void work_signal_storm(struct worker *w, const uint64_t *p);
int prepare_loopback(struct ensemble *e, const uint64_t *p) must_check;
void work_net_loopback(struct worker *w, const uint64_t *p);
/* work_wake.c: one or few that wake many */
void work_futex_fanout(struct worker *w, const uint64_t *p);
void work_thundering_herd(struct worker *w, const uint64_t *p);
void work_fanout_compute(struct worker *w, const uint64_t *p);
void work_wake_chain(struct worker *w, const uint64_t *p);
int prepare_epoll_storm(struct ensemble *e, const uint64_t *p) must_check;
void work_epoll_storm(struct worker *w, const uint64_t *p);
void work_producer_consumer(struct worker *w, const uint64_t *p);
void work_schbench(struct worker *w, const uint64_t *p);
void work_request_mix(struct worker *w, const uint64_t *p);
/* work_lock.c: one lock */
void work_mutex(struct worker *w, const uint64_t *p);
void work_priority_inversion(struct worker *w, const uint64_t *p);
/* work_policy.c: policies and places */
void work_rt_starvation(struct worker *w, const uint64_t *p);
void work_preempt_storm(struct worker *w, const uint64_t *p);
void work_nice_sweep(struct worker *w, const uint64_t *p);
void work_affinity_churn(struct worker *w, const uint64_t *p);
void work_cross_affinity_churn(struct worker *w, const uint64_t *p);
void work_policy_churn(struct worker *w, const uint64_t *p);
void work_smt_sibling_spin(struct worker *w, const uint64_t *p);
/* work_process.c: processes and cgroups */
void work_fork_exit(struct worker *w, const uint64_t *p);
void work_cgroup_churn(struct worker *w, const uint64_t *p);
void work_cgroup_attach_storm(struct worker *w, const uint64_t *p);
/* work_memory.c: caches, pages, nodes */
void work_cache_pressure(struct worker *w, const uint64_t *p);
void work_cache_yield(struct worker *w, const uint64_t *p);
void work_ipc_variance(struct worker *w, const uint64_t *p);
void work_page_fault_churn(struct worker *w, const uint64_t *p);
void work_numa_migration_churn(struct worker *w, const uint64_t *p);
void work_numa_working_set(struct worker *w, const uint64_t *p);
/* work_sequence.c: programs of phases, functions of the test author */
void work_sequence(struct worker *w, const uint64_t *p);
void work_custom(struct worker *w, const uint64_t *p);
/* work_io.c: the test disk */
void work_io_rand_read(struct worker *w, const uint64_t *p);
void work_io_sync_write(struct worker *w, const uint64_t *p);
void work_io_convoy(struct worker *w, const uint64_t *p);

/* The open disk of a worker; all 0: not open yet. */
struct disk {
	int fd;
	uint64_t blocks; /* of the size in use */
	size_t block_bytes;
	char *data;
};

/* Open it if need be, and read one random block. */
void work_read_block(struct worker *w, struct disk *d);
