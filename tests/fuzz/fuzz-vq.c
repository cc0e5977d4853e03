// SPDX-License-Identifier: GPL-2.0-only
/* The walker on arbitrary guest memory, against a model. The input is a few settings and then the
 * whole memory: rings, descriptors, tables and payload. The model walks byte by byte over a copy, in
 * the plainest way there is, and says for each pop what must come out.
 *
 *	0x1000  region A, 2 KiB: descriptor table, available ring, used ring, the rest
 *	0x1800  region B, 1 KiB, adjacent to A and elsewhere on the host
 *	0x8000  region C, 256 bytes
 */
#include "virtio/vq.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	A_AT = 0x1000,
	A_BYTES = 0x800,
	B_AT = 0x1800,
	B_BYTES = 0x400,
	C_AT = 0x8000,
	C_BYTES = 0x100,
	AVAIL_AT = 0x1200,
	USED_AT = 0x1300,
	SIZE_MAX_LOG = 4, /* up to 16 entries: desc 256, avail 38, used 134 bytes */
	SETTINGS_BYTES = 6,
};

struct world {
	unsigned char a[A_BYTES], b[B_BYTES], c[C_BYTES];
	struct gmem mem;
	struct vq vq;
};

#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "model differs: %s\n", #claim);                            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* One byte of guest memory, or NULL: the model's only idea of an address. */
static unsigned char *byte_at(struct world *w, uint64_t addr)
{
	if (addr >= A_AT && addr < A_AT + A_BYTES)
		return &w->a[addr - A_AT];
	if (addr >= B_AT && addr < B_AT + B_BYTES)
		return &w->b[addr - B_AT];
	if (addr >= C_AT && addr < C_AT + C_BYTES)
		return &w->c[addr - C_AT];
	return NULL;
}

static bool is_memory(struct world *w, uint64_t addr, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++) {
		if (addr + i < addr || i > A_BYTES + B_BYTES || !byte_at(w, addr + i))
			return false;
	}
	return true;
}

static struct vring_desc model_load(struct world *w, uint64_t table, uint32_t index)
{
	struct vring_desc d;

	for (unsigned i = 0; i < sizeof(d); i++)
		((unsigned char *)&d)[i] = *byte_at(w, table + index * 16u + i);
	return d;
}

struct model {
	enum vq_breakage reason;
	struct vring_desc buffers[256]; /* direct and indirect, in order */
	unsigned count;
};

static enum vq_breakage model_table(struct world *w, struct model *m, const struct vring_desc *ref)
{
	if (!(w->vq.features >> VIRTIO_RING_F_INDIRECT_DESC & 1))
		return VQ_BREAK_INDIRECT_FEATURE;
	if (ref->flags & VRING_DESC_F_NEXT)
		return VQ_BREAK_INDIRECT_NEXT;
	if (!ref->len || ref->len % 16)
		return VQ_BREAK_INDIRECT_LENGTH;
	if (!is_memory(w, ref->addr, ref->len))
		return VQ_BREAK_INDIRECT_ADDRESS;
	bool seen[256] = { false };

	for (uint32_t at = 0;;) {
		if (at >= ref->len / 16)
			return VQ_BREAK_INDIRECT_NEXT_RANGE;
		if (seen[at])
			return VQ_BREAK_INDIRECT_LOOP;
		seen[at] = true;
		struct vring_desc d = model_load(w, ref->addr, at);

		if (d.flags & VRING_DESC_F_INDIRECT)
			return VQ_BREAK_INDIRECT_NESTED;
		m->buffers[m->count++] = d;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return VQ_INTACT;
		at = d.next;
	}
}

static enum vq_breakage model_walk(struct world *w, struct model *m, uint32_t at)
{
	bool seen[16] = { false };

	for (;;) {
		if (at >= w->vq.setup.size)
			return VQ_BREAK_NEXT_RANGE;
		if (seen[at])
			return VQ_BREAK_LOOP;
		seen[at] = true;
		struct vring_desc d = model_load(w, A_AT, at);

		if (d.flags & VRING_DESC_F_INDIRECT)
			return model_table(w, m, &d);
		m->buffers[m->count++] = d;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return VQ_INTACT;
		at = d.next;
	}
}

/* Every byte of the chain's iovecs, from @iov on, is the memory that @m says, in order. */
static void check_bytes(struct world *w, const struct model *m, const struct vq_chain *c,
			bool is_writable)
{
	const struct iovec *iov = c->iov + (is_writable ? c->readable_count : 0);
	unsigned left = is_writable ? c->writable_count : c->readable_count;
	size_t offset = 0;

	for (unsigned i = 0; i < m->count; i++) {
		if (!!(m->buffers[i].flags & VRING_DESC_F_WRITE) != is_writable)
			continue;
		for (uint64_t k = 0; k < m->buffers[i].len; k++) {
			MUST(left);
			MUST((unsigned char *)iov->iov_base + offset ==
			     byte_at(w, m->buffers[i].addr + k));
			if (++offset == iov->iov_len) {
				iov++;
				left--;
				offset = 0;
			}
		}
	}
	MUST(!left);
}

