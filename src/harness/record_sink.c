// SPDX-License-Identifier: GPL-2.0-only
#include "harness/record_sink.h"

#include "base/util.h"
#include "harness/store.h"

#include <errno.h>
#include <string.h>

enum { LINE_BYTES_MAX = 256 * 1024 * 1024 };

/* Keep the first @len bytes of what came, which end with a newline. */
static int keep_line(struct record_sink *s, size_t len)
{
	int r = 0;

	if (s->file_fd >= 0)
		r = write_all(s->file_fd, s->partial.data, len);
	if (r < 0)
		return err_new(r, "record: %s", strerror(-r));
	s->partial.data[len - 1] = '\0';
	if (s->store)
		r = store_add_record(s->store, s->run, s->partial.data);
	buf_consume(&s->partial, len);
	s->count++;
	return r;
}

int record_sink_take(void *sink, const void *bytes, size_t len)
{
	struct record_sink *s = sink;
	size_t looked_at = s->partial.len;
	const char *newline;
	int r;

	buf_add(&s->partial, bytes, len);
	r = buf_ok(&s->partial);
	while (r == 0 && s->partial.len > looked_at &&
	       (newline = memchr(s->partial.data + looked_at, '\n', s->partial.len - looked_at))) {
		r = keep_line(s, (size_t)(newline - s->partial.data) + 1);
		looked_at = 0;
	}
	if (r == 0 && s->partial.len > LINE_BYTES_MAX)
		r = err_new(-EFBIG, "a record of more than %d bytes", LINE_BYTES_MAX);
	return r;
}

void record_sink_deinit(struct record_sink *s)
{
	buf_deinit(&s->partial);
	fd_close(s->file_fd);
	*s = RECORD_SINK_NULL;
}
