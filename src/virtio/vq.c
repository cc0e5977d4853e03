// SPDX-License-Identifier: GPL-2.0-only
/* The rings of a split virtqueue from the device's side: where they are, what is in flight, the
 * used ring, and the two notification decisions. The walk over a chain is in vq_walk.c.
 *
 * Each decision is one half of a Dekker pair with the driver, and each half is "store mine, full
 * barrier, load yours":
 *
 *	device: store used.idx,     full barrier, load used_event
 *	driver: store used_event,   full barrier, load used.idx
 *
 *	device: store avail_event,  full barrier, load avail.idx
 *	driver: store avail.idx,    full barrier, load avail_event
 *
 * Whoever comes second sees the other's store, so no notification is lost.
 * Source: virtio 1.2, 2.7.7, 2.7.8, 2.7.10, 2.7.13, 2.7.14. */
#include "virtio/vq.h"
#include "virtio/vq_walk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum vq_head {
	VQ_HEAD_FREE, /* the driver's */
	VQ_HEAD_POPPED,
	VQ_HEAD_STAGED, /* answered, and the driver does not know it yet */
};

/* Offsets in the two rings (2.7.6, 2.7.8). */
enum { RING_FLAGS = 0, RING_IDX = 2, RING_ENTRIES = 4, USED_ENTRY_BYTES = 8 };

static const char *const breakage_names[] = {
#define X(id, name) name,
	VQ_BREAKAGES(X)
#undef X
};

const char *vq_breakage_name(enum vq_breakage reason)
{
	return breakage_names[reason];
}

/* Ring words are shared with the driver: each access is one atomic load or store. */
static uint16_t ring_load(const unsigned char *p, int order)
{
	return __atomic_load_n((const uint16_t *)(const void *)p, order);
}

static void ring_store(unsigned char *p, uint16_t value, int order)
{
	__atomic_store_n((uint16_t *)(void *)p, value, order);
}

static unsigned char *used_event(const struct vq *vq)
{
	return vq->avail + RING_ENTRIES + (size_t)vq->setup.size * sizeof(uint16_t);
}

static unsigned char *avail_event(const struct vq *vq)
{
	return vq->used + RING_ENTRIES + (size_t)vq->setup.size * USED_ENTRY_BYTES;
}

static bool has_event_idx(const struct vq *vq)
{
	return vq->features >> VIRTIO_RING_F_EVENT_IDX & 1;
}

static uint16_t slot(const struct vq *vq, uint16_t index)
{
	return (uint16_t)(index & (vq->setup.size - 1));
}

int vq_init(struct vq *vq, uint32_t size_max)
{
	assert(is_power_of_two(size_max) && size_max <= VQ_SIZE_MAX);
	*vq = (struct vq){ .size_max = size_max, .kick_fd = -1 };
	vq->heads = calloc(size_max, sizeof(*vq->heads));
	vq->staged = calloc(size_max, sizeof(*vq->staged));
	if (vq->heads && vq->staged)
		return 0;
	vq_deinit(vq);
	return err_new(-ENOMEM, "virtqueue of %u entries: out of memory", size_max);
}

void vq_deinit(struct vq *vq)
{
	free(vq->heads);
	free(vq->staged);
	vq->heads = NULL;
	vq->staged = NULL;
}

/* Host pointer of one ring; NULL unless it is all in one region and aligned on the host too. */
static void *find_ring(const struct gmem *mem, gpa_t addr, uint64_t bytes, unsigned alignment)
{
	void *host = gmem_ptr(mem, addr, bytes);

	return is_aligned((uintptr_t)host, alignment) ? host : NULL;
}

static int locate(struct vq *vq, const struct gmem *mem, const struct vq_setup *setup)
{
	if (!is_power_of_two(setup->size) || setup->size > vq->size_max)
		return VQ_BAD_SIZE;
	if (!is_aligned(setup->desc.v, VRING_DESC_ALIGN_SIZE) ||
	    !is_aligned(setup->avail.v, VRING_AVAIL_ALIGN_SIZE) ||
	    !is_aligned(setup->used.v, VRING_USED_ALIGN_SIZE))
		return VQ_BAD_ALIGNMENT;
	/* 2.7: the event words belong to the rings whether or not EVENT_IDX is negotiated. */
	void *desc = find_ring(mem, setup->desc, UINT64_C(16) * setup->size, VRING_DESC_ALIGN_SIZE);
	void *avail =
		find_ring(mem, setup->avail, 6 + UINT64_C(2) * setup->size, VRING_AVAIL_ALIGN_SIZE);
	void *used =
		find_ring(mem, setup->used, 6 + UINT64_C(8) * setup->size, VRING_USED_ALIGN_SIZE);

	if (!desc || !avail || !used)
		return VQ_BAD_ADDRESS;
	vq->setup = *setup;
	vq->mem = mem;
	vq->desc = desc;
	vq->avail = avail;
	vq->used = used;
	return 0;
}

