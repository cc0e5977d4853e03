/* SPDX-License-Identifier: GPL-2.0-only */
/* One command run for the host (`ktstr exec`, `ktstr shell`): its process, its standard streams over
 * the channel, its end. It is over (command_is_over()) when its process has ended and its output is
 * read to the end; EXIT has been sent then. What it left running is killed. One thread. */
#pragma once

#include "base/buf.h"
#include "guest/channel.h"
#include "guest/loop.h"
#include "wire/exec.h"

#include <stdbool.h>
#include <sys/types.h>

struct command {
	struct loop *loop;
	struct channel *channel;
	pid_t pid; /* 0: none runs */
	bool is_tty;
	bool has_ended;
	bool is_paused;
	int wait_status;
	struct watch out;
	struct watch err;
	struct watch in;
	struct buf input; /* not yet taken by the command */
	bool is_input_ended;
};

/* Input over this waits in the channel instead: the caller stops reading frames. */
enum { COMMAND_INPUT_LIMIT = 256 * 1024 };

void command_init(struct command *c, struct loop *loop, struct channel *channel);
void command_deinit(struct command *c);

/* Start it. 0, or a negative errno with words (pipes, pty, fork): nothing runs then. A program that
 * cannot be executed is its exit status 126 or 127, with words on its stderr. */
int command_start(struct command *c, const struct exec_request *request) must_check;
bool command_is_running(const struct command *c);
bool command_wants_input(const struct command *c);

/* STDIN (@len 0: end of input), SIGNAL, WINSIZE. Without a command they are dropped. */
int command_input(struct command *c, const void *data, size_t len) must_check;
void command_signal(struct command *c, const struct wire_signal *s);
void command_resize(struct command *c, const struct wire_winsize *w);

/* Its process was waited for. */
int command_ended(struct command *c, int wait_status) must_check;
/* The channel has room again. */
int command_resume(struct command *c) must_check;
