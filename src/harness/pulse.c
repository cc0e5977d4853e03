// SPDX-License-Identifier: GPL-2.0-only
#include "harness/pulse.h"

#include "base/util.h"

#include <sched.h>
#include <string.h>
#include <time.h>

/* A lateness below a tick of the host is a wake-up, not a stop. */
static const uint64_t interval_ns = 10 * NSEC_PER_MSEC, late_ns = 4 * NSEC_PER_MSEC;

static void sleep_until(uint64_t ns)
{
	struct timespec at = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
			       .tv_nsec = (long)(ns % NSEC_PER_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
		;
}

static void *beat(void *arg)
{
	struct pulse *p = arg;

	while (!atomic_load(&p->has_to_end)) {
		uint64_t due = now_ns() + interval_ns, now;

		sleep_until(due);
		now = now_ns();
		if (now > due + late_ns)
			atomic_fetch_add(&p->lost_ns, now - due);
	}
	return NULL;
}

int pulse_start(struct pulse *p)
{
	const struct sched_param above_all = { .sched_priority = 90 };
	int r = pthread_create(&p->thread, NULL, beat, p);

	if (r)
		return err_new(-r, "pulse: %s", strerror(r));
	p->is_beating = true;
	pthread_setname_np(p->thread, "pulse");
	/* Without the right to it, it counts the host's other work as well: noise, all the same. */
	(void)pthread_setschedparam(p->thread, SCHED_FIFO, &above_all);
	return 0;
}

uint64_t pulse_lost_ns(const struct pulse *p)
{
	return atomic_load(&p->lost_ns);
}

void pulse_stop(struct pulse *p)
{
	if (!p->is_beating)
		return;
	atomic_store(&p->has_to_end, true);
	pthread_join(p->thread, NULL);
	p->is_beating = false;
}
