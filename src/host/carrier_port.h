/* SPDX-License-Identifier: GPL-2.0-only */
/* The ports between a carrier's two ends. One carries the command's frames (carrier_frame.h). The
 * other answers one question: how long has the carrier waited for a CPU of the host? Inside nobody
 * can know: the carrier's clock goes on while QEMU's thread waits, and no counter in it does.
 *
 * Inside, a byte is written for each question; outside, each byte is answered with le64 nanoseconds:
 * the run delay of the thread that emulates the carrier's CPU (/proc/PID/task/TID/schedstat, Linux
 * Documentation/scheduler/sched-stats.rst), CARRIER_DELAY_UNKNOWN if the host does not tell. */
#pragma once

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

#define CARRIER_PORT_NAME "ktstr.carrier"
#define CARRIER_DELAY_PORT_NAME "ktstr.delay"
#define CARRIER_DELAY_UNKNOWN UINT64_MAX

/* Inside: open the port of that name with @flags of open(2). -ENODEV with words if there is none. */
int carrier_port_open(const char *name, int flags, int *ret) must_check;

/* Inside: ask over the delay port @fd, which does not block. 0; -ENODATA if the host does not tell;
 * -ETIMEDOUT after a second, and what read(2) and write(2) say: then the port is of no more use. */
int carrier_delay_ask(int fd, uint64_t *ret) must_check;

/* Outside: answer the questions that wait at @fd, about QEMU's process @qemu. What cannot be written
 * is dropped: who asks has a deadline. */
void carrier_delay_answer(int fd, pid_t qemu);

/* The run delay of the thread of @qemu that emulates CPUs; CARRIER_DELAY_UNKNOWN. For
 * carrier_delay_answer() and tests. */
uint64_t carrier_delay_ns(pid_t qemu);
