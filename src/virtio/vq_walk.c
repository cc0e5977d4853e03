// SPDX-License-Identifier: GPL-2.0-only
/* One descriptor chain, copied into a struct vq_chain.
 *
 *	table:  [head] -> [ ] -> [ ] -> [INDIRECT] --> indirect table: [0] -> [ ] -> [last]
 *
 * A chain has any number of direct descriptors and then at most one reference to an indirect table,
 * which ends it. The walk is bounded: a direct chain by the queue size, an indirect one by its
 * table and by the 2^16 entries that a 16-bit next can name. Beyond VQ_IOV_MAX descriptors nothing
 * is translated any more, but the walk goes on, because only its end says where the last writable
 * byte is, and with it a place for saying "refused".
 * Source: virtio 1.2, 2.7.5, 2.7.5.3. */
#include "virtio/vq_walk.h"

#include <assert.h>
#include <stddef.h>

static_assert(sizeof(struct vring_desc) == 16, "2.7.5");

/* Where the descriptors of one walk are loaded from: one piece of memory, save for an indirect
 * table that runs over the border of two regions. */
struct table {
	struct iovec pieces[GMEM_MAX_REGIONS];
	unsigned count;
};

struct walk {
	const struct vq *vq;
	struct vq_chain *chain;
	/* Where the last buffer was found; the next is likely to be there. NULL: nowhere yet. */
	const struct gmem_region *region;
	bool is_cut; /* an offence was met: no more iovecs */
	/* The last non-empty writable descriptor. */
	uint64_t writable_addr;
	uint32_t writable_len;
};

/* Once, whatever the driver does meanwhile; what is aligned (the ring's own table always is) in two
 * words. */
static void load_desc(const void *table, uint32_t index, struct vring_desc *ret)
{
	const struct vring_desc *from = (const struct vring_desc *)table + index;
	const uint64_t *words = (const uint64_t *)(const void *)from;

	if (!is_aligned((uintptr_t)from, sizeof(uint64_t))) {
		gmem_load(ret, from, sizeof(*ret));
		return;
	}
	uint64_t copy[] = { __atomic_load_n(&words[0], __ATOMIC_RELAXED),
			    __atomic_load_n(&words[1], __ATOMIC_RELAXED) };

	memcpy(ret, copy, sizeof(*ret));
}

/* Host pointer for a range in one region, or NULL: the region met last before the table. */
static unsigned char *find(struct walk *w, gpa_t addr, uint32_t len)
{
	unsigned char *host = w->region ? gmem_region_ptr(w->region, addr, len) : NULL;

	if (host)
		return host;
	w->region = gmem_find(w->vq->mem, addr);
	return w->region ? gmem_region_ptr(w->region, addr, len) : NULL;
}

static void offend(struct walk *w, bool *flag)
{
	*flag = true;
	w->is_cut = true;
}

/* Put [@addr, @addr + @len), which is not empty, into @iov: at most @max pieces. As gmem_iov(). */
static int map(struct walk *w, gpa_t addr, uint32_t len, struct iovec *iov, unsigned max,
	       unsigned *count_ret)
{
	unsigned char *host = max ? find(w, addr, len) : NULL;

	if (!host)
		return gmem_iov(w->vq->mem, addr, len, iov, max, count_ret);
	iov[0] = (struct iovec){ host, len };
	*count_ret = 1;
	return 0;
}

/* Add descriptor @d, which is not empty, to the iovecs. */
static void map_buffer(struct walk *w, const struct vring_desc *d)
{
	struct vq_chain *c = w->chain;
	unsigned at = c->readable_count + c->writable_count, added;
	int r = map(w, gpa(d->addr), d->len, &c->iov[at], VQ_IOV_MAX - at, &added);

	if (r == GMEM_OUTSIDE)
		offend(w, &c->has_bad_address);
	else if (r)
		offend(w, &c->is_over_cap);
	else if (d->flags & VRING_DESC_F_WRITE)
		c->writable_count += added;
	else
		c->readable_count += added;
}

static void count_buffer(struct vq_chain *c, const struct vring_desc *d)
{
	if (d->flags & VRING_DESC_F_WRITE) {
		c->writable_descs++;
		c->writable_empty += !d->len;
		c->writable_bytes += d->len;
	} else {
		c->readable_descs++;
		c->readable_empty += !d->len;
		c->readable_bytes += d->len;
	}
}

