/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the carrier: one command, its stdio as pipes or as a terminal. */
#pragma once

#include "base/buf.h"
#include "host/carrier_frame.h"

#include <sys/types.h>

struct carrier_child {
	pid_t pid; /* 0: none runs */
	int in_fd; /* -1: closed; for a terminal, in_fd and out_fd are the same master */
	int out_fd;
	int err_fd;
	int record_fd;	  /* what it writes to CARRIER_RECORD_FD */
	struct buf input; /* accepted, not yet taken by the command */
	bool is_input_ended;
	bool is_tty;
};
#define CARRIER_CHILD_NULL                                                                         \
	((struct carrier_child){ .in_fd = -1, .out_fd = -1, .err_fd = -1, .record_fd = -1 })

/* Start the command of @q in a session of its own. What cannot be executed ends with 127 or 126
 * and words on its stderr, as in a shell. */
int carrier_child_start(struct carrier_child *c, const struct carrier_run_request *q) must_check;

/* Write what fits of the input; returns the bytes that the command (or its end) took. */
size_t carrier_child_feed(struct carrier_child *c);
void carrier_child_signal(const struct carrier_child *c, int signal);
void carrier_child_resize(const struct carrier_child *c, unsigned rows, unsigned columns);

/* Close everything; the process has ended and was waited for. */
void carrier_child_deinit(struct carrier_child *c);
