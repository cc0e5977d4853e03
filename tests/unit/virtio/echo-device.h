/* SPDX-License-Identifier: GPL-2.0-only */
/* A device for tests of the transport: it keeps what is popped in a list, and answers a chain by
 * copying its readable bytes to its writable ones. By itself at each kick, or when it is told to
 * (is_held), so that tests can place a completion at any moment. It checks that the transport keeps
 * its side of the contract and ends the program when it does not. */
#pragma once

#include "virtio/device.h"

enum { ECHO_QUEUES = 3, ECHO_QUEUE_SIZE = 16, ECHO_CONFIG_BYTES = 13, ECHO_DEVICE_ID = 42 };

struct echo_answer {
	unsigned q;
	struct vq_token token;
	uint32_t len;
};

struct echo {
	struct virtio_device dev;
	bool is_held; /* complete nothing by itself */
	bool is_refusing_features;
	bool was_live[ECHO_QUEUES];
	unsigned char config[ECHO_CONFIG_BYTES]; /* byte 12 is the driver's to write */
	/* Popped and unanswered, in order. */
	struct vq_chain held[ECHO_QUEUES * ECHO_QUEUE_SIZE];
	unsigned held_queue[ECHO_QUEUES * ECHO_QUEUE_SIZE];
	unsigned held_count;
	unsigned driver_oks, resets, stops, notifies, lives;
	enum virtio_stop last_stop;
};

void echo_init(struct echo *e);
void echo_deinit(struct echo *e);
/* Answer the oldest held chain and publish; false if there is none. */
bool echo_complete(struct echo *e);
