/* SPDX-License-Identifier: GPL-2.0-only */
/* The device side of a split virtqueue: takes chains off the available ring, gives heads back
 * through the used ring, and decides about notifications both ways. It knows no device and no
 * transport: the same struct serves virtio-mmio and vhost-user.
 *
 *	driver:  descriptor table -> available ring        used ring
 *	                              | vq_pop()             ^ vq_publish()
 *	device:                    struct vq_chain ------> vq_stage(token, length)
 *
 * Hostile driver: every descriptor is loaded exactly once, a ring index by one atomic 16-bit load;
 * what a chain object says stays true whatever the driver changes afterwards. A ring that breaks
 * the rules on which the walk itself stands (enum vq_breakage) stops the queue; what is only wrong
 * with one chain (the is_ and has_ members of struct vq_chain) is for the device to answer. Nothing
 * here allocates after vq_init(), and every loop is bounded.
 *
 * Threads: a queue belongs to one thread at a time, its server's (the device's worker, or the vCPU
 * that kicks). Starting and stopping it needs that the server is parked. Counters and is_live may
 * be read by any thread. Not here: packed rings, IN_ORDER, dirty logging.
 * Source: virtio 1.2, 2.6 and 2.7; clauses, choices and their tests: docs/conformance.md. */
#pragma once

#include "base/counter.h"
#include "gmem/gmem.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

enum {
	VQ_SIZE_MAX = 32768, /* 2.7: the largest queue size */
	/* Most descriptors in a chain that is served (the empty ones count, a reference to an
	 * indirect table does not), and most iovecs they become. */
	VQ_IOV_MAX = 1024,
};

/* Ring features this walker implements; a transport offers them for every device. */
#define VQ_FEATURES                                                                                \
	(UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX)

/* Why a queue was stopped. To add a reason: add a row here; names and counters follow. */
#define VQ_BREAKAGES(X)                                                                            \
	X(VQ_INTACT, "none")                                                                       \
	X(VQ_BREAK_AVAIL_IDX, "invalid_avail_idx")   /* ahead by more than the size, or back */    \
	X(VQ_BREAK_HEAD_RANGE, "head_out_of_range")  /* head index >= size */                      \
	X(VQ_BREAK_HEAD_IN_FLIGHT, "head_in_flight") /* the device still has this head */          \
	X(VQ_BREAK_NEXT_RANGE, "next_out_of_range")  /* next >= size */                            \
	X(VQ_BREAK_LOOP, "descriptor_loop")	     /* longer than the table it walks in */       \
	X(VQ_BREAK_INDIRECT_FEATURE, "indirect_not_negotiated")                                    \
	X(VQ_BREAK_INDIRECT_NEXT, "indirect_with_next")                                            \
	X(VQ_BREAK_INDIRECT_NESTED, "indirect_in_table")                                           \
	X(VQ_BREAK_INDIRECT_LENGTH, "indirect_length")	 /* 0, or no multiple of 16 */             \
	X(VQ_BREAK_INDIRECT_ADDRESS, "indirect_address") /* the table is not in guest memory */    \
	X(VQ_BREAK_INDIRECT_NEXT_RANGE, "indirect_next_out_of_range")                              \
	X(VQ_BREAK_INDIRECT_LOOP, "indirect_loop")

#define X(id, name) id,
enum vq_breakage { VQ_BREAKAGES(X) VQ_BREAKAGE_COUNT };
#undef X

/* Name of a reason, as counters and reports print it. */
const char *vq_breakage_name(enum vq_breakage reason);

enum vq_outcome {
	VQ_EMPTY = 1, /* the driver has posted nothing more */
	VQ_BROKEN,    /* the queue is stopped until it is reset: vq->breakage says why */
	/* refusals of vq_start() */
	VQ_BAD_SIZE,	  /* 0, not a power of two, or over the queue's maximum */
	VQ_BAD_ALIGNMENT, /* descriptor table 16, available ring 2, used ring 4 */
	VQ_BAD_ADDRESS,	  /* a ring is not wholly inside one region of guest memory */
};

/* Counters survive every reset. Those marked * are written by any thread, the rest by the server.
 */
struct vq_counters {
	counter_t kicks;	   /* * kicks of a queue that could be served */
	counter_t kicks_ignored;   /* * kicks of one that could not */
	counter_t chains;	   /* popped */
	counter_t chains_dropped;  /* vq_drop() */
	counter_t stale;	   /* completions refused because of their token */
	counter_t interrupts_sent; /* decisions of vq_should_notify() */
	counter_t interrupts_suppressed;
	counter_t breakages[VQ_BREAKAGE_COUNT];
};

/* Where the driver put the rings: the guest-visible setting of a queue. */
struct vq_setup {
	uint32_t size; /* entries, as the driver wrote it */
	gpa_t desc;
	gpa_t avail;
	gpa_t used;
};

