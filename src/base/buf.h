/* SPDX-License-Identifier: GPL-2.0-only */
/* A growable byte buffer that remembers failure: appending to a buffer that ran out of memory does
 * nothing, and the one check is at the end (buf_ok()). data is always NUL-terminated behind len
 * once anything was appended, so a buffer of text is a C string. */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	bool is_failed;
};

#define BUF_NULL ((struct buf){ 0 })

void buf_deinit(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
/* Append @len zero bytes and return where they start; NULL when out of memory. Valid until the next
 * append. */
void *buf_zeros(struct buf *b, size_t len);
/* The same without the zeros, for a caller that fills all of it. */
void *buf_space(struct buf *b, size_t len);
/* Drop the first @len bytes (at most all). */
void buf_consume(struct buf *b, size_t len);
/* Empty the buffer, keep its memory. */
void buf_reset(struct buf *b);
/* 0, or -ENOMEM with words if an append failed. */
int buf_ok(const struct buf *b) must_check;
/* Text of the buffer, "" when nothing was appended. */
const char *buf_text(const struct buf *b);
/* Append all of @fd until its end, at most @max bytes. 0, -EFBIG, or read()'s error, with words
 * naming @what. */
int buf_read_fd(struct buf *b, int fd, size_t max, const char *what) must_check;
/* The same for a path; files of /proc and /sys, whose size says 0, too. */
int buf_read_file(struct buf *b, const char *path, size_t max) must_check;

/* Write all of @data to @fd, again after EINTR and short counts. 0 or a negative errno without
 * words. */
int write_all(int fd, const void *data, size_t len) must_check;