static void add_buffer(struct walk *w, const struct vring_desc *d)
{
	struct vq_chain *c = w->chain;

	count_buffer(c, d);
	if (!d->len)
		return;
	c->ends_readable = !(d->flags & VRING_DESC_F_WRITE);
	if (!c->ends_readable) {
		w->writable_addr = d->addr;
		w->writable_len = d->len;
	} else if (w->writable_len) {
		offend(w, &c->is_readable_after_writable);
	}
	if (!w->is_cut)
		map_buffer(w, d);
}

/* The last writable byte, also of a descriptor that was not mapped or is only partly there. */
static uint8_t *last_writable(struct walk *w)
{
	const struct vq_chain *c = w->chain;
	uint64_t last;

	if (!w->writable_len)
		return NULL;
	if (!w->is_cut) {
		const struct iovec *iov = &c->iov[c->readable_count + c->writable_count - 1];

		return (uint8_t *)iov->iov_base + iov->iov_len - 1;
	}
	if (__builtin_add_overflow(w->writable_addr, w->writable_len - 1, &last))
		return NULL;
	return find(w, gpa(last), 1);
}

static void finish(struct walk *w)
{
	struct vq_chain *c = w->chain;

	c->last_writable = last_writable(w);
	c->is_over_cap = c->is_over_cap || c->readable_descs + c->writable_descs > VQ_IOV_MAX;
	c->is_over_4gib = c->readable_bytes + c->writable_bytes > UINT64_C(1) << 32;
}

static enum vq_breakage check_reference(const struct vq *vq, const struct vring_desc *ref)
{
	if (!(vq->features >> VIRTIO_RING_F_INDIRECT_DESC & 1))
		return VQ_BREAK_INDIRECT_FEATURE;
	if (ref->flags & VRING_DESC_F_NEXT)
		return VQ_BREAK_INDIRECT_NEXT;
	if (!ref->len || ref->len % sizeof(struct vring_desc))
		return VQ_BREAK_INDIRECT_LENGTH;
	return VQ_INTACT;
}

static void load_indirect(const struct table *table, uint32_t index, struct vring_desc *ret)
{
	if (table->count == 1)
		load_desc(table->pieces[0].iov_base, index, ret);
	else
		iov_load(table->pieces, table->count, (uint64_t)index * sizeof(*ret), ret,
			 sizeof(*ret));
}

/* Walk the table that @ref refers to; its WRITE flag is ignored (2.7.5.3.2). */
static enum vq_breakage walk_indirect(struct walk *w, const struct vring_desc *ref)
{
	enum vq_breakage reason = check_reference(w->vq, ref);
	struct table table;

	if (reason)
		return reason;
	if (map(w, gpa(ref->addr), ref->len, table.pieces, ARRAY_SIZE(table.pieces), &table.count))
		return VQ_BREAK_INDIRECT_ADDRESS;
	const uint32_t entries = ref->len / (uint32_t)sizeof(struct vring_desc);
	const uint32_t steps = MIN(entries, UINT32_C(1) << 16);
	uint32_t index = 0;

	for (uint32_t step = 0; step < steps; step++) {
		struct vring_desc d;

		load_indirect(&table, index, &d);
		if (d.flags & VRING_DESC_F_INDIRECT)
			return VQ_BREAK_INDIRECT_NESTED;
		add_buffer(w, &d);
		if (!(d.flags & VRING_DESC_F_NEXT))
			return VQ_INTACT;
		if (d.next >= entries)
			return VQ_BREAK_INDIRECT_NEXT_RANGE;
		index = d.next;
	}
	return VQ_BREAK_INDIRECT_LOOP;
}

static enum vq_breakage walk_direct(struct walk *w, uint32_t index)
{
	const uint32_t size = w->vq->setup.size;

	for (uint32_t step = 0; step < size; step++) {
		struct vring_desc d;

		load_desc(w->vq->desc, index, &d);
		if (d.flags & VRING_DESC_F_INDIRECT)
			return walk_indirect(w, &d);
		add_buffer(w, &d);
		if (!(d.flags & VRING_DESC_F_NEXT))
			return VQ_INTACT;
		if (d.next >= size)
			return VQ_BREAK_NEXT_RANGE;
		index = d.next;
	}
	return VQ_BREAK_LOOP;
}

enum vq_breakage vq_walk(const struct vq *vq, uint16_t head, struct vq_chain *ret)
{
	struct walk w = { .vq = vq, .chain = ret };

	memset(ret, 0, offsetof(struct vq_chain, iov));
	enum vq_breakage reason = walk_direct(&w, head);

	if (!reason)
		finish(&w);
	return reason;
}
