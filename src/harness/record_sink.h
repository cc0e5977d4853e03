/* SPDX-License-Identifier: GPL-2.0-only */
/* Results that another process of ours writes as JSON lines (`ktstr run --record`): each goes into
 * the store as soon as its line is complete. So verdicts leave the carrier one by one, and a carrier
 * that dies takes only the unfinished one with it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct store;

struct record_sink {
	struct store *store; /* NULL: they are not kept */
	int64_t run;
	int file_fd;	    /* the lines go here as well; -1: nowhere */
	unsigned count;	    /* records that came */
	struct buf partial; /* of the line that is coming */
};
#define RECORD_SINK_NULL ((struct record_sink){ .file_fd = -1 })

/* Take the next bytes, cut anywhere. @sink is a struct record_sink. 0; the store's or the file's errors,
 * also for a line that is no result; -EFBIG for a line that does not end. */
int record_sink_take(void *sink, const void *bytes, size_t len) must_check;
void record_sink_deinit(struct record_sink *sink);
