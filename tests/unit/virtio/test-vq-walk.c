// SPDX-License-Identifier: GPL-2.0-only
/* The walk over one chain: shapes the specification allows, shapes it forbids, and an exhaustive
 * comparison with a model over all tables of four entries. */
#include "virtio/ring.h"

#include "test.h"

#include <string.h>

enum { SIZE = 8, BODY = 4096, NEXT = VRING_DESC_F_NEXT, INDIRECT = VRING_DESC_F_INDIRECT };

static const uint64_t all_features = VQ_FEATURES;

struct bench {
	struct ring_memory m;
	struct ring ring;
	struct vq vq;
	uint64_t body; /* BODY bytes of guest memory */
	struct vq_chain chain;
};

static struct bench *setup_sized(uint16_t size, uint64_t memory_bytes)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	ring_memory_init(&b->m, memory_bytes);
	ring_init(&b->ring, &b->m, size);
	b->body = ring_place(&b->m, BODY, 16);
	assert_int_equal(vq_init(&b->vq, size), 0);
	assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
	vq_set_features(&b->vq, all_features);
	return b;
}

static struct bench *setup(void)
{
	return setup_sized(SIZE, 1 * MIB);
}

static void teardown(struct bench *b)
{
	vq_deinit(&b->vq);
	ring_memory_deinit(&b->m);
	test_free(b);
}

/* Offer @head and pop it. */
static int offer_and_pop(struct bench *b, uint16_t head)
{
	ring_offer(&b->ring, head);
	return vq_pop(&b->vq, &b->chain);
}

static void expect_breakage(struct bench *b, uint16_t head, enum vq_breakage reason)
{
	uint64_t before = counter_get(&b->vq.counters.breakages[reason]);

	assert_int_equal(offer_and_pop(b, head), VQ_BROKEN);
	assert_string_equal(vq_breakage_name(b->vq.breakage), vq_breakage_name(reason));
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_BROKEN);
	assert_int_equal(counter_get(&b->vq.counters.breakages[reason]), before + 1);
}

/* Start the same rings again, empty. */
static void again(struct bench *b)
{
	ring_reset(&b->ring);
	assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
}

TEST(a_chain_is_split_into_readable_and_writable_parts)
{
	struct bench *b = setup();
	struct ring_buffer buffers[] = {
		{ b->body, 16, 0 },
		{ b->body + 100, 7, 0 },
		{ b->body + 200, 512, RING_WRITE },
		{ b->body + 900, 1, RING_WRITE },
	};

	ring_chain(&b->ring, 2, buffers, 4);
	assert_int_equal(offer_and_pop(b, 2), 0);
	assert_int_equal(b->chain.token.head, 2);
	assert_int_equal(b->chain.readable_count, 2);
	assert_int_equal(b->chain.writable_count, 2);
	assert_int_equal(b->chain.readable_bytes, 23);
	assert_int_equal(b->chain.writable_bytes, 513);
	for (unsigned i = 0; i < 4; i++) {
		assert_ptr_equal(b->chain.iov[i].iov_base, ring_host(&b->m, buffers[i].addr));
		assert_int_equal(b->chain.iov[i].iov_len, buffers[i].len);
	}
	assert_ptr_equal(b->chain.last_writable, ring_host(&b->m, b->body + 900));
	assert_false(b->chain.ends_readable);
	teardown(b);
}

TEST(empty_descriptors_are_legal_anywhere_and_counted)
{
	struct bench *b = setup();
	struct ring_buffer buffers[] = {
		{ 0, 0, 0 }, /* at an address in no memory */
		{ b->body, 16, 0 },
		{ UINT64_MAX, 0, RING_WRITE },
		{ b->body + 32, 0, 0 }, /* readable behind a writable, but empty */
		{ b->body + 64, 1, RING_WRITE },
		{ b->body, 0, 0 },
		{ 5, 0, RING_WRITE },
	};

	ring_chain(&b->ring, 0, buffers, 7);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_int_equal(b->chain.readable_descs, 4);
	assert_int_equal(b->chain.readable_empty, 3);
	assert_int_equal(b->chain.writable_descs, 3);
	assert_int_equal(b->chain.writable_empty, 2);
	assert_int_equal(b->chain.readable_count + b->chain.writable_count, 2);
	assert_false(b->chain.is_readable_after_writable);
	assert_false(b->chain.has_bad_address);
	assert_false(b->chain.ends_readable);
	assert_ptr_equal(b->chain.last_writable, ring_host(&b->m, b->body + 64));
	teardown(b);
}

