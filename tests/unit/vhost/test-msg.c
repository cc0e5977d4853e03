// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/msg.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
	int ours; /* the receiver's end */
	int peer;
};

static struct pair pair_open(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

static void pair_close(struct pair *p)
{
	close(p->ours);
	if (p->peer >= 0)
		close(p->peer);
}

/* Send bytes with @fd_count copies of standard input's descriptor. */
static void send_with_fds(int socket, const void *bytes, size_t len, unsigned fd_count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 32)] = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	if (fd_count) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		for (unsigned i = 0; i < fd_count; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &pipe_fds[1], sizeof(int));
	}
	assert_int_equal(sendmsg(socket, &mh, 0), len);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static unsigned open_fd_count(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static const struct {
	struct vhost_header header;
	uint64_t value;
} set_features = { { VHOST_SET_FEATURES, VHOST_FLAG_VERSION, 8 }, 0x123456789abcdef0 };

enum { MESSAGE_BYTES = 20 };

TEST(a_message_comes_in_any_pieces)
{
	const char *bytes = (const char *)&set_features.header;
	uint64_t value = set_features.value;
	char whole[MESSAGE_BYTES];

	memcpy(whole, bytes, 12);
	memcpy(whole + 12, &value, 8);
	for (size_t cut = 1; cut < MESSAGE_BYTES; cut++) {
		struct pair p = pair_open();
		struct vhost_msg msg;

		vhost_msg_init(&msg);
		assert_int_equal(vhost_msg_recv(&msg, p.ours), VHOST_RECV_AGAIN);
		send_with_fds(p.peer, whole, cut, 0);
		assert_int_equal(vhost_msg_recv(&msg, p.ours), VHOST_RECV_AGAIN);
		send_with_fds(p.peer, whole + cut, MESSAGE_BYTES - cut, 0);
		assert_int_equal(vhost_msg_recv(&msg, p.ours), 0);
		assert_int_equal(msg.header.request, VHOST_SET_FEATURES);
		assert_int_equal(le64_get(msg.payload), value);
		pair_close(&p);
	}
}

TEST(messages_that_come_together_are_taken_one_by_one_with_their_own_descriptors)
{
	struct vhost_header h[2] = { { 3, 1, 0 }, { 12, 1, 0 } };
	struct pair p = pair_open();
	struct vhost_msg msg;

	vhost_msg_init(&msg);
	send_with_fds(p.peer, &h[0], sizeof(h[0]), 0);
	send_with_fds(p.peer, &h[1], sizeof(h[1]), 2);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), 0);
	assert_int_equal(msg.header.request, 3);
	assert_int_equal(msg.fd_count, 0);
	vhost_msg_reset(&msg);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), 0);
	assert_int_equal(msg.header.request, 12);
	assert_int_equal(msg.fd_count, 2);
	vhost_msg_reset(&msg);
	pair_close(&p);
}

TEST(descriptors_nobody_took_are_closed_and_taken_ones_are_not)
{
	struct vhost_header h = { 5, 1, 0 };
	struct pair p = pair_open();
	struct vhost_msg msg;
	unsigned before = open_fd_count();

	vhost_msg_init(&msg);
	send_with_fds(p.peer, &h, sizeof(h), 3);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), 0);
	assert_int_equal(open_fd_count(), before + 3);
	int taken = vhost_msg_take_fd(&msg, 1);

	assert_int_equal(vhost_msg_take_fd(&msg, 3), -1);
	vhost_msg_reset(&msg);
	assert_int_equal(open_fd_count(), before + 1);
	assert_int_equal(close(taken), 0);
	pair_close(&p);
}

TEST(too_many_descriptors_end_the_stream_and_none_stays_open)
{
	struct vhost_header h = { 5, 1, 4 };
	unsigned before = open_fd_count();
	struct pair p = pair_open();
	struct vhost_msg msg;

	vhost_msg_init(&msg);
	send_with_fds(p.peer, &h, sizeof(h), 9);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), -EPROTO);
	vhost_msg_reset(&msg);
	send_with_fds(p.peer, &h, 6, 5);
	send_with_fds(p.peer, (char *)&h + 6, 6, 5);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), -EPROTO);
	vhost_msg_reset(&msg);
	pair_close(&p);
	assert_int_equal(open_fd_count(), before);
}

