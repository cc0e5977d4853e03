// SPDX-License-Identifier: GPL-2.0-only
/* The growable buffer: doubling, with every size checked, and reading whole files into it. */
#include "base/buf.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST_CAP = 256, BUF_READ_CHUNK = 65536 };

void buf_deinit(struct buf *b)
{
	free(b->data);
	*b = BUF_NULL;
}

/* Room for @more bytes and the NUL behind them. */
static bool reserve(struct buf *b, size_t more)
{
	size_t want, cap = b->cap ? b->cap : BUF_FIRST_CAP;
	char *data;

	if (b->is_failed)
		return false;
	if (__builtin_add_overflow(b->len, more, &want) ||
	    __builtin_add_overflow(want, (size_t)1, &want) || want > SIZE_MAX / 2)
		goto failed;
	if (want <= b->cap)
		return true;
	while (cap < want)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		goto failed;
	b->data = data;
	b->cap = cap;
	return true;
failed:
	b->is_failed = true;
	return false;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void *buf_space(struct buf *b, size_t len)
{
	char *start;

	if (!reserve(b, len))
		return NULL;
	start = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return start;
}

void *buf_zeros(struct buf *b, size_t len)
{
	void *start = buf_space(b, len);

	return start ? memset(start, 0, len) : NULL;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		b->is_failed = true;
	else if (reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t len)
{
	len = MIN(len, b->len);
	if (!len)
		return;
	memmove(b->data, b->data + len, b->len - len + 1);
	b->len -= len;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

int buf_ok(const struct buf *b)
{
	return b->is_failed ? err_new(-ENOMEM, "out of memory after %zu bytes", b->len) : 0;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

int buf_read_fd(struct buf *b, int fd, size_t max, const char *what)
{
	char chunk[BUF_READ_CHUNK];
	size_t total = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(-errno, "read %s: %s", what, strerror(errno));
		if (!n)
			return buf_ok(b);
		total += (size_t)n;
		if (total > max)
			return err_new(-EFBIG, "read %s: more than %zu bytes", what, max);
		buf_add(b, chunk, (size_t)n);
	}
}

int buf_read_file(struct buf *b, const char *path, size_t max)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	return buf_read_fd(b, fd, max, path);
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
