// SPDX-License-Identifier: GPL-2.0-only
/* The bugs that other implementations have had, each by its name: a driver that does what once
 * broke somebody must find nothing here. */
#include "rig.h"

#include <pthread.h>
#include <string.h>

enum {
	D = RIG_DATA,
	ROUNDS = 2000,
	/* For a flipper that was preempted with the bad value in place. */
	PATIENCE = 2000000,
};

static const struct piece usual_read[] = { { RIG_HEADER, 16, R },
					   { D, 512, W },
					   { RIG_STATUS, 1, W } };

static struct vring_desc *descs(struct rig *r)
{
	return rig_at(r, 0x10000);
}

static uint16_t *avail(struct rig *r)
{
	return rig_at(r, 0x11000);
}

static bool needs_reset(struct rig *r)
{
	return rig_reg(r, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Kick a ring that must break, and see it broken with nothing answered. */
static void expect_broken(struct rig *r, const char *counter)
{
	rig_kick(r);
	while (!needs_reset(r))
		assert_true(r->has_threads);
	rig_kick(r);
	assert_int_equal(rig_counter(r, counter), 1);
}

ETEST(cve_2016_5403_more_in_flight_than_the_queue_holds)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=read,action=drop-completion");
	/* More heads than there can be: the index jumps beyond the queue's size. */
	__atomic_store_n(&avail(&r)[1], RIG_QUEUE_SIZE + 1, __ATOMIC_SEQ_CST);
	expect_broken(&r, "invalid_avail_idx");
	/* And one head posted again and again while the device still has it. */
	rig_setup(&r, r.features);
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_IN, 0);
	rig_post(&r, usual_read, 3);
	avail(&r)[3] = avail(&r)[2];
	__atomic_store_n(&avail(&r)[1], 2, __ATOMIC_SEQ_CST);
	expect_broken(&r, "head_in_flight");
	rig_deinit(&r);
}

ETEST(cve_2016_6490_only_zero_length_descriptors)
{
	const struct piece pieces[] = { { 0, 0, R }, { RIG_HOLE, 0, W }, { 0, 0, W } };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	assert_false(rig_run(&r, RIG_STATUS, pieces, 3).is_answered);
	assert_int_equal(rig_counter(&r, "chains_dropped"), 1);
	rig_deinit(&r);
}

ETEST(cve_2019_9547_circular_chain)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	blk_pause(r.blk); /* a worker that looks already must not see it half made */
	rig_post(&r, usual_read, 3);
	descs(&r)[2].flags |= VRING_DESC_F_NEXT;
	descs(&r)[2].next = 1;
	blk_resume(r.blk);
	expect_broken(&r, "descriptor_loop");
	rig_deinit(&r);
}

ETEST(cve_2019_14835_total_length_overflow)
{
	const struct piece pieces[] = { { RIG_HEADER, 16, R },
					{ D, UINT32_MAX, W },
					{ D, UINT32_MAX - 15, W },
					{ D, 513, W },
					{ RIG_STATUS, 1, W } };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_IN, 0);
	assert_answer(rig_run(&r, RIG_STATUS, pieces, 5), 1, 0);
	rig_deinit(&r);
}

ETEST(cve_2019_18960_end_of_buffer)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	assert_answer(rig_read(&r, 5, RIG_RAM - 512, 512), 0, 513);
	assert_answer(rig_read(&r, 5, RIG_RAM - 511, 512), 1, 0);
	assert_answer(rig_read(&r, 5, RIG_RAM, 512), 1, 0);
	rig_deinit(&r);
}

/* A driver thread posts one request after the other; this thread serves, so that it sees avail.idx
 * while it is being stored. A torn load would see 0x00ff -> 0x0100 as 0x01ff. */
static void *post_many(void *arg)
{
	struct rig *r = arg;

	for (unsigned i = 0; i < 1000; i++) {
		while ((uint16_t)(r->rings[0].avail - rig_used_idx(r, 0)) > RIG_QUEUE_SIZE / 4)
			;
		rig_post(r, usual_read, 3);
	}
	return NULL;
}

ETEST(cve_2020_13759_torn_index)
{
	pthread_t thread;
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_IN, 0);
	assert_int_equal(pthread_create(&thread, NULL, post_many, &r), 0);
	while (rig_used_idx(&r, 0) != 1000) {
		rig_kick(&r);
		assert_false(needs_reset(&r));
	}
	pthread_join(thread, NULL);
	assert_int_equal(rig_counter(&r, "reads_completed"), 1000);
	rig_deinit(&r);
}

/* A thread that writes two values in turn to one place until told to stop. */
struct flipper {
	pthread_t thread;
	void *at;
	unsigned size;
	uint64_t values[2];
	atomic_bool is_ending;
};

