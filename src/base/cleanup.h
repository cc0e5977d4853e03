/* SPDX-License-Identifier: GPL-2.0-only */
/* Scope-owned resources: a variable marked cleanup(fn) is handed to fn(&variable) when its scope
 * ends, on every path. steal_fd() and steal_ptr() take the value out, so that ownership leaves the
 * scope. Not here: anything that knows what it frees; each room has the ...p function of its own
 * objects beside them. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(fn) __attribute__((cleanup(fn)))

/* Close @fd if it is one; returns -1, so that `fd = fd_close(fd)` leaves "none" behind. errno is
 * kept. Any thread. */
int fd_close(int fd);

static inline void fd_closep(int *fd)
{
	*fd = fd_close(*fd);
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* Take the descriptor out of @fd and leave -1. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define steal_ptr(pp)                                                                              \
	({                                                                                         \
		__auto_type pp_ = (pp);                                                            \
		__auto_type taken_ = *pp_;                                                         \
		*pp_ = NULL;                                                                       \
		taken_;                                                                            \
	})
