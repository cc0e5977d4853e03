// SPDX-License-Identifier: GPL-2.0-only
/* Requests about rings: where they are, their descriptors, whether they run, and the memory that
 * remembers what is in flight on them. */
#include "vhost/event.h"
#include "vhost/request.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int find_ring(struct vhost_session *s, uint64_t index, struct vhost_ring **ret)
{
	if (index >= s->dev->queue_count)
		return err_new(-EINVAL, "ring %" PRIu64 " of %u", index, s->dev->queue_count);
	*ret = &s->rings[index];
	return 0;
}

static int ring_state(struct vhost_session *s, const struct vhost_msg *msg, uint32_t *num_ret,
		      struct vhost_ring **ret)
{
	struct vhost_vring_state_msg m;

	memcpy(&m, msg->payload, sizeof(m));
	*num_ret = m.num;
	return find_ring(s, m.index, ret);
}

int vhost_set_vring_num(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	uint32_t num;
	int r = ring_state(s, msg, &num, &ring);

	if (r < 0)
		return err_trace(r);
	if (!is_power_of_two(num) || num > s->dev->queues[ring->index].size_max)
		return err_new(-EINVAL, "ring %u: size %u, at most %u", ring->index, num,
			       s->dev->queues[ring->index].size_max);
	if (vhost_ring_is_running(ring) && num != ring->size)
		return err_new(-EBUSY, "ring %u: size changed while it runs", ring->index);
	ring->size = num;
	return vhost_session_resume(s);
}

int vhost_set_vring_addr(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_vring_addr_msg m;
	struct vhost_ring *ring;
	gpa_t unused;

	memcpy(&m, msg->payload, sizeof(m));
	int r = find_ring(s, m.index, &ring);

	if (r < 0)
		return err_trace(r);
	if (m.flags)
		return err_new(-EINVAL, "ring %u: logging was not offered", m.index);
	if (s->mem->count) {
		r = vhost_mem_translate(s->mem, m.desc, 1, &unused);
		if (r >= 0)
			r = vhost_mem_translate(s->mem, m.avail, 1, &unused);
		if (r >= 0)
			r = vhost_mem_translate(s->mem, m.used, 1, &unused);
		if (r < 0)
			return err_trace(r);
	}
	struct vhost_vring_addr_msg before = ring->address;
	bool had_address = ring->has_address;

	vhost_session_park(s, ring->index);
	ring->address = m;
	ring->has_address = true;
	r = vhost_session_resume(s);
	if (r < 0) {
		ring->address = before;
		ring->has_address = had_address;
		return err_trace(r);
	}
	return 0;
}

int vhost_set_vring_base(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	uint32_t num;
	int r = ring_state(s, msg, &num, &ring);

	if (r < 0)
		return err_trace(r);
	if (num > UINT16_MAX)
		return err_new(-EINVAL, "ring %u: base %u", ring->index, num);
	if (vhost_ring_is_running(ring))
		return err_new(-EBUSY, "ring %u: base changed while it runs", ring->index);
	ring->base = (uint16_t)num;
	return 0;
}

int vhost_get_vring_base(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	uint32_t num;
	int r = ring_state(s, msg, &num, &ring);

	if (r < 0)
		return err_trace(r);
	vhost_session_park(s, ring->index);
	vhost_ring_stop(ring);
	reply->state = (struct vhost_vring_state_msg){ ring->index, ring->base };
	return vhost_reply_with(reply, &reply->state, sizeof(reply->state));
}

/* The descriptor of a kick, call or err message, ready to use, or -1 if the front end has none. The
 * caller owns it. */
static int vring_fd(struct vhost_session *s, struct vhost_msg *msg, enum vhost_event_use use,
		    struct vhost_ring **ring_ret, int *fd_ret)
{
	uint64_t value = le64_get(msg->payload);
	bool has_none = value & VHOST_VRING_NO_FD;
	int r = find_ring(s, value & VHOST_VRING_INDEX_MASK, ring_ret);

	if (r < 0)
		return err_trace(r);
	if (value & ~(uint64_t)(VHOST_VRING_INDEX_MASK | VHOST_VRING_NO_FD))
		return err_new(-EINVAL, "ring descriptor with flags 0x%" PRIx64, value);
	if (msg->fd_count != (has_none ? 0 : 1))
		return err_new(-EINVAL, "ring descriptor message with %u descriptors",
			       msg->fd_count);
	int fd = has_none ? -1 : vhost_event_fd(msg->fds[0], use);

