// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/request.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

int vhost_reply_with(struct vhost_reply *reply, const void *bytes, size_t size)
{
	reply->bytes = bytes;
	reply->size = (uint32_t)size;
	return 0;
}

int vhost_reply_value(struct vhost_reply *reply, uint64_t value)
{
	reply->value = value;
	return vhost_reply_with(reply, &reply->value, sizeof(reply->value));
}

/* Features */

enum {
	PROTOCOL_FEATURES = 1 << VHOST_PROTOCOL_MQ | 1 << VHOST_PROTOCOL_REPLY_ACK |
			    1 << VHOST_PROTOCOL_BACKEND_REQ | 1 << VHOST_PROTOCOL_CONFIG |
			    1 << VHOST_PROTOCOL_INFLIGHT_SHMFD | 1 << VHOST_PROTOCOL_RESET_DEVICE |
			    1 << VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS | 1 << VHOST_PROTOCOL_STATUS,
};

static uint64_t device_features(const struct vhost_session *s)
{
	return s->dev->features | VQ_FEATURES | UINT64_C(1) << VIRTIO_F_VERSION_1 |
	       UINT64_C(1) << VIRTIO_F_RING_RESET;
}

static int get_features(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	return vhost_reply_value(reply, device_features(s) | UINT64_C(1)
								     << VHOST_F_PROTOCOL_FEATURES);
}

/* Legacy drivers do not take VERSION_1; rings and requests are the same for them here. */
static int set_features(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	uint64_t wanted = le64_get(msg->payload), before = s->dev->negotiated;
	uint64_t offered = device_features(s) | UINT64_C(1) << VHOST_F_PROTOCOL_FEATURES;

	if (wanted & ~offered)
		return err_new(-EINVAL, "features 0x%" PRIx64 " were not offered",
			       wanted & ~offered);
	vhost_session_park_all(s);
	s->dev->negotiated = wanted & device_features(s);
	if (s->dev->ops->features_ok && !s->dev->ops->features_ok(s->dev)) {
		s->dev->negotiated = before;
		reply->must_end = vhost_session_resume(s) < 0;
		return err_new(-EINVAL, "features 0x%" PRIx64 " do not fit together", wanted);
	}
	s->features = wanted;
	return vhost_session_resume(s);
}

static int get_protocol_features(struct vhost_session *s, struct vhost_msg *msg,
				 struct vhost_reply *reply)
{
	return vhost_reply_value(reply, PROTOCOL_FEATURES);
}

static int set_protocol_features(struct vhost_session *s, struct vhost_msg *msg,
				 struct vhost_reply *reply)
{
	uint64_t wanted = le64_get(msg->payload);

	if (wanted & ~(uint64_t)PROTOCOL_FEATURES)
		return err_new(-EINVAL, "protocol features 0x%" PRIx64 " were not offered",
			       wanted & ~(uint64_t)PROTOCOL_FEATURES);
	s->protocol_features = wanted;
	return 0;
}

static int get_queue_num(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	return vhost_reply_value(reply, s->dev->queue_count);
}

/* Owner, channel back, status, reset */

static int set_owner(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	return 0;
}

/* User-mode Linux cannot do without this channel; we use it for changes of the configuration. */
static int set_backend_req_fd(struct vhost_session *s, struct vhost_msg *msg,
			      struct vhost_reply *reply)
{
	int fd = vhost_msg_take_fd(msg, 0);

	vhost_session_park_all(s);
	fd_close(s->backend_req_fd);
	s->backend_req_fd = fd;
	return vhost_session_resume(s);
}

static int reset_owner(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	vhost_session_park_all(s);
	for (unsigned q = 0; q < s->dev->queue_count; q++)
		s->rings[q].is_enabled = false;
	return vhost_session_resume(s);
}

static int reset_device(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	vhost_session_reset(s);
	for (unsigned q = 0; q < s->dev->queue_count; q++) {
		s->rings[q].base = 0;
		s->rings[q].size = 0;
		s->rings[q].has_address = false;
	}
	return 0;
}

static int set_status(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	uint64_t status = le64_get(msg->payload);

	if (status > UINT8_MAX)
		return err_new(-EINVAL, "device status 0x%" PRIx64, status);
	if (!status)
		vhost_session_reset(s);
	else
		atomic_store(&s->status,
			     (uint8_t)(status & ~VIRTIO_CONFIG_S_NEEDS_RESET) |
				     (atomic_load(&s->status) & VIRTIO_CONFIG_S_NEEDS_RESET));
	return 0;
}

static int get_status(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	return vhost_reply_value(reply, atomic_load(&s->status));
}

