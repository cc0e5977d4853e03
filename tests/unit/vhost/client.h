/* SPDX-License-Identifier: GPL-2.0-only */
/* A vhost-user-blk front end for tests: it sends messages, right or wrong, and drives rings in
 * memory that it shares. What the test program itself cannot do (connect, map) ends it; what the
 * back end answers is for the test to judge.
 *
 *	struct client c;
 *	client_connect(&c, path);
 *	client_start(&c, &(struct client_setup){ .ring_size = 64 });
 *	assert_int_equal(client_write(&c, 0, 8, data, 512), VIRTIO_BLK_S_OK);
 *	client_end(&c);
 */
#pragma once

#include "vhost/msg.h"
#include "virtio/ring.h"

#include <linux/virtio_blk.h>

enum {
	CLIENT_RINGS = 16,
	CLIENT_TIMEOUT_MS = 10000, /* for an answer that must come */
	CLIENT_MEMORY_BYTES = 4 << 20,
	CLIENT_CLOSED = -1, /* client_ask(): the connection has ended */
};

struct client_ring {
	struct ring ring;
	int kick_fd;
	int call_fd;
	int err_fd;
	uint16_t next_desc; /* where the next chain is built, three descriptors each */
};

struct client {
	int socket;
	int memory_fd;
	struct ring_memory memory; /* host is a shared mapping of memory_fd */
	uint64_t mark;		   /* places of requests start here, and over again when full */
	uint64_t features;
	struct client_ring rings[CLIENT_RINGS];
	unsigned ring_count;
};

struct client_setup {
	uint16_t ring_size;	    /* 0: 64 */
	unsigned ring_count;	    /* 0: 1 */
	uint64_t features;	    /* 0: all that are offered */
	uint64_t protocol_features; /* 0: all that are offered */
	bool is_disabled;	    /* no SET_VRING_ENABLE */
};

/* Connect, or take a connected socket over. Memory is made; nothing is sent. */
void client_connect(struct client *c, const char *path);
void client_adopt(struct client *c, int socket);
/* Close and unmap everything. */
void client_end(struct client *c);

/* Send a message as it is. */
void client_send(struct client *c, uint32_t request, uint32_t flags, const void *payload,
		 uint32_t size, const int *fds, unsigned fd_count);
/* Wait for a reply; its payload, cut to @max, and its descriptor (or -1; NULL: closed). False if the
 * connection has ended. A reply that does not come in time ends the program. */
bool client_recv(struct client *c, struct vhost_header *ret, void *payload, size_t max,
		 int *fd_ret);

/* Request without payload whose answer is a number. */
uint64_t client_get(struct client *c, uint32_t request);
/* Request with NEED_REPLY: the number in the acknowledgement, or CLIENT_CLOSED. */
int64_t client_ask(struct client *c, uint32_t request, const void *payload, uint32_t size,
		   const int *fds, unsigned fd_count);
int64_t client_ask_u64(struct client *c, uint32_t request, uint64_t value);
int64_t client_ask_state(struct client *c, uint32_t request, uint32_t index, uint32_t num);
/* SET_VRING_KICK, _CALL or _ERR with @fd, or without one if it is -1. */
int64_t client_ask_fd(struct client *c, uint32_t request, unsigned index, int fd);
int64_t client_ask_addr(struct client *c, unsigned index);
int64_t client_ask_memory(struct client *c, const struct vhost_region_msg *regions, uint32_t count,
			  const int *fds, unsigned fd_count);
/* The region that is the client's memory. */
struct vhost_region_msg client_region(const struct client *c);
/* GET_VRING_BASE. */
uint16_t client_stop_ring(struct client *c, unsigned index);

/* The steps of client_start(): features; memory; one ring. */
void client_negotiate(struct client *c, const struct client_setup *setup);
void client_share_memory(struct client *c);
void client_make_ring(struct client *c, unsigned index, uint16_t size);
void client_start_ring(struct client *c, unsigned index, uint16_t base, bool is_enabled);
void client_start(struct client *c, const struct client_setup *setup);

/* In-flight memory: get it from the back end, or give it back after a reconnect. */
int client_get_inflight(struct client *c, uint16_t ring_size, struct vhost_inflight_msg *ret);
int64_t client_set_inflight(struct client *c, const struct vhost_inflight_msg *m, int fd);
/* The back end has died: connect to the next one and go on with the same memory and rings. @base is
 * what SET_VRING_BASE says. */
void client_reconnect(struct client *c, const char *path, const struct vhost_inflight_msg *m,
		      int inflight_fd, uint16_t base);

/* A request in memory; its parts' guest addresses. */
struct client_request {
	uint64_t header;
	uint64_t data;
	uint64_t status;
	uint32_t data_bytes;
	uint16_t head;
};

/* Build a request in the next free descriptors; @data is copied for OUT, may be NULL. Nobody sees it
 * before ring_offer() of its head. */
struct client_request client_prepare(struct client *c, unsigned index, uint32_t type,
				     uint64_t sector, const void *data, uint32_t bytes);
/* Build and offer one. A back end that has not gone to sleep takes it without a kick. */
struct client_request client_post(struct client *c, unsigned index, uint32_t type, uint64_t sector,
				  const void *data, uint32_t bytes);
void client_kick(struct client *c, unsigned index);
/* Wait until one more request of the ring is answered: its head and length. False when nothing comes
 * within @timeout_ms. */
bool client_wait(struct client *c, unsigned index, int timeout_ms, uint32_t *head_ret,
		 uint32_t *len_ret);
uint8_t client_status(const struct client *c, const struct client_request *r);

/* Whole requests: the status, or -1 when no answer came in time. */
int client_write(struct client *c, unsigned index, uint64_t sector, const void *data,
		 uint32_t bytes);
int client_read(struct client *c, unsigned index, uint64_t sector, void *data, uint32_t bytes);
