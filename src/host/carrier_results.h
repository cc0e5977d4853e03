/* SPDX-License-Identifier: GPL-2.0-only */
/* The way results leave a carrier: the files below one directory inside become files below one
 * directory outside, as FILE and FILE_DATA frames. The receiver trusts no path. */
#pragma once

#include "base/err.h"
#include "host/carrier_frame.h"

#include <stdint.h>

/* Inside: hand every regular file below @dir to @send, one frame at a time. Symbolic links and
 * special files stay. Errors: what @send returned, or reading failed. */
int carrier_results_send(const char *dir,
			 int (*send)(void *ctx, enum carrier_frame_type type, const void *payload,
				     size_t length),
			 void *ctx) must_check;

/* Outside. */
struct carrier_results {
	int dir_fd; /* -1: nothing is expected, and a file is an error */
	int file_fd;
	unsigned file_count;
	uint64_t bytes;
};
#define CARRIER_RESULTS_NULL ((struct carrier_results){ .dir_fd = -1, .file_fd = -1 })
#define CARRIER_RESULTS_BYTES_MAX (UINT64_C(2) << 30)

/* @dir NULL: expect nothing. */
int carrier_results_open(struct carrier_results *r, const char *dir) must_check;

/* Take one FILE or FILE_DATA frame. -EPROTO for a path that is absolute, has "..", "." or empty
 * parts, or data without a file; -EFBIG over CARRIER_RESULTS_BYTES_MAX; -ELOOP or -ENOTDIR if a
 * symbolic link outside stands in the way. */
int carrier_results_take(struct carrier_results *r, const struct carrier_frame *f) must_check;
void carrier_results_deinit(struct carrier_results *r);
