// SPDX-License-Identifier: GPL-2.0-only
#include "gmem/gmem.h"

#include "test.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static unsigned char host_a[0x2000], host_b[0x1000], host_top[0x1000];

/* [0x1000, 0x3000) and, adjacent, [0x3000, 0x4000); a hole; the last page of the address space. */
static struct gmem make(void)
{
	struct gmem mem = GMEM_NULL;

	assert_int_equal(gmem_add(&mem, gpa(0x3000), sizeof(host_b), host_b), 0);
	assert_int_equal(gmem_add(&mem, gpa(0x1000), sizeof(host_a), host_a), 0);
	assert_int_equal(gmem_add(&mem, gpa(0xfffffffffffff000), sizeof(host_top), host_top), 0);
	return mem;
}

TEST(a_range_has_a_pointer_only_if_one_region_holds_all_of_it)
{
	static const struct {
		uint64_t addr, len;
		const unsigned char *host; /* NULL: none */
	} cases[] = {
		{ 0x1000, 1, host_a },
		{ 0x1000, 0x2000, host_a },
		{ 0x2fff, 1, host_a + 0x1fff },
		{ 0x2fff, 2, NULL }, /* over the border of two regions */
		{ 0x0fff, 1, NULL },
		{ 0x0fff, 2, NULL },
		{ 0x3000, 0x1000, host_b },
		{ 0x3000, 0x1001, NULL },
		{ 0x4000, 1, NULL },
		{ 0x1000, UINT64_MAX, NULL },
		{ UINT64_MAX, 1, host_top + 0xfff },
		{ UINT64_MAX, 2, NULL },
		{ UINT64_MAX, UINT64_MAX, NULL },
		{ 0xfffffffffffff000, 0x1000, host_top },
		{ 0x1000, 0, host_a }, /* as length 1 */
		{ 0x4000, 0, NULL },
		{ 0, 0, NULL },
	};
	struct gmem mem = make();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_ptr_equal(gmem_ptr(&mem, gpa(cases[i].addr), cases[i].len), cases[i].host);
}

TEST(an_empty_table_holds_nothing)
{
	struct gmem mem = GMEM_NULL;
	struct iovec iov;
	unsigned count;

	assert_null(gmem_ptr(&mem, gpa(0), 1));
	assert_int_equal(gmem_iov(&mem, gpa(0), 1, &iov, 1, &count), GMEM_OUTSIDE);
}

TEST(a_range_over_adjacent_regions_is_split_at_the_border)
{
	struct gmem mem = make();
	struct iovec iov[4];
	unsigned count;

	assert_int_equal(gmem_iov(&mem, gpa(0x2ff0), 0x20, iov, 4, &count), 0);
	assert_int_equal(count, 2);
	assert_ptr_equal(iov[0].iov_base, host_a + 0x1ff0);
	assert_int_equal(iov[0].iov_len, 0x10);
	assert_ptr_equal(iov[1].iov_base, host_b);
	assert_int_equal(iov[1].iov_len, 0x10);
	assert_int_equal(gmem_iov(&mem, gpa(0x2ff0), 0x20, iov, 1, &count), GMEM_IOV_FULL);
}

TEST(a_range_with_a_byte_outside_is_refused_whole)
{
	static const struct {
		uint64_t addr, len;
	} cases[] = {
		{ 0xfff, 2 },		{ 0x3fff, 2 },	   { 0x5000, 1 },
		{ 0x1000, 0x3001 },	{ UINT64_MAX, 2 }, { 0xfffffffffffff000, 0x1001 },
		{ 0x1000, UINT64_MAX },
	};
	struct gmem mem = make();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iovec iov[4];
		unsigned count = 77;

		assert_int_equal(gmem_iov(&mem, gpa(cases[i].addr), cases[i].len, iov, 4, &count),
				 GMEM_OUTSIDE);
		assert_int_equal(count, 77);
	}
}

TEST(an_empty_range_is_fine_anywhere)
{
	struct gmem mem = make();
	unsigned count = 77;

	assert_int_equal(gmem_iov(&mem, gpa(0x123456), 0, NULL, 0, &count), 0);
	assert_int_equal(count, 0);
}

TEST(overlapping_wrapping_and_empty_regions_are_refused)
{
	static const struct {
		uint64_t addr, bytes;
		int result;
	} cases[] = {
		{ 0x1000, 1, -EEXIST },
		{ 0x0fff, 2, -EEXIST },
		{ 0x3fff, 1, -EEXIST },
		{ 0, 0x10000, -EEXIST },
		{ 0x4000, 0, -EINVAL },
		{ UINT64_MAX, 1, -EEXIST },
		{ UINT64_MAX - 0x2000, 0x3000, -EINVAL },
		{ 0x4000, UINT64_MAX, -EINVAL },
		{ 0x0, 0x1000, 0 },
		{ 0x4000, 0x1000, 0 },
	};
	struct gmem mem = make();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(gmem_add(&mem, gpa(cases[i].addr), cases[i].bytes, host_a),
				 cases[i].result);
}