/* Names one chain of one life of a queue. After the queue was stopped or reset, tokens handed out
 * before are stale, and completing one touches nothing. */
struct vq_token {
	uint32_t generation;
	uint16_t head;
};

/* A chain, copied. iov[0..readable_count) is what the device may read, the writable_count iovecs
 * behind it what it may write, in chain order, without the empty ones; all are pointers into guest
 * memory, borrowed until the chain is completed or the queue stopped. When has_bad_address,
 * is_over_cap, is_over_4gib or is_readable_after_writable is set, the iovecs may end early, and the
 * device is expected to refuse the request; counts and totals always cover the whole chain. */
struct vq_chain {
	struct vq_token token;
	unsigned readable_count; /* iovecs */
	unsigned writable_count;
	unsigned readable_descs; /* descriptors, the empty ones included */
	unsigned writable_descs;
	unsigned readable_empty; /* of these, with length 0 */
	unsigned writable_empty;
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	/* The last byte of the last non-empty writable descriptor; NULL if there is none, or if it
	 * is not in guest memory. A virtio-blk status goes there. Valid with every flag below. */
	uint8_t *last_writable;
	bool ends_readable;		 /* the last non-empty descriptor is device-readable */
	bool is_readable_after_writable; /* 2.7.4.2; empty ones do not count */
	bool has_bad_address;		 /* some byte of a non-empty descriptor is in no RAM */
	bool is_over_cap;  /* more descriptors, or iovecs after splitting, than VQ_IOV_MAX */
	bool is_over_4gib; /* 2.7.5: more than 2^32 bytes in all */
	bool is_redo;	   /* from vq->book, not from the available ring */
	struct iovec iov[VQ_IOV_MAX];
};

/* A transport's book of the heads that are in flight, for a successor in case this process dies
 * (vhost-user INFLIGHT_SHMFD). The functions are called by the server, in this order for each head,
 * next to the step they are named for. vq_pop() gives the heads of redo[] first, by vq_take(). A
 * dropped head stays in the book: the driver never gets it back. */
struct vq_book {
	void (*taken)(struct vq_book *book, uint16_t head); /* before the chain is handed out */
	void (*put_back)(struct vq_book *book, uint16_t head);
	void (*staged)(struct vq_book *book, uint16_t head);	    /* used entry written */
	void (*published)(struct vq_book *book, uint16_t used_idx); /* used.idx is stored */
	const uint16_t *redo; /* heads to take again, in order */
	unsigned redo_count;
	unsigned redo_next;
};

/* One queue. Plain data; what a snapshot must keep is in setup, features and the four indices. The
 * pointers are found again from setup. */
struct vq {
	uint32_t size_max; /* power of two, up to VQ_SIZE_MAX; fixed by vq_init() */
	struct vq_setup setup;
	uint64_t features;    /* negotiated */
	bool is_started;      /* the addresses below are valid */
	_Atomic bool is_live; /* started and past DRIVER_OK (or the vhost equivalent): serve it */
	enum vq_breakage breakage;
	uint32_t generation; /* of the tokens */

	uint16_t avail_next;   /* next available-ring entry to take */
	uint16_t avail_seen;   /* avail.idx as last loaded and checked */
	uint16_t used_next;    /* next used-ring entry to write, staged ones included */
	uint16_t used_shown;   /* used.idx as the driver can see it */
	uint16_t used_decided; /* used_shown at the last interrupt decision */
	bool is_undecided;     /* entries were published since */
	bool must_notify; /* what was signalled before is unknown: interrupt at the next decision */
	bool is_kick_wanted;

	const struct gmem *mem;
	const struct vring_desc *desc;
	unsigned char *avail; /* le16 flags, le16 idx, le16 ring[size], le16 used_event */
	unsigned char *used;  /* le16 flags, le16 idx, 8 bytes each [size], le16 avail_event */

	unsigned char *heads; /* enum vq_head for each; private to vq.c, as is staged */
	uint16_t *staged;     /* heads of used entries that are written and not published */
	unsigned staged_count;
	unsigned in_flight; /* chains popped and not yet staged or dropped */
	/* Eventfd that its server waits on, or -1: kicked by function call. The transport may put
	 * another file under this number (dup3) while the queue is stopped, so a server looks anew
	 * at queue_live(). It may be a hostile peer's: a plain read can block. */
	int kick_fd;
	struct vq_book *book;		/* NULL: nobody keeps one */
	const _Atomic bool *is_cut_off; /* when set and true, vq_publish() shows nothing */
	struct vq_counters counters;
};

/* Prepare a stopped queue of at most @size_max entries (a power of two). 0 or -ENOMEM. */
int vq_init(struct vq *vq, uint32_t size_max) must_check;
void vq_deinit(struct vq *vq);

