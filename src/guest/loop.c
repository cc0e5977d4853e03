// SPDX-License-Identifier: GPL-2.0-only
/* epoll with functions. */
#include "guest/loop.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

int loop_init(struct loop *l)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "epoll_create1: %s", strerror(errno));
	l->epoll_fd = fd;
	return 0;
}

void loop_deinit(struct loop *l)
{
	l->epoll_fd = fd_close(l->epoll_fd);
}

static int control(struct loop *l, struct watch *w, int op, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	if (epoll_ctl(l->epoll_fd, op, w->fd, &e))
		return err_new(-errno, "epoll_ctl: %s", strerror(errno));
	return 0;
}

int loop_watch(struct loop *l, struct watch *w, uint32_t events)
{
	return control(l, w, EPOLL_CTL_ADD, events);
}

int loop_rewatch(struct loop *l, struct watch *w, uint32_t events)
{
	return control(l, w, EPOLL_CTL_MOD, events);
}

int loop_unwatch(struct loop *l, struct watch *w)
{
	int fd = steal_fd(&w->fd);

	if (fd >= 0)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	return fd;
}

bool loop_peek(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int loop_round(struct loop *l, uint64_t deadline_ns)
{
	uint64_t now = now_ns();
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / NSEC_PER_SEC),
				    .tv_nsec = (long)(left % NSEC_PER_SEC) };
	struct epoll_event e;
	struct watch *w;
	int n = epoll_pwait2(l->epoll_fd, &e, 1, deadline_ns == UINT64_MAX ? NULL : &timeout, NULL);

	if (n < 0 && errno != EINTR)
		return err_new(-errno, "epoll_wait: %s", strerror(errno));
	if (n < 0)
		return 0;
	if (!n)
		return LOOP_TIMEOUT;
	w = e.data.ptr;
	return w->ready(w->ctx, e.events);
}
