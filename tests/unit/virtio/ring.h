/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's side of a split virtqueue in memory of a test: builds legal and illegal chains, posts
 * them, takes used entries back, decides about kicks as a driver must. All ring words are accessed
 * atomically, so that a device thread may run at the same time.
 *
 *	struct ring_memory m;           a guest's RAM, with places handed out from its start
 *	ring_memory_init(&m, 1 << 20);
 *	struct ring r;
 *	ring_init(&r, &m, 8);           rings for 8 entries; r.setup is what the device is told
 *	uint64_t header = ring_place(&m, 16, 8);
 *	ring_chain(&r, 0, (struct ring_buffer[]){ { header, 16 }, { status, 1, RING_WRITE } }, 2);
 *	ring_offer(&r, 0);
 *
 * A setup that fails ends the test program: nothing here returns errors. */
#pragma once

#include "gmem/gmem.h"
#include "virtio/vq.h"

enum { RING_WRITE = VRING_DESC_F_WRITE, RING_MEMORY_BASE = 0x10000 };

/* Guest RAM: one region that starts at RING_MEMORY_BASE, so that address 0 is nowhere. Behind it is
 * a guard page: a byte too far is a crash. */
struct ring_memory {
	struct gmem mem;
	unsigned char *host;
	uint64_t bytes; /* rounded up to whole pages */
	uint64_t used;	/* handed out */
};

void ring_memory_init(struct ring_memory *m, uint64_t bytes);
void ring_memory_deinit(struct ring_memory *m);
/* First address behind the memory. */
uint64_t ring_memory_end(const struct ring_memory *m);
/* A place of @bytes zeros; its guest address. */
uint64_t ring_place(struct ring_memory *m, uint64_t bytes, uint64_t alignment);
/* Host pointer to @addr, which must be in the memory. */
void *ring_host(const struct ring_memory *m, uint64_t addr);
/* Place @bytes from @data; their guest address. */
uint64_t ring_place_data(struct ring_memory *m, const void *data, uint64_t bytes);

struct ring {
	struct ring_memory *m;
	struct vq_setup setup;
	uint16_t posted; /* what avail.idx will be; ring_show() stores it */
	uint16_t taken;	 /* used entries taken back */
	struct vring_desc *desc;
	unsigned char *avail;
	unsigned char *used;
};

/* Make zeroed rings of @size entries (a power of two). */
void ring_init(struct ring *r, struct ring_memory *m, uint16_t size);
/* Zero rings and indices, as a driver does before it starts a queue again. */
void ring_reset(struct ring *r);

struct ring_buffer {
	uint64_t addr;
	uint32_t len;
	uint16_t flags; /* RING_WRITE or 0 */
};

/* Write one descriptor as it is, legal or not. */
void ring_desc(struct ring *r, uint16_t index, uint64_t addr, uint32_t len, uint16_t flags,
	       uint16_t next);
/* Chain @buffers through descriptors @first, @first + 1, ... Returns @first. */
uint16_t ring_chain(struct ring *r, uint16_t first, const struct ring_buffer *buffers,
		    unsigned count);
/* The same in an indirect table of @entries (0: as many as buffers) that descriptor @head refers to;
 * returns the table's address. */
uint64_t ring_chain_indirect(struct ring *r, uint16_t head, const struct ring_buffer *buffers,
			     unsigned count, unsigned entries);

/* Write the next available entry without showing it; show all that were posted; both. */
void ring_post(struct ring *r, uint16_t head);
void ring_show(struct ring *r);
void ring_offer(struct ring *r, uint16_t head);
/* Store avail.idx as it is, legal or not. */
void ring_set_avail_idx(struct ring *r, uint16_t idx);

uint16_t ring_used_idx(const struct ring *r);
/* Take the next used entry; false if there is none. */
bool ring_take(struct ring *r, uint32_t *head_ret, uint32_t *len_ret);

/* Notification suppression, driver's half. */
void ring_set_no_interrupt(struct ring *r, bool is_set);
void ring_set_used_event(struct ring *r, uint16_t event);
uint16_t ring_used_flags(const struct ring *r);
uint16_t ring_avail_event(const struct ring *r);
/* After ring_show() moved avail.idx from @old: must the driver kick? Holds the full barrier. */
bool ring_must_kick(const struct ring *r, uint16_t old, bool has_event_idx);
/* After ring_set_used_event() or clearing NO_INTERRUPT, full barrier and look: entries to take? */
bool ring_has_used(const struct ring *r);
