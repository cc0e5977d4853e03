// SPDX-License-Identifier: GPL-2.0-only
/* The rings around the walk: starting and stopping, what is in flight, the used ring, notification
 * suppression both ways, tokens, a transport's book of heads. */
#include "virtio/ring.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 8 };

static const uint64_t event_idx = UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX;

struct bench {
	struct ring_memory m;
	struct ring ring;
	struct vq vq;
	uint64_t body;
	struct vq_chain chain;
};

static struct bench *setup(uint64_t features)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	ring_memory_init(&b->m, 1 * MIB);
	ring_init(&b->ring, &b->m, SIZE);
	b->body = ring_place(&b->m, 4096, 16);
	assert_int_equal(vq_init(&b->vq, SIZE), 0);
	assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
	vq_set_features(&b->vq, features);
	return b;
}

static void teardown(struct bench *b)
{
	vq_deinit(&b->vq);
	ring_memory_deinit(&b->m);
	test_free(b);
}

/* Post a one-descriptor chain at @head, not shown yet. */
static void post(struct bench *b, uint16_t head)
{
	struct ring_buffer buffer = { b->body + head * 16u, 16, RING_WRITE };

	ring_post(&b->ring, ring_chain(&b->ring, head, &buffer, 1));
}

static struct vq_token pop(struct bench *b)
{
	assert_int_equal(vq_pop(&b->vq, &b->chain), 0);
	return b->chain.token;
}

static void expect_breakage(struct bench *b, enum vq_breakage reason)
{
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_BROKEN);
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_BROKEN);
	assert_int_equal(b->vq.breakage, reason);
	assert_int_equal(counter_get(&b->vq.counters.breakages[reason]), 1);
	assert_false(vq_enable_kicks(&b->vq));
}

static void expect_used(struct bench *b, uint32_t head, uint32_t len)
{
	uint32_t got_head, got_len;

	assert_true(ring_take(&b->ring, &got_head, &got_len));
	assert_int_equal(got_head, head);
	assert_int_equal(got_len, len);
}

TEST(a_queue_starts_only_with_a_size_that_can_be)
{
	static const struct {
		uint32_t size;
		int result;
	} cases[] = { { 0, VQ_BAD_SIZE },
		      { 1, 0 },
		      { 3, VQ_BAD_SIZE },
		      { 6, VQ_BAD_SIZE },
		      { 8, 0 },
		      { 16, VQ_BAD_SIZE },
		      { 9, VQ_BAD_SIZE },
		      { 65536, VQ_BAD_SIZE },
		      { UINT32_MAX, VQ_BAD_SIZE } };
	struct bench *b = setup(0);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vq_setup s = b->ring.setup;

		s.size = cases[i].size;
		assert_int_equal(vq_start(&b->vq, &b->m.mem, &s), cases[i].result);
		assert_int_equal(b->vq.is_started, !cases[i].result);
	}
	teardown(b);
}

