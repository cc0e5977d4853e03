/* SPDX-License-Identifier: GPL-2.0-only */
/* The pulse of a carrier: a thread above all others that wakes at an interval and adds up how late it
 * was. In a carrier the machine below is emulated by a process, and when that process gets no CPU,
 * time goes by for everybody in it and no counter says so: the guest books the lost time on whoever
 * ran. The pulse sees it, and it is counted as noise of every CPU. On a host of its own the run delay
 * of the vCPU threads says as much, and no pulse is needed. */
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pulse {
	pthread_t thread;
	bool is_beating;
	_Atomic bool has_to_end;
	_Atomic uint64_t due_ns; /* of the beat to come */
	_Atomic uint64_t lost_ns;
};

/* Begin, @p all zero. 0, or negative: no thread could be had. End with pulse_stop(). */
int pulse_start(struct pulse *p) must_check;
/* Time that went by unseen since the start, that of a beat that is overdue this moment included: who
 * asks may be awake before the pulse is. Any thread. */
uint64_t pulse_lost_ns(const struct pulse *p);
/* Ends within an interval; works on one that was not started. */
void pulse_stop(struct pulse *p);
