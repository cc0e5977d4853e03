// SPDX-License-Identifier: GPL-2.0-only
/* Workloads of two tasks that wake each other. Member 0 begins. */
#include "base/util.h"
#include "guest/work.h"
#include "guest/work_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* Pipe k carries from member k to the other: its reading end is fds[2k], the writing end 2k + 1. */
int prepare_pipes(struct ensemble *e, const uint64_t *p)
{
	for (int i = 0; i < 2; i++)
		if (pipe2(&e->fds[2 * (size_t)i], O_CLOEXEC))
			return err_new(-errno, "pipe: %s", strerror(errno));
	return 0;
}

static void send_byte(struct worker *w)
{
	worker_stamp(w, 1 - w->member);
	if (write(w->ensemble->fds[2 * w->member + 1], "x", 1) != 1)
		worker_fail(w, "write to a pipe: %s", strerror(errno));
}

static void receive_byte(struct worker *w)
{
	char c;

	worker_block(w, DUE_STAMPED);
	if (read(w->ensemble->fds[2 * (1 - w->member)], &c, 1) != 1)
		worker_fail(w, "read from a pipe: %s", strerror(errno));
	worker_unblock(w);
}

void work_pipe_pingpong(struct worker *w, const uint64_t *p)
{
	if (w->member == 0)
		send_byte(w);
	for (;;) {
		receive_byte(w);
		worker_compute(w, p[0]);
		worker_iterate(w);
		send_byte(w);
	}
}

void work_cache_pipe(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[0]);

	if (w->member == 0)
		send_byte(w);
	for (;;) {
		receive_byte(w);
		working_set_walk(&set, p[1]);
		worker_iterate(w);
		send_byte(w);
	}
}

/* The word says whose turn it is. */
static void wait_turn(struct worker *w, _Atomic uint32_t *turn)
{
	worker_futex_wait(w, turn, 1 - w->member);
}

static void give_turn(struct worker *w, _Atomic uint32_t *turn)
{
	worker_stamp(w, 1 - w->member);
	atomic_store_explicit(turn, 1 - w->member, memory_order_release);
	worker_futex_wake(turn, 1);
}

void work_futex_pingpong(struct worker *w, const uint64_t *p)
{
	_Atomic uint32_t *turn = w->ensemble->shared;

	for (;;) {
		wait_turn(w, turn);
		worker_compute(w, p[0]);
		worker_iterate(w);
		give_turn(w, turn);
	}
}

void work_asymmetric_waker(struct worker *w, const uint64_t *p)
{
	static const struct plan_sched weak = { .flags = SCHED_HAS_NICE, .nice = 19 };

	if (w->member == 0 && task_set_sched(0, &weak))
		worker_fail(w, "%s", err_text());
	work_futex_pingpong(w, p);
}

/* Each keeps the other's thread id where it can find it; bursts of queued real-time signals. */
struct signal_pair {
	_Atomic uint32_t tid[2];
	_Atomic uint32_t pid[2];
};

static void find_partner(struct worker *w, struct signal_pair *pair)
{
	uint32_t other = 1 - w->member;

	atomic_store(&pair->pid[w->member], (uint32_t)getpid());
	atomic_store(&pair->tid[w->member], w->telemetry->tid);
	worker_futex_wake(&pair->tid[w->member], 1);
	worker_futex_wait(w, &pair->tid[other], 0);
}

static void fire(struct worker *w, const struct signal_pair *pair, uint64_t burst)
{
	uint32_t other = 1 - w->member;

	worker_stamp(w, other);
	for (uint64_t i = 0; i < burst; i++)
		if (tgkill((pid_t)pair->pid[other], (pid_t)pair->tid[other], SIGRTMIN + 1) &&
		    errno != EAGAIN)
			worker_fail(w, "send a signal: %s", strerror(errno));
}

void work_signal_storm(struct worker *w, const uint64_t *p)
{
	struct signal_pair *pair = w->ensemble->shared;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	find_partner(w, pair);
	for (;;) {
		fire(w, pair, p[0]);
		for (uint64_t i = 0; i < p[0]; i++) {
			worker_block(w, DUE_STAMPED);
			while (sigwaitinfo(&set, NULL) < 0 && errno == EINTR)
				;
			worker_unblock(w);
		}
		worker_compute(w, p[1]);
		worker_iterate(w);
	}
}

/* A connected pair of TCP sockets on 127.0.0.1: fds[0] for member 0, fds[1] for member 1. */
int prepare_loopback(struct ensemble *e, const uint64_t *p)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *generic = (struct sockaddr *)&address;
	socklen_t len = sizeof(address);
	cleanup(fd_closep) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	e->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || e->fds[0] < 0 || bind(listener, generic, len) || listen(listener, 1) ||
	    getsockname(listener, generic, &len) || connect(e->fds[0], generic, len))
		return err_new(-errno, "connect over loopback: %s", strerror(errno));
	e->fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (e->fds[1] < 0)
		return err_new(-errno, "accept over loopback: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		setsockopt(e->fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return 0;
}

static void send_message(struct worker *w, int fd, const char *message, size_t len)
{
	worker_stamp(w, 1 - w->member);
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, message + done, len - done, MSG_NOSIGNAL);

		if (n <= 0)
			worker_fail(w, "send over loopback: %s", strerror(errno));
		done += (size_t)n;
	}
	shared_add(&w->telemetry->bytes, len);
}

static void receive_message(struct worker *w, int fd, char *message, size_t len)
{
	worker_block(w, DUE_STAMPED);
	for (size_t done = 0; done < len;) {
		ssize_t n = recv(fd, message + done, len - done, 0);

		if (n <= 0)
			worker_fail(w, "receive over loopback: %s", strerror(errno));
		done += (size_t)n;
	}
	worker_unblock(w);
}

void work_net_loopback(struct worker *w, const uint64_t *p)
{
	struct working_set set = working_set_map(w, p[0]);
	int fd = w->ensemble->fds[w->member];

	if (w->member == 0)
		send_message(w, fd, set.data, p[0]);
	for (;;) {
		receive_message(w, fd, set.data, p[0]);
		worker_compute(w, p[1]);
		worker_iterate(w);
		send_message(w, fd, set.data, p[0]);
	}
}
