// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/mem.h"

#include "base/cleanup.h"

#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_BYTES = 1 << 20 };

static int file_open(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
	return fd;
}

static const struct vhost_region_msg first = { 0x1000, 0x10000, 0x7f0000000000, 0 };

TEST(a_region_is_found_by_its_guest_and_by_its_user_address)
{
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_region_msg m = { 0x100000, 0x2000, 0x5000, 0x3000 };
	struct vhost_mem mem;
	gpa_t found;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &m, fd), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0x3000 + 0x1234), 1);
	assert_int_equal(*(char *)gmem_ptr(&mem.gmem, gpa(0x101234), 1), 'x');
	assert_int_equal(vhost_mem_translate(&mem, 0x6234, 0xdcc, &found), 0);
	assert_int_equal(found.v, 0x101234);
	vhost_mem_deinit(&mem);
	assert_null(gmem_ptr(&mem.gmem, gpa(0x101234), 1));
	vhost_mem_deinit(&mem);
}

TEST(an_offset_that_no_page_starts_at_is_mapped_all_the_same)
{
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_region_msg m = { 0x100000, 0x800, 0x5000, 0x3010 };
	struct vhost_mem mem;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &m, fd), 0);
	assert_int_equal(pwrite(fd, "y", 1, 0x3010), 1);
	assert_int_equal(*(char *)gmem_ptr(&mem.gmem, gpa(0x100000), 1), 'y');
	vhost_mem_deinit(&mem);
}

TEST(translation_stays_inside_one_region)
{
	static const struct {
		uint64_t addr, bytes;
		int result;
	} cases[] = {
		{ 0x7f0000000000, 0x10000, 0 },
		{ 0x7f0000000000, 0x10001, -EFAULT },
		{ 0x7f000000ffff, 1, 0 },
		{ 0x7f000000ffff, 2, -EFAULT },
		{ 0x7f0000010000, 1, -EFAULT },
		{ 0x7effffffffff, 1, -EFAULT },
		{ 0x7f0000000010, UINT64_MAX, -EFAULT },
		{ UINT64_MAX, 1, -EFAULT },
	};
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_mem mem;
	gpa_t found;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &first, fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(vhost_mem_translate(&mem, cases[i].addr, cases[i].bytes, &found),
				 cases[i].result);
	vhost_mem_deinit(&mem);
}

TEST(a_region_that_cannot_be_is_refused_and_the_table_stays)
{
	static const struct {
		const char *what;
		struct vhost_region_msg m;
	} cases[] = {
		{ "empty", { 0x100000, 0, 0x1000, 0 } },
		{ "guest addresses wrap", { UINT64_MAX - 0xfff, 0x2000, 0x1000, 0 } },
		{ "user addresses wrap", { 0x100000, 0x2000, UINT64_MAX - 0xfff, 0 } },
		{ "offset wraps", { 0x100000, 0x2000, 0x1000, UINT64_MAX - 0xfff } },
		{ "offset is negative", { 0x100000, 0x1000, 0x1000, 1ULL << 63 } },
		{ "absurd size", { 0x100000, 1ULL << 60, 0x1000, 0 } },
		{ "beyond its file", { 0x100000, FILE_BYTES, 0x1000, 0x1000 } },
		{ "the same again", { 0x1000, 0x10000, 0x7f0000000000, 0 } },
		{ "guest overlap at the end", { 0x10fff, 0x1000, 0x1000, 0 } },
		{ "guest overlap at the start", { 0, 0x1001, 0x1000, 0 } },
		{ "guest overlap around", { 0, 0x80000, 0x1000, 0 } },
		{ "user overlap", { 0x100000, 0x1000, 0x7f0000000800, 0 } },
	};
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_mem mem;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &first, fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (vhost_mem_add(&mem, &cases[i].m, fd) != -EINVAL)
			fail_msg("%s was not refused", cases[i].what);
	assert_int_equal(mem.count, 1);
	assert_int_equal(mem.gmem.count, 1);
	vhost_mem_deinit(&mem);
}

TEST(a_descriptor_that_is_no_file_is_refused)
{
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = eventfd(0, EFD_CLOEXEC);
	struct vhost_mem mem;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &first, fd), -EINVAL);
	assert_true(vhost_mem_add(&mem, &first, -1) < 0);
	vhost_mem_deinit(&mem);
}

TEST(the_table_has_an_end)
{
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_mem mem;

	vhost_mem_init(&mem, &guard);
	for (unsigned i = 0; i < VHOST_MEM_SLOTS; i++) {
		struct vhost_region_msg m = { i * 0x1000, 0x1000, i * 0x2000, i * 0x1000 };

		assert_int_equal(vhost_mem_add(&mem, &m, fd), 0);
	}
	struct vhost_region_msg over = { 0x1000000, 0x1000, 0x10000000, 0 };

	assert_int_equal(vhost_mem_add(&mem, &over, fd), -ENOSPC);
	vhost_mem_deinit(&mem);
}

TEST(removal_wants_the_same_region_and_ignores_the_offset)
{
	struct vhost_region_msg m = first;
	struct guard guard = { .event_fd = -1 };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_mem mem;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &first, fd), 0);
	m.bytes--;
	assert_int_equal(vhost_mem_remove(&mem, &m), -ENOENT);
	m = first;
	m.user_addr++;
	assert_int_equal(vhost_mem_remove(&mem, &m), -ENOENT);
	m = first;
	m.mmap_offset = 0x5000;
	assert_int_equal(vhost_mem_remove(&mem, &m), 0);
	assert_null(gmem_ptr(&mem.gmem, gpa(0x1000), 1));
	assert_int_equal(vhost_mem_remove(&mem, &m), -ENOENT);
	assert_int_equal(vhost_mem_add(&mem, &first, fd), 0);
	vhost_mem_deinit(&mem);
}

TEST(memory_that_shrinks_breaks_the_connection_and_not_the_process)
{
	cleanup(fd_closep) int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct guard guard = { .event_fd = event_fd };
	cleanup(fd_closep) int fd = file_open();
	struct vhost_mem mem;
	uint64_t count;

	vhost_mem_init(&mem, &guard);
	assert_int_equal(vhost_mem_add(&mem, &first, fd), 0);
	volatile char *byte = gmem_ptr(&mem.gmem, gpa(0x9000), 1);

	*byte = 'z';
	assert_false(guard_is_broken(&guard));
	assert_int_equal(ftruncate(fd, 0x1000), 0);
	assert_int_equal(*byte, 0);
	assert_true(guard_is_broken(&guard));
	*byte = 'q';
	assert_int_equal(*byte, 'q');
	assert_int_equal(read(event_fd, &count, sizeof(count)), sizeof(count));
	vhost_mem_deinit(&mem);
}

TESTS(T(a_region_is_found_by_its_guest_and_by_its_user_address),
      T(an_offset_that_no_page_starts_at_is_mapped_all_the_same),
      T(translation_stays_inside_one_region),
      T(a_region_that_cannot_be_is_refused_and_the_table_stays),
      T(a_descriptor_that_is_no_file_is_refused), T(the_table_has_an_end),
      T(removal_wants_the_same_region_and_ignores_the_offset),
      T(memory_that_shrinks_breaks_the_connection_and_not_the_process))