TEST(a_queue_starts_only_with_aligned_rings_in_memory)
{
	struct bench *b = setup(0);
	const struct vq_setup good = b->ring.setup;
	const uint64_t end = ring_memory_end(&b->m);
	const struct {
		uint64_t desc, avail, used;
		int result;
	} cases[] = {
		{ good.desc.v, good.avail.v, good.used.v, 0 },
		{ good.desc.v + 8, good.avail.v, good.used.v, VQ_BAD_ALIGNMENT },
		{ good.desc.v, good.avail.v + 1, good.used.v, VQ_BAD_ALIGNMENT },
		{ good.desc.v, good.avail.v, good.used.v + 2, VQ_BAD_ALIGNMENT },
		{ end - 16 * SIZE, good.avail.v, good.used.v, 0 },
		{ end - 16 * SIZE + 16, good.avail.v, good.used.v, VQ_BAD_ADDRESS },
		{ good.desc.v, end - 6 - 2 * SIZE, good.used.v, 0 },
		{ good.desc.v, end - 4 - 2 * SIZE, good.used.v, VQ_BAD_ADDRESS },
		{ good.desc.v, good.avail.v, end - 8 - 8 * SIZE, 0 },
		{ good.desc.v, good.avail.v, end - 4 - 8 * SIZE, VQ_BAD_ADDRESS },
		{ 0, good.avail.v, good.used.v, VQ_BAD_ADDRESS },
		{ UINT64_MAX - 15, good.avail.v, good.used.v, VQ_BAD_ADDRESS },
		{ good.desc.v, UINT64_MAX - 1, good.used.v, VQ_BAD_ADDRESS },
		{ good.desc.v, good.avail.v, UINT64_MAX - 3, VQ_BAD_ADDRESS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vq_setup s = { SIZE, gpa(cases[i].desc), gpa(cases[i].avail),
				      gpa(cases[i].used) };

		assert_int_equal(vq_start(&b->vq, &b->m.mem, &s), cases[i].result);
		assert_int_equal(b->vq.is_started, !cases[i].result);
	}
	teardown(b);
}

TEST(chains_come_in_ring_order_over_many_wraps_of_the_index)
{
	struct bench *b = setup(0);

	for (uint32_t i = 0; i < 3 * 65536; i++) {
		uint16_t head = (uint16_t)(i * 5 % SIZE);

		post(b, head);
		ring_show(&b->ring);
		struct vq_token token = pop(b);

		if (token.head != head)
			fail_msg("round %u", i);
		vq_push(&b->vq, token, i);
		expect_used(b, head, i);
		if (vq_pop(&b->vq, &b->chain) != VQ_EMPTY)
			fail_msg("round %u: not empty", i);
	}
	teardown(b);
}

TEST(an_entry_not_shown_is_not_seen)
{
	struct bench *b = setup(0);

	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_EMPTY);
	post(b, 0);
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_EMPTY);
	ring_show(&b->ring);
	pop(b);
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_EMPTY);
	teardown(b);
}

TEST(avail_idx_ahead_by_more_than_the_queue_breaks_it_once)
{
	struct bench *b = setup(0);

	ring_set_avail_idx(&b->ring, SIZE + 1);
	expect_breakage(b, VQ_BREAK_AVAIL_IDX);
	teardown(b);
}

TEST(avail_idx_moved_back_breaks_the_queue)
{
	struct bench *b = setup(0);

	for (uint16_t head = 0; head < 3; head++)
		post(b, head);
	ring_show(&b->ring);
	for (unsigned i = 0; i < 3; i++)
		pop(b);
	ring_set_avail_idx(&b->ring, 2);
	expect_breakage(b, VQ_BREAK_AVAIL_IDX);
	teardown(b);
}

TEST(avail_idx_moved_back_over_entries_not_yet_taken_breaks_the_queue)
{
	struct bench *b = setup(0);

	for (uint16_t head = 0; head < 3; head++)
		post(b, head);
	ring_show(&b->ring);
	pop(b);
	ring_set_avail_idx(&b->ring, 2);
	assert_true(vq_enable_kicks(&b->vq)); /* looks at the index */
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_BROKEN);
	assert_int_equal(b->vq.breakage, VQ_BREAK_AVAIL_IDX);
	teardown(b);
}

TEST(a_head_beyond_the_table_breaks_the_queue)
{
	struct bench *b = setup(0);

	ring_offer(&b->ring, SIZE);
	expect_breakage(b, VQ_BREAK_HEAD_RANGE);
	teardown(b);
}

TEST(a_head_in_flight_twice_breaks_the_queue)
{
	struct bench *b = setup(0);

	post(b, 3);
	post(b, 3);
	ring_show(&b->ring);
	pop(b);
	expect_breakage(b, VQ_BREAK_HEAD_IN_FLIGHT);
	teardown(b);
}

TEST(a_head_is_in_flight_until_the_driver_can_see_its_used_entry)
{
	struct bench *b = setup(0);

	post(b, 3);
	post(b, 3);
	ring_show(&b->ring);
	assert_true(vq_stage(&b->vq, pop(b), 0));
	expect_breakage(b, VQ_BREAK_HEAD_IN_FLIGHT);
	teardown(b);
}

