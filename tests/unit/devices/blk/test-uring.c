// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory registered with io_uring: when it is, when it is not, and that nobody can tell by the
 * answers. That all other tests of the device give the same with and without is ON_ALL's business. */
#include "rig.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { D = RIG_DATA };

static void write_and_read_back(struct rig *r, uint64_t addr, uint8_t byte)
{
	memset(rig_at(r, addr), byte, 4096);
	assert_answer(rig_write(r, 16, addr, 4096), 0, 1);
	assert_true(rig_disk_is(r, 16, 8, byte));
	memset(rig_at(r, addr), 0, 4096);
	assert_answer(rig_read(r, 16, addr, 4096), 0, 4097);
	assert_true(rig_is_filled(rig_at(r, addr), byte, 4096));
}

static void expect_calls(struct rig *r, uint64_t all, uint64_t registered)
{
	assert_int_equal(rig_counter(r, "uring_calls"), all);
	assert_int_equal(rig_counter(r, "uring_calls_registered"), registered);
}

/* rig_run() puts a flush behind each request: that is a call without a buffer. */
TEST(payload_in_one_piece_goes_by_registered_pages)
{
	struct rig r;

	rig_init(&r, RIG_URING, "");
	assert_int_equal(rig_counter(&r, "buffers_registered"), 1);
	write_and_read_back(&r, D, 0x11);
	expect_calls(&r, 4, 2);
	/* The second region is a piece of its own. */
	write_and_read_back(&r, RIG_SLOT, 0x22);
	expect_calls(&r, 8, 4);
	/* Over the border of both it is two pieces, and goes by address. */
	write_and_read_back(&r, RIG_SLOT - 512, 0x33);
	expect_calls(&r, 12, 4);
	/* To the very end of memory. */
	write_and_read_back(&r, RIG_RAM - 4096, 0x44);
	expect_calls(&r, 16, 6);
	rig_deinit(&r);
}

TEST(plain_buffers_are_never_registered)
{
	struct rig r;

	rig_init(&r, RIG_URING_PLAIN, "");
	assert_int_equal(rig_counter(&r, "buffers_registered"), 0);
	write_and_read_back(&r, D, 0x11);
	expect_calls(&r, 4, 0);
	rig_deinit(&r);
}

/* What is only ours is registered unasked, what a peer shares is not unless asked, and what a peer
 * could truncate never. */
TEST(only_memory_whose_pages_stay_is_registered)
{
	static const struct {
		enum gmem_pages pages;
		const char *option;
		unsigned registered;
	} cases[] = {
		{ GMEM_PAGES_OWN, ",buffers=auto", 1 },
		{ GMEM_PAGES_OWN, ",buffers=registered", 1 },
		{ GMEM_PAGES_OWN, ",buffers=plain", 0 },
		{ GMEM_PAGES_SEALED, ",buffers=auto", 0 },
		{ GMEM_PAGES_SEALED, ",buffers=registered", 1 },
		{ GMEM_PAGES_SEALED, ",buffers=plain", 0 },
		{ GMEM_PAGES_FOREIGN, ",buffers=auto", 0 },
		{ GMEM_PAGES_FOREIGN, ",buffers=registered", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig r;

		rig_init(&r, RIG_URING, cases[i].option);
		r.mem.pages = cases[i].pages;
		uint64_t before = rig_counter(&r, "buffers_registered");

		rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
		rig_setup(&r, r.features);
		assert_int_equal(rig_counter(&r, "buffers_registered") - before,
				 cases[i].registered);
		write_and_read_back(&r, D, (uint8_t)(i + 1));
		rig_deinit(&r);
	}
}

/* A page that cannot be written by the device cannot be registered for it. */
TEST(memory_that_the_host_does_not_register_is_used_by_address)
{
	unsigned char *last;
	struct rig r;

	rig_init(&r, RIG_URING, "");
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
	last = r.mem.regions[1].host + r.mem.regions[1].bytes - 4096;
	assert_int_equal(mprotect(last, 4096, PROT_READ), 0);
	rig_setup(&r, r.features);
	assert_int_equal(rig_counter(&r, "buffers_registered"), 1);
	assert_int_equal(rig_counter(&r, "buffers_refused"), 1);
	write_and_read_back(&r, D, 0x77);
	expect_calls(&r, 4, 0);
	rig_deinit(&r);
}

/* Put CAP_IPC_LOCK, with which there is no limit, in force or out of it, if this process has it. */
static void set_ipc_lock(bool is_on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1u << CAP_IPC_LOCK);
	if (is_on)
		data[0].effective |= data[0].permitted & 1u << CAP_IPC_LOCK;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

TEST(a_limit_on_locked_memory_is_no_failure)
{
	struct rlimit before, limit;
	struct rig r;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	limit = (struct rlimit){ .rlim_cur = 512 << 10, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	set_ipc_lock(false);
	rig_init(&r, RIG_URING, "");
	set_ipc_lock(true);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	assert_int_equal(rig_counter(&r, "buffers_registered"), 0);
	assert_int_equal(rig_counter(&r, "buffers_refused"), 1);
	write_and_read_back(&r, D, 0x55);
	expect_calls(&r, 4, 0);
	rig_deinit(&r);
}

/* Registered pages outlive what becomes of their address: a queue that goes live again must see the
 * memory that there is then. */
TEST(each_life_of_a_queue_registers_what_there_is)
{
	struct rig r;

	rig_init(&r, RIG_URING, "");
	write_and_read_back(&r, D, 0x11);
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
	assert_ptr_equal(mmap(rig_at(&r, D), 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 rig_at(&r, D));
	rig_setup(&r, r.features);
	assert_int_equal(rig_counter(&r, "buffers_registered"), 2);
	write_and_read_back(&r, D, 0x22);
	expect_calls(&r, 8, 4);
	rig_deinit(&r);
}

TESTS(T(payload_in_one_piece_goes_by_registered_pages), T(plain_buffers_are_never_registered),
      T(only_memory_whose_pages_stay_is_registered),
      T(memory_that_the_host_does_not_register_is_used_by_address),
      T(a_limit_on_locked_memory_is_no_failure), T(each_life_of_a_queue_registers_what_there_is))
