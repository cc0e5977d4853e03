/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's end of the channel to one guest: frames out and in over a stream socket, and what else
 * may happen while waiting for them: the machine ends, the user interrupts, input arrives, time is
 * up. One thread; it waits in poll() and nowhere else. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

/* How the guest's CLOCK_MONOTONIC stands to ours. */
struct clock_relation {
	bool is_known;
	int64_t guest_minus_host_ns;
	uint64_t error_ns; /* at most, when it was read */
};

struct session {
	int fd;		 /* the channel, non-blocking; borrowed */
	int end_fd;	 /* readable when the machine has ended; -1: none */
	int signal_fd;	 /* a signalfd; -1: none */
	int input_fd;	 /* readable when the caller has something to send; -1: none */
	bool has_window; /* wants to know of SIGWINCH */
	bool is_closed;
	int signal; /* the last one */
	struct buf in;
	struct buf out;
	uint32_t seq_in;
	uint32_t seq_out;
	size_t taken; /* bytes of the frame last given out */
};

enum session_outcome {
	SESSION_TIMEOUT = 1,
	SESSION_ENDED,	     /* the machine ended, and every frame it sent has been given out */
	SESSION_INTERRUPTED, /* the user's signal, in session.signal; a new window size is none */
	SESSION_RESIZED,     /* SIGWINCH, where has_window is set */
	SESSION_INPUT,	     /* input_fd is readable, and all that was queued has been sent */
};

/* Start talking over @fd, which becomes non-blocking. 0 or a negative errno with words. */
int session_init(struct session *s, int fd) must_check;
void session_deinit(struct session *s);

/* Queue a frame; session_next() sends it. 0; -EMSGSIZE; -ENOMEM. */
int session_send(struct session *s, enum frame_type type, const void *payload,
		 size_t len) must_check;

/* Wait for the next frame until @deadline_ns (CLOCK_MONOTONIC, UINT64_MAX: for ever). Returns 0 and
 * the frame, which is valid until the next call; one of the outcomes; -EPROTO with words if the
 * guest does not speak the protocol; or the error of the socket with words. */
int session_next(struct session *s, uint64_t deadline_ns, struct frame *ret) must_check;
