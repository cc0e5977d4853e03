/* SPDX-License-Identifier: GPL-2.0-only */
/* One front end's connection: what it has told us, and the device that works for it meanwhile. A
 * table (session.c) says for each request its size, its descriptors, the protocol feature it needs
 * and what is done. To add a request: its number in msg.h, a handler and a row there.
 *
 * A request that cannot be done leaves everything as it was; it is answered "failed" if the front
 * end asked for an answer (REPLY_ACK, or the request's own form of failure), otherwise the
 * connection ends. It ends too when the stream makes no sense, when shared memory breaks, and when
 * answers are not read. Nothing a front end sends does more than that.
 *
 * All functions: one thread, which owns the session. The device's workers call back into the rings
 * from theirs. Source: docs/interop/vhost-user.rst of QEMU 7.2. */
#pragma once

#include "vhost/inflight.h"
#include "vhost/mem.h"
#include "vhost/msg.h"
#include "vhost/ring.h"
#include "virtio/device.h"

enum { VHOST_MAX_QUEUES = 64 };

/* Who hears in words what was refused, and why we ended a connection. Both may be NULL. */
struct vhost_report {
	void (*refused)(void *ctx, const char *words);
	void (*ended)(void *ctx, const char *words);
	void *ctx;
};

struct vhost_session {
	int socket;
	int epoll_fd; /* the socket, the guard, and the kicks of rings without a worker */
	int guard_fd;
	int backend_req_fd; /* the channel back to the front end, or -1 */
	struct virtio_device *dev;
	struct vhost_msg msg;
	struct guard guard;
	struct vhost_mem *mem;
	struct inflight inflight;
	struct vhost_ring *rings; /* [dev->queue_count] */
	uint64_t features;	  /* as SET_FEATURES said, the protocol's bit included */
	uint64_t protocol_features;
	_Atomic uint8_t status;
	bool is_driver_ok; /* the device was told */
	struct vhost_report report;
};

enum vhost_session_outcome {
	VHOST_SESSION_ENDED = 1, /* the front end has left */
};

/* Serve the connected stream socket @socket, which the session takes over, with @dev, which no
 * other transport may drive. 0, or a negative errno with words and @socket closed. */
int vhost_session_new(struct virtio_device *dev, int socket, const struct vhost_report *report,
		      struct vhost_session **ret) must_check;

/* Stop all rings, drained, give everything back, close the socket. NULL is fine. */
struct vhost_session *vhost_session_free(struct vhost_session *s);

/* Readable when vhost_session_serve() has something to do. Borrowed. */
int vhost_session_fd(const struct vhost_session *s);

/* Do what can be done now; never waits for the front end. 0; VHOST_SESSION_ENDED; or a negative
 * errno with words: the connection must end. */
int vhost_session_serve(struct vhost_session *s) must_check;
