// SPDX-License-Identifier: GPL-2.0-only
#include "harness/console_log.h"

#include "base/util.h"

#include <string.h>

void console_log_init(struct console_log *log, int echo_fd)
{
	pthread_mutex_init(&log->lock, NULL);
	log->written = 0;
	log->echo_fd = echo_fd;
}

void console_log_write(void *ctx, const char *bytes, size_t n)
{
	struct console_log *log = ctx;
	int lost = 0;

	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < n; i++)
		log->ring[log->written++ % CONSOLE_LOG_BYTES] = bytes[i];
	pthread_mutex_unlock(&log->lock);
	/* An echo that cannot be written is no reason to end a guest. */
	if (log->echo_fd >= 0)
		lost = write_all(log->echo_fd, bytes, n);
	(void)lost;
}

static bool is_text(char c)
{
	return c == '\n' || c == '\t' || (unsigned char)c >= ' ';
}

/* Append what the ring holds, in order and readable. */
static void copy_text(struct console_log *log, struct buf *ret)
{
	size_t first;

	pthread_mutex_lock(&log->lock);
	first = log->written > CONSOLE_LOG_BYTES ? log->written - CONSOLE_LOG_BYTES : 0;
	for (size_t i = first; i < log->written; i++) {
		char c = log->ring[i % CONSOLE_LOG_BYTES];

		if (is_text(c))
			buf_add(ret, &c, 1);
	}
	pthread_mutex_unlock(&log->lock);
}

void console_log_tail(struct console_log *log, unsigned lines, struct buf *ret)
{
	cleanup(buf_deinit) struct buf all = BUF_NULL;
	const char *text;
	size_t start;

	copy_text(log, &all);
	text = buf_text(&all);
	while (all.len && text[all.len - 1] == '\n')
		all.len--;
	for (start = all.len; start > 0; start--) {
		if (text[start - 1] == '\n' && --lines == 0)
			break;
	}
	if (start == all.len)
		return;
	buf_add(ret, text + start, all.len - start);
	buf_str(ret, "\n");
}

bool console_log_has(struct console_log *log, const char *text)
{
	cleanup(buf_deinit) struct buf all = BUF_NULL;

	copy_text(log, &all);
	return strstr(buf_text(&all), text) != NULL;
}
