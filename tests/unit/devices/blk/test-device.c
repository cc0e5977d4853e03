// SPDX-License-Identifier: GPL-2.0-only
/* The device as a whole: configuration, write-back, queues, batches, pause and resume. */
#include "rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>

enum { D = RIG_DATA, CONFIG = VIRTIO_MMIO_CONFIG };

static uint64_t config_field(struct rig *r, unsigned offset, unsigned size)
{
	struct bus_access a = { .addr = CONFIG + offset, .size = (uint8_t)size };

	virtio_mmio_access(&r->mmio, &a);
	return a.value;
}

static void set_config(struct rig *r, unsigned offset, uint8_t value)
{
	struct bus_access a = {
		.addr = CONFIG + offset, .size = 1, .is_write = true, .value = value
	};

	virtio_mmio_access(&r->mmio, &a);
}

#define FIELD(r, name)                                                                             \
	config_field(r, offsetof(struct virtio_blk_config, name),                                  \
		     sizeof(((struct virtio_blk_config *)0)->name))

ETEST(every_offered_feature_has_limits_that_mean_something)
{
	static const uint32_t blocks[] = { 512, 1024, 2048, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		uint32_t sectors = blocks[i] / 512;
		char options[64];
		struct rig r;

		snprintf(options, sizeof(options), ",block=%u,queues=3", blocks[i]);
		rig_init(&r, RIG_MODE, options);
		assert_int_equal(FIELD(&r, capacity), RIG_DISK_SECTORS);
		assert_int_equal(FIELD(&r, blk_size), blocks[i]);
		assert_true(FIELD(&r, seg_max) > 0);
		assert_int_equal(FIELD(&r, num_queues), 3);
		assert_int_equal(blocks[i] << FIELD(&r, physical_block_exp), 4096);
		assert_int_equal(FIELD(&r, alignment_offset), 0);
		assert_int_equal(FIELD(&r, min_io_size) * blocks[i], 4096);
		assert_true(FIELD(&r, opt_io_size) > 0);
		assert_true(FIELD(&r, max_discard_sectors) > 0);
		assert_true(is_aligned(FIELD(&r, max_discard_sectors), sectors));
		assert_true(FIELD(&r, max_discard_seg) > 0);
		assert_int_equal(FIELD(&r, discard_sector_alignment), sectors);
		assert_true(is_aligned(FIELD(&r, max_write_zeroes_sectors), sectors));
		assert_true(FIELD(&r, max_write_zeroes_seg) > 0);
		assert_int_equal(FIELD(&r, write_zeroes_may_unmap), 1);
		assert_int_equal(config_field(&r, 60, 4), 0); /* the tail */
		assert_int_equal(config_field(&r, 33, 1), 0); /* padding */
		rig_deinit(&r);
	}
}

ETEST(only_writeback_is_writable)
{
	unsigned char before[60], after[60];
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned i = 0; i < 60; i++)
		before[i] = (uint8_t)config_field(&r, i, 1);
	for (unsigned i = 0; i < 64; i++)
		if (i != offsetof(struct virtio_blk_config, wce))
			set_config(&r, i, 0xff);
	for (unsigned i = 0; i < 60; i++)
		after[i] = (uint8_t)config_field(&r, i, 1);
	assert_memory_equal(before, after, 60);
	assert_int_equal(FIELD(&r, wce), 1);
	uint32_t generation = rig_reg(&r, VIRTIO_MMIO_CONFIG_GENERATION);

	set_config(&r, offsetof(struct virtio_blk_config, wce), 0);
	assert_int_equal(FIELD(&r, wce), 0);
	assert_int_not_equal(rig_reg(&r, VIRTIO_MMIO_CONFIG_GENERATION), generation);
	rig_deinit(&r);
}

ETEST(writeback_is_locked_without_config_wce)
{
	struct rig r;

	rig_init_with(&r, RIG_MODE, "", UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE);
	set_config(&r, offsetof(struct virtio_blk_config, wce), 0);
	assert_int_equal(FIELD(&r, wce), 1);
	rig_deinit(&r);
}

/* How many syncs a write makes: each is failed by a rule, so a synced write is an IOERR. */
static uint8_t write_with_failing_sync(struct rig *r)
{
	const struct piece pieces[] = { { RIG_HEADER, 16, R },
					{ D, 512, R },
					{ RIG_STATUS, 1, W } };

	rig_header(r, RIG_HEADER, VIRTIO_BLK_T_OUT, 0);
	*(uint8_t *)rig_at(r, RIG_STATUS) = 0xee;
	rig_post(r, pieces, 3);
	rig_kick(r);
	rig_take_on(r, 0);
	return *(uint8_t *)rig_at(r, RIG_STATUS);
}

