/* SPDX-License-Identifier: GPL-2.0-only */
/* Unix stream sockets to listen on. */
#pragma once

#include "base/err.h"

#include <sys/types.h>

/* A socket bound to a path. */
struct listener {
	const char *path; /* borrowed */
	int fd;
	dev_t dev; /* of the socket file as we made it */
	ino_t ino;
};

#define LISTENER_NULL ((struct listener){ .fd = -1 })

/* Bind to @path, which must outlive the listener, and listen, non-blocking. A socket file that nobody
 * listens on is replaced; one that is alive, or a file that is no socket, is not. 0; -EADDRINUSE,
 * -EEXIST, -ENAMETOOLONG or the host's refusal, with words. */
int listener_open(const char *path, struct listener *ret) must_check;

/* Close, and remove the socket file if it is still ours. Works on LISTENER_NULL, and twice. */
void listener_close(struct listener *l);