TEST(the_whole_queue_may_be_in_flight_and_no_more)
{
	struct bench *b = setup(0);
	struct vq_token tokens[SIZE];

	for (uint16_t head = 0; head < SIZE; head++)
		post(b, head);
	ring_show(&b->ring);
	for (unsigned i = 0; i < SIZE; i++)
		tokens[i] = pop(b);
	assert_int_equal(b->vq.in_flight, SIZE);
	post(b, 0);
	ring_show(&b->ring);
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_BROKEN);
	assert_int_equal(tokens[7].head, 7);
	teardown(b);
}

TEST(a_broken_queue_works_again_after_a_reset)
{
	struct bench *b = setup(0);

	ring_offer(&b->ring, SIZE);
	expect_breakage(b, VQ_BREAK_HEAD_RANGE);
	vq_stop(&b->vq);
	ring_reset(&b->ring);
	assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
	post(b, 1);
	ring_show(&b->ring);
	assert_int_equal(pop(b).head, 1);
	teardown(b);
}

TEST(a_batch_is_shown_by_one_store_of_used_idx)
{
	struct bench *b = setup(0);
	struct vq_used used[3];

	for (uint16_t head = 0; head < 3; head++)
		post(b, head);
	ring_show(&b->ring);
	for (uint32_t i = 0; i < 3; i++)
		used[i] = (struct vq_used){ pop(b), 100 + i };
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(vq_stage(&b->vq, used[i].token, used[i].len));
		assert_int_equal(ring_used_idx(&b->ring), 0);
	}
	assert_int_equal(vq_publish(&b->vq), 3);
	assert_int_equal(ring_used_idx(&b->ring), 3);
	assert_int_equal(vq_publish(&b->vq), 0);
	for (uint32_t i = 0; i < 3; i++)
		expect_used(b, i, 100 + i);
	teardown(b);
}

TEST(a_batch_skips_stale_tokens)
{
	struct bench *b = setup(0);

	for (uint16_t head = 0; head < 2; head++)
		post(b, head);
	ring_show(&b->ring);
	struct vq_token first = pop(b), second = pop(b);
	struct vq_used used[] = { { first, 1 }, { { b->vq.generation - 1, 1 }, 2 }, { second, 3 } };

	assert_int_equal(vq_push_batch(&b->vq, used, 3), 2);
	expect_used(b, 0, 1);
	expect_used(b, 1, 3);
	assert_int_equal(counter_get(&b->vq.counters.stale), 1);
	teardown(b);
}

TEST(completions_out_of_order_are_published_in_their_order)
{
	struct bench *b = setup(0);
	struct vq_token tokens[3];

	for (uint16_t head = 0; head < 3; head++)
		post(b, head);
	ring_show(&b->ring);
	for (unsigned i = 0; i < 3; i++)
		tokens[i] = pop(b);
	vq_push(&b->vq, tokens[2], 20);
	vq_push(&b->vq, tokens[0], 0);
	vq_push(&b->vq, tokens[1], 10);
	expect_used(b, 2, 20);
	expect_used(b, 0, 0);
	expect_used(b, 1, 10);
	teardown(b);
}

TEST(a_chain_is_completed_at_most_once)
{
	struct bench *b = setup(0);

	post(b, 0);
	ring_show(&b->ring);
	struct vq_token token = pop(b);

	assert_true(vq_stage(&b->vq, token, 1));
	assert_false(vq_stage(&b->vq, token, 2));
	assert_int_equal(vq_publish(&b->vq), 1);
	assert_false(vq_stage(&b->vq, token, 3));
	vq_drop(&b->vq, token);
	assert_int_equal(ring_used_idx(&b->ring), 1);
	assert_int_equal(counter_get(&b->vq.counters.stale), 2);
	assert_int_equal(counter_get(&b->vq.counters.chains_dropped), 0);
	teardown(b);
}