/* Configuration space */

static int check_config(const struct vhost_msg *msg, struct vhost_config_msg *ret)
{
	memcpy(ret, msg->payload, MIN(sizeof(*ret), (size_t)msg->header.size));
	if (ret->size > VHOST_MAX_CONFIG || ret->offset > VHOST_MAX_CONFIG - ret->size ||
	    msg->header.size != offsetof(struct vhost_config_msg, bytes) + ret->size)
		return err_new(-EINVAL, "configuration bytes %u+%u in %u bytes", ret->offset,
			       ret->size, msg->header.size);
	return 0;
}

static int get_config(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_config_msg *m = &reply->config;
	int r = check_config(msg, m);

	if (r < 0)
		return err_trace(r);
	memset(m->bytes, 0, sizeof(m->bytes));
	if (m->offset < s->dev->config_bytes)
		s->dev->ops->config_read(s->dev, m->offset, m->bytes,
					 MIN(m->size, s->dev->config_bytes - m->offset));
	return vhost_reply_with(reply, m, offsetof(struct vhost_config_msg, bytes) + m->size);
}

static int set_config(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_config_msg m = { 0 };
	int r = check_config(msg, &m);

	if (r < 0)
		return err_trace(r);
	if (m.flags > 1)
		return err_new(-EINVAL, "configuration write with flags 0x%x", m.flags);
	if (m.offset + m.size > s->dev->config_bytes || !s->dev->ops->config_write ||
	    !s->dev->ops->config_write(s->dev, m.offset, m.bytes, m.size))
		return err_new(-EPERM, "configuration bytes %u+%u are read-only", m.offset, m.size);
	return 0;
}

/* The table */

enum { NO_FEATURE = -1, ANY_FDS = VHOST_MAX_FDS };

struct request {
	const char *name;
	vhost_handler *handle;
	uint16_t size_min, size_max; /* payload bytes */
	uint8_t fds_min, fds_max;
	int8_t feature; /* protocol feature that must be negotiated; 0 is MQ's, which none needs */
	bool has_reply;
	bool fails_empty; /* a failure is answered by a reply without payload */
};

#define U64 .size_min = 8, .size_max = 8
#define STATE                                                                                      \
	.size_min = sizeof(struct vhost_vring_state_msg),                                          \
	.size_max = sizeof(struct vhost_vring_state_msg)

