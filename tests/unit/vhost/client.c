// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/client.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void must(bool is_fine, const char *what)
{
	if (is_fine)
		return;
	fprintf(stderr, "vhost client: %s: %s\n", what, strerror(errno));
	abort();
}

void client_adopt(struct client *c, int socket)
{
	*c = (struct client){ .socket = socket };
	c->memory_fd = memfd_create("client", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(c->memory_fd >= 0 && ftruncate(c->memory_fd, CLIENT_MEMORY_BYTES) == 0, "memory");
	c->memory.bytes = CLIENT_MEMORY_BYTES;
	c->memory.host = mmap(NULL, CLIENT_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			      c->memory_fd, 0);
	must(c->memory.host != MAP_FAILED, "mmap");
	for (unsigned i = 0; i < CLIENT_RINGS; i++)
		c->rings[i].kick_fd = c->rings[i].call_fd = c->rings[i].err_fd = -1;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	return fd;
}

void client_connect(struct client *c, const char *path)
{
	client_adopt(c, connect_to(path));
}

void client_end(struct client *c)
{
	for (unsigned i = 0; i < CLIENT_RINGS; i++) {
		fd_close(c->rings[i].kick_fd);
		fd_close(c->rings[i].call_fd);
		fd_close(c->rings[i].err_fd);
	}
	munmap(c->memory.host, CLIENT_MEMORY_BYTES);
	fd_close(c->memory_fd);
	fd_close(c->socket);
}

void client_send(struct client *c, uint32_t request, uint32_t flags, const void *payload,
		 uint32_t size, const int *fds, unsigned fd_count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 64)] = { 0 };
	struct vhost_header h = { request, flags, size };
	struct iovec iov[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)payload, size } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };

	if (fd_count) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *m = CMSG_FIRSTHDR(&mh);

		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(m), fds, sizeof(int) * fd_count);
	}
	/* A back end that has hung up already is found out by the next receive. */
	ssize_t n = sendmsg(c->socket, &mh, MSG_NOSIGNAL);

	must(n >= 0 || errno == EPIPE || errno == ECONNRESET, "sendmsg");
}

/* Exactly @len bytes; false at the end of the stream. */
static bool recv_all(struct client *c, void *to, size_t len, int *fd_ret)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };

	for (size_t have = 0; have < len;) {
		struct pollfd p = { .fd = c->socket, .events = POLLIN };
		struct iovec iov = { (char *)to + have, len - have };
		struct msghdr mh = { .msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control) };

		must(poll(&p, 1, CLIENT_TIMEOUT_MS) > 0, "no answer");
		ssize_t n = recvmsg(c->socket, &mh, MSG_CMSG_CLOEXEC);

		if (n <= 0)
			return false;
		struct cmsghdr *m = CMSG_FIRSTHDR(&mh);

		if (m && fd_ret)
			memcpy(fd_ret, CMSG_DATA(m), sizeof(int));
		have += (size_t)n;
	}
	return true;
}

bool client_recv(struct client *c, struct vhost_header *ret, void *payload, size_t max, int *fd_ret)
{
	char bytes[VHOST_MAX_PAYLOAD];
	int fd = -1;

	if (!recv_all(c, ret, sizeof(*ret), &fd))
		return false;
	must(ret->size <= sizeof(bytes), "reply too long");
	if (!recv_all(c, bytes, ret->size, &fd))
		return false;
	memcpy(payload, bytes, MIN(max, (size_t)ret->size));
	if (fd_ret)
		*fd_ret = fd;
	else
		fd_close(fd);
	return true;
}

uint64_t client_get(struct client *c, uint32_t request)
{
	struct vhost_header h;
	uint64_t value = UINT64_MAX;

	client_send(c, request, VHOST_FLAG_VERSION, NULL, 0, NULL, 0);
	must(client_recv(c, &h, &value, sizeof(value), NULL) && h.request == request &&
		     h.size == sizeof(value),
	     "reply to a get");
	return value;
}

int64_t client_ask(struct client *c, uint32_t request, const void *payload, uint32_t size,
		   const int *fds, unsigned fd_count)
{
	struct vhost_header h;
	uint64_t value = UINT64_MAX;

	client_send(c, request, VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY, payload, size, fds,
		    fd_count);
	if (!client_recv(c, &h, &value, sizeof(value), NULL))
		return CLIENT_CLOSED;
	must(h.request == request && h.size == sizeof(value), "acknowledgement");
	return (int64_t)value;
}

int64_t client_ask_u64(struct client *c, uint32_t request, uint64_t value)
{
	return client_ask(c, request, &value, sizeof(value), NULL, 0);
}

int64_t client_ask_state(struct client *c, uint32_t request, uint32_t index, uint32_t num)
{
	struct vhost_vring_state_msg m = { index, num };

	return client_ask(c, request, &m, sizeof(m), NULL, 0);
}

