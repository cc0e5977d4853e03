// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/session.h"
#include "vhost/event.h"
#include "vhost/request.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_config.h>

/* Tags of the epoll set beside ring numbers. */
enum { TAG_SOCKET = VHOST_MAX_QUEUES, TAG_GUARD };

static void used_interrupt(void *ctx, unsigned q)
{
	struct vhost_session *s = ctx;

	vhost_ring_call(&s->rings[q]);
}

/* Without a channel back, the front end asks for the configuration when it wants it. One that does
 * not read, or makes the channel block, does not hear. */
static void config_interrupt(void *ctx)
{
	struct vhost_session *s = ctx;
	struct vhost_header h = { VHOST_BACKEND_CONFIG_CHANGE, VHOST_FLAG_VERSION, 0 };

	if (s->backend_req_fd < 0)
		return;
	ssize_t n = send(s->backend_req_fd, &h, sizeof(h), MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)n;
}

static void broken(void *ctx, unsigned q, enum vq_breakage reason)
{
	struct vhost_session *s = ctx;

	atomic_fetch_or(&s->status, VIRTIO_CONFIG_S_NEEDS_RESET);
	vhost_ring_err(&s->rings[q]);
}

static const struct virtio_transport_ops transport_ops = {
	.used_interrupt = used_interrupt,
	.config_interrupt = config_interrupt,
	.broken = broken,
};

static int watch(struct vhost_session *s, int fd, unsigned tag, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u32 = tag };

	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_new(-errno, "watch a descriptor: %s", strerror(errno));
	return 0;
}

static bool is_enabled(const struct vhost_session *s, const struct vhost_ring *ring)
{
	return ring->is_enabled || !(s->features >> VHOST_F_PROTOCOL_FEATURES & 1);
}

/* A device whose queues have no thread of their own is kicked from here. */
static int ring_run(struct vhost_session *s, struct vhost_ring *ring)
{
	if (!s->is_driver_ok && s->dev->ops->driver_ok)
		s->dev->ops->driver_ok(s->dev);
	s->is_driver_ok = true;
	int r = vhost_ring_run(ring, s->mem, &s->inflight, &s->guard.is_broken);

	if (r >= 0 && s->dev->queues[ring->index].kick_fd < 0)
		r = watch(s, ring->kick_fd, ring->index, EPOLLIN);
	if (r < 0) {
		vhost_session_park(s, ring->index);
		return err_trace(r);
	}
	return 0;
}

int vhost_session_resume(struct vhost_session *s)
{
	for (unsigned q = 0; q < s->dev->queue_count; q++) {
		struct vhost_ring *ring = &s->rings[q];

		if (vhost_ring_is_running(ring) || !vhost_ring_is_whole(ring) ||
		    !is_enabled(s, ring))
			continue;
		int r = ring_run(s, ring);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

void vhost_session_park(struct vhost_session *s, unsigned q)
{
	struct vhost_ring *ring = &s->rings[q];
	bool is_cut_off = guard_is_broken(&s->guard);

	if (ring->kick_fd >= 0)
		epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, ring->kick_fd, NULL);
	vhost_ring_park(ring, is_cut_off ? VIRTIO_STOP_DISCARD : VIRTIO_STOP_DRAIN);
}

void vhost_session_park_all(struct vhost_session *s)
{
	for (unsigned q = 0; q < s->dev->queue_count; q++)
		vhost_session_park(s, q);
}

void vhost_session_reset(struct vhost_session *s)
{
	vhost_session_park_all(s);
	for (unsigned q = 0; q < s->dev->queue_count; q++) {
		s->rings[q].is_enabled = false;
		vhost_ring_stop(&s->rings[q]);
	}
	s->dev->ops->reset(s->dev);
	s->dev->negotiated = 0;
	s->features &= UINT64_C(1) << VHOST_F_PROTOCOL_FEATURES;
	s->is_driver_ok = false;
	atomic_store(&s->status, 0);
}

static int session_open(struct vhost_session *s)
{
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->guard_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll_fd < 0 || s->guard_fd < 0)
		return err_new(-errno, "descriptors of a connection: %s", strerror(errno));
	s->guard.event_fd = s->guard_fd;
	int r = watch(s, s->socket, TAG_SOCKET, EPOLLIN);

	if (r >= 0)
		r = watch(s, s->guard_fd, TAG_GUARD, EPOLLIN);
	return r < 0 ? err_trace(r) : 0;
}

