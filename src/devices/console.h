/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio console with two ports (VIRTIO_CONSOLE_F_MULTIPORT): port 0 is the guest's terminal
 * (/dev/hvc0), port 1, named CONSOLE_CTL_NAME, the channel between guest and host. Behind each port
 * is one end of a stream socket:
 *
 *	guest ring  <-- struct vq -->  console thread  <-- socket -->  harness
 *
 * Bytes are moved straight between guest memory and socket and are never dropped: what the guest
 * has no open port or no buffers for waits in the socket, what the socket has no room for waits in
 * the ring. When the socket ends, the guest is told that the port is closed (PORT_OPEN 0). One
 * thread serves all queues and sockets, driven by events. Not here: hot plug, EMERG_WRITE, hvc input
 * flow control.
 * Source: virtio 1.2, 5.3; Linux drivers/char/virtio_console.c. */
#pragma once

#include "virtio/device.h"

#define CONSOLE_CTL_NAME "ktstr.ctl"

enum console_port { CONSOLE_TTY, CONSOLE_CTL, CONSOLE_PORT_COUNT };

struct console_desc {
	int ctl_fd;	     /* connected stream socket, or -1: no port 1 */
	int tty_fd;	     /* the same for port 0 */
	uint16_t cols, rows; /* size of the terminal; 0: 80 x 25 */
};

struct console_counters {
	counter_t to_guest_bytes[CONSOLE_PORT_COUNT];
	counter_t from_guest_bytes[CONSOLE_PORT_COUNT];
	counter_t discarded_bytes; /* from the guest, after the socket's other end was closed */
	counter_t malformed;	   /* chains and control messages that made no sense */
};

struct console;

/* Make the device. The sockets stay the caller's, to be closed after console_free(). 0 or a negative
 * errno with words. */
int console_new(const struct console_desc *desc, struct console **ret) must_check;
/* Stops the thread if it runs. NULL is fine. */
void console_free(struct console *c);

/* The device for a transport; lives as long as the console. */
struct virtio_device *console_virtio(struct console *c);

/* Start and stop the thread; both harmless when it already is so. While it is stopped, kicks and
 * socket data wait. 0 or a negative errno with words. */
int console_start(struct console *c) must_check;
void console_stop(struct console *c);

/* Hold the thread at a point where it serves nothing, and let it go on. Called in pairs by one
 * thread; console_pause() waits for at most one bounded pass over the rings. */
void console_pause(struct console *c);
void console_resume(struct console *c);

/* One pass over all queues and sockets in the caller's thread: for tests and fuzzing, without a
 * thread. Returns whether a bound was hit and work is left. */
bool console_serve(struct console *c);

/* The terminal has another size now. Any thread. */
void console_resize(struct console *c, uint16_t cols, uint16_t rows);

/* Readable while running. */
const struct console_counters *console_counters(const struct console *c);
