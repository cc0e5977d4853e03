// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/guard.h"

#include "base/cleanup.h"

#include "test.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A mapping of a file that is then cut to nothing. */
static volatile char *cut_mapping(size_t bytes)
{
	cleanup(fd_closep) int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	volatile char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	return p;
}

TEST(a_broken_mapping_reads_as_zeros_and_says_so)
{
	struct guard g = { .event_fd = -1 };
	volatile char *p = cut_mapping(8192);

	assert_int_equal(guard_add(&g, (void *)(uintptr_t)p, 8192), 0);
	assert_int_equal(p[5000], 0);
	assert_true(guard_is_broken(&g));
	guard_remove((void *)(uintptr_t)p);
	munmap((void *)(uintptr_t)p, 8192);
}

TEST(each_mapping_breaks_for_itself)
{
	struct guard a = { .event_fd = -1 }, b = { .event_fd = -1 };
	volatile char *pa = cut_mapping(4096), *pb = cut_mapping(4096);

	assert_int_equal(guard_add(&a, (void *)(uintptr_t)pa, 4096), 0);
	assert_int_equal(guard_add(&b, (void *)(uintptr_t)pb, 4096), 0);
	pb[0] = 1;
	assert_false(guard_is_broken(&a));
	assert_true(guard_is_broken(&b));
	guard_remove((void *)(uintptr_t)pa);
	guard_remove((void *)(uintptr_t)pb);
	munmap((void *)(uintptr_t)pa, 4096);
	munmap((void *)(uintptr_t)pb, 4096);
}

TEST(a_fault_elsewhere_is_still_fatal)
{
	struct guard g = { .event_fd = -1 };
	volatile char *guarded = cut_mapping(4096), *other = cut_mapping(4096);
	int status;

	assert_int_equal(guard_add(&g, (void *)(uintptr_t)guarded, 4096), 0);
	pid_t child = fork();

	if (child == 0) {
		other[0] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	guard_remove((void *)(uintptr_t)guarded);
	munmap((void *)(uintptr_t)guarded, 4096);
	munmap((void *)(uintptr_t)other, 4096);
}

TEST(the_table_is_full_at_its_size_and_free_after)
{
	static char places[GUARD_SLOTS + 1];
	struct guard g = { .event_fd = -1 };

	for (unsigned i = 0; i < GUARD_SLOTS; i++)
		assert_int_equal(guard_add(&g, &places[i], 1), 0);
	assert_int_equal(guard_add(&g, &places[GUARD_SLOTS], 1), -ENOSPC);
	for (unsigned i = 0; i < GUARD_SLOTS; i++)
		guard_remove(&places[i]);
	assert_int_equal(guard_add(&g, &places[0], 1), 0);
	guard_remove(&places[0]);
}

TESTS(T(a_broken_mapping_reads_as_zeros_and_says_so), T(each_mapping_breaks_for_itself),
      T(a_fault_elsewhere_is_still_fatal), T(the_table_is_full_at_its_size_and_free_after))
