// SPDX-License-Identifier: GPL-2.0-only
/* Ring-index arithmetic against its definition, exhaustively where 16 bits allow it: an index has
 * moved by k if it is the start plus k, modulo 2^16. */
#include "virtio/vq.h"

#include "test.h"

static const uint16_t bases[] = { 0, 1, 2, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff };

/* For one start, one part already seen and one size: every index a driver could show. */
static void check_pending(uint16_t next, uint16_t already, uint32_t size)
{
	uint16_t seen = (uint16_t)(next + already);

	for (uint32_t idx = 0; idx <= UINT16_MAX; idx++) {
		uint32_t moved = (idx - next) & 0xffff;
		int expected = moved >= already && moved <= size ? (int)moved : -1;

		if (ring_pending(next, seen, (uint16_t)idx, size) != expected)
			fail_msg("next %u, seen %u, idx %u, size %u", next, seen, idx, size);
	}
}

TEST(avail_idx_may_move_forward_by_at_most_the_queue_size_and_never_back)
{
	for (size_t b = 0; b < ARRAY_SIZE(bases); b++) {
		for (uint32_t size = 1; size <= 16; size *= 2) {
			for (uint32_t already = 0; already <= size; already++)
				check_pending(bases[b], (uint16_t)already, size);
		}
		check_pending(bases[b], 0, 256);
		check_pending(bases[b], 255, 256);
		check_pending(bases[b], 0, VQ_SIZE_MAX);
		check_pending(bases[b], VQ_SIZE_MAX - 1, VQ_SIZE_MAX);
		check_pending(bases[b], VQ_SIZE_MAX, VQ_SIZE_MAX);
	}
}

/* Is @event one of the @count entries from @old on? By counting, as the specification words it. */
static bool is_among(uint16_t event, uint16_t old, uint32_t count)
{
	return (((uint32_t)event - old) & 0xffff) < count;
}

TEST(an_event_is_passed_exactly_when_its_entry_was_added)
{
	static const uint32_t counts[] = { 0, 1, 2, 3, 4, 5, 255, 256, 32767, 32768, 65535 };

	for (size_t b = 0; b < ARRAY_SIZE(bases); b++) {
		for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
			uint16_t idx = (uint16_t)(bases[b] + counts[c]);

			for (uint32_t event = 0; event <= UINT16_MAX; event++)
				if (ring_passes((uint16_t)event, idx, bases[b]) !=
				    is_among((uint16_t)event, bases[b], counts[c]))
					fail_msg("event %u, old %u, new %u", event, bases[b], idx);
		}
	}
}

TEST(our_event_test_is_that_of_linux)
{
	for (size_t b = 0; b < ARRAY_SIZE(bases); b++) {
		for (uint32_t idx = 0; idx <= UINT16_MAX; idx += 7) {
			for (uint32_t event = 0; event <= UINT16_MAX; event += 251)
				assert_int_equal(
					ring_passes((uint16_t)event, (uint16_t)idx, bases[b]),
					vring_need_event((uint16_t)event, (uint16_t)idx,
							 bases[b]) != 0);
		}
	}
}

TESTS(T(avail_idx_may_move_forward_by_at_most_the_queue_size_and_never_back),
      T(an_event_is_passed_exactly_when_its_entry_was_added), T(our_event_test_is_that_of_linux))
