/* SPDX-License-Identifier: GPL-2.0-only */
/* The console's state, shared by its two files: console.c (life, thread, device functions) and
 * console_serve.c (what one pass does). */
#pragma once

#include "devices/console.h"

#include <linux/virtio_console.h>
#include <pthread.h>

/* 5.3.2: queue numbers. Port 0, then the control queues, then the other ports. */
enum {
	CONSOLE_CONTROL_RX = 2, /* to the guest */
	CONSOLE_CONTROL_TX = 3,
	CONSOLE_QUEUE_COUNT = 2 * (CONSOLE_PORT_COUNT + 1),
	CONSOLE_QUEUE_SIZE = 128,
};

/* What the guest is still to be told about a port, in the order in which it is told. Flags and not
 * a list: however often a guest asks, there is a bound. */
enum console_message {
	CONSOLE_TELL_ADD = 1 << 0,
	CONSOLE_TELL_CONSOLE = 1 << 1,
	CONSOLE_TELL_NAME = 1 << 2,
	CONSOLE_TELL_RESIZE = 1 << 3,
	CONSOLE_TELL_OPEN = 1 << 4,
};

struct console_port_state {
	int fd;		  /* -1: no such port; what the guest sends there goes nowhere */
	const char *name; /* NULL: none */
	bool is_console;
	bool is_added;	    /* the guest was told of the port, or will be */
	bool is_ready;	    /* the guest's driver knows the port */
	bool is_guest_open; /* the guest has it open: bytes may go to it */
	bool is_host_open;  /* the socket has not ended */
	bool is_broken;	    /* the socket takes nothing any more */
	unsigned to_tell;   /* enum console_message */
	/* The chain whose bytes are on their way into the socket: what is left of it. */
	bool has_chain;
	unsigned chain_next; /* iovec */
	uint64_t chain_left_bytes;
	struct vq_chain chain;
};

struct console {
	struct virtio_device dev;
	struct virtio_console_config config;
	struct console_port_state ports[CONSOLE_PORT_COUNT];
	struct console_counters counters;
	struct vq_chain scratch; /* a chain that does not outlive the pass */
	pthread_mutex_t lock;	 /* held during a pass; all of the above */
	pthread_t thread;
	bool has_thread;
	_Atomic bool is_stopping;
	int epoll_fd;
	int wake_fd; /* something changed that is no kick and no socket */
};

static inline unsigned console_rx_queue(unsigned port)
{
	return port ? 2 * (port + 1) : 0;
}

static inline unsigned console_tx_queue(unsigned port)
{
	return console_rx_queue(port) + 1;
}

/* One pass with the lock held; returns whether a bound was hit. */
bool console_pass(struct console *c);