ETEST(write_through_syncs_every_write_before_its_answer)
{
	/* The second host call of a write is its sync: nth=2 fails it, or the second write. */
	static const char options[] = ",fault=op=write,nth=2,action=errno:EIO";
	static const uint64_t wce = UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE;
	static const uint64_t flush = UINT64_C(1) << VIRTIO_BLK_F_FLUSH;
	static const struct {
		uint64_t without;
		int writeback; /* -1: as it is */
		bool is_synced;
	} cases[] = {
		{ 0, -1, false },   { 0, 0, true },	 { 0, 1, false },
		{ wce, -1, false }, { flush, -1, true }, { wce | flush, -1, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig r;

		rig_init_with(&r, RIG_MODE, options, cases[i].without);
		if (cases[i].writeback >= 0)
			set_config(&r, offsetof(struct virtio_blk_config, wce),
				   (uint8_t)cases[i].writeback);
		assert_int_equal(write_with_failing_sync(&r), cases[i].is_synced ? 1 : 0);
		rig_deinit(&r);
	}
}

ETEST(a_reset_turns_writeback_on_again)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	set_config(&r, offsetof(struct virtio_blk_config, wce), 0);
	rig_setup(&r, r.features);
	assert_int_equal(FIELD(&r, wce), 1);
	rig_deinit(&r);
}

ETEST(sixteen_queues_are_served)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",queues=16");
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned q = 0; q < 16; q++) {
			uint64_t at = RIG_HEADER + q * 32;
			const struct piece pieces[] = { { at, 16, R },
							{ D + q * 512, 512, W },
							{ at + 16, 1, W } };

			rig_header(&r, at, VIRTIO_BLK_T_IN, q * 3 + round);
			rig_post_on(&r, q, pieces, 3);
			rig_kick_on(&r, q);
		}
		for (unsigned q = 0; q < 16; q++) {
			assert_int_equal(rig_take_on(&r, q).len, 513);
			assert_true(rig_is_filled(rig_at(&r, D + q * 512),
						  rig_pattern(q * 3 + round), 512));
		}
	}
	assert_int_equal(rig_counter(&r, "reads_completed"), 320);
	rig_deinit(&r);
}

static void post_reads(struct rig *r, unsigned count)
{
	const struct piece pieces[] = { { RIG_HEADER, 16, R },
					{ D, 512, W },
					{ RIG_STATUS, 1, W } };

	rig_header(r, RIG_HEADER, VIRTIO_BLK_T_IN, 1);
	for (unsigned i = 0; i < count; i++)
		rig_post(r, pieces, 3);
}

ETEST(one_kick_one_store_one_interrupt)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	post_reads(&r, 15);
	rig_kick(&r);
	rig_wait_on(&r, 0, 15);
	assert_int_equal(rig_counter(&r, "reads_completed"), 15);
	if (RIG_MODE == RIG_INLINE) {
		assert_int_equal(atomic_load(&r.irqs), 1);
		assert_int_equal(rig_counter(&r, "batches"), 1);
	}
	rig_deinit(&r);
}

ETEST(entries_present_at_driver_ok_need_no_kick)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
	/* By hand up to the last step, with a request posted before it. */
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 1);
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 3);
	for (unsigned word = 0; word < 2; word++) {
		rig_set_reg(&r, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		rig_set_reg(&r, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(r.features >> 32 * word));
	}
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 11);
	memset(rig_at(&r, 0x10000), 0, 0x4000);
	memset(r.rings, 0, sizeof(r.rings));
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_SEL, 0);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_NUM, RIG_QUEUE_SIZE);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_DESC_LOW, 0x10000);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_AVAIL_LOW, 0x11000);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_USED_LOW, 0x12000);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_READY, 1);
	post_reads(&r, 3);
	rig_kick(&r); /* before DRIVER_OK: ignored */
	assert_int_equal(rig_used_idx(&r, 0), 0);
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 15);
	rig_wait_on(&r, 0, 3);
	rig_deinit(&r);
}

ETEST(a_broken_ring_stops_until_reset_and_asks_for_it)
{
	const struct piece loop[] = { { RIG_HEADER, 16, R } };
	struct vring_desc *table;
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	table = rig_at(&r, 0x10000);
	blk_pause(r.blk); /* a worker that looks already must not see it half made */
	rig_post(&r, loop, 1);
	table[0].flags = VRING_DESC_F_NEXT;
	table[0].next = 0;
	blk_resume(r.blk);
	post_reads(&r, 2);
	rig_kick(&r);
	while (!(rig_reg(&r, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET))
		assert_true(r.has_threads);
	rig_kick(&r);
	blk_pause(r.blk); /* the worker has seen it */
	blk_resume(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 0);
	assert_int_equal(rig_counter(&r, "descriptor_loop"), 1);
	rig_setup(&r, r.features);
	assert_answer(rig_read(&r, 0, D, 512), 0, 513);
	rig_deinit(&r);
}

/* A driver that kicks only when avail_event asks for it and sleeps until it is interrupted: one lost
 * kick or interrupt, and it never wakes again. */
ETEST(a_driver_that_sleeps_on_event_idx_is_always_woken)
{
	enum { ROUNDS = 3000 };
	uint16_t *avail, *used;
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_setup(&r, r.features | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX);
	avail = rig_at(&r, 0x11000);
	used = rig_at(&r, 0x12000);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint16_t before = r.rings[0].avail;
		unsigned count = 1 + round % 7;

		/* used_event: interrupt at the last of them. */
		__atomic_store_n(&avail[2 + RIG_QUEUE_SIZE], (uint16_t)(before + count - 1),
				 __ATOMIC_SEQ_CST);
		post_reads(&r, count);
		atomic_thread_fence(memory_order_seq_cst);
		if (ring_passes(__atomic_load_n(&used[2 + 4 * RIG_QUEUE_SIZE], __ATOMIC_SEQ_CST),
				r.rings[0].avail, before))
			rig_kick(&r);
		rig_wait_on(&r, 0, count);
		r.rings[0].used = (uint16_t)(r.rings[0].used + count);
	}
	assert_int_equal(rig_counter(&r, "reads_completed"), ROUNDS / 7 * 28 + 1 + 2 + 3 + 4);
	assert_true(atomic_load(&r.irqs) <= ROUNDS);
	rig_deinit(&r);
}

