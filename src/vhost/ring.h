/* SPDX-License-Identifier: GPL-2.0-only */
/* One ring as the front end sets it up, and the decision when it runs.
 *
 *	SET_VRING_NUM, _ADDR, _BASE  ->  where and how large
 *	SET_VRING_KICK               ->  started   (GET_VRING_BASE: stopped, kick and call given back)
 *	SET_VRING_ENABLE             ->  enabled   (always, if F_PROTOCOL_FEATURES is not negotiated)
 *
 * A ring that is started, enabled and whole is handed to the device, which serves what is in it at
 * once: a kick that came before is not lost. It never runs before its first kick could have come,
 * and never after GET_VRING_BASE was answered. "Started but disabled" means not served.
 *
 * Threads: all calls from the session's thread. While the ring runs, its worker reads call_fd and
 * err_fd; they change only while it is parked. */
#pragma once

#include "vhost/inflight.h"
#include "vhost/mem.h"
#include "virtio/device.h"

struct vhost_ring {
	struct virtio_device *dev;
	unsigned index;
	uint32_t size; /* 0: not said */
	uint16_t base; /* next available entry, while stopped */
	bool has_address;
	struct vhost_vring_addr_msg address;
	bool is_enabled; /* by SET_VRING_ENABLE */
	int kick_fd;	 /* -1: stopped */
	int call_fd;	 /* -1: the driver polls */
	int err_fd;
	bool is_call_socket; /* user-mode Linux has it so; fixed when the ring is run */
	bool is_err_socket;
	int own_kick_fd; /* the device's, while its number is lent to kick_fd */
	struct inflight_ring inflight;
	_Atomic bool is_muted; /* the front end tries to block us: its eventfds are not written */
	struct inflight_region *region; /* of the last run, if a stop may forget it */
};

void vhost_ring_init(struct vhost_ring *ring, struct virtio_device *dev, unsigned index);

/* Close what the front end gave. The ring must not run. */
void vhost_ring_deinit(struct vhost_ring *ring);

bool vhost_ring_is_running(const struct vhost_ring *ring);

/* Has the front end said everything that a start needs? */
bool vhost_ring_is_whole(const struct vhost_ring *ring);

/* Let the device serve the ring. 0; -EINVAL or -EFAULT with words if its size, its addresses or
 * the in-flight memory cannot be: it stays stopped. */
int vhost_ring_run(struct vhost_ring *ring, const struct vhost_mem *mem,
		   const struct inflight *inflight, const _Atomic bool *is_cut_off) must_check;

/* Stop serving it: on return nobody touches the ring or memory of its requests, and base is where
 * it goes on. Harmless on a ring that does not run. */
void vhost_ring_park(struct vhost_ring *ring, enum virtio_stop how);

/* Parked for good: the front end knows base now, so kick and call are given back, and a later start
 * takes its position from the front end and not from in-flight memory. */
void vhost_ring_stop(struct vhost_ring *ring);

/* Tell the driver that requests were answered, or that something is wrong. Any thread. */
void vhost_ring_call(struct vhost_ring *ring);
void vhost_ring_err(struct vhost_ring *ring);