static int start_at(struct vq *vq, const struct gmem *mem, const struct vq_setup *setup)
{
	int r;

	vq_stop(vq);
	r = locate(vq, mem, setup);
	if (r)
		return r;
	vq->is_started = true;
	vq->is_undecided = false;
	vq->is_kick_wanted = true;
	return 0;
}

static void set_indices(struct vq *vq, uint16_t avail, uint16_t used)
{
	vq->avail_next = vq->avail_seen = avail;
	vq->used_next = vq->used_shown = vq->used_decided = used;
}

int vq_start(struct vq *vq, const struct gmem *mem, const struct vq_setup *setup)
{
	int r = start_at(vq, mem, setup);

	if (r)
		return r;
	set_indices(vq, 0, 0);
	vq->must_notify = false;
	return 0;
}

int vq_resume(struct vq *vq, const struct gmem *mem, const struct vq_setup *setup,
	      uint16_t avail_next)
{
	int r = start_at(vq, mem, setup);

	if (r)
		return r;
	set_indices(vq, avail_next, ring_load(vq->used + RING_IDX, __ATOMIC_RELAXED));
	vq->must_notify = true;
	/* NO_NOTIFY may stand in the ring: vq_enable_kicks() has something to clear. */
	vq->is_kick_wanted = false;
	return 0;
}

int vq_remap(struct vq *vq, const struct gmem *mem)
{
	struct vq_setup setup = vq->setup;
	int r = locate(vq, mem, &setup);

	if (r)
		vq_stop(vq);
	return r;
}

void vq_set_features(struct vq *vq, uint64_t features)
{
	vq->features = features;
}

uint16_t vq_stop(struct vq *vq)
{
	vq->is_started = false;
	vq->breakage = VQ_INTACT;
	vq->generation++;
	vq->staged_count = 0;
	vq->in_flight = 0;
	memset(vq->heads, VQ_HEAD_FREE, vq->size_max * sizeof(*vq->heads));
	return vq->avail_next;
}

static int vq_break(struct vq *vq, enum vq_breakage reason)
{
	vq->breakage = reason;
	counter_bump(&vq->counters.breakages[reason], 1);
	return VQ_BROKEN;
}

/* Look for new entries. 0 if there are some, VQ_EMPTY, VQ_BROKEN. */
static int look(struct vq *vq)
{
	/* Acquire: pairs with the driver's barrier between the ring entries and avail.idx
	 * (2.7.13.3). */
	uint16_t idx = ring_load(vq->avail + RING_IDX, __ATOMIC_ACQUIRE);
	int pending = ring_pending(vq->avail_next, vq->avail_seen, idx, vq->setup.size);

	if (pending < 0)
		return vq_break(vq, VQ_BREAK_AVAIL_IDX);
	vq->avail_seen = idx;
	return pending ? 0 : VQ_EMPTY;
}

int vq_take(struct vq *vq, uint16_t head, struct vq_chain *ret)
{
	if (vq->breakage)
		return VQ_BROKEN;
	if (head >= vq->setup.size)
		return vq_break(vq, VQ_BREAK_HEAD_RANGE);
	if (vq->heads[head] != VQ_HEAD_FREE)
		return vq_break(vq, VQ_BREAK_HEAD_IN_FLIGHT);
	enum vq_breakage reason = vq_walk(vq, head, ret);

	if (reason)
		return vq_break(vq, reason);
	ret->token = (struct vq_token){ vq->generation, head };
	if (vq->book)
		vq->book->taken(vq->book, head);
	vq->heads[head] = VQ_HEAD_POPPED;
	vq->in_flight++;
	counter_bump(&vq->counters.chains, 1);
	return 0;
}

static bool has_redo(const struct vq *vq)
{
	return vq->book && vq->book->redo_next < vq->book->redo_count;
}

static int pop_redo(struct vq *vq, struct vq_chain *ret)
{
	int r = vq_take(vq, vq->book->redo[vq->book->redo_next], ret);

	if (r)
		return r;
	vq->book->redo_next++;
	ret->is_redo = true;
	return 0;
}

int vq_pop(struct vq *vq, struct vq_chain *ret)
{
	int r;

	assert(vq->is_started);
	if (vq->breakage)
		return VQ_BROKEN;
	if (has_redo(vq))
		return pop_redo(vq, ret);
	if (vq->avail_next == vq->avail_seen && (r = look(vq)))
		return r;
	size_t entry = slot(vq, vq->avail_next) * sizeof(uint16_t);

	r = vq_take(vq, ring_load(vq->avail + RING_ENTRIES + entry, __ATOMIC_RELAXED), ret);
	if (!r)
		vq->avail_next++;
	return r;
}

bool vq_token_is_current(const struct vq *vq, struct vq_token token)
{
	return token.generation == vq->generation && vq->heads[token.head] == VQ_HEAD_POPPED;
}

