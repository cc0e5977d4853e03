// SPDX-License-Identifier: GPL-2.0-only
/* A driver's split ring over plain memory. The barriers are those that virtio 1.2 asks of a driver
 * (2.7.13, 2.7.14); their partners are in virtio/vq.c. */
#include "virtio/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

static void must(bool is_fine, const char *what)
{
	if (is_fine)
		return;
	fprintf(stderr, "mock ring: %s\n", what);
	abort();
}

void ring_memory_init(struct ring_memory *m, uint64_t bytes)
{
	bytes = align_up(bytes, PAGE_BYTES);
	*m = (struct ring_memory){ .mem = GMEM_NULL, .bytes = bytes };
	m->host = mmap(NULL, bytes + PAGE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(m->host != MAP_FAILED, "mmap");
	must(!mprotect(m->host + bytes, PAGE_BYTES, PROT_NONE), "guard page");
	must(!gmem_add(&m->mem, gpa(RING_MEMORY_BASE), bytes, m->host), "gmem_add");
}

void ring_memory_deinit(struct ring_memory *m)
{
	munmap(m->host, m->bytes + PAGE_BYTES);
	*m = (struct ring_memory){ .mem = GMEM_NULL };
}

uint64_t ring_memory_end(const struct ring_memory *m)
{
	return RING_MEMORY_BASE + m->bytes;
}

uint64_t ring_place(struct ring_memory *m, uint64_t bytes, uint64_t alignment)
{
	uint64_t at = align_up(m->used, alignment);

	must(at + bytes <= m->bytes, "out of memory");
	m->used = at + bytes;
	memset(m->host + at, 0, bytes);
	return RING_MEMORY_BASE + at;
}

void *ring_host(const struct ring_memory *m, uint64_t addr)
{
	must(addr >= RING_MEMORY_BASE && addr < ring_memory_end(m), "address outside");
	return m->host + (addr - RING_MEMORY_BASE);
}

uint64_t ring_place_data(struct ring_memory *m, const void *data, uint64_t bytes)
{
	uint64_t at = ring_place(m, bytes, 8);

	memcpy(ring_host(m, at), data, bytes);
	return at;
}

void ring_init(struct ring *r, struct ring_memory *m, uint16_t size)
{
	*r = (struct ring){ .m = m, .setup.size = size };
	r->setup.desc = gpa(ring_place(m, 16u * size, 16));
	r->setup.avail = gpa(ring_place(m, 6u + 2u * size, 2));
	r->setup.used = gpa(ring_place(m, 6u + 8u * size, 4));
	r->desc = ring_host(m, r->setup.desc.v);
	r->avail = ring_host(m, r->setup.avail.v);
	r->used = ring_host(m, r->setup.used.v);
}

void ring_reset(struct ring *r)
{
	memset(r->desc, 0, 16u * r->setup.size);
	memset(r->avail, 0, 6u + 2u * r->setup.size);
	memset(r->used, 0, 6u + 8u * r->setup.size);
	r->posted = r->taken = 0;
}

static uint16_t load16(const unsigned char *p, int order)
{
	return __atomic_load_n((const uint16_t *)(const void *)p, order);
}

static void store16(unsigned char *p, uint16_t v, int order)
{
	__atomic_store_n((uint16_t *)(void *)p, v, order);
}

static struct vring_desc make_desc(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	return (struct vring_desc){ addr, len, flags, next };
}

void ring_desc(struct ring *r, uint16_t index, uint64_t addr, uint32_t len, uint16_t flags,
	       uint16_t next)
{
	struct vring_desc d = make_desc(addr, len, flags, next);

	gmem_store(&r->desc[index], &d, sizeof(d));
}

/* Entry @i of @count in a chain whose entries follow each other from @first on. */
static struct vring_desc chained(const struct ring_buffer *b, unsigned i, unsigned count,
				 uint16_t first)
{
	bool is_last = i + 1 == count;

	return make_desc(b[i].addr, b[i].len,
			 (uint16_t)(b[i].flags | (is_last ? 0 : VRING_DESC_F_NEXT)),
			 (uint16_t)(is_last ? 0 : first + i + 1));
}

uint16_t ring_chain(struct ring *r, uint16_t first, const struct ring_buffer *buffers,
		    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct vring_desc d = chained(buffers, i, count, first);

		gmem_store(&r->desc[first + i], &d, sizeof(d));
	}
	return first;
}