TEST(only_empty_descriptors_give_an_empty_chain)
{
	struct bench *b = setup();
	struct ring_buffer buffers[] = { { b->body, 0, 0 }, { b->body, 0, RING_WRITE } };

	ring_chain(&b->ring, 0, buffers, 2);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_int_equal(b->chain.readable_count + b->chain.writable_count, 0);
	assert_null(b->chain.last_writable);
	teardown(b);
}

TEST(readable_after_writable_is_flagged_and_the_last_writable_byte_known)
{
	struct bench *b = setup();
	struct ring_buffer buffers[] = {
		{ b->body, 16, 0 },
		{ b->body + 64, 8, RING_WRITE },
		{ b->body + 128, 1, 0 },
		{ b->body + 256, 3, RING_WRITE },
	};

	ring_chain(&b->ring, 0, buffers, 4);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_true(b->chain.is_readable_after_writable);
	assert_false(b->chain.ends_readable);
	assert_ptr_equal(b->chain.last_writable, ring_host(&b->m, b->body + 258));

	ring_chain(&b->ring, 4, buffers, 3);
	assert_int_equal(offer_and_pop(b, 4), 0);
	assert_true(b->chain.is_readable_after_writable);
	assert_true(b->chain.ends_readable);
	teardown(b);
}

TEST(a_bad_address_is_flagged_and_does_not_break_the_queue)
{
	struct bench *b = setup();
	uint64_t end = ring_memory_end(&b->m);
	const struct {
		uint64_t addr;
		uint32_t len;
		bool is_end_inside; /* the last byte is in memory */
	} cases[] = {
		{ 0, 512, false },
		{ RING_MEMORY_BASE - 1, 2, true },
		{ end - 511, 512, false },
		{ end, 1, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX - 10, 512, false }, /* wraps 2^64 */
		{ UINT64_MAX, 1u << 31, false },
		{ 0xfeb02e00, 4, false }, /* registers are not memory */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ring_buffer buffers[] = {
			{ b->body, 16, 0 },
			{ cases[i].addr, cases[i].len, RING_WRITE },
			{ b->body + 64, 1, RING_WRITE },
		};

		ring_chain(&b->ring, 0, buffers, 3);
		assert_int_equal(offer_and_pop(b, 0), 0);
		assert_true(b->chain.has_bad_address);
		assert_int_equal(b->chain.readable_count, 1);
		assert_int_equal(b->chain.writable_count, 0);
		assert_ptr_equal(b->chain.last_writable, ring_host(&b->m, b->body + 64));
		vq_push(&b->vq, b->chain.token, 1);

		/* The same area at the end of the chain. */
		ring_chain(&b->ring, 0, buffers, 2);
		assert_int_equal(offer_and_pop(b, 0), 0);
		assert_int_equal(b->chain.last_writable != NULL, cases[i].is_end_inside);
		vq_push(&b->vq, b->chain.token, 1);
	}
	teardown(b);
}

TEST(a_buffer_over_two_adjacent_regions_is_two_iovecs)
{
	struct bench *b = setup();
	uint64_t border = ring_memory_end(&b->m);
	unsigned char *more = test_calloc(1, 4096);
	struct ring_buffer buffers[] = { { border - 10, 30, RING_WRITE } };

	assert_int_equal(gmem_add(&b->m.mem, gpa(border), 4096, more), 0);
	ring_chain(&b->ring, 0, buffers, 1);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_false(b->chain.has_bad_address);
	assert_int_equal(b->chain.writable_count, 2);
	assert_int_equal(b->chain.iov[0].iov_len, 10);
	assert_ptr_equal(b->chain.iov[1].iov_base, more);
	assert_ptr_equal(b->chain.last_writable, more + 19);
	test_free(more);
	teardown(b);
}

