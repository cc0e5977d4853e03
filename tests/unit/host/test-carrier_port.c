// SPDX-License-Identifier: GPL-2.0-only
/* The question for the delay, asked of this process: one of its threads has the name of QEMU's. */
#include "host/carrier_port.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
}

/* The host's end: answers until the other end is closed. */
static void *answer(void *arg)
{
	const int *fd = arg;
	struct pollfd asked = { *fd, POLLIN, 0 };

	while (poll(&asked, 1, -1) > 0 && !(asked.revents & POLLHUP))
		carrier_delay_answer(*fd, getpid());
	return NULL;
}

struct emulator {
	pthread_t thread;
	_Atomic bool has_to_end;
};

static void *emulate(void *arg)
{
	struct emulator *e = arg;

	pthread_setname_np(pthread_self(), "ALL CPUs/TCG");
	while (!atomic_load(&e->has_to_end))
		poll(NULL, 0, 1);
	return NULL;
}

static void emulator_start(struct emulator *e)
{
	uint64_t deadline = now_ns() + 20 * NSEC_PER_SEC;

	atomic_store(&e->has_to_end, false);
	assert_int_equal(pthread_create(&e->thread, NULL, emulate, e), 0);
	/* Until it has its name, and has been counted once. */
	while (carrier_delay_ns(getpid()) == CARRIER_DELAY_UNKNOWN && now_ns() < deadline)
		poll(NULL, 0, 1);
}

static void emulator_stop(struct emulator *e)
{
	atomic_store(&e->has_to_end, true);
	pthread_join(e->thread, NULL);
}

TEST(a_process_that_emulates_nothing_has_no_delay)
{
	assert_true(carrier_delay_ns(getpid()) == CARRIER_DELAY_UNKNOWN);
	assert_true(carrier_delay_ns(0x7fffffff) == CARRIER_DELAY_UNKNOWN);
}

TEST(questions_are_answered_in_turn)
{
	struct emulator e;
	uint64_t first = 0, second = 0;
	pthread_t host;
	int ends[2];

	emulator_start(&e);
	open_pair(ends);
	assert_int_equal(pthread_create(&host, NULL, answer, &ends[1]), 0);
	assert_int_equal(carrier_delay_ask(ends[0], &first), 0);
	assert_int_equal(carrier_delay_ask(ends[0], &second), 0);
	assert_true(second >= first);
	close(ends[0]);
	pthread_join(host, NULL);
	close(ends[1]);
	emulator_stop(&e);
}

TEST(a_host_that_does_not_tell_is_an_outcome)
{
	pthread_t host;
	uint64_t delay_ns;
	int ends[2];

	open_pair(ends);
	assert_int_equal(pthread_create(&host, NULL, answer, &ends[1]), 0);
	assert_int_equal(carrier_delay_ask(ends[0], &delay_ns), -ENODATA);
	close(ends[0]);
	pthread_join(host, NULL);
	close(ends[1]);
}

TEST(a_host_that_is_silent_or_gone_holds_nobody_up)
{
	uint64_t delay_ns;
	int ends[2];

	open_pair(ends);
	assert_int_equal(carrier_delay_ask(ends[0], &delay_ns), -ETIMEDOUT);
	close(ends[1]);
	signal(SIGPIPE, SIG_IGN); /* a port raises none */
	assert_true(carrier_delay_ask(ends[0], &delay_ns) < 0);
	err_clear();
	close(ends[0]);
}

TESTS(T(a_process_that_emulates_nothing_has_no_delay), T(questions_are_answered_in_turn),
      T(a_host_that_does_not_tell_is_an_outcome), T(a_host_that_is_silent_or_gone_holds_nobody_up))
