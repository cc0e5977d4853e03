// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/ring.h"
#include "vhost/event.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void vhost_ring_init(struct vhost_ring *ring, struct virtio_device *dev, unsigned index)
{
	*ring = (struct vhost_ring){
		.dev = dev,
		.index = index,
		.kick_fd = -1,
		.call_fd = -1,
		.err_fd = -1,
		.own_kick_fd = -1,
		.inflight = INFLIGHT_RING_NULL,
	};
}

void vhost_ring_deinit(struct vhost_ring *ring)
{
	ring->kick_fd = fd_close(ring->kick_fd);
	ring->call_fd = fd_close(ring->call_fd);
	ring->err_fd = fd_close(ring->err_fd);
}

static struct vq *vq_of(const struct vhost_ring *ring)
{
	return &ring->dev->queues[ring->index];
}

bool vhost_ring_is_running(const struct vhost_ring *ring)
{
	return vq_of(ring)->is_started;
}

bool vhost_ring_is_whole(const struct vhost_ring *ring)
{
	return ring->kick_fd >= 0 && ring->size && ring->has_address;
}

static int find_rings(const struct vhost_ring *ring, const struct vhost_mem *mem,
		      struct vq_setup *ret)
{
	const struct vhost_vring_addr_msg *a = &ring->address;
	struct vq_setup setup = { .size = ring->size };
	uint64_t size = ring->size;
	int r = vhost_mem_translate(mem, a->desc, size * sizeof(struct vring_desc), &setup.desc);

	if (r >= 0)
		r = vhost_mem_translate(mem, a->avail, 6 + 2 * size, &setup.avail);
	if (r >= 0)
		r = vhost_mem_translate(mem, a->used, 6 + 8 * size, &setup.used);
	if (r < 0)
		return err_prefix(r, "ring %u: ", ring->index);
	*ret = setup;
	return 0;
}

static int start_vq(struct vhost_ring *ring, const struct vhost_mem *mem,
		    const struct vq_setup *setup, uint16_t base)
{
	switch (vq_resume(vq_of(ring), &mem->gmem, setup, base)) {
	case 0:
		return 0;
	case VQ_BAD_SIZE:
		return err_new(-EINVAL, "ring %u: size %u", ring->index, ring->size);
	case VQ_BAD_ALIGNMENT:
		return err_new(-EINVAL, "ring %u is misaligned", ring->index);
	default:
		return err_new(-EFAULT, "ring %u is not in one memory region", ring->index);
	}
}

/* With a book the position comes from it: after a crash the front end cannot know it. What was
 * taken is what was answered and what is in flight. */
static int open_book(struct vhost_ring *ring, const struct inflight *inflight, uint16_t *base)
{
	struct vq *vq = vq_of(ring);
	uint16_t room = 0;
	struct inflight_region *region =
		inflight_region_of(inflight, ring->index, ring->size, &room);

	vq->book = NULL;
	ring->region = NULL;
	if (!region)
		return 0;
	int r = inflight_ring_start(&ring->inflight, region, room, (uint16_t)ring->size,
				    vq->used_shown);
	if (r < 0)
		return err_trace(r);
	if (r != INFLIGHT_FRESH)
		*base = (uint16_t)(vq->used_shown + ring->inflight.book.redo_count);
	vq->book = &ring->inflight.book;
	ring->region = region;
	return 0;
}

static void close_book(struct vhost_ring *ring)
{
	vq_of(ring)->book = NULL;
	inflight_ring_deinit(&ring->inflight);
}

/* The worker waits on vq->kick_fd, and goes on doing so for a while after the queue has stopped: the
 * number always stays an open eventfd, the front end's while the ring runs, the device's own
 * otherwise. */
static int lend_kick(struct vhost_ring *ring)
{
	struct vq *vq = vq_of(ring);

	if (vq->kick_fd < 0)
		return 0;
	ring->own_kick_fd = fcntl(vq->kick_fd, F_DUPFD_CLOEXEC, 0);
	if (ring->own_kick_fd < 0 || dup3(ring->kick_fd, vq->kick_fd, O_CLOEXEC) < 0)
		return err_new(-errno, "ring %u: kick descriptor: %s", ring->index,
			       strerror(errno));
	return 0;
}