TEST(more_than_four_gib_in_all_is_flagged)
{
	struct bench *b = setup_sized(SIZE, UINT64_C(3) << 30);
	struct ring_buffer buffers[] = {
		{ RING_MEMORY_BASE, 1u << 31, 0 },
		{ RING_MEMORY_BASE, (1u << 31) - 1, RING_WRITE },
		{ b->body, 1, RING_WRITE },
		{ b->body, 1, RING_WRITE },
	};

	ring_chain(&b->ring, 0, buffers, 3);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_false(b->chain.is_over_4gib); /* exactly 2^32 */
	ring_chain(&b->ring, 4, buffers, 4);
	assert_int_equal(offer_and_pop(b, 4), 0);
	assert_true(b->chain.is_over_4gib);
	assert_true(b->chain.readable_bytes + b->chain.writable_bytes == (UINT64_C(1) << 32) + 1);
	assert_non_null(b->chain.last_writable);
	teardown(b);
}

/* A table of @count one-byte buffers, the last of them writable. */
static void make_long_table(struct bench *b, uint16_t head, unsigned count)
{
	struct ring_buffer *buffers = test_calloc(count, sizeof(*buffers));

	for (unsigned i = 0; i < count; i++)
		buffers[i] = (struct ring_buffer){ b->body, 1, 0 };
	buffers[count - 1] = (struct ring_buffer){ b->body + 77, 1, RING_WRITE };
	ring_chain_indirect(&b->ring, head, buffers, count, 0);
	test_free(buffers);
}

TEST(a_table_longer_than_the_queue_is_served_up_to_the_cap)
{
	static const struct {
		unsigned count;
		bool is_over;
	} cases[] = { { SIZE + 1, false },
		      { VQ_IOV_MAX, false },
		      { VQ_IOV_MAX + 1, true },
		      { 65536, true } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench *b = setup_sized(SIZE, 4 * MIB);

		make_long_table(b, 0, cases[i].count);
		assert_int_equal(offer_and_pop(b, 0), 0);
		assert_int_equal(b->chain.is_over_cap, cases[i].is_over);
		assert_int_equal(b->chain.readable_bytes, cases[i].count - 1);
		assert_ptr_equal(b->chain.last_writable, ring_host(&b->m, b->body + 77));
		assert_true(b->chain.readable_count + b->chain.writable_count <= VQ_IOV_MAX);
		teardown(b);
	}
}

TEST(direct_and_indirect_entries_share_one_cap)
{
	struct bench *b = setup_sized(SIZE, 4 * MIB);

	make_long_table(b, 1, VQ_IOV_MAX);
	ring_desc(&b->ring, 0, b->body, 1, NEXT, 1);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_true(b->chain.is_over_cap);
	teardown(b);
}

TEST(iovecs_split_at_a_border_count_against_the_cap)
{
	struct bench *b = setup_sized(SIZE, 4 * MIB);
	uint64_t border = ring_memory_end(&b->m);
	unsigned char *more = test_calloc(1, 4096);
	struct ring_buffer *buffers = test_calloc(VQ_IOV_MAX, sizeof(*buffers));

	assert_int_equal(gmem_add(&b->m.mem, gpa(border), 4096, more), 0);
	for (unsigned i = 0; i < VQ_IOV_MAX; i++)
		buffers[i] = (struct ring_buffer){ border - 1, 2, RING_WRITE };
	ring_chain_indirect(&b->ring, 0, buffers, VQ_IOV_MAX, 0);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_true(b->chain.is_over_cap);
	assert_ptr_equal(b->chain.last_writable, more);
	ring_chain_indirect(&b->ring, 1, buffers, VQ_IOV_MAX / 2, 0);
	assert_int_equal(offer_and_pop(b, 1), 0);
	assert_false(b->chain.is_over_cap);
	assert_int_equal(b->chain.writable_count, VQ_IOV_MAX);
	test_free(buffers);
	test_free(more);
	teardown(b);
}

