// SPDX-License-Identifier: GPL-2.0-only
#include "guest/channel.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_pair(struct channel *a, struct channel *b)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	*a = CHANNEL_NULL;
	*b = CHANNEL_NULL;
	a->fd = fds[0];
	b->fd = fds[1];
}

TEST(what_one_end_sends_the_other_sees_in_order)
{
	cleanup(channel_deinit) struct channel a, b;
	struct frame f;

	open_pair(&a, &b);
	assert_int_equal(channel_send(&a, FRAME_STDOUT, "one", 3), 0);
	assert_int_equal(channel_send2(&a, FRAME_FAILED, "head", 4, "tail", 4), 0);
	assert_int_equal(channel_read(&b), 0);
	assert_int_equal(channel_peek(&b, &f), 0);
	assert_int_equal(f.type, FRAME_STDOUT);
	channel_drop(&b, &f);
	assert_int_equal(channel_peek(&b, &f), 0);
	assert_int_equal(f.len, 8);
	assert_memory_equal(f.payload, "headtail", 8);
	channel_drop(&b, &f);
	assert_int_equal(channel_peek(&b, &f), FRAME_MORE);
}

TEST(what_the_descriptor_does_not_take_waits)
{
	cleanup(channel_deinit) struct channel a, b;
	static char block[512 * 1024];
	struct frame f;
	unsigned got = 0;

	open_pair(&a, &b);
	for (int i = 0; i < 10; i++)
		assert_int_equal(channel_send(&a, FRAME_STDOUT, block, sizeof(block)), 0);
	assert_true(channel_is_full(&a));
	while (got < 10) {
		assert_int_equal(channel_read(&b), 0);
		for (; channel_peek(&b, &f) == 0; got++)
			channel_drop(&b, &f);
		assert_int_equal(channel_flush(&a), 0);
	}
	assert_false(channel_is_full(&a));
	assert_int_equal(a.out.len, 0);
}

TEST(a_broken_stream_is_an_error)
{
	cleanup(channel_deinit) struct channel a, b;
	struct frame f;

	open_pair(&a, &b);
	assert_int_equal(write(a.fd, "this is no frame", 16), 16);
	assert_int_equal(channel_read(&b), 0);
	assert_int_equal(channel_peek(&b, &f), -EPROTO);
}

TEST(a_channel_that_cannot_be_written_is_lost)
{
	cleanup(channel_deinit) struct channel c = CHANNEL_NULL;

	c.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(channel_send(&c, FRAME_STOP, "", 0), -ENOSPC);
}

TESTS(T(what_one_end_sends_the_other_sees_in_order), T(what_the_descriptor_does_not_take_waits),
      T(a_broken_stream_is_an_error), T(a_channel_that_cannot_be_written_is_lost))
