// SPDX-License-Identifier: GPL-2.0-only
#include "harness/pulse.h"

#include "base/util.h"
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
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

/* The host's answers, one for each question to come. */
static void put_answers(int fd, const uint64_t *delays_ns, size_t count)
{
	char answer[8];

	for (size_t i = 0; i < count; i++) {
		le64_put(answer, delays_ns[i]);
		assert_int_equal(write(fd, answer, sizeof(answer)), sizeof(answer));
	}
}

TEST(what_was_taken_is_the_larger_of_what_the_host_says_and_the_pulse_missed)
{
	static const uint64_t ms = NSEC_PER_MSEC;
	struct pulse p = { .is_beating = true, .has_port = true, .delay_ns = 100 * ms };
	int ends[2];

	p.due_ns = now_ns() + 100 * NSEC_PER_SEC;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	p.port_fd = ends[0];
	put_answers(ends[1], (const uint64_t[]){ 130 * ms, 131 * ms, 131 * ms }, 3);
	p.lost_ns = 5 * ms;
	assert_int_equal(pulse_taken_ns(&p), 30 * ms);
	p.lost_ns = 50 * ms;
	assert_int_equal(pulse_taken_ns(&p), 75 * ms);
	assert_int_equal(pulse_taken_ns(&p), 75 * ms);
	/* Without the host the pulse is what there is. */
	close(ends[1]);
	signal(SIGPIPE, SIG_IGN); /* a port raises none */
	p.lost_ns = 60 * ms;
	assert_int_equal(pulse_taken_ns(&p), 85 * ms);
	assert_false(p.has_port);
}

TESTS(T(what_was_taken_is_the_larger_of_what_the_host_says_and_the_pulse_missed),
      T(a_pulse_that_was_not_started_has_lost_nothing),
      T(a_beat_that_is_overdue_counts_before_it_comes),
      T(a_process_that_is_stopped_misses_its_pulse))