TEST(a_header_that_cannot_be_followed_ends_the_stream)
{
	static const struct vhost_header bad[] = {
		{ 1, 0, 0 },				     /* version 0 */
		{ 1, 2, 0 },				     /* version 2 */
		{ 1, 1 | VHOST_FLAG_REPLY, 0 },		     /* a reply nobody asked for */
		{ 1, 1, VHOST_MAX_PAYLOAD + 1 },	     /* too long */
		{ 1, 1, UINT32_MAX },			     /* absurd */
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX - 12 }, /* wraps with the header */
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pair p = pair_open();
		struct vhost_msg msg;

		vhost_msg_init(&msg);
		send_with_fds(p.peer, &bad[i], sizeof(bad[i]), 1);
		assert_int_equal(vhost_msg_recv(&msg, p.ours), -EPROTO);
		vhost_msg_reset(&msg);
		pair_close(&p);
	}
}

TEST(the_longest_payload_is_taken_and_skipped_whole)
{
	static char bytes[VHOST_MAX_PAYLOAD];
	struct vhost_header h = { 999, 1, VHOST_MAX_PAYLOAD };
	struct pair p = pair_open();
	struct vhost_msg msg;

	vhost_msg_init(&msg);
	send_with_fds(p.peer, &h, sizeof(h), 0);
	send_with_fds(p.peer, bytes, sizeof(bytes), 0);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), 0);
	vhost_msg_reset(&msg);
	assert_int_equal(vhost_msg_recv(&msg, p.ours), VHOST_RECV_AGAIN);
	pair_close(&p);
}

TEST(a_peer_that_leaves_is_seen_even_inside_a_message)
{
	struct pair p = pair_open();
	struct vhost_msg msg;

	vhost_msg_init(&msg);
	send_with_fds(p.peer, "\1\0\0\0\1", 5, 1);
	close(p.peer);
	p.peer = -1;
	assert_int_equal(vhost_msg_recv(&msg, p.ours), VHOST_RECV_CLOSED);
	vhost_msg_reset(&msg);
	pair_close(&p);
}

TEST(a_reply_has_the_flag_the_payload_and_the_descriptor)
{
	struct pair p = pair_open();
	uint64_t value = 77;
	char got[64];
	struct vhost_header h;

	assert_int_equal(vhost_reply_send(p.ours, 15, &value, sizeof(value), -1), 0);
	assert_int_equal(recv(p.peer, got, sizeof(got), 0), 20);
	memcpy(&h, got, sizeof(h));
	assert_int_equal(h.request, 15);
	assert_int_equal(h.flags, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY);
	assert_int_equal(h.size, 8);
	assert_int_equal(le64_get(got + 12), 77);
	pair_close(&p);
}

TEST(a_peer_that_never_reads_its_replies_is_an_error_and_no_hang)
{
	struct pair p = pair_open();
	uint64_t value = 0;
	int r = 0;

	for (int i = 0; i < 100000 && r == 0; i++)
		r = vhost_reply_send(p.ours, 1, &value, sizeof(value), -1);
	assert_int_equal(r, -EAGAIN);
	pair_close(&p);
}

TESTS(T(a_message_comes_in_any_pieces),
      T(messages_that_come_together_are_taken_one_by_one_with_their_own_descriptors),
      T(descriptors_nobody_took_are_closed_and_taken_ones_are_not),
      T(too_many_descriptors_end_the_stream_and_none_stays_open),
      T(a_header_that_cannot_be_followed_ends_the_stream),
      T(the_longest_payload_is_taken_and_skipped_whole),
      T(a_peer_that_leaves_is_seen_even_inside_a_message),
      T(a_reply_has_the_flag_the_payload_and_the_descriptor),
      T(a_peer_that_never_reads_its_replies_is_an_error_and_no_hang))
