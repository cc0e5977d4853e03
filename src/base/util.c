// SPDX-License-Identifier: GPL-2.0-only
/* Clock and descriptor helpers that need a system call. */
#include "base/util.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

int timeout_ms_until(uint64_t deadline_ns)
{
	uint64_t now = now_ns();

	if (deadline_ns == UINT64_MAX)
		return -1;
	if (deadline_ns <= now)
		return 0;
	return (int)MIN((deadline_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC, (uint64_t)INT_MAX);
}