TEST(legal_indirect_shapes_are_served)
{
	struct bench *b = setup();
	struct ring_buffer buffers[] = { { b->body, 16, 0 }, { b->body + 64, 1, RING_WRITE } };

	/* One reference at the head, unused entries behind the last. */
	uint64_t table = ring_chain_indirect(&b->ring, 0, buffers, 2, 6);

	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_int_equal(b->chain.readable_bytes, 16);
	assert_int_equal(b->chain.writable_bytes, 1);
	/* WRITE on the referring descriptor is ignored. */
	ring_desc(&b->ring, 1, table, 32, INDIRECT | RING_WRITE, 0);
	assert_int_equal(offer_and_pop(b, 1), 0);
	assert_int_equal(b->chain.readable_bytes, 16);
	/* Direct descriptors, then one reference. */
	ring_desc(&b->ring, 2, b->body + 512, 5, NEXT, 3);
	ring_desc(&b->ring, 3, b->body + 512, 6, NEXT, 4);
	ring_desc(&b->ring, 4, table, 32, INDIRECT, 99);
	assert_int_equal(offer_and_pop(b, 2), 0);
	assert_int_equal(b->chain.readable_bytes, 27);
	/* A table at every odd address. */
	uint64_t space = ring_place(&b->m, 64, 16);

	for (uint64_t shift = 0; shift < 16; shift++) {
		memcpy(ring_host(&b->m, space + shift), ring_host(&b->m, table), 32);
		ring_desc(&b->ring, 5, space + shift, 32, INDIRECT, 0);
		assert_int_equal(offer_and_pop(b, 5), 0);
		assert_int_equal(b->chain.readable_bytes, 16);
		vq_push(&b->vq, b->chain.token, 0);
	}
	teardown(b);
}

TEST(a_table_over_two_adjacent_regions_is_served)
{
	struct bench *b = setup();
	uint64_t border = ring_memory_end(&b->m);
	unsigned char *more = test_calloc(1, 4096);
	struct vring_desc table[] = { { b->body, 16, NEXT, 2 },
				      { 0, 0, 0, 0 },
				      { b->body + 64, 1, RING_WRITE, 0 } };

	assert_int_equal(gmem_add(&b->m.mem, gpa(border), 4096, more), 0);
	for (uint64_t before = 1; before < sizeof(table); before++) {
		assert_int_equal(gmem_write(&b->m.mem, gpa(border - before), table, sizeof(table)),
				 0);
		ring_desc(&b->ring, 0, border - before, sizeof(table), INDIRECT, 0);
		assert_int_equal(offer_and_pop(b, 0), 0);
		assert_int_equal(b->chain.readable_bytes, 16);
		assert_int_equal(b->chain.writable_bytes, 1);
		vq_push(&b->vq, b->chain.token, 0);
	}
	test_free(more);
	teardown(b);
}

