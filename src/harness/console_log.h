/* SPDX-License-Identifier: GPL-2.0-only */
/* The last of what a guest wrote to its serial console, kept for reports. Written by the machine's
 * threads, read by the runner. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	CONSOLE_LOG_BYTES = 64 * 1024,
	/* Lines for a report; of a guest that died more: the words of a panic stand above its registers
	 * and its trace, some 60 lines. */
	CONSOLE_TAIL_LINES = 20,
	CONSOLE_DEATH_LINES = 80,
};

struct console_log {
	pthread_mutex_t lock;
	size_t written; /* in all; the ring holds the last of it */
	int echo_fd;	/* also written here as it comes; -1: nowhere */
	char ring[CONSOLE_LOG_BYTES];
};

/* @echo_fd is borrowed. */
void console_log_init(struct console_log *log, int echo_fd);

/* A machine_desc.console: @ctx is the log. Any thread. */
void console_log_write(void *ctx, const char *bytes, size_t n);

/* Append the last @lines lines to @ret, each ended by \n, without carriage returns and control
 * characters. Any thread. */
void console_log_tail(struct console_log *log, unsigned lines, struct buf *ret);

/* Does what is kept hold @text? Any thread. */
bool console_log_has(struct console_log *log, const char *text);
