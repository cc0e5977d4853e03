// SPDX-License-Identifier: GPL-2.0-only
/* Workloads driven by time: bursts and sleeps, periods, timers. */
#include "base/util.h"
#include "guest/work.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Also idle_churn, which is the same with shorter times. */
void work_bursty(struct worker *w, const uint64_t *p)
{
	for (;;) {
		worker_burn(w, p[0]);
		worker_iterate(w);
		worker_sleep(w, p[1]);
	}
}

uint64_t work_next_period(struct worker *w, uint64_t begin_ns, uint64_t period_ns, uint64_t already)
{
	uint64_t next = begin_ns + period_ns, now = now_ns(), over;

	if (now <= next) {
		worker_sleep_until(w, next);
		return next;
	}
	/* This one, and those after it that are over as well: they are skipped. */
	over = 1 + (now - next) / period_ns;
	shared_add(&w->telemetry->deadline_misses, over - already);
	return begin_ns + over * period_ns;
}

void work_periodic(struct worker *w, const uint64_t *p)
{
	for (uint64_t begin = w->last_ns;; begin = work_next_period(w, begin, p[1], 0)) {
		worker_burn(w, p[0]);
		worker_iterate(w);
	}
}

void work_timer_latency(struct worker *w, const uint64_t *p)
{
	uint64_t next = now_ns();

	for (;;) {
		next += p[0];
		while (next < now_ns())
			next += p[0];
		worker_sleep_until(w, next);
		worker_iterate(w);
	}
}

void work_irq_wake(struct worker *w, const uint64_t *p)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec period = { 0 };
	uint64_t expirations, next = now_ns() + p[0];

	period.it_interval.tv_sec = (time_t)(p[0] / NSEC_PER_SEC);
	period.it_interval.tv_nsec = (long)(p[0] % NSEC_PER_SEC);
	period.it_value.tv_sec = (time_t)(next / NSEC_PER_SEC);
	period.it_value.tv_nsec = (long)(next % NSEC_PER_SEC);
	if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &period, NULL))
		worker_fail(w, "timerfd: %s", strerror(errno));
	for (;;) {
		worker_block(w, next);
		if (read(fd, &expirations, sizeof(expirations)) != sizeof(expirations))
			worker_fail(w, "read timerfd: %s", strerror(errno));
		worker_unblock(w);
		next += expirations * p[0];
		worker_compute(w, p[1]);
		worker_iterate(w);
	}
}