void vq_unpop(struct vq *vq, const struct vq_chain *chain)
{
	if (!vq_token_is_current(vq, chain->token))
		return;
	vq->heads[chain->token.head] = VQ_HEAD_FREE;
	vq->in_flight--;
	if (chain->is_redo) {
		vq->book->redo_next--; /* in flight since the predecessor: it stays in the book */
	} else {
		vq->avail_next--;
		if (vq->book)
			vq->book->put_back(vq->book, chain->token.head);
	}
	counter_bump(&vq->counters.chains, UINT64_MAX); /* one less */
}

bool vq_stage(struct vq *vq, struct vq_token token, uint32_t len)
{
	if (!vq_token_is_current(vq, token)) {
		counter_bump(&vq->counters.stale, 1);
		return false;
	}
	unsigned char *entry =
		vq->used + RING_ENTRIES + (size_t)slot(vq, vq->used_next) * USED_ENTRY_BYTES;

	__atomic_store_n((uint32_t *)(void *)entry, (uint32_t)token.head, __ATOMIC_RELAXED);
	__atomic_store_n((uint32_t *)(void *)(entry + 4), len, __ATOMIC_RELAXED);
	vq->heads[token.head] = VQ_HEAD_STAGED;
	vq->staged[vq->staged_count++] = token.head;
	vq->in_flight--;
	vq->used_next++;
	if (vq->book)
		vq->book->staged(vq->book, token.head);
	return true;
}

unsigned vq_publish(struct vq *vq)
{
	unsigned count = vq->staged_count;

	if (!count || (vq->is_cut_off && atomic_load(vq->is_cut_off)))
		return 0;
	/* Release: pairs with the driver's barrier between used.idx and the entries (2.7.14). */
	ring_store(vq->used + RING_IDX, vq->used_next, __ATOMIC_RELEASE);
	vq->used_shown = vq->used_next;
	vq->is_undecided = true;
	for (unsigned i = 0; i < count; i++)
		vq->heads[vq->staged[i]] = VQ_HEAD_FREE;
	vq->staged_count = 0;
	if (vq->book)
		vq->book->published(vq->book, vq->used_shown);
	return count;
}

unsigned vq_push(struct vq *vq, struct vq_token token, uint32_t len)
{
	vq_stage(vq, token, len);
	return vq_publish(vq);
}

unsigned vq_push_batch(struct vq *vq, const struct vq_used *entries, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		vq_stage(vq, entries[i].token, entries[i].len);
	return vq_publish(vq);
}

/* Does the driver want to hear of entries [used_decided, used_shown)? */
static bool is_interrupt_wanted(const struct vq *vq)
{
	/* Full barrier: used.idx was stored before; pairs with the driver's between its store of
	 * used_event (or flags) and its load of used.idx. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!has_event_idx(vq))
		return !(ring_load(vq->avail + RING_FLAGS, __ATOMIC_RELAXED) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	return ring_passes(ring_load(used_event(vq), __ATOMIC_RELAXED), vq->used_shown,
			   vq->used_decided);
}

bool vq_should_notify(struct vq *vq)
{
	if (!vq->is_undecided)
		return false;
	bool is_wanted = is_interrupt_wanted(vq) || vq->must_notify;

	vq->is_undecided = false;
	vq->must_notify = false;
	vq->used_decided = vq->used_shown;
	counter_bump(
		is_wanted ? &vq->counters.interrupts_sent : &vq->counters.interrupts_suppressed, 1);
	return is_wanted;
}

void vq_drop(struct vq *vq, struct vq_token token)
{
	if (!vq_token_is_current(vq, token))
		return;
	vq->heads[token.head] = VQ_HEAD_FREE;
	vq->in_flight--;
	counter_bump(&vq->counters.chains_dropped, 1);
}

void vq_disable_kicks(struct vq *vq)
{
	/* With EVENT_IDX an avail_event that stays behind is enough, and flags must stay 0
	 * (2.7.10.2). */
	if (vq->is_kick_wanted && !has_event_idx(vq))
		ring_store(vq->used + RING_FLAGS, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
	vq->is_kick_wanted = false;
}

bool vq_enable_kicks(struct vq *vq)
{
	if (vq->breakage)
		return false;
	if (has_event_idx(vq))
		ring_store(avail_event(vq), vq->avail_next, __ATOMIC_RELAXED);
	else if (!vq->is_kick_wanted)
		ring_store(vq->used + RING_FLAGS, 0, __ATOMIC_RELAXED);
	vq->is_kick_wanted = true;
	/* Full barrier: pairs with the driver's between its store of avail.idx and its load of
	 * avail_event (or flags). */
	atomic_thread_fence(memory_order_seq_cst);
	return has_redo(vq) || look(vq) != VQ_EMPTY;
}
