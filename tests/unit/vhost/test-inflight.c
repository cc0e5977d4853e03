// SPDX-License-Identifier: GPL-2.0-only
/* The crash cases go through every store of a batch: the book is run on a copy of the region as it
 * was after each of them. */
#include "vhost/inflight.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 8 };

union memory {
	struct inflight_region region;
	char bytes[sizeof(struct inflight_region) + ROOM * sizeof(struct inflight_desc)];
};

static void take(struct inflight_ring *ring, uint16_t head)
{
	ring->book.taken(&ring->book, head);
}

static void stage(struct inflight_ring *ring, uint16_t head)
{
	ring->book.staged(&ring->book, head);
}

/* What a successor finds: heads as a string, "-" when the book refuses, "fresh". */
static const char *recover(const union memory *crashed, uint16_t used_idx)
{
	static char text[64];
	union memory copy = *crashed;
	struct inflight_ring ring = INFLIGHT_RING_NULL;
	int r = inflight_ring_start(&ring, &copy.region, ROOM, ROOM, used_idx);

	text[0] = 0;
	if (r < 0)
		strcpy(text, "-");
	if (r == INFLIGHT_FRESH)
		strcpy(text, "fresh");
	for (unsigned i = 0; r == 0 && i < ring.book.redo_count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ",
			 ring.book.redo[i]);
	inflight_ring_deinit(&ring);
	return text;
}

static void start(struct inflight_ring *ring, union memory *m, uint16_t used_idx)
{
	memset(m, 0, sizeof(*m));
	*ring = INFLIGHT_RING_NULL;
	assert_int_equal(inflight_ring_start(ring, &m->region, ROOM, ROOM, used_idx),
			 INFLIGHT_FRESH);
}

TEST(what_was_taken_is_done_again_in_the_order_of_taking)
{
	struct inflight_ring ring;
	union memory m;

	start(&ring, &m, 100);
	assert_string_equal(recover(&m, 100), "");
	take(&ring, 5);
	take(&ring, 2);
	take(&ring, 7);
	assert_string_equal(recover(&m, 100), "5 2 7 ");
	inflight_ring_deinit(&ring);
}

TEST(a_crash_at_any_step_of_an_answer_neither_loses_nor_repeats)
{
	struct inflight_ring ring;
	union memory m;

	start(&ring, &m, 65535);
	take(&ring, 5);
	take(&ring, 2);
	take(&ring, 7);
	stage(&ring, 2);
	assert_string_equal(recover(&m, 65535), "5 2 7 ");
	stage(&ring, 5);
	assert_string_equal(recover(&m, 65535), "5 2 7 ");
	assert_string_equal(recover(&m, 1), "7 "); /* used.idx stored, the marks not yet cleared */
	ring.book.published(&ring.book, 1);
	assert_string_equal(recover(&m, 1), "7 ");
	take(&ring, 2);
	assert_string_equal(recover(&m, 1), "7 2 ");
	stage(&ring, 7);
	assert_string_equal(recover(&m, 2), "2 ");
	inflight_ring_deinit(&ring);
}

TEST(an_answer_half_cleared_is_finished_by_the_successor)
{
	struct inflight_ring ring;
	union memory m;

	start(&ring, &m, 0);
	take(&ring, 1);
	take(&ring, 3);
	stage(&ring, 1);
	stage(&ring, 3);
	atomic_store(&m.region.desc[1].is_inflight, 0); /* killed inside published() */
	assert_string_equal(recover(&m, 2), "");
	inflight_ring_deinit(&ring);
}

TEST(a_successor_goes_on_counting_where_the_last_one_stopped)
{
	struct inflight_ring ring, next = INFLIGHT_RING_NULL;
	union memory m;

	start(&ring, &m, 0);
	take(&ring, 6);
	take(&ring, 0);
	assert_int_equal(inflight_ring_start(&next, &m.region, ROOM, ROOM, 0), 0);
	take(&next, 3);
	assert_string_equal(recover(&m, 0), "6 0 3 ");
	inflight_ring_deinit(&ring);
	inflight_ring_deinit(&next);
}

TEST(what_is_put_back_is_not_in_flight)
{
	struct inflight_ring ring;
	union memory m;

	start(&ring, &m, 0);
	take(&ring, 4);
	ring.book.put_back(&ring.book, 4);
	assert_string_equal(recover(&m, 0), "");
	inflight_ring_deinit(&ring);
}

TEST(a_forgotten_region_is_fresh_and_its_marks_do_not_come_back)
{
	struct inflight_ring ring, next = INFLIGHT_RING_NULL;
	union memory m;

	start(&ring, &m, 0);
	take(&ring, 4);
	inflight_forget(&m.region);
	assert_string_equal(recover(&m, 9), "fresh");
	assert_int_equal(inflight_ring_start(&next, &m.region, ROOM, ROOM, 9), INFLIGHT_FRESH);
	assert_string_equal(recover(&m, 9), "");
	inflight_ring_deinit(&ring);
	inflight_ring_deinit(&next);
}