static void give_kick_back(struct vhost_ring *ring)
{
	if (ring->own_kick_fd >= 0)
		dup3(ring->own_kick_fd, vq_of(ring)->kick_fd, O_CLOEXEC);
	ring->own_kick_fd = fd_close(ring->own_kick_fd);
}

int vhost_ring_run(struct vhost_ring *ring, const struct vhost_mem *mem,
		   const struct inflight *inflight, const _Atomic bool *is_cut_off)
{
	struct virtio_device *dev = ring->dev;
	struct vq *vq = vq_of(ring);
	struct vq_setup setup;
	uint16_t base = ring->base;
	int r = find_rings(ring, mem, &setup);

	if (r >= 0)
		r = start_vq(ring, mem, &setup, base);
	if (r >= 0)
		r = open_book(ring, inflight, &base);
	if (r >= 0 && base != ring->base)
		r = start_vq(ring, mem, &setup, base);
	if (r >= 0)
		r = lend_kick(ring);
	if (r < 0) {
		vq_stop(vq);
		close_book(ring);
		ring->own_kick_fd = fd_close(ring->own_kick_fd);
		return err_trace(r);
	}
	vq->is_cut_off = is_cut_off;
	ring->is_call_socket = vhost_event_is_socket(ring->call_fd);
	ring->is_err_socket = vhost_event_is_socket(ring->err_fd);
	virtio_queue_go_live(dev, ring->index);
	return 0;
}

/* Descriptors come to us non-blocking, but the front end can change that behind our back and fill
 * the counter, and then a worker sits in write(). Emptying the counter lets it go; nothing is
 * written after. */
static void unblock(struct vhost_ring *ring)
{
	const int fds[] = { ring->call_fd, ring->err_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] < 0 || vhost_event_is_socket(fds[i]) || !vhost_event_can_block(fds[i]))
			continue;
		atomic_store(&ring->is_muted, true);
		vhost_event_drain(fds[i]);
	}
}

void vhost_ring_park(struct vhost_ring *ring, enum virtio_stop how)
{
	struct vq *vq = vq_of(ring);

	if (!vhost_ring_is_running(ring))
		return;
	unblock(ring);
	ring->base = virtio_queue_end(ring->dev, ring->index, how);
	give_kick_back(ring);
	/* A predecessor's request that was put back is nowhere else than in the book. */
	if (ring->inflight.book.redo_next < ring->inflight.book.redo_count)
		ring->region = NULL;
	vq->is_cut_off = NULL;
	close_book(ring);
}

void vhost_ring_stop(struct vhost_ring *ring)
{
	if (ring->region)
		inflight_forget(ring->region);
	ring->region = NULL;
	ring->kick_fd = fd_close(ring->kick_fd);
	ring->call_fd = fd_close(ring->call_fd);
}

/* The descriptor came from vhost_event_fd(), non-blocking, so a full counter, which is a pending
 * event as well, is no reason to wait. A worker that the front end tricks into waiting is freed by
 * unblock(); a device without workers is served by the session's own thread, which nobody could
 * free. */
static void signal_fd(const struct vhost_ring *ring, int fd, bool is_fd_socket)
{
	bool has_worker = ring->own_kick_fd >= 0;
	uint64_t one = 1;
	ssize_t n;

	if (fd < 0 || atomic_load_explicit(&ring->is_muted, memory_order_relaxed))
		return;
	if (is_fd_socket)
		n = send(fd, &one, sizeof(one), MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (has_worker || !vhost_event_can_block(fd))
		n = write(fd, &one, sizeof(one));
	(void)n;
}

void vhost_ring_call(struct vhost_ring *ring)
{
	signal_fd(ring, ring->call_fd, ring->is_call_socket);
}

void vhost_ring_err(struct vhost_ring *ring)
{
	signal_fd(ring, ring->err_fd, ring->is_err_socket);
}