/* Start a queue at index 0 of fresh rings. 0; VQ_BAD_SIZE, VQ_BAD_ALIGNMENT or VQ_BAD_ADDRESS, with
 * the queue left stopped. Features are set by vq_set_features() before the first pop. @mem must
 * outlive the start. The server must be parked. */
int vq_start(struct vq *vq, const struct gmem *mem, const struct vq_setup *setup) must_check;

/* Start a queue that has run before (vhost-user): the next chain is at @avail_next, used.idx is
 * taken from the ring, the first completion interrupts whatever used_event says. Outcomes as
 * vq_start(). */
int vq_resume(struct vq *vq, const struct gmem *mem, const struct vq_setup *setup,
	      uint16_t avail_next) must_check;

/* Find the rings again after @mem has changed, everything else unchanged. Outcomes as vq_start();
 * unless 0, the queue is stopped. The server must be parked. */
int vq_remap(struct vq *vq, const struct gmem *mem) must_check;

void vq_set_features(struct vq *vq, uint64_t features);

/* Stop: all tokens become stale, breakage and in-flight heads are forgotten. Returns the index at
 * which vq_resume() would go on (GET_VRING_BASE). Harmless on a stopped queue. The server must be
 * parked, and no host I/O may still be writing into memory of its chains. */
uint16_t vq_stop(struct vq *vq);

/* Take the next chain off the available ring and copy it into @ret.
 * Returns 0; VQ_EMPTY if the driver has posted nothing; VQ_BROKEN if the ring is broken, now or
 * since an earlier call: the caller reports it (virtio_device_broken()) and leaves the queue alone.
 * Not for a queue that is not started. Server thread. Source: virtio 1.2, 2.7.13, 2.7.5. */
int vq_pop(struct vq *vq, struct vq_chain *ret) must_check;

/* Put the chain popped last back: the next vq_pop() gives it again, loaded anew. Only for the most
 * recent pop; others may have been completed since. */
void vq_unpop(struct vq *vq, const struct vq_chain *chain);

/* Copy the chain at @head without the available ring: a request that was in flight when an earlier
 * server of this ring died (vhost-user INFLIGHT_SHMFD). Returns 0 or VQ_BROKEN. Server thread. */
int vq_take(struct vq *vq, uint16_t head, struct vq_chain *ret) must_check;

/* True if the chain of @token is still the device's to complete. */
bool vq_token_is_current(const struct vq *vq, struct vq_token token);

/* Write a used entry that the driver cannot see yet. @len is the number of bytes written to the
 * chain's writable part, counted from its first byte. Returns false, having touched nothing, when
 * the token is stale. Server thread. */
bool vq_stage(struct vq *vq, struct vq_token token, uint32_t len);

/* Show everything staged to the driver by one store of used.idx. Returns how many entries. */
unsigned vq_publish(struct vq *vq);

/* Stage and publish one entry; or @count entries at once. Returns how many were published: stale
 * tokens are left out. */
struct vq_used {
	struct vq_token token;
	uint32_t len;
};
unsigned vq_push(struct vq *vq, struct vq_token token, uint32_t len);
unsigned vq_push_batch(struct vq *vq, const struct vq_used *entries, unsigned count);

/* Decide once for all that was published since the last decision whether the driver wants an
 * interrupt: used_event with EVENT_IDX, NO_INTERRUPT without. False when nothing was published.
 * Counts the decision. Server thread, after vq_publish(). Source: virtio 1.2, 2.7.7, 2.7.10. */
bool vq_should_notify(struct vq *vq);

/* Forget a chain without an answer: no used entry, the head may be posted again. */
void vq_drop(struct vq *vq, struct vq_token token);

/* Tell the driver that kicks are not needed; a hint, as all of 2.7.7 is. */
void vq_disable_kicks(struct vq *vq);

/* Ask for a kick at the next chain. Returns true if chains arrived meanwhile, for which no kick may
 * come: go on with vq_pop() and ask again; wait only after false. True also if the ring was found
 * broken just now, so that vq_pop() says it; false on a queue that was. */
bool vq_enable_kicks(struct vq *vq) must_check;

/* Ring arithmetic, free-running 16-bit indices (2.7.1: they wrap at 2^16). */

/* Entries between @next and @idx if a driver of a queue of @size could have moved from @seen to
 * @idx; -1 if it could not. */
static inline int ring_pending(uint16_t next, uint16_t seen, uint16_t idx, uint32_t size)
{
	uint16_t pending = (uint16_t)(idx - next);

	return pending > size || pending < (uint16_t)(seen - next) ? -1 : pending;
}

/* Does moving an index from @old to @idx pass @event, that is: was entry @event among those added?
 * Source: virtio 1.2, 2.7.7.2. */
static inline bool ring_passes(uint16_t event, uint16_t idx, uint16_t old)
{
	return (uint16_t)(idx - event - 1) < (uint16_t)(idx - old);
}
