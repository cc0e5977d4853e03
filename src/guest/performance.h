/* SPDX-License-Identifier: GPL-2.0-only */
/* One plan as init sees it: the conductor's process, its frames on their way to the host, and the
 * sweeping up behind it. It is over, and DONE is sent, when nothing of it is left: every process
 * reaped, every cgroup removed, every CPU online. One thread. */
#pragma once

#include "base/buf.h"
#include "guest/channel.h"
#include "guest/loop.h"
#include "wire/plan.h"

#include <stdbool.h>
#include <sys/types.h>

struct performance {
	struct loop *loop;
	struct channel *channel;
	pid_t pid; /* of the conductor; 0: none runs */
	bool is_paused;
	bool is_sweeping;
	int status; /* for DONE */
	struct plan plan;
	struct watch frames;
	struct buf in;
	uint32_t seq;
	int control_fd;
};

void performance_init(struct performance *p, struct loop *loop, struct channel *channel);

/* Start a plan, which becomes this object's. 0 or a negative errno with words: fatal for init. */
int performance_start(struct performance *p, struct plan *plan) must_check;
bool performance_is_running(const struct performance *p);
/* The host wants it to end early. */
void performance_stop(struct performance *p);

/* The conductor was waited for. */
int performance_ended(struct performance *p, int wait_status) must_check;
/* init has no child left. */
int performance_swept(struct performance *p) must_check;
/* The channel has room again. */
int performance_resume(struct performance *p) must_check;