	if (!has_none && fd < 0)
		return err_prefix(fd, "ring %u: ", (*ring_ret)->index);
	*fd_ret = fd;
	return 0;
}

/* Put @fd in the place of the ring's descriptor @where while the ring is parked. */
static int replace_fd(struct vhost_session *s, struct vhost_ring *ring, int *where, int fd)
{
	vhost_session_park(s, ring->index);
	fd_close(*where);
	*where = fd;
	return vhost_session_resume(s);
}

int vhost_set_vring_kick(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	int fd;
	int r = vring_fd(s, msg, VHOST_EVENT_WAIT, &ring, &fd);

	if (r < 0)
		return err_trace(r);
	if (fd < 0)
		return err_new(-EOPNOTSUPP, "ring %u without a kick descriptor: no polling",
			       ring->index);
	r = replace_fd(s, ring, &ring->kick_fd, fd);
	if (r < 0) {
		ring->kick_fd = fd_close(ring->kick_fd);
		return err_trace(r);
	}
	return 0;
}

/* The driver may have missed what was signalled on the descriptor before: one event too many is
 * allowed, one too few is a hang. */
int vhost_set_vring_call(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	int fd;
	int r = vring_fd(s, msg, VHOST_EVENT_SIGNAL, &ring, &fd);

	if (r < 0)
		return err_trace(r);
	bool was_running = vhost_ring_is_running(ring);

	r = replace_fd(s, ring, &ring->call_fd, fd);
	if (r < 0)
		return err_trace(r);
	if (was_running)
		vhost_ring_call(ring);
	return 0;
}

int vhost_set_vring_err(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	int fd;
	int r = vring_fd(s, msg, VHOST_EVENT_SIGNAL, &ring, &fd);

	if (r < 0)
		return err_trace(r);
	return replace_fd(s, ring, &ring->err_fd, fd);
}

int vhost_set_vring_enable(struct vhost_session *s, struct vhost_msg *msg,
			   struct vhost_reply *reply)
{
	struct vhost_ring *ring;
	uint32_t num;
	int r = ring_state(s, msg, &num, &ring);

	if (r < 0)
		return err_trace(r);
	if (num > 1)
		return err_new(-EINVAL, "ring %u: enable %u", ring->index, num);
	if (!num)
		vhost_session_park(s, ring->index);
	ring->is_enabled = num;
	r = vhost_session_resume(s);
	if (r < 0)
		ring->is_enabled = false;
	return r < 0 ? err_trace(r) : 0;
}

/* In-flight memory */

static int use_inflight(struct vhost_session *s, const struct vhost_inflight_msg *m, int fd,
			struct vhost_reply *reply)
{
	vhost_session_park_all(s);
	int r = inflight_map(&s->inflight, m, fd);

	if (r < 0) {
		cleanup(freep) char *words = strdup(err_text());

		reply->must_end = vhost_session_resume(s) < 0;
		return err_adopt(r, words ? words : "in-flight memory");
	}
	for (unsigned q = 0; q < s->dev->queue_count; q++)
		s->rings[q].region = NULL;
	r = vhost_session_resume(s);
	reply->must_end = r < 0;
	return r < 0 ? err_trace(r) : 0;
}

int vhost_get_inflight_fd(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_inflight_msg m = { 0 };
	cleanup(fd_closep) int fd = -1;

	memcpy(&m, msg->payload, msg->header.size);
	if (m.queue_count > s->dev->queue_count)
		return err_new(-EINVAL, "in-flight memory for %u rings of %u", m.queue_count,
			       s->dev->queue_count);
	int r = inflight_create(m.queue_count, m.queue_size, &fd, &reply->inflight);

	if (r >= 0)
		r = use_inflight(s, &reply->inflight, fd, reply);
	if (r < 0)
		return err_trace(r);
	reply->fd = steal_fd(&fd);
	return vhost_reply_with(reply, &reply->inflight, msg->header.size);
}

int vhost_set_inflight_fd(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_inflight_msg m = { 0 };

	memcpy(&m, msg->payload, msg->header.size);
	return use_inflight(s, &m, msg->fds[0], reply);
}