static void *flip(void *arg)
{
	struct flipper *f = arg;

	for (unsigned i = 0; !atomic_load_explicit(&f->is_ending, memory_order_relaxed); i++) {
		uint64_t value = f->values[i & 1];

		if (f->size == 8)
			__atomic_store_n((uint64_t *)f->at, value, __ATOMIC_RELAXED);
		else if (f->size == 4)
			__atomic_store_n((uint32_t *)f->at, (uint32_t)value, __ATOMIC_RELAXED);
		else
			__atomic_store_n((uint16_t *)f->at, (uint16_t)value, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void flipper_start(struct flipper *f)
{
	assert_int_equal(pthread_create(&f->thread, NULL, flip, f), 0);
}

static void flipper_end(struct flipper *f)
{
	atomic_store(&f->is_ending, true);
	pthread_join(f->thread, NULL);
}

/* One read of sector 1 after the other; whatever @f flips, each is one of: the right sector, whole,
 * or a refusal that wrote nothing. */
static void read_under(struct rig *r, struct flipper *f, uint32_t other_len)
{
	unsigned served = 0;

	/* The same three descriptors each time: the flipper knows where they are. */
	flipper_start(f);
	for (unsigned i = 0; i < ROUNDS || (!served && i < PATIENCE); i++) {
		uint8_t *data = rig_at(r, D);
		struct vring_used_elem e;

		memset(data, 0x5a, 2048);
		avail(r)[2 + r->rings[0].avail++ % RIG_QUEUE_SIZE] = 0;
		__atomic_store_n(&avail(r)[1], r->rings[0].avail, __ATOMIC_SEQ_CST);
		rig_kick(r);
		if (needs_reset(r))
			fail_msg("broken in round %u", i);
		e = rig_take_on(r, 0);
		if (e.len == 513 || e.len == other_len) {
			served++;
			assert_true(rig_is_filled(data, rig_pattern(1), 512));
			assert_true(rig_is_filled(data + e.len - 1, 0x5a, 2048 - (e.len - 1)));
		} else {
			/* 1: the data was not writable when it was looked at, so no room for any. */
			assert_true(e.len <= 1);
			assert_true(rig_is_filled(data, 0x5a, 2048));
		}
	}
	flipper_end(f);
	assert_true(served > 0);
}

static void prepare_read(struct rig *r)
{
	rig_header(r, RIG_HEADER, VIRTIO_BLK_T_IN, 1);
	rig_post(r, usual_read, 3);
	rig_kick(r);
	rig_take_on(r, 0);
}

ETEST(cve_2020_14374_header_and_descriptors_are_fetched_once)
{
	static const struct {
		bool is_header;
		unsigned offset, size;
		uint64_t values[2];
		uint32_t other_len;
	} targets[] = {
		{ true, 0, 4, { VIRTIO_BLK_T_IN, 0xbeef }, 513 },
		{ true, 8, 8, { 1, UINT64_C(1) << 55 }, 513 },
		{ false, 0, 8, { D, RIG_HOLE }, 513 },
		{ false, 8, 4, { 512, 1024 }, 1025 },
		{ false, 8, 4, { 512, RIG_RAM }, 513 },
		{ false, 12, 2, { VRING_DESC_F_NEXT | W, VRING_DESC_F_NEXT }, 513 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct flipper f = { .size = targets[i].size,
				     .values = { targets[i].values[0], targets[i].values[1] } };
		struct rig r;

		rig_init(&r, RIG_MODE, "");
		prepare_read(&r);
		f.at = targets[i].is_header ? (char *)rig_at(&r, RIG_HEADER) + targets[i].offset
					    : (char *)&descs(&r)[1] + targets[i].offset;
		read_under(&r, &f, targets[i].other_len);
		rig_deinit(&r);
	}
}

ETEST(freebsd_sa_24_17_segment_length_is_not_read_again)
{
	const struct piece pieces[] = { { RIG_HEADER, 16, R }, { D, 16, R }, { RIG_STATUS, 1, W } };
	struct virtio_blk_discard_write_zeroes *segment;
	struct flipper f = { .size = 4, .values = { 1, RIG_DISK_SECTORS } };
	unsigned served = 0;
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	segment = rig_at(&r, D);
	*segment = (struct virtio_blk_discard_write_zeroes){ .sector = 7, .num_sectors = 1 };
	f.at = &segment->num_sectors;
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_WRITE_ZEROES, 0);
	flipper_start(&f);
	for (unsigned i = 0; i < ROUNDS || (!served && i < PATIENCE); i++) {
		rig_post(&r, pieces, 3);
		rig_kick(&r);
		assert_int_equal(rig_take_on(&r, 0).len, 1);
		served += *(uint8_t *)rig_at(&r, RIG_STATUS) == 0;
	}
	flipper_end(&f);
	assert_true(served > 0);
	assert_true(rig_disk_is(&r, 7, 1, 0));
	for (uint64_t s = 8; s < RIG_DISK_SECTORS; s++)
		assert_true(rig_disk_is(&r, s, 1, rig_pattern(s)));
	rig_deinit(&r);
}

ETEST(cve_2024_3446_dma_into_our_own_registers)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	/* Registers are in no region of guest memory, wherever a machine puts them. */
	assert_answer(rig_read(&r, 0, 0xfeb02e00, 512), 1, 0);
	assert_answer(rig_write(&r, 0, 0xfeb02e00, 512), 1, 1);
	rig_deinit(&r);
}

ETEST(cve_2024_8612_used_length_beyond_what_was_written)
{
	struct rig r;

	rig_init(&r, RIG_MODE,
		 ",fault=op=read,nth=1,action=short,"
		 "fault=op=read,nth=1,count=9,action=errno:EIO");
	/* Half of the first iovec, then the host gives up: 256 bytes of 512 and of 4096. */
	assert_answer(rig_read(&r, 0, D, 512), 1, 256);
	assert_answer(rig_read(&r, 0, D, 4096), 1, 0);
	rig_deinit(&r);
}

ETEST(cve_2026_5747_queue_registers_after_activation)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_SEL, 0);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_NUM, 8);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_DESC_LOW, RIG_HOLE);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_AVAIL_LOW, RIG_HOLE);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_USED_LOW, RIG_HOLE);
	for (unsigned i = 0; i < 40; i++)
		assert_answer(rig_read(&r, i, D, 512), 0, 513);
	rig_deinit(&r);
}