int64_t client_ask_fd(struct client *c, uint32_t request, unsigned index, int fd)
{
	uint64_t value = index | (fd < 0 ? VHOST_VRING_NO_FD : 0);

	return client_ask(c, request, &value, sizeof(value), &fd, fd >= 0);
}

static uint64_t user_addr(const struct client *c, gpa_t addr)
{
	return (uintptr_t)ring_host(&c->memory, addr.v);
}

int64_t client_ask_addr(struct client *c, unsigned index)
{
	const struct vq_setup *s = &c->rings[index].ring.setup;
	struct vhost_vring_addr_msg m = { .index = index,
					  .desc = user_addr(c, s->desc),
					  .used = user_addr(c, s->used),
					  .avail = user_addr(c, s->avail) };

	return client_ask(c, VHOST_SET_VRING_ADDR, &m, sizeof(m), NULL, 0);
}

int64_t client_ask_memory(struct client *c, const struct vhost_region_msg *regions, uint32_t count,
			  const int *fds, unsigned fd_count)
{
	struct vhost_table_msg m = { .count = count };
	uint32_t shown = MIN(count, (uint32_t)VHOST_TABLE_REGIONS);

	memcpy(m.regions, regions, shown * sizeof(*regions));
	return client_ask(c, VHOST_SET_MEM_TABLE, &m,
			  (uint32_t)offsetof(struct vhost_table_msg, regions) +
				  shown * (uint32_t)sizeof(*regions),
			  fds, fd_count);
}

struct vhost_region_msg client_region(const struct client *c)
{
	return (struct vhost_region_msg){ .guest_addr = RING_MEMORY_BASE,
					  .bytes = c->memory.bytes,
					  .user_addr = (uintptr_t)c->memory.host };
}

uint16_t client_stop_ring(struct client *c, unsigned index)
{
	struct vhost_vring_state_msg m = { index, 0 };
	struct vhost_header h;

	client_send(c, VHOST_GET_VRING_BASE, VHOST_FLAG_VERSION, &m, sizeof(m), NULL, 0);
	must(client_recv(c, &h, &m, sizeof(m), NULL) && h.size == sizeof(m), "vring base");
	return (uint16_t)m.num;
}

void client_negotiate(struct client *c, const struct client_setup *setup)
{
	uint64_t offered = client_get(c, VHOST_GET_FEATURES);
	uint64_t protocol = client_get(c, VHOST_GET_PROTOCOL_FEATURES);

	c->features = setup->features ? setup->features : offered;
	if (setup->protocol_features)
		protocol = setup->protocol_features;
	client_send(c, VHOST_SET_PROTOCOL_FEATURES, VHOST_FLAG_VERSION, &protocol, 8, NULL, 0);
	client_send(c, VHOST_SET_OWNER, VHOST_FLAG_VERSION, NULL, 0, NULL, 0);
	client_send(c, VHOST_SET_FEATURES, VHOST_FLAG_VERSION, &c->features, 8, NULL, 0);
}

void client_share_memory(struct client *c)
{
	struct vhost_region_msg region = client_region(c);

	must(client_ask_memory(c, &region, 1, &c->memory_fd, 1) == 0, "share memory");
}

void client_make_ring(struct client *c, unsigned index, uint16_t size)
{
	struct client_ring *r = &c->rings[index];

	ring_init(&r->ring, &c->memory, size);
	r->kick_fd = eventfd(0, EFD_CLOEXEC);
	r->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(r->kick_fd >= 0 && r->call_fd >= 0 && r->err_fd >= 0, "eventfd");
}

void client_start_ring(struct client *c, unsigned index, uint16_t base, bool is_enabled)
{
	struct client_ring *r = &c->rings[index];
	bool is_fine = true;

	is_fine &= client_ask_state(c, VHOST_SET_VRING_NUM, index, r->ring.setup.size) == 0;
	is_fine &= client_ask_state(c, VHOST_SET_VRING_BASE, index, base) == 0;
	is_fine &= client_ask_addr(c, index) == 0;
	is_fine &= client_ask_fd(c, VHOST_SET_VRING_CALL, index, r->call_fd) == 0;
	is_fine &= client_ask_fd(c, VHOST_SET_VRING_ERR, index, r->err_fd) == 0;
	is_fine &= client_ask_fd(c, VHOST_SET_VRING_KICK, index, r->kick_fd) == 0;
	if (is_enabled)
		is_fine &= client_ask_state(c, VHOST_SET_VRING_ENABLE, index, 1) == 0;
	must(is_fine, "start a ring");
}

void client_start(struct client *c, const struct client_setup *setup)
{
	c->ring_count = setup->ring_count ? setup->ring_count : 1;
	client_negotiate(c, setup);
	client_share_memory(c);
	for (unsigned i = 0; i < c->ring_count; i++) {
		client_make_ring(c, i, setup->ring_size ? setup->ring_size : 64);
		client_start_ring(c, i, 0, !setup->is_disabled);
	}
	c->mark = c->memory.used;
}

