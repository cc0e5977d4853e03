// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/event.h"

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

bool vhost_event_can_block(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static bool is_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	char link[64], target[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof(target));

	return n == sizeof(name) - 1 && memcmp(target, name, sizeof(name) - 1) == 0;
}

bool vhost_event_is_socket(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A pipe can be opened again: what the front end does to its own end then is not ours. */
static int reopen_pipe(int fd, int mode)
{
	char link[64];
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return err_new(-EINVAL, "the descriptor is neither an eventfd nor a pipe");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int again = open(link, mode | O_NONBLOCK | O_CLOEXEC);

	if (again < 0)
		return err_new(-errno, "pipe for events: %s", strerror(errno));
	return again;
}

int vhost_event_fd(int fd, enum vhost_event_use use)
{
	bool can_be_socket = use == VHOST_EVENT_SIGNAL && vhost_event_is_socket(fd);

	if (!can_be_socket && !is_eventfd(fd))
		return reopen_pipe(fd, use == VHOST_EVENT_WAIT ? O_RDONLY : O_WRONLY);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_new(-errno, "descriptor for events: %s", strerror(errno));
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return own < 0 ? err_new(-errno, "descriptor for events: %s", strerror(errno)) : own;
}

void vhost_event_drain(int fd)
{
	char bytes[4096];
	struct iovec iov = { bytes, sizeof(bytes) };
	ssize_t n = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (n < 0 && errno == EOPNOTSUPP) /* a pipe, which is our own end and never blocks */
		n = read(fd, bytes, sizeof(bytes));
	(void)n;
}