static void check_chain(struct world *w, const struct model *m, const struct vq_chain *c)
{
	uint64_t total = 0;
	unsigned empty = 0, bad = 0;
	unsigned char *last = NULL;
	bool is_after = false, has_writable = false, ends_readable = false;

	for (unsigned i = 0; i < m->count; i++) {
		const struct vring_desc *d = &m->buffers[i];
		bool is_writable = d->flags & VRING_DESC_F_WRITE;

		total += d->len;
		empty += !d->len;
		if (!d->len)
			continue;
		bad += !is_memory(w, d->addr, d->len);
		ends_readable = !is_writable;
		is_after |= has_writable && !is_writable;
		has_writable |= is_writable;
		if (is_writable)
			last = d->addr + d->len - 1 < d->addr ? NULL
							      : byte_at(w, d->addr + d->len - 1);
	}
	MUST(c->readable_bytes + c->writable_bytes == total);
	MUST(c->readable_descs + c->writable_descs == m->count);
	MUST(c->readable_empty + c->writable_empty == empty);
	MUST(c->is_readable_after_writable == is_after);
	MUST(c->ends_readable == ends_readable);
	MUST(c->last_writable == last);
	MUST(c->is_over_4gib == (total > UINT64_C(1) << 32));
	MUST(!c->is_over_cap);
	MUST(!c->has_bad_address || bad);
	if (c->has_bad_address || c->is_readable_after_writable || c->is_over_4gib)
		return;
	MUST(!bad);
	check_bytes(w, m, c, false);
	check_bytes(w, m, c, true);
}

static void fill(struct world *w, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < A_BYTES + B_BYTES + C_BYTES && i < size; i++) {
		if (i < A_BYTES)
			w->a[i] = data[i];
		else if (i < A_BYTES + B_BYTES)
			w->b[i - A_BYTES] = data[i];
		else
			w->c[i - A_BYTES - B_BYTES] = data[i];
	}
}

/* Pop until nothing more comes, against the model; at most as many chains as the queue is long. */
static unsigned pop_all(struct world *w, struct vq_chain *chain, struct vq_token *tokens)
{
	bool in_flight[16] = { false };
	uint16_t next = w->vq.avail_next, size = (uint16_t)w->vq.setup.size;
	uint16_t idx = le16_get(&w->a[AVAIL_AT - A_AT + 2]);
	unsigned popped = 0;

	for (;;) {
		struct model m = { .reason = VQ_INTACT };
		int r = vq_pop(&w->vq, chain);

		if ((uint16_t)(idx - next) > size) {
			MUST(r == VQ_BROKEN && w->vq.breakage == VQ_BREAK_AVAIL_IDX);
			return popped;
		}
		if (idx == next) {
			MUST(r == VQ_EMPTY);
			return popped;
		}
		uint16_t head = le16_get(&w->a[AVAIL_AT - A_AT + 4 + 2 * (next & (size - 1))]);

		if (head >= size)
			m.reason = VQ_BREAK_HEAD_RANGE;
		else if (in_flight[head])
			m.reason = VQ_BREAK_HEAD_IN_FLIGHT;
		else
			m.reason = model_walk(w, &m, head);
		if (m.reason) {
			MUST(r == VQ_BROKEN && w->vq.breakage == m.reason);
			MUST(vq_pop(&w->vq, chain) == VQ_BROKEN);
			return popped;
		}
		MUST(r == 0 && chain->token.head == head);
		check_chain(w, &m, chain);
		in_flight[head] = true;
		tokens[popped++] = chain->token;
		next++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vq_chain chain;
	struct world w = { .mem = GMEM_NULL };
	struct vq_token tokens[16];
	struct vq_setup setup = { .desc = gpa(A_AT), .avail = gpa(AVAIL_AT), .used = gpa(USED_AT) };

	if (size < SETTINGS_BYTES)
		return 0;
	fill(&w, data + SETTINGS_BYTES, size - SETTINGS_BYTES);
	setup.size = 1u << data[0] % (SIZE_MAX_LOG + 1);
	MUST(!gmem_add(&w.mem, gpa(A_AT), A_BYTES, w.a));
	MUST(!gmem_add(&w.mem, gpa(B_AT), B_BYTES, w.b));
	MUST(!gmem_add(&w.mem, gpa(C_AT), C_BYTES, w.c));
	MUST(!vq_init(&w.vq, 1 << SIZE_MAX_LOG));
	MUST(!vq_resume(&w.vq, &w.mem, &setup, le16_get(data + 2)));
	vq_set_features(&w.vq, (data[1] & 1 ? UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC : 0) |
				       (data[1] & 2 ? UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX : 0));
	uint16_t used = le16_get(&w.a[USED_AT - A_AT + 2]);
	unsigned popped = pop_all(&w, &chain, tokens);

	for (unsigned i = 0; i < popped; i++)
		MUST(vq_stage(&w.vq, tokens[i], i));
	MUST(le16_get(&w.a[USED_AT - A_AT + 2]) == used);
	MUST(vq_publish(&w.vq) == popped);
	MUST(le16_get(&w.a[USED_AT - A_AT + 2]) == (uint16_t)(used + popped));
	MUST(vq_should_notify(&w.vq) == (popped > 0)); /* the first decision after a resume */
	(void)!vq_enable_kicks(&w.vq);
	vq_stop(&w.vq);
	for (unsigned i = 0; i < popped; i++)
		MUST(!vq_stage(&w.vq, tokens[i], 0));
	vq_deinit(&w.vq);
	return 0;
}