static const struct request requests[VHOST_REQUEST_COUNT] = {
	[VHOST_GET_FEATURES] = { "GET_FEATURES", get_features, .has_reply = true },
	[VHOST_SET_FEATURES] = { "SET_FEATURES", set_features, U64 },
	[VHOST_SET_OWNER] = { .name = "SET_OWNER", .handle = set_owner },
	[VHOST_RESET_OWNER] = { .name = "RESET_OWNER", .handle = reset_owner },
	[VHOST_SET_MEM_TABLE] = { "SET_MEM_TABLE", vhost_set_mem_table, .size_min = 8,
				  .size_max = sizeof(struct vhost_table_msg), .fds_max = ANY_FDS },
	[VHOST_SET_VRING_NUM] = { "SET_VRING_NUM", vhost_set_vring_num, STATE },
	[VHOST_SET_VRING_ADDR] = { "SET_VRING_ADDR", vhost_set_vring_addr,
				   .size_min = sizeof(struct vhost_vring_addr_msg),
				   .size_max = sizeof(struct vhost_vring_addr_msg) },
	[VHOST_SET_VRING_BASE] = { "SET_VRING_BASE", vhost_set_vring_base, STATE },
	[VHOST_GET_VRING_BASE] = { "GET_VRING_BASE", vhost_get_vring_base, STATE,
				   .has_reply = true },
	[VHOST_SET_VRING_KICK] = { "SET_VRING_KICK", vhost_set_vring_kick, U64, .fds_max = 1 },
	[VHOST_SET_VRING_CALL] = { "SET_VRING_CALL", vhost_set_vring_call, U64, .fds_max = 1 },
	[VHOST_SET_VRING_ERR] = { "SET_VRING_ERR", vhost_set_vring_err, U64, .fds_max = 1 },
	[VHOST_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", get_protocol_features,
					  .has_reply = true },
	[VHOST_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", set_protocol_features, U64 },
	[VHOST_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", get_queue_num, .has_reply = true },
	[VHOST_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", vhost_set_vring_enable, STATE },
	[VHOST_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", set_backend_req_fd, .fds_min = 1,
				       .fds_max = 1, .feature = VHOST_PROTOCOL_BACKEND_REQ },
	[VHOST_GET_CONFIG] = { "GET_CONFIG", get_config, .size_max = VHOST_MAX_PAYLOAD,
			       .feature = VHOST_PROTOCOL_CONFIG, .has_reply = true,
			       .fails_empty = true },
	[VHOST_SET_CONFIG] = { "SET_CONFIG", set_config, .size_max = VHOST_MAX_PAYLOAD,
			       .feature = VHOST_PROTOCOL_CONFIG },
	[VHOST_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", vhost_get_inflight_fd,
				    .size_min = VHOST_INFLIGHT_BYTES_MIN,
				    .size_max = sizeof(struct vhost_inflight_msg),
				    .feature = VHOST_PROTOCOL_INFLIGHT_SHMFD, .has_reply = true },
	[VHOST_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", vhost_set_inflight_fd,
				    .size_min = VHOST_INFLIGHT_BYTES_MIN,
				    .size_max = sizeof(struct vhost_inflight_msg), .fds_min = 1,
				    .fds_max = 1, .feature = VHOST_PROTOCOL_INFLIGHT_SHMFD },
	[VHOST_RESET_DEVICE] = { "RESET_DEVICE", reset_device,
				 .feature = VHOST_PROTOCOL_RESET_DEVICE },
	[VHOST_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", vhost_get_max_mem_slots,
				      .feature = VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS,
				      .has_reply = true },
	[VHOST_ADD_MEM_REG] = { "ADD_MEM_REG", vhost_add_mem_reg,
				.size_min = sizeof(struct vhost_single_region_msg),
				.size_max = sizeof(struct vhost_single_region_msg), .fds_min = 1,
				.fds_max = 1, .feature = VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VHOST_REM_MEM_REG] = { "REM_MEM_REG", vhost_rem_mem_reg,
				.size_min = sizeof(struct vhost_single_region_msg),
				.size_max = sizeof(struct vhost_single_region_msg), .fds_max = 1,
				.feature = VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VHOST_SET_STATUS] = { "SET_STATUS", set_status, U64, .feature = VHOST_PROTOCOL_STATUS },
	[VHOST_GET_STATUS] = { "GET_STATUS", get_status, .feature = VHOST_PROTOCOL_STATUS,
			       .has_reply = true },
};

static int check_request(const struct vhost_session *s, const struct vhost_msg *msg,
			 const struct request **ret)
{
	uint32_t id = msg->header.request;
	const struct request *row = id < VHOST_REQUEST_COUNT ? &requests[id] : NULL;

	if (!row || !row->handle)
		return err_new(-EOPNOTSUPP, "unknown request %u", id);
	*ret = row;
	if (row->feature && !(s->protocol_features >> row->feature & 1))
		return err_new(-EPERM, "%s was not negotiated", row->name);
	if (msg->header.size < row->size_min || msg->header.size > row->size_max)
		return err_new(-EINVAL, "%s with %u bytes", row->name, msg->header.size);
	if (msg->fd_count < row->fds_min || msg->fd_count > row->fds_max)
		return err_new(-EINVAL, "%s with %u descriptors", row->name, msg->fd_count);
	return 0;
}

/* @r says how the request went; @row is NULL for one we do not know. */
static int answer(struct vhost_session *s, const struct vhost_msg *msg, const struct request *row,
		  const struct vhost_reply *reply, int r)
{
	bool wants_ack = msg->header.flags & VHOST_FLAG_NEED_REPLY &&
			 s->protocol_features >> VHOST_PROTOCOL_REPLY_ACK & 1;
	uint64_t ack = r < 0;
	uint32_t id = msg->header.request;

	if (r < 0 && reply->must_end)
		return err_trace(r);
	if (r < 0 && s->report.refused)
		s->report.refused(s->report.ctx, err_text());
	if (r < 0 && row && row->fails_empty)
		return vhost_reply_send(s->socket, id, "", 0, -1);
	if (r >= 0 && row->has_reply)
		return vhost_reply_send(s->socket, id, reply->bytes, reply->size, reply->fd);
	if (wants_ack && !(row && row->has_reply))
		return vhost_reply_send(s->socket, id, &ack, sizeof(ack), -1);
	return r < 0 ? err_trace(r) : 0;
}

int vhost_request_serve(struct vhost_session *s, struct vhost_msg *msg)
{
	struct vhost_reply reply = { .fd = -1 };
	const struct request *row = NULL;
	int r = check_request(s, msg, &row);

	if (r >= 0)
		r = row->handle(s, msg, &reply);
	r = answer(s, msg, row, &reply, r);
	fd_close(reply.fd);
	if (r >= 0)
		err_clear();
	return r < 0 ? err_trace(r) : 0;
}