/* Every stage at which a stop can come; what is left is a memory that nobody has written. */
TEST(a_token_of_an_earlier_life_touches_nothing)
{
	for (unsigned stage = 0; stage < 3; stage++) {
		struct bench *b = setup(0);

		post(b, 5);
		post(b, 6);
		ring_show(&b->ring);
		struct vq_token token = pop(b), other = pop(b);

		if (stage == 1)
			vq_stage(&b->vq, other, 9);
		if (stage == 2)
			vq_push(&b->vq, other, 9);
		vq_stop(&b->vq);
		assert_int_equal(b->vq.in_flight, 0);
		ring_reset(&b->ring);
		unsigned char *before = test_malloc(b->m.bytes);

		memcpy(before, b->m.host, b->m.bytes);
		assert_false(vq_stage(&b->vq, token, 1));
		assert_int_equal(vq_publish(&b->vq), 0);
		assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
		assert_false(vq_token_is_current(&b->vq, token));
		assert_false(vq_stage(&b->vq, token, 1));
		assert_false(vq_stage(&b->vq, other, 1));
		vq_drop(&b->vq, token);
		assert_int_equal(vq_publish(&b->vq), 0);
		assert_false(vq_should_notify(&b->vq));
		assert_memory_equal(before, b->m.host, b->m.bytes);
		/* The same head in the new life has a token of its own. */
		post(b, 5);
		ring_show(&b->ring);
		struct vq_token fresh = pop(b);

		assert_false(vq_stage(&b->vq, token, 1));
		assert_true(vq_stage(&b->vq, fresh, 1));
		test_free(before);
		teardown(b);
	}
}

TEST(a_dropped_chain_moves_nothing_and_later_ones_are_served)
{
	struct bench *b = setup(0);

	post(b, 0);
	post(b, 1);
	ring_show(&b->ring);
	vq_drop(&b->vq, pop(b));
	assert_int_equal(vq_publish(&b->vq), 0);
	assert_false(vq_should_notify(&b->vq));
	assert_int_equal(ring_used_idx(&b->ring), 0);
	assert_int_equal(counter_get(&b->vq.counters.chains_dropped), 1);
	vq_push(&b->vq, pop(b), 4);
	expect_used(b, 1, 4);
	assert_int_equal(b->vq.in_flight, 0);
	teardown(b);
}

TEST(a_chain_put_back_is_popped_again)
{
	struct bench *b = setup(0);

	post(b, 4);
	post(b, 2);
	ring_show(&b->ring);
	pop(b);
	vq_unpop(&b->vq, &b->chain);
	assert_int_equal(b->vq.in_flight, 0);
	assert_int_equal(pop(b).head, 4);
	assert_int_equal(pop(b).head, 2);
	vq_unpop(&b->vq, &b->chain);
	assert_int_equal(vq_stop(&b->vq), 1); /* where GET_VRING_BASE goes on */
	assert_int_equal(counter_get(&b->vq.counters.chains), 1);
	teardown(b);
}

TEST(a_queue_goes_on_where_it_was_stopped)
{
	struct bench *b = setup(event_idx);

	for (uint16_t head = 0; head < 3; head++)
		post(b, head);
	ring_show(&b->ring);
	vq_push(&b->vq, pop(b), 0);
	expect_used(b, 0, 0);
	uint16_t base = vq_stop(&b->vq);

	assert_int_equal(base, 1);
	assert_int_equal(vq_resume(&b->vq, &b->m.mem, &b->ring.setup, base), 0);
	assert_int_equal(pop(b).head, 1);
	ring_set_used_event(&b->ring, 100);
	vq_push(&b->vq, b->chain.token, 7);
	expect_used(b, 1, 7);
	/* Whether entry 0 was signalled died with the earlier server. */
	assert_true(vq_should_notify(&b->vq));
	vq_push(&b->vq, pop(b), 0);
	assert_false(vq_should_notify(&b->vq));
	teardown(b);
}

TEST(a_queue_goes_on_in_memory_that_moved)
{
	struct bench *b = setup(0);
	unsigned char *moved = test_malloc(b->m.bytes + 16);
	unsigned char *aligned = moved + (16 - (uintptr_t)moved % 16) % 16;
	struct gmem mem = GMEM_NULL, elsewhere = GMEM_NULL;

	post(b, 0);
	post(b, 1);
	ring_show(&b->ring);
	struct vq_token token = pop(b);

	memcpy(aligned, b->m.host, b->m.bytes);
	assert_int_equal(gmem_add(&mem, gpa(RING_MEMORY_BASE), b->m.bytes, aligned), 0);
	assert_int_equal(vq_remap(&b->vq, &mem), 0);
	assert_true(vq_token_is_current(&b->vq, token));
	pop(b);
	assert_ptr_equal(b->chain.iov[0].iov_base, aligned + (b->body + 16 - RING_MEMORY_BASE));
	vq_push(&b->vq, token, 3);
	assert_int_equal(ring_used_idx(&b->ring), 0); /* the old place stays as it was */
	assert_int_equal(vq_remap(&b->vq, &elsewhere), VQ_BAD_ADDRESS);
	assert_false(b->vq.is_started);
	assert_false(vq_token_is_current(&b->vq, b->chain.token));
	test_free(moved);
	teardown(b);
}

