// SPDX-License-Identifier: GPL-2.0-only
#include "harness/pulse.h"

#include "base/util.h"
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(a_pulse_that_was_not_started_has_lost_nothing)
{
	struct pulse p = { .is_beating = false };

	assert_int_equal(pulse_lost_ns(&p), 0);
	pulse_stop(&p);
	pulse_stop(&p);
}

/* In the child: wait for the stop to be over, then for the pulse to have seen most of it. */
static int see_a_stop(int go)
{
	struct pulse p = { .is_beating = false };
	uint64_t deadline = now_ns() + 20 * NSEC_PER_SEC;
	char byte;

	if (pulse_start(&p) || write(go, "x", 1) != 1 || read(go, &byte, 1) != 1)
		return 1;
	while (pulse_lost_ns(&p) < 200 * NSEC_PER_MSEC && now_ns() < deadline)
		poll(NULL, 0, 1);
	pulse_stop(&p);
	return pulse_lost_ns(&p) < 200 * NSEC_PER_MSEC;
}

TEST(a_process_that_is_stopped_misses_its_pulse)
{
	int ends[2], status;
	char byte;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(see_a_stop(ends[1]));
	assert_int_equal(read(ends[0], &byte, 1), 1);
	kill(child, SIGSTOP);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	poll(NULL, 0, 300);
	kill(child, SIGCONT);
	assert_int_equal(write(ends[0], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(ends[0]);
	close(ends[1]);
}

TEST(a_beat_that_is_overdue_counts_before_it_comes)
{
	struct pulse p = { .is_beating = true, .lost_ns = 5 };

	p.due_ns = now_ns() - NSEC_PER_SEC;
	assert_true(pulse_lost_ns(&p) >= NSEC_PER_SEC + 5);
	p.due_ns = now_ns() + NSEC_PER_SEC;
	assert_int_equal(pulse_lost_ns(&p), 5);
}

TESTS(T(a_pulse_that_was_not_started_has_lost_nothing),
      T(a_beat_that_is_overdue_counts_before_it_comes),
      T(a_process_that_is_stopped_misses_its_pulse))
