// SPDX-License-Identifier: GPL-2.0-only
#include "harness/console_log.h"

#include "test.h"

#include <string.h>

static void tail_is(struct console_log *log, unsigned lines, const char *expected)
{
	cleanup(buf_deinit) struct buf tail = BUF_NULL;

	console_log_tail(log, lines, &tail);
	assert_string_equal(buf_text(&tail), expected);
}

static void write_text(struct console_log *log, const char *text)
{
	console_log_write(log, text, strlen(text));
}

TEST(the_tail_is_the_last_lines)
{
	static struct console_log log;

	console_log_init(&log, -1);
	tail_is(&log, 3, "");
	write_text(&log, "one\r\ntwo\r\n");
	write_text(&log, "thr");
	write_text(&log, "ee\n\n");
	tail_is(&log, 2, "two\nthree\n");
	tail_is(&log, 9, "one\ntwo\nthree\n");
}

TEST(control_characters_do_not_reach_the_terminal)
{
	static struct console_log log;

	console_log_init(&log, -1);
	write_text(&log, "\033[2Jhello\a\n");
	tail_is(&log, 1, "[2Jhello\n");
}

TEST(a_full_ring_keeps_the_end)
{
	static struct console_log log;

	console_log_init(&log, -1);
	for (unsigned i = 0; i < CONSOLE_LOG_BYTES; i++)
		write_text(&log, "x\n");
	write_text(&log, "Kernel panic - not syncing\n");
	tail_is(&log, 2, "x\nKernel panic - not syncing\n");
	assert_true(console_log_has(&log, "Kernel panic"));
	assert_false(console_log_has(&log, "Oops"));
}

TESTS(T(the_tail_is_the_last_lines), T(control_characters_do_not_reach_the_terminal),
      T(a_full_ring_keeps_the_end))