TEST(rings_unaligned_on_the_host_are_refused)
{
	struct bench *b = setup(0);
	unsigned char *host = test_malloc(b->m.bytes + 64);
	struct gmem mem = GMEM_NULL;

	assert_int_equal(gmem_add(&mem, gpa(RING_MEMORY_BASE), b->m.bytes,
				  host + (16 - (uintptr_t)host % 16) + 1),
			 0);
	assert_int_equal(vq_start(&b->vq, &mem, &b->ring.setup), VQ_BAD_ADDRESS);
	test_free(host);
	teardown(b);
}

/* Publish one entry and ask. */
static bool publish_one(struct bench *b)
{
	post(b, 0);
	ring_show(&b->ring);
	vq_push(&b->vq, pop(b), 0);
	return vq_should_notify(&b->vq);
}

TEST(used_event_is_honoured_exactly)
{
	for (uint16_t event = 0; event < 6; event++) {
		struct bench *b = setup(event_idx);

		ring_set_used_event(&b->ring, event);
		for (uint16_t i = 0; i < 6; i++)
			assert_int_equal(publish_one(b), i == event);
		assert_int_equal(counter_get(&b->vq.counters.interrupts_sent), 1);
		assert_int_equal(counter_get(&b->vq.counters.interrupts_suppressed), 5);
		teardown(b);
	}
}

TEST(used_event_inside_a_batch_interrupts_once)
{
	struct bench *b = setup(event_idx);
	struct vq_used used[4];

	ring_set_used_event(&b->ring, 2);
	for (uint16_t head = 0; head < 4; head++)
		post(b, head);
	ring_show(&b->ring);
	for (unsigned i = 0; i < 4; i++)
		used[i] = (struct vq_used){ pop(b), 0 };
	vq_push_batch(&b->vq, used, 4);
	assert_true(vq_should_notify(&b->vq));
	assert_false(vq_should_notify(&b->vq)); /* nothing new */
	teardown(b);
}

TEST(used_event_works_across_the_wrap_of_the_index)
{
	struct bench *b = setup(event_idx);

	for (uint32_t i = 0; i < 65534; i++)
		publish_one(b);
	ring_set_used_event(&b->ring, 0);
	assert_false(publish_one(b)); /* 65534 */
	assert_false(publish_one(b)); /* 65535 */
	assert_true(publish_one(b));  /* 0 */
	assert_false(publish_one(b));
	teardown(b);
}

TEST(with_event_idx_the_drivers_flags_are_ignored_and_ours_stay_0)
{
	struct bench *b = setup(event_idx);

	ring_set_no_interrupt(&b->ring, true);
	assert_true(publish_one(b));
	vq_disable_kicks(&b->vq);
	assert_int_equal(ring_used_flags(&b->ring), 0);
	assert_false(vq_enable_kicks(&b->vq));
	assert_int_equal(ring_used_flags(&b->ring), 0);
	teardown(b);
}

TEST(without_event_idx_no_interrupt_is_honoured_and_used_event_ignored)
{
	struct bench *b = setup(0);

	ring_set_used_event(&b->ring, 77);
	assert_true(publish_one(b));
	ring_set_no_interrupt(&b->ring, true);
	assert_false(publish_one(b));
	ring_set_no_interrupt(&b->ring, false);
	assert_true(publish_one(b));
	teardown(b);
}

