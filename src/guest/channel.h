/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's end of the frame stream: a non-blocking descriptor with buffers on both sides. What
 * is sent is queued and written as the descriptor takes it; the owner's loop calls channel_ready()
 * on its events. One thread. */
#pragma once

#include "base/buf.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct channel {
	int fd;
	struct buf in;
	struct buf out;
	uint32_t seq_in;
	uint32_t seq_out;
};

#define CHANNEL_NULL ((struct channel){ .fd = -1 })

/* More than this waits in `out`: producers pause until it is less (channel_is_full()). */
enum { CHANNEL_OUT_LIMIT = 4 << 20 };

void channel_deinit(struct channel *c);

/* Queue a frame and write what goes out at once. 0, or a negative errno with words: lost. */
int channel_send(struct channel *c, enum frame_type type, const void *payload,
		 size_t len) must_check;
/* The same for a payload in two pieces: a fixed head and what follows it. */
int channel_send2(struct channel *c, enum frame_type type, const void *head, size_t head_len,
		  const void *tail, size_t tail_len) must_check;

/* Read all that is there and write all that goes. 0, or a negative errno with words. */
int channel_read(struct channel *c) must_check;
int channel_flush(struct channel *c) must_check;

/* The next complete frame: 0, FRAME_MORE, or -EPROTO. The frame lives until channel_drop(). */
int channel_peek(struct channel *c, struct frame *ret) must_check;
void channel_drop(struct channel *c, const struct frame *f);

bool channel_is_full(const struct channel *c);
