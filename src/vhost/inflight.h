/* SPDX-License-Identifier: GPL-2.0-only */
/* The in-flight region: shared memory that outlives this process in the hands of the front end, and
 * says which requests had been taken off each ring and not been answered. After a crash the next
 * back end finds there what to do again, so that nothing is lost, and what had been answered, so
 * that nothing is done twice.
 *
 * Its layout and the order of its stores are the protocol's ("Inflight I/O tracking", split
 * virtqueue): a kill between any two stores leaves a state that inflight_ring_start() reads rightly.
 * The stores of one process stay ordered in memory as it issued them (x86-64; release elsewhere).
 *
 * The front end may write it: what is read back is checked, and while running only stores are made.
 * One ring's region belongs to that ring's thread. */
#pragma once

#include "vhost/guard.h"
#include "vhost/msg.h"
#include "virtio/vq.h"

#include <stdatomic.h>

struct inflight_desc {
	_Atomic uint8_t is_inflight;
	uint8_t padding[5];
	_Atomic uint16_t next; /* of the last batch answered */
	_Atomic uint64_t counter;
};

struct inflight_region {
	uint64_t features;
	_Atomic uint16_t version; /* 0: never used */
	uint16_t desc_num;
	_Atomic uint16_t last_batch_head;
	_Atomic uint16_t used_idx;
	struct inflight_desc desc[];
};

_Static_assert(sizeof(struct inflight_desc) == 16, "the protocol's DescStateSplit");
_Static_assert(sizeof(struct inflight_region) == 16, "the protocol's QueueRegionSplit");

/* QEMU's virtio-mmio front end asks for memory for rings of the size it would have chosen, and lets the
 * driver choose larger ones, up to this size. So memory that we make has a second set of regions
 * behind the first, which is where the protocol wants it for rings of the size asked for; back ends
 * that know nothing of the second set are not in its way. */
enum { INFLIGHT_LARGE_SIZE = 1024 };

/* The memory of all rings. */
struct inflight {
	struct guard *guard;
	void *map; /* NULL: the front end gave none */
	size_t map_bytes;
	char *base; /* where region 0 starts */
	uint16_t queue_count;
	uint16_t queue_size;
	bool has_large; /* the second set is there */
};

/* Make zeroed memory for @queue_count rings of @queue_size entries, to be handed to the front end.
 * It cannot be shrunk. 0 with the caller's descriptor and what the answer must say; -EINVAL for
 * counts that cannot be; or the host's refusal. */
int inflight_create(uint16_t queue_count, uint16_t queue_size, int *fd_ret,
		    struct vhost_inflight_msg *ret) must_check;

/* Map what the front end gave back. @fd stays the caller's. 0; -EINVAL if the sizes do not fit each
 * other or the file; mmap()'s error. With words, and @fl unchanged. */
int inflight_map(struct inflight *fl, const struct vhost_inflight_msg *msg, int fd) must_check;

void inflight_unmap(struct inflight *fl);

/* Region for ring @index of @size entries, and for how many heads it has room; NULL if there is no
 * memory for such a ring, which then runs without a book. */
struct inflight_region *inflight_region_of(const struct inflight *fl, unsigned index, uint32_t size,
					   uint16_t *room_ret);

/* A ring's book in its region. */
struct inflight_ring {
	struct vq_book book; /* given to the vq while the ring runs */
	struct inflight_region *region;
	uint16_t size;
	uint64_t counter; /* of the next request taken */
	uint16_t *redo;	  /* [size]: heads the predecessor left */
	uint16_t *staged; /* [size]: used entries that are written and not shown */
	unsigned staged_count;
};

#define INFLIGHT_RING_NULL ((struct inflight_ring){ .region = NULL })

/* Start a book in @region, which has room for @room heads, for a ring of @size entries (at most
 * @room) whose used index is @used_idx now. A region
 * that was never used is made ready; one that was used is read: book.redo lists the heads that must
 * be done again, in the order in which they had been taken. Returns 0; INFLIGHT_FRESH if the region
 * says nothing about the ring's position; -EINVAL with words if what it says cannot be, -ENOMEM.
 * Whatever it returns, inflight_ring_deinit() ends it. */
enum inflight_outcome { INFLIGHT_FRESH = 1 };
int inflight_ring_start(struct inflight_ring *ring, struct inflight_region *region, uint16_t room,
			uint16_t size, uint16_t used_idx) must_check;

/* Nothing is in flight and the front end knows where the ring goes on: the next start is fresh. */
void inflight_forget(struct inflight_region *region);

/* Free the lists; the region keeps what it says. Works on INFLIGHT_RING_NULL, and twice. */
void inflight_ring_deinit(struct inflight_ring *ring);
