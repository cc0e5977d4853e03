/* SPDX-License-Identifier: GPL-2.0-only */
/* vhost-user messages as they cross the socket: numbers and layouts of the protocol, and a receiver
 * that takes a header and its payload in whatever pieces they come, with the file descriptors that
 * ride on them. It knows no meaning: session.c does.
 *
 * A receiver never reads beyond the message at hand, so descriptors cannot be taken for those of
 * the next one. Every descriptor that nobody took is closed with its message.
 *
 * Source: docs/interop/vhost-user.rst of QEMU 7.2. Numbers are in host byte order. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vhost_request_id {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_BACKEND_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_GET_INFLIGHT_FD = 31,
	VHOST_SET_INFLIGHT_FD = 32,
	VHOST_RESET_DEVICE = 34,
	VHOST_GET_MAX_MEM_SLOTS = 36,
	VHOST_ADD_MEM_REG = 37,
	VHOST_REM_MEM_REG = 38,
	VHOST_SET_STATUS = 39,
	VHOST_GET_STATUS = 40,
	VHOST_REQUEST_COUNT = 41,
};

enum vhost_protocol_bit {
	VHOST_PROTOCOL_MQ = 0,
	VHOST_PROTOCOL_REPLY_ACK = 3,
	VHOST_PROTOCOL_BACKEND_REQ = 5,
	VHOST_PROTOCOL_CONFIG = 9,
	VHOST_PROTOCOL_INFLIGHT_SHMFD = 12,
	VHOST_PROTOCOL_RESET_DEVICE = 13,
	VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS = 15,
	VHOST_PROTOCOL_STATUS = 16,
};

/* What a back end may say on the channel of SET_BACKEND_REQ_FD. */
enum { VHOST_BACKEND_CONFIG_CHANGE = 2 };

enum {
	VHOST_F_PROTOCOL_FEATURES = 30, /* the virtio feature bit that this protocol borrowed */
	VHOST_FLAG_VERSION_MASK = 3,
	VHOST_FLAG_VERSION = 1,
	VHOST_FLAG_REPLY = 1 << 2,
	VHOST_FLAG_NEED_REPLY = 1 << 3,
	VHOST_TABLE_REGIONS = 8, /* in one SET_MEM_TABLE */
	VHOST_MAX_FDS = 8,
	VHOST_MAX_PAYLOAD =
		4096, /* more than any known request: what is longer ends the connection */
	VHOST_MAX_CONFIG = 256,
	VHOST_VRING_INDEX_MASK = 0xff,
	VHOST_VRING_NO_FD = 1 << 8,
};

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

struct vhost_vring_state_msg {
	uint32_t index;
	uint32_t num;
};

struct vhost_vring_addr_msg {
	uint32_t index;
	uint32_t flags;
	uint64_t desc; /* user addresses of the front end, all three */
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vhost_region_msg {
	uint64_t guest_addr;
	uint64_t bytes;
	uint64_t user_addr;
	uint64_t mmap_offset;
};

struct vhost_table_msg {
	uint32_t count;
	uint32_t padding;
	struct vhost_region_msg regions[VHOST_TABLE_REGIONS];
};

struct vhost_single_region_msg {
	uint64_t padding;
	struct vhost_region_msg region;
};

struct vhost_config_msg {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t bytes[VHOST_MAX_CONFIG];
};

/* 20 bytes by the letter; front ends in the field send the C structure, padding and all, and expect
 * as many back. Both are taken. */
struct vhost_inflight_msg {
	uint64_t mmap_bytes;
	uint64_t mmap_offset;
	uint16_t queue_count;
	uint16_t queue_size;
	uint32_t padding;
};

enum { VHOST_INFLIGHT_BYTES_MIN = offsetof(struct vhost_inflight_msg, padding) };

_Static_assert(sizeof(struct vhost_header) == 12, "header");
_Static_assert(sizeof(struct vhost_vring_addr_msg) == 40, "vring address");
_Static_assert(sizeof(struct vhost_table_msg) == 264, "memory table");
_Static_assert(sizeof(struct vhost_single_region_msg) == 40, "single region");
_Static_assert(sizeof(struct vhost_config_msg) == 268, "config");
_Static_assert(sizeof(struct vhost_inflight_msg) == 24, "inflight");
_Static_assert(VHOST_INFLIGHT_BYTES_MIN == 20, "inflight without its padding");

/* One message being received, or whole. */
struct vhost_msg {
	struct vhost_header header;
	uint8_t payload[VHOST_MAX_PAYLOAD];
	size_t have; /* bytes of header and payload that have come */
	int fds[VHOST_MAX_FDS];
	unsigned fd_count;
};

enum vhost_recv_outcome {
	VHOST_RECV_AGAIN = 1, /* the message is not complete, nothing more to read now */
	VHOST_RECV_CLOSED,    /* the peer is gone */
};

/* An empty message. */
void vhost_msg_init(struct vhost_msg *msg);

/* Close the descriptors nobody took and make the message empty again. */
void vhost_msg_reset(struct vhost_msg *msg);

/* Take descriptor @index out of the message: the caller owns it. -1 if there is none. */
int vhost_msg_take_fd(struct vhost_msg *msg, unsigned index);

/* Go on receiving @msg from the non-blocking stream socket @socket. Returns 0 when it is whole;
 * VHOST_RECV_AGAIN; VHOST_RECV_CLOSED (also in the middle of a message); -EPROTO when the stream
 * cannot be followed any more (version, reply flag, payload over VHOST_MAX_PAYLOAD, over
 * VHOST_MAX_FDS descriptors): the connection must end; or the socket's error. */
int vhost_msg_recv(struct vhost_msg *msg, int socket) must_check;

/* Send a reply to @request with @size bytes of payload and, unless it is -1, @fd (stays the
 * caller's). Never blocks: a peer that lets its replies pile up gets -EAGAIN, which ends it.
 * 0 or a negative errno with words. */
int vhost_reply_send(int socket, uint32_t request, const void *payload, uint32_t size,
		     int fd) must_check;
