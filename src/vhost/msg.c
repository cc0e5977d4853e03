// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/msg.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

void vhost_msg_init(struct vhost_msg *msg)
{
	memset(&msg->header, 0, sizeof(msg->header));
	msg->have = 0;
	msg->fd_count = 0;
	for (unsigned i = 0; i < VHOST_MAX_FDS; i++)
		msg->fds[i] = -1;
}

void vhost_msg_reset(struct vhost_msg *msg)
{
	for (unsigned i = 0; i < msg->fd_count; i++)
		fd_close(msg->fds[i]);
	vhost_msg_init(msg);
}

int vhost_msg_take_fd(struct vhost_msg *msg, unsigned index)
{
	return index < msg->fd_count ? steal_fd(&msg->fds[index]) : -1;
}

/* The kernel has installed these descriptors already: the ones beyond our room must be closed too.
 */
static void keep_fds(struct vhost_msg *msg, const struct cmsghdr *cmsg, bool *is_over)
{
	size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
		if (msg->fd_count < VHOST_MAX_FDS) {
			msg->fds[msg->fd_count++] = fd;
		} else {
			fd_close(fd);
			*is_over = true;
		}
	}
}

/* One recvmsg() of at most @len bytes to @to. Returns the bytes, 0 for end of stream. */
static ssize_t recv_piece(struct vhost_msg *msg, int socket, void *to, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VHOST_MAX_FDS)];
	} control;
	struct iovec iov = { .iov_base = to, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(socket, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	bool is_over = mh.msg_flags & MSG_CTRUNC;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			keep_fds(msg, c, &is_over);
	if (is_over)
		return err_new(-EPROTO, "more than %d descriptors with one message", VHOST_MAX_FDS);
	return n;
}

static int check_header(const struct vhost_header *h)
{
	if ((h->flags & VHOST_FLAG_VERSION_MASK) != VHOST_FLAG_VERSION)
		return err_new(-EPROTO, "message version %u, expected 1",
			       h->flags & VHOST_FLAG_VERSION_MASK);
	if (h->flags & VHOST_FLAG_REPLY)
		return err_new(-EPROTO, "request %u carries the reply flag", h->request);
	if (h->size > VHOST_MAX_PAYLOAD)
		return err_new(-EPROTO, "request %u with a payload of %u bytes, at most %d",
			       h->request, h->size, VHOST_MAX_PAYLOAD);
	return 0;
}

/* Where the next bytes go, and how many of them belong to this message; 0 when it is whole. */
static size_t next_piece(struct vhost_msg *msg, void **to_ret)
{
	const size_t head = sizeof(msg->header);

	if (msg->have < head) {
		*to_ret = (char *)&msg->header + msg->have;
		return head - msg->have;
	}
	*to_ret = msg->payload + (msg->have - head);
	return head + msg->header.size - msg->have;
}

int vhost_msg_recv(struct vhost_msg *msg, int socket)
{
	for (;;) {
		void *to;
		size_t len = next_piece(msg, &to);

		if (!len)
			return 0;
		ssize_t n = recv_piece(msg, socket, to, len);

		if (n == -EAGAIN)
			return VHOST_RECV_AGAIN;
		if (n == 0 || n == -ECONNRESET)
			return VHOST_RECV_CLOSED;
		if (n < 0)
			return err_trace((int)n);
		msg->have += (size_t)n;
		if (msg->have == sizeof(msg->header)) {
			int r = check_header(&msg->header);

			if (r < 0)
				return err_trace(r);
		}
	}
}

static void attach_fd(struct msghdr *mh, void *control, size_t room, int fd)
{
	mh->msg_control = control;
	mh->msg_controllen = room;
	struct cmsghdr *c = CMSG_FIRSTHDR(mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

int vhost_reply_send(int socket, uint32_t request, const void *payload, uint32_t size, int fd)
{
	struct {
		struct vhost_header header;
		uint8_t payload[sizeof(struct vhost_config_msg)];
	} out = { .header = { request, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY, size } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };

	if (size > sizeof(out.payload))
		return err_new(-EMSGSIZE, "reply of %u bytes", size);
	memcpy(out.payload, payload, size);
	struct iovec iov = { .iov_base = &out, .iov_len = sizeof(out.header) + size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0)
		attach_fd(&mh, &control, sizeof(control), fd);
	do
		n = sendmsg(socket, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_new(-errno, "answer to request %u: %s", request, strerror(errno));
	if ((size_t)n != iov.iov_len)
		return err_new(-EAGAIN, "answer to request %u: the front end does not read",
			       request);
	return 0;
}
