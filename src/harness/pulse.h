/* SPDX-License-Identifier: GPL-2.0-only */
/* What a carrier does not get of the host's CPUs. In a carrier the machine below is emulated by a
 * process, and when that process gets no CPU, time goes by for everybody in it and no counter there
 * says so. Two look from elsewhere. The host outside is asked for the run delay of the thread that
 * emulates (host/carrier_port.h): that is exact, and counts as noise of every CPU. And the pulse, a
 * thread above all others, wakes at an interval and adds up how late it was: it sees stops of the whole
 * carrier, also those that no scheduler of ours made; after such a stop the guest books the lost time on
 * whoever ran. On a host of its own the run delay of the vCPU threads says as much, and neither is
 * needed. */
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
	/* Of the thread that asks. */
	bool has_port;
	int port_fd;
	uint64_t delay_ns, seen_lost_ns, taken_ns;
};

/* Begin, @p all zero. 0, or negative: no thread could be had. End with pulse_stop(). */
int pulse_start(struct pulse *p) must_check;
/* Time that went by unseen since the start, that of a beat that is overdue this moment included: who
 * asks may be awake before the pulse is. Any thread. */
uint64_t pulse_lost_ns(const struct pulse *p);
/* Time that was taken from the carrier since the start: between two calls, the larger of what the host
 * says and what the pulse missed. Asks the host, for a second at most. One thread, that of
 * pulse_start(). */
uint64_t pulse_taken_ns(struct pulse *p);
/* Ends within an interval; works on one that was not started. */
void pulse_stop(struct pulse *p);