ETEST(sector_2_55_does_not_alias_sector_0)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	memset(rig_at(&r, D), 0x5a, 512);
	assert_answer(rig_read(&r, UINT64_C(1) << 55, D, 512), 1, 0);
	assert_true(rig_is_filled(rig_at(&r, D), 0x5a, 512));
	assert_answer(rig_write(&r, UINT64_C(1) << 55, D, 512), 1, 1);
	assert_true(rig_disk_is(&r, 0, 1, rig_pattern(0)));
	rig_deinit(&r);
}

ETEST(reset_with_io_in_flight)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned round = 0; round < 100; round++) {
		rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_IN, 1);
		for (unsigned i = 0; i < 60; i++)
			rig_post(&r, usual_read, 3);
		rig_kick(&r);
		rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
		assert_int_equal(rig_reg(&r, VIRTIO_MMIO_STATUS), 0);
		/* Nothing may touch memory from here on. */
		memset(rig_at(&r, 0), 0xa5, RIG_SLOT);
		uint64_t irqs = atomic_load(&r.irqs);

		blk_run_due(r.blk);
		assert_true(rig_is_filled(rig_at(&r, 0), 0xa5, RIG_SLOT));
		assert_int_equal(atomic_load(&r.irqs), irqs);
		rig_setup(&r, r.features);
	}
	assert_answer(rig_read(&r, 1, D, 512), 0, 513);
	rig_deinit(&r);
}

ETEST(kernel_probes_find_no_zero_limit)
{
	/* Offsets of the limits that Linux divides by or refuses when zero. */
	static const unsigned limits[] = { 12, 20, 36, 40, 44, 48, 52 };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		assert_true(rig_reg(&r, VIRTIO_MMIO_CONFIG + limits[i]) > 0);
	rig_deinit(&r);
}

TESTS(ON_ALL(cve_2016_5403_more_in_flight_than_the_queue_holds),
      ON_ALL(cve_2016_6490_only_zero_length_descriptors), ON_ALL(cve_2019_9547_circular_chain),
      ON_ALL(cve_2019_14835_total_length_overflow), ON_ALL(cve_2019_18960_end_of_buffer),
      ON_ALL(cve_2020_13759_torn_index),
      ON_ALL(cve_2020_14374_header_and_descriptors_are_fetched_once),
      ON_ALL(freebsd_sa_24_17_segment_length_is_not_read_again),
      ON_ALL(cve_2024_3446_dma_into_our_own_registers),
      ON_ALL(cve_2024_8612_used_length_beyond_what_was_written),
      ON_ALL(cve_2026_5747_queue_registers_after_activation),
      ON_ALL(sector_2_55_does_not_alias_sector_0), ON_ALL(reset_with_io_in_flight),
      ON_ALL(kernel_probes_find_no_zero_limit))
