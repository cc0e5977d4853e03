// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 4: what each request type does, what it is refused for, and used.len. */
#include "rig.h"

#include <string.h>

enum { D = RIG_DATA, LAST = RIG_DISK_SECTORS - 1, UNMAP = 1 };

struct range_case {
	uint64_t sector;
	uint32_t bytes;
	uint8_t status;
};

static const struct range_case ranges[] = {
	{ 0, 512, 0 },
	{ LAST, 512, 0 },
	{ LAST, 1024, 1 },
	{ LAST + 1, 512, 1 },
	{ 0, RIG_DISK_SECTORS * 512, 0 },
	{ UINT64_MAX, 512, 1 },
	{ UINT64_MAX, 1024, 1 },
	{ UINT64_C(1) << 55, 512, 1 },
	{ (UINT64_C(1) << 55) + 1, 512, 1 },
	{ UINT64_C(1) << 63, 512, 1 },
	{ UINT64_MAX - 1, 1024, 1 },
};

ETEST(reads_and_writes_stay_inside_the_disk)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct range_case *c = &ranges[i];
		bool is_ok = c->status == 0;

		assert_answer(rig_read(&r, c->sector, D, c->bytes), c->status,
			      is_ok ? c->bytes + 1 : 0);
		memset(rig_at(&r, D), rig_pattern(c->sector), 512);
		if (c->bytes <= 1024)
			assert_answer(rig_write(&r, c->sector, D, c->bytes), c->status, 1);
	}
	assert_true(rig_disk_is(&r, 0, 1, rig_pattern(0)));
	rig_deinit(&r);
}

ETEST(only_empty_data_is_a_completed_request)
{
	const struct piece in[] = { { RIG_HEADER, 16, R }, { D, 0, W }, { RIG_STATUS, 1, W } };
	const struct piece out[] = { { RIG_HEADER, 16, R }, { D, 0, R }, { RIG_STATUS, 1, W } };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_IN, 5);
	assert_answer(rig_run(&r, RIG_STATUS, in, 3), 0, 1);
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_OUT, 5);
	assert_answer(rig_run(&r, RIG_STATUS, out, 3), 0, 1);
	assert_int_equal(rig_counter(&r, "reads_completed"), 1);
	assert_int_equal(rig_counter(&r, "writes_completed"), 1);
	assert_int_equal(rig_counter(&r, "bytes_read"), 0);
	assert_int_equal(rig_counter(&r, "io_errors"), 0);
	rig_deinit(&r);
}

ETEST(get_id_gives_twenty_bytes)
{
	static const struct {
		uint32_t bytes;
		uint8_t status;
		uint32_t len;
	} cases[] = { { 20, 0, 21 }, { 19, 1, 0 }, { 512, 0, 20 }, { 21, 0, 20 }, { 0, 1, 1 } };
	struct rig r;

	rig_init(&r, RIG_MODE, ",serial=0123456789abc,ro");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(rig_at(&r, D), 0x5a, 512);
		assert_answer(rig_request(&r, VIRTIO_BLK_T_GET_ID, 77, D, cases[i].bytes, W),
			      cases[i].status, cases[i].len);
		if (cases[i].status == 0)
			assert_memory_equal(rig_at(&r, D), "0123456789abc\0\0\0\0\0\0\0", 20);
		assert_true(rig_is_filled(rig_at(&r, D + 21), 0x5a, 491));
	}
	assert_int_equal(rig_counter(&r, "get_ids_completed"), 3);
	rig_deinit(&r);
}

ETEST(flush_is_fine_on_a_read_only_disk_too)
{
	const struct piece flush[] = { { RIG_HEADER, 16, R }, { RIG_STATUS, 1, W } };
	const struct piece with_data[] = { { RIG_HEADER, 16, R },
					   { D, 512, W },
					   { RIG_STATUS, 1, W } };
	struct rig r;

	rig_init(&r, RIG_MODE, ",ro");
	memset(rig_at(&r, D), 0x5a, 512);
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_FLUSH, UINT64_MAX);
	assert_answer(rig_run(&r, RIG_STATUS, flush, 2), 0, 1);
	assert_answer(rig_run(&r, RIG_STATUS, with_data, 3), 0, 0);
	assert_true(rig_is_filled(rig_at(&r, D), 0x5a, 512));
	assert_int_equal(rig_counter(&r, "flushes_completed"), 4);
	rig_deinit(&r);
}