int client_get_inflight(struct client *c, uint16_t ring_size, struct vhost_inflight_msg *ret)
{
	struct vhost_inflight_msg m = { .queue_count = (uint16_t)c->ring_count,
					.queue_size = ring_size };
	struct vhost_header h;
	int fd = -1;

	client_send(c, VHOST_GET_INFLIGHT_FD, VHOST_FLAG_VERSION, &m, sizeof(m), NULL, 0);
	must(client_recv(c, &h, ret, sizeof(*ret), &fd) && fd >= 0, "in-flight memory");
	return fd;
}

int64_t client_set_inflight(struct client *c, const struct vhost_inflight_msg *m, int fd)
{
	return client_ask(c, VHOST_SET_INFLIGHT_FD, m, sizeof(*m), &fd, 1);
}

void client_reconnect(struct client *c, const char *path, const struct vhost_inflight_msg *m,
		      int inflight_fd, uint16_t base)
{
	close(c->socket);
	c->socket = connect_to(path);
	client_negotiate(c, &(struct client_setup){ .features = c->features });
	client_share_memory(c);
	must(client_set_inflight(c, m, inflight_fd) == 0, "give in-flight memory back");
	for (unsigned i = 0; i < c->ring_count; i++)
		client_start_ring(c, i, base, true);
}

struct client_request client_prepare(struct client *c, unsigned index, uint32_t type,
				     uint64_t sector, const void *data, uint32_t bytes)
{
	struct client_ring *r = &c->rings[index];
	struct virtio_blk_outhdr h = { .type = type, .sector = sector };
	struct client_request request = { .head = r->next_desc, .data_bytes = bytes };
	bool is_out = type != VIRTIO_BLK_T_IN && type != VIRTIO_BLK_T_GET_ID;

	if (c->memory.used + bytes + 4096 > c->memory.bytes)
		c->memory.used = c->mark;
	request.header = ring_place_data(&c->memory, &h, sizeof(h));
	request.data = ring_place(&c->memory, bytes, 512);
	request.status = ring_place(&c->memory, 1, 1);
	if (data)
		memcpy(ring_host(&c->memory, request.data), data, bytes);
	*(uint8_t *)ring_host(&c->memory, request.status) = 0xff;
	struct ring_buffer buffers[] = { { request.header, sizeof(h), 0 },
					 { request.data, bytes, is_out ? 0 : RING_WRITE },
					 { request.status, 1, RING_WRITE } };

	if (!bytes)
		buffers[1] = buffers[2];
	ring_chain(&r->ring, request.head, buffers, bytes ? 3 : 2);
	bool is_last = r->next_desc + 6u > r->ring.setup.size;

	r->next_desc = (uint16_t)(is_last ? 0 : r->next_desc + 3);
	return request;
}

struct client_request client_post(struct client *c, unsigned index, uint32_t type, uint64_t sector,
				  const void *data, uint32_t bytes)
{
	struct client_request request = client_prepare(c, index, type, sector, data, bytes);

	ring_offer(&c->rings[index].ring, request.head);
	return request;
}

void client_kick(struct client *c, unsigned index)
{
	uint64_t one = 1;

	must(write(c->rings[index].kick_fd, &one, sizeof(one)) == sizeof(one), "kick");
}

bool client_wait(struct client *c, unsigned index, int timeout_ms, uint32_t *head_ret,
		 uint32_t *len_ret)
{
	struct client_ring *r = &c->rings[index];
	uint64_t deadline_ns = now_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC, count;

	for (;;) {
		struct pollfd p = { .fd = r->call_fd, .events = POLLIN };

		if (ring_take(&r->ring, head_ret, len_ret))
			return true;
		ring_set_used_event(&r->ring, r->ring.taken);
		if (ring_has_used(&r->ring))
			continue;
		if (poll(&p, 1, timeout_ms_until(deadline_ns)) == 0)
			return false;
		must(read(r->call_fd, &count, sizeof(count)) == sizeof(count), "call");
	}
}

uint8_t client_status(const struct client *c, const struct client_request *r)
{
	return *(uint8_t *)ring_host(&c->memory, r->status);
}

static int run(struct client *c, unsigned index, const struct client_request *r)
{
	uint32_t head, len;

	client_kick(c, index);
	if (!client_wait(c, index, CLIENT_TIMEOUT_MS, &head, &len))
		return -1;
	must(head == r->head, "answered another request");
	return client_status(c, r);
}

int client_write(struct client *c, unsigned index, uint64_t sector, const void *data,
		 uint32_t bytes)
{
	struct client_request r = client_post(c, index, VIRTIO_BLK_T_OUT, sector, data, bytes);

	return run(c, index, &r);
}

int client_read(struct client *c, unsigned index, uint64_t sector, void *data, uint32_t bytes)
{
	struct client_request r = client_post(c, index, VIRTIO_BLK_T_IN, sector, NULL, bytes);
	int status = run(c, index, &r);

	if (status == VIRTIO_BLK_S_OK)
		memcpy(data, ring_host(&c->memory, r.data), bytes);
	return status;
}