TEST(without_event_idx_kicks_are_switched_by_the_flag)
{
	struct bench *b = setup(0);

	ring_offer(&b->ring, 0);
	assert_true(ring_must_kick(&b->ring, 0, false));
	vq_disable_kicks(&b->vq);
	assert_int_equal(ring_used_flags(&b->ring), VRING_USED_F_NO_NOTIFY);
	assert_false(ring_must_kick(&b->ring, 0, false));
	assert_true(vq_enable_kicks(&b->vq)); /* the chain that is there */
	assert_int_equal(ring_used_flags(&b->ring), 0);
	assert_int_equal(ring_avail_event(&b->ring), 0); /* not ours to write without the feature */
	teardown(b);
}

TEST(kicks_a_dead_server_switched_off_are_switched_on_again)
{
	struct bench *b = setup(0);

	vq_disable_kicks(&b->vq);
	assert_int_equal(vq_resume(&b->vq, &b->m.mem, &b->ring.setup, 0), 0);
	assert_int_equal(ring_used_flags(&b->ring), VRING_USED_F_NO_NOTIFY);
	assert_false(vq_enable_kicks(&b->vq));
	assert_int_equal(ring_used_flags(&b->ring), 0);
	teardown(b);
}

TEST(with_event_idx_kicks_are_asked_for_at_the_next_chain)
{
	struct bench *b = setup(event_idx);

	for (uint16_t i = 0; i < 20; i++) {
		assert_false(vq_enable_kicks(&b->vq));
		assert_int_equal(ring_avail_event(&b->ring), i);
		post(b, 0);
		ring_show(&b->ring);
		assert_true(ring_must_kick(&b->ring, i, true));
		vq_disable_kicks(&b->vq);
		assert_true(vq_enable_kicks(&b->vq));
		vq_push(&b->vq, pop(b), 0);
	}
	/* Not asked for again: the event stays behind, the driver keeps quiet. */
	vq_disable_kicks(&b->vq);
	post(b, 0);
	ring_show(&b->ring);
	pop(b);
	post(b, 1);
	ring_show(&b->ring);
	assert_false(ring_must_kick(&b->ring, 21, true));
	teardown(b);
}

/* A book that writes down what it is told. */
struct log_book {
	struct vq_book book;
	char log[256];
};

static void note(struct vq_book *book, char what, unsigned number)
{
	struct log_book *l = container_of(book, struct log_book, book);
	size_t used = strlen(l->log);

	snprintf(l->log + used, sizeof(l->log) - used, "%c%u ", what, number);
}

static void note_taken(struct vq_book *book, uint16_t head)
{
	note(book, 't', head);
}

static void note_put_back(struct vq_book *book, uint16_t head)
{
	note(book, 'b', head);
}

static void note_staged(struct vq_book *book, uint16_t head)
{
	note(book, 's', head);
}

static void note_published(struct vq_book *book, uint16_t used_idx)
{
	note(book, 'p', used_idx);
}

TEST(a_book_is_told_each_step_and_its_heads_are_redone_first)
{
	struct bench *b = setup(0);
	static const uint16_t redo[] = { 6, 2 };
	struct log_book l = { .book = { note_taken, note_put_back, note_staged, note_published,
					redo, 2, 0 } };

	b->vq.book = &l.book;
	for (uint16_t head = 0; head < SIZE; head++)
		ring_desc(&b->ring, head, b->body, 16, RING_WRITE, 0);
	ring_offer(&b->ring, 1);
	assert_int_equal(pop(b).head, 6);
	vq_unpop(&b->vq, &b->chain);
	assert_true(vq_enable_kicks(&b->vq));
	struct vq_token tokens[3];

	for (unsigned i = 0; i < 2; i++)
		tokens[i] = pop(b);
	assert_int_equal(pop(b).head, 1);
	vq_unpop(&b->vq, &b->chain);
	tokens[2] = pop(b);
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_EMPTY);
	vq_stage(&b->vq, tokens[1], 0);
	vq_stage(&b->vq, tokens[0], 0);
	vq_publish(&b->vq);
	vq_drop(&b->vq, tokens[2]);
	/* What is redone stays in the book when it is put back: it is the predecessor's. */
	assert_string_equal(l.log, "t6 t6 t2 t1 b1 t1 s2 s6 p2 ");
	teardown(b);
}