ETEST(unknown_types_are_unsupp_and_no_error)
{
	static const uint32_t types[] = { 0xbeef, 2,  3,  5,	      6,	  7,	     9,
					  10,	  12, 14, 0x80000000, 0x80000001, UINT32_MAX };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		/* Wrong sector, wrong length: UNSUPP wins. */
		assert_answer(rig_request(&r, types[i], UINT64_MAX, D, 100, W), 2, 0);
		assert_answer(rig_request(&r, types[i], 0, D, 512, R), 2, 1);
	}
	assert_int_equal(rig_counter(&r, "io_errors"), 0);
	assert_int_equal(rig_counter(&r, "reads_completed"), 0);
	assert_int_equal(rig_counter(&r, "writes_completed"), 0);
	assert_int_equal(rig_counter(&r, "unsupported"), 2 * ARRAY_SIZE(types));
	rig_deinit(&r);
}

ETEST(types_that_were_not_negotiated_are_unsupp)
{
	static const struct {
		unsigned feature;
		uint32_t type;
	} cases[] = { { VIRTIO_BLK_F_DISCARD, VIRTIO_BLK_T_DISCARD },
		      { VIRTIO_BLK_F_WRITE_ZEROES, VIRTIO_BLK_T_WRITE_ZEROES } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig r;

		rig_init_with(&r, RIG_MODE, "", UINT64_C(1) << cases[i].feature);
		memset(rig_at(&r, D), 0, 16);
		assert_answer(rig_request(&r, cases[i].type, 0, D, 16, R), 2, 1);
		rig_deinit(&r);
	}
}

ETEST(a_read_only_disk_refuses_every_change)
{
	static const struct virtio_blk_discard_write_zeroes segment = { .num_sectors = 1 };
	struct rig r;

	rig_init(&r, RIG_MODE, ",ro");
	assert_true(r.features >> VIRTIO_BLK_F_RO & 1);
	assert_answer(rig_write(&r, 0, D, 512), 1, 1);
	/* Read-only comes before size and range. */
	assert_answer(rig_write(&r, UINT64_MAX, D, 511), 1, 1);
	memcpy(rig_at(&r, D), &segment, 16);
	assert_answer(rig_request(&r, VIRTIO_BLK_T_DISCARD, 0, D, 16, R), 1, 1);
	assert_answer(rig_request(&r, VIRTIO_BLK_T_WRITE_ZEROES, 0, D, 16, R), 1, 1);
	assert_int_equal(rig_counter(&r, "refused_read_only"), 4);
	assert_answer(rig_read(&r, 3, D, 512), 0, 513);
	assert_true(rig_disk_is(&r, 0, 1, rig_pattern(0)));
	rig_deinit(&r);
}

struct segments_case {
	const char *name;
	uint32_t type;
	struct virtio_blk_discard_write_zeroes segments[3];
	uint32_t bytes;
	uint8_t status;
};

enum { DISCARD = VIRTIO_BLK_T_DISCARD, ZEROES = VIRTIO_BLK_T_WRITE_ZEROES };

