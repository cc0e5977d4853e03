/* SPDX-License-Identifier: GPL-2.0-only */
/* One command in a booted guest, with its standard streams, its terminal and its signals connected
 * to ours. */
#pragma once

#include "base/err.h"
#include "harness/session.h"

#include <stdbool.h>
#include <stdint.h>

struct remote_desc {
	char *const *argv;
	char *const *envp;
	const char *cwd; /* in the guest; NULL: "/" */
	int in_fd;	 /* -1: no input */
	int out_fd;
	int err_fd;
	bool is_tty;	      /* a terminal in the guest, as large as that of in_fd */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
};

enum remote_outcome {
	REMOTE_TIMEOUT = 1,
	REMOTE_GUEST_DIED, /* the machine ended before the command did */
	REMOTE_KILLED,	   /* the user's second signal */
};

/* Run it to its end. The first signal of the user is passed on to the command, the second gives it
 * up. Returns 0 and the exit status (128 + signal if one killed it); an outcome; or a negative errno
 * with words. */
int remote_run(struct session *session, const struct remote_desc *desc, int *status_ret) must_check;