TEST(a_head_in_the_book_twice_breaks_the_queue)
{
	struct bench *b = setup(0);
	static const uint16_t redo[] = { 3, 3 };
	struct log_book l = { .book = { note_taken, note_put_back, note_staged, note_published,
					redo, 2, 0 } };

	b->vq.book = &l.book;
	ring_desc(&b->ring, 3, b->body, 16, 0, 0);
	pop(b);
	assert_int_equal(vq_pop(&b->vq, &b->chain), VQ_BROKEN);
	assert_int_equal(b->vq.breakage, VQ_BREAK_HEAD_IN_FLIGHT);
	teardown(b);
}

TEST(a_queue_cut_off_shows_nothing)
{
	struct bench *b = setup(0);
	_Atomic bool is_cut_off = false;

	b->vq.is_cut_off = &is_cut_off;
	assert_true(publish_one(b));
	atomic_store(&is_cut_off, true);
	assert_false(publish_one(b));
	assert_int_equal(ring_used_idx(&b->ring), 1);
	teardown(b);
}

TEST(a_queue_takes_any_head_it_is_given_once)
{
	struct bench *b = setup(0);

	ring_desc(&b->ring, 7, b->body, 16, 0, 0);
	assert_int_equal(vq_take(&b->vq, 7, &b->chain), 0);
	assert_int_equal(b->chain.readable_bytes, 16);
	assert_int_equal(vq_take(&b->vq, 7, &b->chain), VQ_BROKEN);
	vq_stop(&b->vq);
	assert_int_equal(vq_start(&b->vq, &b->m.mem, &b->ring.setup), 0);
	assert_int_equal(vq_take(&b->vq, SIZE, &b->chain), VQ_BROKEN);
	assert_int_equal(b->vq.breakage, VQ_BREAK_HEAD_RANGE);
	teardown(b);
}

TEST(every_breakage_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < VQ_BREAKAGE_COUNT; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(vq_breakage_name((enum vq_breakage)i),
						vq_breakage_name((enum vq_breakage)k));
	}
}

TESTS(T(a_queue_starts_only_with_a_size_that_can_be),
      T(a_queue_starts_only_with_aligned_rings_in_memory),
      T(chains_come_in_ring_order_over_many_wraps_of_the_index), T(an_entry_not_shown_is_not_seen),
      T(avail_idx_ahead_by_more_than_the_queue_breaks_it_once),
      T(avail_idx_moved_back_breaks_the_queue),
      T(avail_idx_moved_back_over_entries_not_yet_taken_breaks_the_queue),
      T(a_head_beyond_the_table_breaks_the_queue), T(a_head_in_flight_twice_breaks_the_queue),
      T(a_head_is_in_flight_until_the_driver_can_see_its_used_entry),
      T(the_whole_queue_may_be_in_flight_and_no_more), T(a_broken_queue_works_again_after_a_reset),
      T(a_batch_is_shown_by_one_store_of_used_idx), T(a_batch_skips_stale_tokens),
      T(completions_out_of_order_are_published_in_their_order),
      T(a_chain_is_completed_at_most_once), T(a_token_of_an_earlier_life_touches_nothing),
      T(a_dropped_chain_moves_nothing_and_later_ones_are_served),
      T(a_chain_put_back_is_popped_again), T(a_queue_goes_on_where_it_was_stopped),
      T(a_queue_goes_on_in_memory_that_moved), T(rings_unaligned_on_the_host_are_refused),
      T(used_event_is_honoured_exactly), T(used_event_inside_a_batch_interrupts_once),
      T(used_event_works_across_the_wrap_of_the_index),
      T(with_event_idx_the_drivers_flags_are_ignored_and_ours_stay_0),
      T(without_event_idx_no_interrupt_is_honoured_and_used_event_ignored),
      T(without_event_idx_kicks_are_switched_by_the_flag),
      T(kicks_a_dead_server_switched_off_are_switched_on_again),
      T(with_event_idx_kicks_are_asked_for_at_the_next_chain),
      T(a_book_is_told_each_step_and_its_heads_are_redone_first),
      T(a_head_in_the_book_twice_breaks_the_queue), T(a_queue_cut_off_shows_nothing),
      T(a_queue_takes_any_head_it_is_given_once), T(every_breakage_has_a_name_of_its_own))