static const struct segments_case segments_cases[] = {
	{ "one", ZEROES, { { 10, 2, 0 } }, 16, 0 },
	{ "one with unmap", ZEROES, { { 10, 2, UNMAP } }, 16, 0 },
	{ "three", ZEROES, { { 10, 1, 0 }, { 11, 1, UNMAP }, { 20, 4, 0 } }, 48, 0 },
	{ "discard", DISCARD, { { 10, 2, 0 } }, 16, 0 },
	{ "none", ZEROES, { { 0 } }, 0, 1 },
	{ "eight bytes", ZEROES, { { 10, 2, 0 } }, 8, 1 },
	{ "one and a half", ZEROES, { { 10, 2, 0 }, { 12, 1, 0 } }, 24, 1 },
	{ "no sectors", ZEROES, { { 10, 0, 0 } }, 16, 0 },
	{ "no sectors, discard", DISCARD, { { 10, 0, 0 } }, 16, 0 },
	{ "to the end", ZEROES, { { LAST, 1, 0 } }, 16, 0 },
	{ "over the end", ZEROES, { { LAST, 2, 0 } }, 16, 1 },
	{ "at the end", DISCARD, { { LAST + 1, 1, 0 } }, 16, 1 },
	{ "wraps", ZEROES, { { UINT64_MAX, 2, 0 } }, 16, 1 },
	{ "2^55", ZEROES, { { UINT64_C(1) << 55, 1, 0 } }, 16, 1 },
	{ "more sectors than offered", ZEROES, { { 0, (1 << 22) + 1, 0 } }, 16, 1 },
	{ "second out of range", ZEROES, { { 10, 1, 0 }, { LAST, 2, 0 } }, 32, 1 },
	{ "unknown flag", ZEROES, { { 10, 1, 2 } }, 16, 2 },
	{ "unknown flag beats range", ZEROES, { { UINT64_MAX, 2, 0x80000000 } }, 16, 2 },
	{ "unknown flag in the second", ZEROES, { { LAST, 9, 0 }, { 1, 1, 4 } }, 32, 2 },
	{ "unknown flag beats length", ZEROES, { { 10, 1, 2 }, { 0 } }, 24, 2 },
	{ "discard with unmap", DISCARD, { { 10, 1, UNMAP } }, 16, 2 },
};

ETEST(segments_are_all_checked_before_the_first_acts)
{
	for (size_t i = 0; i < ARRAY_SIZE(segments_cases); i++) {
		const struct segments_case *c = &segments_cases[i];
		struct rig_answer a;
		struct rig r;

		rig_init(&r, RIG_MODE, "");
		memcpy(rig_at(&r, D), c->segments, sizeof(c->segments));
		a = rig_request(&r, c->type, UINT64_MAX, D, c->bytes, R);
		if (!a.is_answered || a.status != c->status || a.len != 1)
			fail_msg("%s: status %u, len %u", c->name, a.status, a.len);
		/* What was refused changed nothing; what was zeroed is zero. */
		for (unsigned s = 0; s < 3; s++) {
			uint64_t first = c->segments[s].sector;
			bool is_zeroed = c->type == ZEROES && !c->status;
			uint64_t n = c->segments[s].num_sectors;

			if (n == 0 || first > LAST || n > 4 || (c->type == DISCARD && !c->status))
				continue;
			for (uint64_t at = first; at < MIN(first + n, (uint64_t)RIG_DISK_SECTORS);
			     at++)
				assert_true(
					rig_disk_is(&r, at, 1, is_zeroed ? 0 : rig_pattern(at)));
		}
		rig_deinit(&r);
	}
}

ETEST(sixty_four_segments_are_served_and_no_more)
{
	struct virtio_blk_discard_write_zeroes segments[65];
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned i = 0; i < 65; i++)
		segments[i] = (struct virtio_blk_discard_write_zeroes){ .sector = 2 * i,
									.num_sectors = 1 };
	memcpy(rig_at(&r, D), segments, sizeof(segments));
	assert_answer(rig_request(&r, ZEROES, 0, D, 65 * 16, R), 1, 1);
	assert_true(rig_disk_is(&r, 0, 1, rig_pattern(0)));
	assert_answer(rig_request(&r, ZEROES, 0, D, 64 * 16, R), 0, 1);
	for (unsigned i = 0; i < 64; i++) {
		assert_true(rig_disk_is(&r, 2 * i, 1, 0));
		assert_true(rig_disk_is(&r, 2 * i + 1, 1, rig_pattern(2 * i + 1)));
	}
	assert_int_equal(rig_counter(&r, "write_zeroes_completed"), 1);
	/* Unsupported flags win even behind the last one that would be served. */
	((struct virtio_blk_discard_write_zeroes *)rig_at(&r, D))[64].flags = 8;
	assert_answer(rig_request(&r, ZEROES, 0, D, 65 * 16, R), 2, 1);
	rig_deinit(&r);
}

