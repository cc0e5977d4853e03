// SPDX-License-Identifier: GPL-2.0-only
/* Buffered frames over a non-blocking descriptor. */
#include "guest/channel.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A single write is kept small: the console driver copies it into one kernel allocation. */
enum { READ_CHUNK = 65536, WRITE_CHUNK = 32768 };

void channel_deinit(struct channel *c)
{
	c->fd = fd_close(c->fd);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
}

int channel_flush(struct channel *c)
{
	size_t done = 0;
	int r = buf_ok(&c->out);

	while (!r && done < c->out.len) {
		size_t len = c->out.len - done;
		ssize_t n = write(c->fd, c->out.data + done, len < WRITE_CHUNK ? len : WRITE_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			r = err_new(-errno, "write to the channel: %s", strerror(errno));
		else
			done += (size_t)n;
	}
	buf_consume(&c->out, done);
	return r;
}

int channel_send(struct channel *c, enum frame_type type, const void *payload, size_t len)
{
	int r = frame_put(&c->out, &c->seq_out, type, payload, len);

	return r ? err_trace(r) : channel_flush(c);
}

int channel_send2(struct channel *c, enum frame_type type, const void *head, size_t head_len,
		  const void *tail, size_t tail_len)
{
	cleanup(buf_deinit) struct buf payload = BUF_NULL;

	buf_add(&payload, head, head_len);
	buf_add(&payload, tail, tail_len);
	if (payload.is_failed)
		return buf_ok(&payload);
	return channel_send(c, type, payload.data, payload.len);
}

int channel_read(struct channel *c)
{
	char chunk[READ_CHUNK];

	for (;;) {
		ssize_t n = read(c->fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return err_new(-errno, "read from the channel: %s", strerror(errno));
		/* 0: the host's end is not open (yet, or for a moment); an event will tell. */
		if (n <= 0)
			return buf_ok(&c->in);
		buf_add(&c->in, chunk, (size_t)n);
	}
}

int channel_peek(struct channel *c, struct frame *ret)
{
	return frame_peek(&c->in, c->seq_in, ret);
}

void channel_drop(struct channel *c, const struct frame *f)
{
	frame_consume(&c->in, f);
	c->seq_in++;
}

bool channel_is_full(const struct channel *c)
{
	return c->out.len > CHANNEL_OUT_LIMIT;
}