static void freep_session(struct vhost_session **s)
{
	*s = vhost_session_free(*s);
}

int vhost_session_new(struct virtio_device *dev, int socket, const struct vhost_report *report,
		      struct vhost_session **ret)
{
	cleanup(freep_session) struct vhost_session *s = calloc(1, sizeof(*s));
	cleanup(fd_closep) int own_socket = socket;

	if (!s)
		return err_new(-ENOMEM, "a connection");
	s->socket = s->epoll_fd = s->guard_fd = s->backend_req_fd = -1;
	s->guard.event_fd = -1;
	s->inflight.guard = &s->guard;
	s->report = *report;
	vhost_msg_init(&s->msg);
	s->mem = calloc(1, sizeof(*s->mem));
	s->rings = calloc(dev->queue_count, sizeof(*s->rings));
	if (!s->mem || !s->rings)
		return err_new(-ENOMEM, "a connection");
	vhost_mem_init(s->mem, &s->guard);
	s->dev = dev;
	for (unsigned q = 0; q < dev->queue_count; q++)
		vhost_ring_init(&s->rings[q], dev, q);
	s->socket = steal_fd(&own_socket);
	int r = session_open(s);

	if (r < 0)
		return err_trace(r);
	virtio_device_attach(dev, &s->mem->gmem, &transport_ops, s);
	*ret = steal_ptr(&s);
	return 0;
}

struct vhost_session *vhost_session_free(struct vhost_session *s)
{
	if (!s)
		return NULL;
	if (s->dev) {
		/* What is in flight outlives this connection. */
		vhost_session_park_all(s);
		for (unsigned q = 0; q < s->dev->queue_count; q++)
			s->rings[q].region = NULL;
		vhost_session_reset(s);
		for (unsigned q = 0; q < s->dev->queue_count; q++)
			vhost_ring_deinit(&s->rings[q]);
	}
	if (s->mem)
		vhost_mem_deinit(s->mem);
	inflight_unmap(&s->inflight);
	vhost_msg_reset(&s->msg);
	fd_close(s->socket);
	fd_close(s->epoll_fd);
	fd_close(s->guard_fd);
	fd_close(s->backend_req_fd);
	free(s->mem);
	free(s->rings);
	free(s);
	return NULL;
}

int vhost_session_fd(const struct vhost_session *s)
{
	return s->epoll_fd;
}

static int serve_socket(struct vhost_session *s)
{
	int r = vhost_msg_recv(&s->msg, s->socket);

	if (r == VHOST_RECV_AGAIN)
		return 0;
	if (r == VHOST_RECV_CLOSED)
		return VHOST_SESSION_ENDED;
	if (r >= 0)
		r = vhost_request_serve(s, &s->msg);
	vhost_msg_reset(&s->msg);
	return r < 0 ? err_trace(r) : 0;
}

static void serve_kick(struct vhost_session *s, unsigned q)
{
	vhost_event_drain(s->rings[q].kick_fd);
	if (virtio_queue_accept_kick(s->dev, q))
		s->dev->ops->notify(s->dev, q);
}

int vhost_session_serve(struct vhost_session *s)
{
	struct epoll_event events[8];
	int count = epoll_wait(s->epoll_fd, events, ARRAY_SIZE(events), 0);

	if (guard_is_broken(&s->guard))
		return err_new(-EPROTO, "the front end's memory has shrunk");
	for (int i = 0; i < count; i++) {
		unsigned tag = events[i].data.u32;
		int r = 0;

		if (tag == TAG_SOCKET)
			r = serve_socket(s);
		else if (tag < s->dev->queue_count)
			serve_kick(s, tag);
		if (r)
			return r < 0 ? err_trace(r) : r;
	}
	return 0;
}
