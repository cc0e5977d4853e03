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
/* work_io.c: the test disk */
void work_io_rand_read(struct worker *w, const uint64_t *p);
void work_io_sync_write(struct worker *w, const uint64_t *p);
void work_io_convoy(struct worker *w, const uint64_t *p);

/* Read one random block of the test disk, for `sequence`. @fd_slot: -1 at first. */
void work_read_block(struct worker *w, int *fd_slot);