uint64_t ring_chain_indirect(struct ring *r, uint16_t head, const struct ring_buffer *buffers,
			     unsigned count, unsigned entries)
{
	entries = entries ? entries : count;
	uint64_t table = ring_place(r->m, 16u * (uint64_t)entries, 16);
	struct vring_desc *host = ring_host(r->m, table);

	for (unsigned i = 0; i < count; i++) {
		struct vring_desc d = chained(buffers, i, count, 0);

		gmem_store(&host[i], &d, sizeof(d));
	}
	ring_desc(r, head, table, 16u * entries, VRING_DESC_F_INDIRECT, 0);
	return table;
}

void ring_post(struct ring *r, uint16_t head)
{
	size_t slot = r->posted++ & (r->setup.size - 1);

	store16(r->avail + 4 + slot * 2, head, __ATOMIC_RELAXED);
}

void ring_set_avail_idx(struct ring *r, uint16_t idx)
{
	/* Release: the entries and descriptors come first (2.7.13.3). */
	store16(r->avail + 2, idx, __ATOMIC_RELEASE);
}

void ring_show(struct ring *r)
{
	ring_set_avail_idx(r, r->posted);
}

void ring_offer(struct ring *r, uint16_t head)
{
	ring_post(r, head);
	ring_show(r);
}

uint16_t ring_used_idx(const struct ring *r)
{
	return load16(r->used + 2, __ATOMIC_ACQUIRE);
}

bool ring_take(struct ring *r, uint32_t *head_ret, uint32_t *len_ret)
{
	if (ring_used_idx(r) == r->taken)
		return false;
	const unsigned char *entry = r->used + 4 + (r->taken++ & (r->setup.size - 1)) * 8u;

	*head_ret = __atomic_load_n((const uint32_t *)(const void *)entry, __ATOMIC_RELAXED);
	*len_ret = __atomic_load_n((const uint32_t *)(const void *)(entry + 4), __ATOMIC_RELAXED);
	return true;
}

void ring_set_no_interrupt(struct ring *r, bool is_set)
{
	store16(r->avail, is_set ? VRING_AVAIL_F_NO_INTERRUPT : 0, __ATOMIC_RELAXED);
}

void ring_set_used_event(struct ring *r, uint16_t event)
{
	store16(r->avail + 4 + r->setup.size * 2u, event, __ATOMIC_RELAXED);
}

uint16_t ring_used_flags(const struct ring *r)
{
	return load16(r->used, __ATOMIC_RELAXED);
}

uint16_t ring_avail_event(const struct ring *r)
{
	return load16(r->used + 4 + r->setup.size * 8u, __ATOMIC_RELAXED);
}

bool ring_must_kick(const struct ring *r, uint16_t old, bool has_event_idx)
{
	/* Full barrier: avail.idx was stored before; pairs with vq_enable_kicks(). */
	atomic_thread_fence(memory_order_seq_cst);
	if (!has_event_idx)
		return !(ring_used_flags(r) & VRING_USED_F_NO_NOTIFY);
	return vring_need_event(ring_avail_event(r), r->posted, old);
}

bool ring_has_used(const struct ring *r)
{
	/* Full barrier: used_event or flags was stored before; pairs with vq_should_notify(). */
	atomic_thread_fence(memory_order_seq_cst);
	return ring_used_idx(r) != r->taken;
}
