// SPDX-License-Identifier: GPL-2.0-only
#include "harness/pulse.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "host/carrier_port.h"

#include <errno.h>
#include <fcntl.h>
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

static uint64_t lateness_ns(uint64_t now, uint64_t due)
{
	return now > due + late_ns ? now - due : 0;
}

static void *beat(void *arg)
{
	struct pulse *p = arg;

	/* A pulse that is told to end still counts the beat that it waits for, or has not begun. */
	do {
		uint64_t due = atomic_load(&p->due_ns), now;

		sleep_until(due);
		now = now_ns();
		/* In this order, lest somebody sees it twice. The next one is due from the moment
		 * that this one is counted up to: a stop in between is late as well. */
		atomic_store(&p->due_ns, now + interval_ns);
		atomic_fetch_add(&p->lost_ns, lateness_ns(now, due));
	} while (!atomic_load(&p->has_to_end));
	return NULL;
}

/* A carrier of an older ktstr has no such port, a host may not tell: then the pulse is all there is. */
static uint64_t ask_delay(struct pulse *p)
{
	uint64_t before = p->delay_ns;

	if (p->has_port && carrier_delay_ask(p->port_fd, &p->delay_ns) < 0) {
		p->has_port = false;
		p->port_fd = fd_close(p->port_fd);
		err_clear();
	}
	return p->has_port ? grown(before, p->delay_ns) : 0;
}

static void open_port(struct pulse *p)
{
	p->has_port =
		carrier_port_open(CARRIER_DELAY_PORT_NAME, O_RDWR | O_NONBLOCK, &p->port_fd) == 0;
	err_clear();
	(void)ask_delay(p);
}

int pulse_start(struct pulse *p)
{
	const struct sched_param above_all = { .sched_priority = 90 };
	int r;

	atomic_store(&p->due_ns, now_ns() + interval_ns);
	r = pthread_create(&p->thread, NULL, beat, p);
	if (r)
		return err_new(-r, "pulse: %s", strerror(r));
	p->is_beating = true;
	pthread_setname_np(p->thread, "pulse");
	/* Without the right to it, it counts the host's other work as well: noise, all the same. */
	(void)pthread_setschedparam(p->thread, SCHED_FIFO, &above_all);
	open_port(p);
	return 0;
}

uint64_t pulse_lost_ns(const struct pulse *p)
{
	uint64_t lost_ns = atomic_load(&p->lost_ns);

	return p->is_beating ? lost_ns + lateness_ns(now_ns(), atomic_load(&p->due_ns)) : lost_ns;
}

uint64_t pulse_taken_ns(struct pulse *p)
{
	uint64_t delay_ns = ask_delay(p), lost_ns = pulse_lost_ns(p);

	p->taken_ns += MAX(delay_ns, grown(p->seen_lost_ns, lost_ns));
	p->seen_lost_ns = MAX(p->seen_lost_ns, lost_ns);
	return p->taken_ns;
}

void pulse_stop(struct pulse *p)
{
	if (!p->is_beating)
		return;
	if (p->has_port)
		p->port_fd = fd_close(p->port_fd);
	p->has_port = false;
	atomic_store(&p->has_to_end, true);
	pthread_join(p->thread, NULL);
	p->is_beating = false;
}
