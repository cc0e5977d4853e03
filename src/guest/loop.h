/* SPDX-License-Identifier: GPL-2.0-only */
/* One epoll loop: descriptors with a function each. Used by init and by the conductor; one thread.
 * A round handles one descriptor, so a function may unwatch and free any watch, its own too. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop {
	int epoll_fd;
};

#define LOOP_NULL ((struct loop){ .epoll_fd = -1 })

/* A watched descriptor. @ready returns 0, or a negative errno with words, which ends the round that
 * called it. The caller owns the record and its fd, and keeps both while they are watched. */
struct watch {
	int fd; /* -1: not watched */
	int (*ready)(void *ctx, uint32_t events);
	void *ctx;
};

#define WATCH_NULL ((struct watch){ .fd = -1 })

int loop_init(struct loop *l) must_check;
void loop_deinit(struct loop *l);

/* Watch w->fd for @events (EPOLLIN, EPOLLOUT, EPOLLET). */
int loop_watch(struct loop *l, struct watch *w, uint32_t events) must_check;
/* Change the events of a watched descriptor; 0: leave it there, ask for nothing. */
int loop_rewatch(struct loop *l, struct watch *w, uint32_t events) must_check;
/* Stop watching and set fd to -1; returns the descriptor, which is the caller's. */
int loop_unwatch(struct loop *l, struct watch *w);

/* Is there something to read from @fd now, or its end? */
bool loop_peek(int fd);

/* Wait until something is ready or @deadline_ns (CLOCK_MONOTONIC; UINT64_MAX: none) has come, and
 * handle it. 0, LOOP_TIMEOUT, or what the function returned. */
enum loop_outcome { LOOP_TIMEOUT = 1 };
int loop_round(struct loop *l, uint64_t deadline_ns) must_check;
