/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of a front end, by table, on a session. request.c has the table, what is
 * needed by all and the small ones; request_mem.c and request_ring.c the rest. session.c knows what
 * a session is. */
#pragma once

#include "vhost/session.h"

/* What a handler wants sent back. */
struct vhost_reply {
	const void *bytes;
	uint32_t size;
	int fd;		/* sent along and closed; -1 for none */
	uint64_t value; /* room for the usual reply */
	struct vhost_config_msg config;
	struct vhost_inflight_msg inflight;
	struct vhost_vring_state_msg state;
	bool must_end; /* a refusal that could not be undone */
};

/* Set the payload, which must stay until it is sent. Return 0. */
int vhost_reply_with(struct vhost_reply *reply, const void *bytes, size_t size);
int vhost_reply_value(struct vhost_reply *reply, uint64_t value);

/* A handler does what @msg asks. Returns 0 or a negative errno with words. */
typedef int vhost_handler(struct vhost_session *s, struct vhost_msg *msg,
			  struct vhost_reply *reply);

/* Those that live in files of their own. */
vhost_handler vhost_set_mem_table, vhost_get_max_mem_slots, vhost_add_mem_reg, vhost_rem_mem_reg,
	vhost_set_vring_num, vhost_set_vring_addr, vhost_set_vring_base, vhost_get_vring_base,
	vhost_set_vring_kick, vhost_set_vring_call, vhost_set_vring_err, vhost_set_vring_enable,
	vhost_get_inflight_fd, vhost_set_inflight_fd;

/* Do what @msg asks and answer it. 0, or a negative errno with words: the connection must end. */
int vhost_request_serve(struct vhost_session *s, struct vhost_msg *msg) must_check;

/* What session.c offers to requests. */

/* Run every ring that may. 0, or the first ring's refusal: that ring stays stopped. */
int vhost_session_resume(struct vhost_session *s) must_check;
void vhost_session_park(struct vhost_session *s, unsigned q);
void vhost_session_park_all(struct vhost_session *s);
/* All rings stopped and disabled, the device forgets its driver; memory and protocol features stay. */
void vhost_session_reset(struct vhost_session *s);