ETEST(counters_survive_a_reset)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	assert_answer(rig_read(&r, 0, D, 512), 0, 513);
	rig_setup(&r, r.features);
	assert_answer(rig_read(&r, 0, D, 512), 0, 513);
	assert_int_equal(rig_counter(&r, "reads_completed"), 2);
	assert_int_equal(rig_counter(&r, "bytes_read"), 1024);
	rig_deinit(&r);
}

ETEST(a_pause_loses_nothing_and_does_nothing_twice)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned round = 0; round < 50; round++) {
		post_reads(&r, 5);
		blk_pause(r.blk);
		rig_kick(&r);
		post_reads(&r, 5);
		rig_kick(&r);
		uint16_t used = rig_used_idx(&r, 0);

		assert_int_equal(rig_counter(&r, "reads_completed"), used);
		blk_pause(r.blk); /* nests */
		blk_resume(r.blk);
		assert_int_equal(rig_used_idx(&r, 0), used);
		blk_resume(r.blk);
		rig_wait_on(&r, 0, 10);
		for (unsigned i = 0; i < 10; i++)
			rig_take_on(&r, 0);
	}
	assert_int_equal(rig_counter(&r, "reads_completed"), 500);
	assert_int_equal(rig_counter(&r, "stale_completions"), 0);
	rig_deinit(&r);
}

ETEST(a_pause_before_the_threads_succeeds_at_once)
{
	struct blk_spec spec;
	struct blk *blk;

	assert_int_equal(blk_spec_parse("ram:1M,queues=4", &spec), 0);
	spec.engine = rig_engine(RIG_MODE);
	assert_int_equal(blk_new(&spec, NULL, &blk), 0);
	blk_pause(blk);
	blk_resume(blk);
	assert_int_equal(blk_start(blk), 0);
	blk_pause(blk);
	blk_stop(blk);
	blk_resume(blk);
	blk_free(blk);
}

ETEST(a_device_can_be_stopped_and_started_while_live)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned i = 0; i < 10; i++) {
		blk_stop(r.blk);
		assert_int_equal(blk_start(r.blk), 0);
		assert_answer(rig_read(&r, i, D, 512), 0, 513);
	}
	rig_deinit(&r);
}

ETEST(a_disk_that_cannot_be_opened_says_why)
{
	static const struct {
		const char *spec, *word;
	} cases[] = { { "/nonexistent/disk", "/nonexistent/disk" },
		      { "/tmp", "directory" },
		      { "/dev/null", "neither" },
		      { "ram:100", "no whole block" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blk_spec spec;
		struct blk *blk;

		assert_int_equal(blk_spec_parse(cases[i].spec, &spec), 0);
		assert_true(blk_new(&spec, NULL, &blk) < 0);
		assert_non_null(strstr(err_text(), cases[i].word));
	}
}

TESTS(ON_ALL(every_offered_feature_has_limits_that_mean_something),
      ON_ALL(only_writeback_is_writable), ON_ALL(writeback_is_locked_without_config_wce),
      ON_ALL(write_through_syncs_every_write_before_its_answer),
      ON_ALL(a_reset_turns_writeback_on_again), ON_ALL(sixteen_queues_are_served),
      ON_ALL(one_kick_one_store_one_interrupt), ON_ALL(entries_present_at_driver_ok_need_no_kick),
      ON_ALL(a_broken_ring_stops_until_reset_and_asks_for_it),
      ON_ALL(a_driver_that_sleeps_on_event_idx_is_always_woken), ON_ALL(counters_survive_a_reset),
      ON_ALL(a_pause_loses_nothing_and_does_nothing_twice),
      ON_ALL(a_pause_before_the_threads_succeeds_at_once),
      ON_ALL(a_device_can_be_stopped_and_started_while_live),
      ON(a_disk_that_cannot_be_opened_says_why, RIG_INLINE))