TEST(forbidden_indirect_shapes_break_the_queue)
{
	struct bench *b = setup();
	uint64_t end = ring_memory_end(&b->m);
	uint64_t table = ring_place(&b->m, 64, 16);
	const struct {
		struct vring_desc ref, first, second;
		enum vq_breakage reason;
	} cases[] = {
		{ { table, 32, INDIRECT | NEXT, 1 }, {}, {}, VQ_BREAK_INDIRECT_NEXT },
		{ { table, 32, INDIRECT, 0 },
		  { table, 16, INDIRECT, 0 },
		  {},
		  VQ_BREAK_INDIRECT_NESTED },
		{ { table, 32, INDIRECT, 0 },
		  { b->body, 1, NEXT, 1 },
		  { table, 16, INDIRECT, 0 },
		  VQ_BREAK_INDIRECT_NESTED },
		{ { table, 0, INDIRECT, 0 }, {}, {}, VQ_BREAK_INDIRECT_LENGTH },
		{ { table, 17, INDIRECT, 0 }, {}, {}, VQ_BREAK_INDIRECT_LENGTH },
		{ { table, 15, INDIRECT, 0 }, {}, {}, VQ_BREAK_INDIRECT_LENGTH },
		{ { table, 32, INDIRECT, 0 },
		  { b->body, 1, NEXT, 2 },
		  {},
		  VQ_BREAK_INDIRECT_NEXT_RANGE },
		{ { table, 32, INDIRECT, 0 },
		  { b->body, 1, NEXT, 65535 },
		  {},
		  VQ_BREAK_INDIRECT_NEXT_RANGE },
		{ { table, 32, INDIRECT, 0 }, { b->body, 1, NEXT, 0 }, {}, VQ_BREAK_INDIRECT_LOOP },
		{ { table, 32, INDIRECT, 0 },
		  { b->body, 0, NEXT, 1 },
		  { b->body, 0, NEXT, 0 },
		  VQ_BREAK_INDIRECT_LOOP },
		{ { 0, 32, INDIRECT, 0 }, {}, {}, VQ_BREAK_INDIRECT_ADDRESS },
		{ { end - 16, 32, INDIRECT, 0 }, {}, {}, VQ_BREAK_INDIRECT_ADDRESS },
		{ { UINT64_MAX - 15, 32, INDIRECT, 0 }, {}, {}, VQ_BREAK_INDIRECT_ADDRESS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct vring_desc *ref = &cases[i].ref;

		again(b);
		memcpy(ring_host(&b->m, table), &cases[i].first, 16);
		memcpy(ring_host(&b->m, table + 16), &cases[i].second, 16);
		ring_desc(&b->ring, 0, ref->addr, ref->len, ref->flags, ref->next);
		expect_breakage(b, 0, cases[i].reason);
	}
	teardown(b);
}

TEST(a_table_of_more_entries_than_an_index_can_name_is_bounded)
{
	struct bench *b = setup_sized(SIZE, 4 * MIB);
	uint64_t table = ring_place(&b->m, 16 * 70000, 16);
	struct vring_desc *d = ring_host(&b->m, table);

	for (unsigned i = 0; i < 65536; i++)
		d[i] = (struct vring_desc){ b->body, 1, NEXT, (uint16_t)(i + 1) };
	ring_desc(&b->ring, 0, table, 16 * 70000, INDIRECT, 0);
	expect_breakage(b, 0, VQ_BREAK_INDIRECT_LOOP);
	teardown(b);
}

TEST(indirect_without_the_feature_breaks_the_queue)
{
	struct bench *b = setup();
	struct ring_buffer buffers[] = { { b->body, 16, 0 } };

	vq_set_features(&b->vq, all_features & ~(UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC));
	ring_chain_indirect(&b->ring, 0, buffers, 1, 0);
	expect_breakage(b, 0, VQ_BREAK_INDIRECT_FEATURE);
	teardown(b);
}

TEST(the_longest_direct_chain_uses_the_whole_table)
{
	struct bench *b = setup();
	struct ring_buffer buffers[SIZE];

	for (unsigned i = 0; i < SIZE; i++)
		buffers[i] = (struct ring_buffer){ b->body + i, 1, 0 };
	ring_chain(&b->ring, 0, buffers, SIZE);
	assert_int_equal(offer_and_pop(b, 0), 0);
	assert_int_equal(b->chain.readable_count, SIZE);
	ring_desc(&b->ring, SIZE - 1, b->body, 1, NEXT, 3);
	vq_push(&b->vq, b->chain.token, 0);
	expect_breakage(b, 0, VQ_BREAK_LOOP);
	teardown(b);
}

/* The model: entries of a table as small numbers, a walk that remembers where it was. */
enum { ENTRIES = 4, CHOICES_DIRECT = 2 + 2 * (ENTRIES + 1), CHOICES_TABLE = CHOICES_DIRECT + 1 };

struct model_entry {
	uint16_t flags;
	uint16_t next;
	uint32_t len;
};

/* Choice 0, 1: the end of a chain, readable or writable; then NEXT to 0..4, both ways; then, in a
 * table only, a nested reference. */
static struct model_entry entry_of(unsigned choice, unsigned index)
{
	struct model_entry e = { .len = index }; /* entry 0 is empty */

	if (choice < 2) {
		e.flags = choice ? RING_WRITE : 0;
	} else if (choice < CHOICES_DIRECT) {
		e.flags = (uint16_t)(NEXT | (choice % 2 ? RING_WRITE : 0));
		e.next = (uint16_t)((choice - 2) / 2);
	} else {
		e.flags = INDIRECT;
	}
	return e;
}

struct model_result {
	enum vq_breakage reason;
	unsigned readable, writable, empty;
	uint64_t bytes;
	bool is_disordered;
};

static struct model_result model_walk(const struct model_entry *entries, unsigned head,
				      bool is_table)
{
	struct model_result r = { .reason = VQ_INTACT };
	unsigned seen = 0, filled_writable = 0;

	for (unsigned at = head;; at = entries[at].next) {
		const struct model_entry *e = &entries[at];

		if (at >= ENTRIES) {
			r.reason = is_table ? VQ_BREAK_INDIRECT_NEXT_RANGE : VQ_BREAK_NEXT_RANGE;
			return r;
		}
		if (seen & 1u << at) {
			r.reason = is_table ? VQ_BREAK_INDIRECT_LOOP : VQ_BREAK_LOOP;
			return r;
		}
		seen |= 1u << at;
		if (e->flags & INDIRECT) {
			r.reason = VQ_BREAK_INDIRECT_NESTED;
			return r;
		}
		bool is_writable = e->flags & RING_WRITE;

		r.readable += !is_writable;
		r.writable += is_writable;
		r.empty += !e->len;
		r.bytes += e->len;
		if (e->len && !is_writable && filled_writable)
			r.is_disordered = true;
		filled_writable += is_writable && e->len;
		if (!(e->flags & NEXT))
			return r;
	}
}

static void compare(struct bench *b, const struct model_result *m, unsigned code)
{
	const struct vq_chain *c = &b->chain;
	int r = vq_take(&b->vq, 0, &b->chain);

	if (m->reason) {
		if (r != VQ_BROKEN || b->vq.breakage != m->reason)
			fail_msg("table %u: %s, model says %s", code,
				 vq_breakage_name(b->vq.breakage), vq_breakage_name(m->reason));
	} else if (r || c->readable_descs != m->readable || c->writable_descs != m->writable ||
		   c->readable_empty + c->writable_empty != m->empty ||
		   c->readable_bytes + c->writable_bytes != m->bytes ||
		   c->is_readable_after_writable != m->is_disordered) {
		fail_msg("table %u: result %d differs from the model", code, r);
	}
	vq_stop(&b->vq);
	assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
}

/* Write the table with number @code to @host and to @ret. */
static void write_table(struct bench *b, struct vring_desc *host, unsigned code, unsigned choices,
			struct model_entry *ret)
{
	for (unsigned i = 0; i < ENTRIES; i++, code /= choices) {
		ret[i] = entry_of(code % choices, i);
		host[i] = (struct vring_desc){ b->body + i * 16, ret[i].len, ret[i].flags,
					       ret[i].next };
	}
}

TEST(every_table_of_four_entries_walks_as_the_model_says)
{
	struct bench *b = setup_sized(ENTRIES, 1 * MIB);
	unsigned total = CHOICES_DIRECT * CHOICES_DIRECT * CHOICES_DIRECT * CHOICES_DIRECT;

	for (unsigned code = 0; code < total; code++) {
		struct model_entry entries[ENTRIES];

		write_table(b, b->ring.desc, code, CHOICES_DIRECT, entries);
		struct model_result m = model_walk(entries, 0, false);

		compare(b, &m, code);
	}
	teardown(b);
}

TEST(every_indirect_table_of_four_entries_walks_as_the_model_says)
{
	struct bench *b = setup_sized(ENTRIES, 1 * MIB);
	unsigned total = CHOICES_TABLE * CHOICES_TABLE * CHOICES_TABLE * CHOICES_TABLE;
	uint64_t table = ring_place(&b->m, 16 * ENTRIES, 16);

	ring_desc(&b->ring, 0, table, 16 * ENTRIES, INDIRECT, 0);
	for (unsigned code = 0; code < total; code++) {
		struct model_entry entries[ENTRIES];

		write_table(b, ring_host(&b->m, table), code, CHOICES_TABLE, entries);
		struct model_result m = model_walk(entries, 0, true);

		compare(b, &m, code);
	}
	teardown(b);
}

TESTS(T(a_chain_is_split_into_readable_and_writable_parts),
      T(empty_descriptors_are_legal_anywhere_and_counted),
      T(only_empty_descriptors_give_an_empty_chain),
      T(readable_after_writable_is_flagged_and_the_last_writable_byte_known),
      T(a_bad_address_is_flagged_and_does_not_break_the_queue),
      T(a_buffer_over_two_adjacent_regions_is_two_iovecs), T(more_than_four_gib_in_all_is_flagged),
      T(a_table_longer_than_the_queue_is_served_up_to_the_cap),
      T(direct_and_indirect_entries_share_one_cap),
      T(iovecs_split_at_a_border_count_against_the_cap), T(legal_indirect_shapes_are_served),
      T(a_table_over_two_adjacent_regions_is_served), T(forbidden_indirect_shapes_break_the_queue),
      T(a_table_of_more_entries_than_an_index_can_name_is_bounded),
      T(indirect_without_the_feature_breaks_the_queue),
      T(the_longest_direct_chain_uses_the_whole_table),
      T(every_table_of_four_entries_walks_as_the_model_says),
      T(every_indirect_table_of_four_entries_walks_as_the_model_says))