TEST(the_table_has_an_end)
{
	struct gmem mem = GMEM_NULL;

	for (unsigned i = 0; i < GMEM_MAX_REGIONS; i++)
		assert_int_equal(gmem_add(&mem, gpa(i * 0x1000u), 0x1000, host_b), 0);
	assert_int_equal(gmem_add(&mem, gpa(0x1000000), 0x1000, host_b), -ENOSPC);
}

TEST(only_a_region_that_is_there_can_be_removed)
{
	struct gmem mem = make();

	assert_int_equal(gmem_remove(&mem, gpa(0x1000), 0x1000), -ENOENT);
	assert_int_equal(gmem_remove(&mem, gpa(0x1800), 0x1800), -ENOENT);
	assert_int_equal(gmem_remove(&mem, gpa(0x8000), 1), -ENOENT);
	assert_int_equal(gmem_remove(&mem, gpa(0x1000), 0x2000), 0);
	assert_null(gmem_ptr(&mem, gpa(0x1000), 1));
	assert_ptr_equal(gmem_ptr(&mem, gpa(0x3000), 1), host_b);
	assert_int_equal(mem.count, 2);
}

TEST(copies_cross_borders_at_every_alignment_and_fail_whole)
{
	struct gmem mem = make();
	unsigned char in[64], out[64];

	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i + 1);
	for (uint64_t addr = 0x2fc0; addr <= 0x3008; addr++) {
		memset(host_a, 0, sizeof(host_a));
		memset(host_b, 0, sizeof(host_b));
		assert_int_equal(gmem_write(&mem, gpa(addr), in, sizeof(in)), 0);
		assert_int_equal(gmem_read(&mem, gpa(addr), out, sizeof(out)), 0);
		assert_memory_equal(in, out, sizeof(in));
	}
	assert_int_equal(gmem_write(&mem, gpa(0x3fff), in, 2), GMEM_OUTSIDE);
	assert_int_equal(host_b[0xfff], 0);
}

TEST(iovec_copies_start_anywhere_and_end_with_the_array)
{
	unsigned char bytes[10] = "abcdefghi", out[16];
	struct iovec iov[] = { { bytes, 3 }, { bytes + 3, 0 }, { bytes + 3, 6 } };

	for (uint64_t offset = 0; offset <= 9; offset++) {
		for (size_t len = 0; len <= 12; len++) {
			size_t expected = MIN(len, (size_t)(9 - offset));

			assert_int_equal(iov_load(iov, 3, offset, out, len), expected);
			assert_memory_equal(out, bytes + offset, expected);
		}
	}
	assert_int_equal(iov_load(iov, 3, UINT64_MAX, out, 1), 0);
	assert_int_equal(iov_store(iov, 3, 2, "XYZ", 3), 3);
	assert_memory_equal(bytes, "abXYZfghi", 9);
}

TEST(a_backing_is_whole_pages_of_zeros)
{
	struct gmem_backing b = GMEM_BACKING_NULL;

	gmem_backing_deinit(&b);
	assert_int_equal(gmem_backing_init(&b, "test", 0), -EINVAL);
	assert_int_equal(gmem_backing_init(&b, "test", 100), -EINVAL);
	assert_int_equal(gmem_backing_init(&b, "test", 1 * MIB), 0);
	for (size_t i = 0; i < b.bytes; i += 4096)
		assert_int_equal(b.host[i], 0);
	b.host[b.bytes - 1] = 7;
	unsigned char c;

	assert_int_equal(pread(b.fd, &c, 1, (off_t)b.bytes - 1), 1);
	assert_int_equal(c, 7);
	gmem_backing_deinit(&b);
	gmem_backing_deinit(&b);
}

TESTS(T(a_range_has_a_pointer_only_if_one_region_holds_all_of_it), T(an_empty_table_holds_nothing),
      T(a_range_over_adjacent_regions_is_split_at_the_border),
      T(a_range_with_a_byte_outside_is_refused_whole), T(an_empty_range_is_fine_anywhere),
      T(overlapping_wrapping_and_empty_regions_are_refused), T(the_table_has_an_end),
      T(only_a_region_that_is_there_can_be_removed),
      T(copies_cross_borders_at_every_alignment_and_fail_whole),
      T(iovec_copies_start_anywhere_and_end_with_the_array), T(a_backing_is_whole_pages_of_zeros))