TEST(a_region_that_lies_is_refused)
{
	struct inflight_ring ring;
	union memory m, bad;

	start(&ring, &m, 10);
	take(&ring, 1);
	assert_string_equal(recover(&m, 10 + ROOM + 1), "-"); /* a batch larger than the ring */
	assert_string_equal(recover(&m, 9), "-");	      /* used.idx moved back */
	bad = m;
	atomic_store(&bad.region.version, 2);
	assert_string_equal(recover(&bad, 10), "-");
	bad = m;
	bad.region.desc_num = ROOM * 2;
	assert_string_equal(recover(&bad, 10), "-");
	bad = m;
	atomic_store(&bad.region.last_batch_head, ROOM);
	assert_string_equal(recover(&bad, 11), "-");
	bad = m;
	atomic_store(&bad.region.desc[0].next, 0xffff);
	assert_string_equal(recover(&bad, 12), "-");
	inflight_ring_deinit(&ring);
}

TEST(memory_is_made_mapped_and_divided_among_rings)
{
	struct guard guard = { .event_fd = -1 };
	struct inflight fl = { .guard = &guard };
	struct vhost_inflight_msg msg;
	int fd;

	assert_int_equal(inflight_create(3, 128, &fd, &msg), 0);
	assert_int_equal(ftruncate(fd, 0), -1); /* sealed */
	assert_true(msg.mmap_bytes >= UINT64_C(3) * (16 + 16 * 128));
	assert_int_equal(inflight_map(&fl, &msg, fd), 0);
	uint16_t room;
	char *first = (char *)inflight_region_of(&fl, 0, 128, &room);

	assert_ptr_equal(inflight_region_of(&fl, 2, 64, &room),
			 first + 2 * 2112); /* as libvhost-user */
	assert_int_equal(room, 128);
	assert_null(inflight_region_of(&fl, 3, 128, &room));
	/* Larger rings have places behind all these. */
	assert_ptr_equal(inflight_region_of(&fl, 0, 256, &room), first + 3 * 2112);
	assert_int_equal(room, 1024);
	assert_ptr_equal(inflight_region_of(&fl, 2, 1024, &room),
			 first + 3 * 2112 + 2 * (16 + 16 * 1024 + 48));
	assert_null(inflight_region_of(&fl, 0, 2048, &room));
	assert_null(inflight_region_of(&fl, 3, 1024, &room));
	inflight_unmap(&fl);
	/* Memory of another back end, which has no such places. */
	msg.mmap_bytes = 3 * 2112;
	assert_int_equal(inflight_map(&fl, &msg, fd), 0);
	assert_non_null(inflight_region_of(&fl, 2, 128, &room));
	assert_null(inflight_region_of(&fl, 0, 256, &room));
	inflight_unmap(&fl);
	close(fd);
}

TEST(memory_that_cannot_be_is_refused)
{
	static const struct vhost_inflight_msg cases[] = {
		{ 4096, 0, 0, 128, 0 },		  /* no ring */
		{ 4096, 0, 1, 0, 0 },		  /* no entry */
		{ 4096, 0, 1, 100, 0 },		  /* no power of two */
		{ 2111, 0, 1, 128, 0 },		  /* too small */
		{ 4096, 4096, 1, 128, 0 },	  /* beyond the file */
		{ 4096, 8, 1, 128, 0 },		  /* odd offset */
		{ UINT64_MAX, 64, 1, 128, 0 },	  /* wraps */
		{ 1ULL << 50, 0, 256, 32768, 0 }, /* larger than the file */
	};
	struct guard guard = { .event_fd = -1 };
	struct inflight fl = { .guard = &guard };
	cleanup(fd_closep) int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 4096), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (inflight_map(&fl, &cases[i], fd) != -EINVAL)
			fail_msg("case %zu was not refused", i);
	assert_null(fl.map);
}

TESTS(T(what_was_taken_is_done_again_in_the_order_of_taking),
      T(a_crash_at_any_step_of_an_answer_neither_loses_nor_repeats),
      T(an_answer_half_cleared_is_finished_by_the_successor),
      T(a_successor_goes_on_counting_where_the_last_one_stopped),
      T(what_is_put_back_is_not_in_flight),
      T(a_forgotten_region_is_fresh_and_its_marks_do_not_come_back),
      T(a_region_that_lies_is_refused), T(memory_is_made_mapped_and_divided_among_rings),
      T(memory_that_cannot_be_is_refused))