ETEST(segments_may_be_cut_anywhere)
{
	const struct piece pieces[] = { { RIG_HEADER, 17, R }, /* the first segment's first byte */
					{ RIG_HEADER + 17, 14, R },
					{ RIG_HEADER + 31, 17, R },
					{ RIG_STATUS, 1, W } };
	const struct virtio_blk_discard_write_zeroes segments[2] = { { 4, 1, 0 }, { 6, 1, 0 } };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	rig_header(&r, RIG_HEADER, ZEROES, 0);
	memcpy(rig_at(&r, RIG_HEADER + 16), segments, 32);
	assert_answer(rig_run(&r, RIG_STATUS, pieces, 4), 0, 1);
	assert_true(rig_disk_is(&r, 4, 1, 0));
	assert_true(rig_disk_is(&r, 5, 1, rig_pattern(5)));
	assert_true(rig_disk_is(&r, 6, 1, 0));
	rig_deinit(&r);
}

ETEST(discarded_sectors_can_be_written_again)
{
	struct virtio_blk_discard_write_zeroes segment = { .sector = 8, .num_sectors = 64 };
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	memcpy(rig_at(&r, D), &segment, 16);
	assert_answer(rig_request(&r, DISCARD, 0, D, 16, R), 0, 1);
	memset(rig_at(&r, D), 0x44, 512);
	assert_answer(rig_write(&r, 9, D, 512), 0, 1);
	assert_answer(rig_read(&r, 9, D + 512, 512), 0, 513);
	assert_true(rig_is_filled(rig_at(&r, D + 512), 0x44, 512));
	assert_true(rig_disk_is(&r, 7, 1, rig_pattern(7)));
	assert_true(rig_disk_is(&r, 72, 1, rig_pattern(72)));
	rig_deinit(&r);
}

ETEST(what_is_written_is_read_back)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned i = 0; i < 64 * 512; i++)
		*(uint8_t *)rig_at(&r, D + i) = (uint8_t)(i * 31 + i / 256);
	assert_answer(rig_write(&r, 100, D, 64 * 512), 0, 1);
	assert_answer(rig_read(&r, 100, D + 64 * 512, 64 * 512), 0, 64 * 512 + 1);
	assert_memory_equal(rig_at(&r, D), rig_at(&r, D + 64 * 512), 64 * 512);
	assert_int_equal(rig_counter(&r, "bytes_read"), 64 * 512);
	assert_int_equal(rig_counter(&r, "bytes_written"), 64 * 512);
	rig_deinit(&r);
}

ETEST(an_overlay_hides_the_file_and_leaves_it_alone)
{
	struct virtio_blk_discard_write_zeroes segment = { .sector = 30, .num_sectors = 2 };
	struct rig r;

	rig_init(&r, RIG_MODE, ",overlay");
	memset(rig_at(&r, D), 0x44, 1024);
	assert_answer(rig_write(&r, 20, D, 1024), 0, 1);
	memcpy(rig_at(&r, D), &segment, 16);
	assert_answer(rig_request(&r, ZEROES, 0, D, 16, R), 0, 1);
	/* One read over: file, top, file, zeroed top, file. */
	assert_answer(rig_read(&r, 19, D, 14 * 512), 0, 14 * 512 + 1);
	for (unsigned i = 0; i < 14; i++) {
		uint64_t sector = 19 + i;
		uint8_t expected = sector == 20 || sector == 21	  ? 0x44
				   : sector == 30 || sector == 31 ? 0
								  : rig_pattern(sector);

		assert_true(rig_is_filled(rig_at(&r, D + i * 512), expected, 512));
	}
	for (uint64_t s = 19; s < 33; s++)
		assert_true(rig_disk_is(&r, s, 1, rig_pattern(s)));
	rig_deinit(&r);
}

TESTS(ON_ALL(reads_and_writes_stay_inside_the_disk), ON_ALL(only_empty_data_is_a_completed_request),
      ON_ALL(get_id_gives_twenty_bytes), ON_ALL(flush_is_fine_on_a_read_only_disk_too),
      ON_ALL(unknown_types_are_unsupp_and_no_error),
      ON_ALL(types_that_were_not_negotiated_are_unsupp),
      ON_ALL(a_read_only_disk_refuses_every_change),
      ON_ALL(segments_are_all_checked_before_the_first_acts),
      ON_ALL(sixty_four_segments_are_served_and_no_more), ON_ALL(segments_may_be_cut_anywhere),
      ON_ALL(discarded_sectors_can_be_written_again), ON_ALL(what_is_written_is_read_back),
      ON_ALL(an_overlay_hides_the_file_and_leaves_it_alone))
