// SPDX-License-Identifier: GPL-2.0-only
/* A host call held still while it has guest memory in its hands: the page that it wants to write is
 * not there, and userfaultfd lets it wait for it. Reset, queue reset and freeze must not return
 * before it is over, and after them nothing moves. Skipped where userfaultfd is not allowed. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	NEVER_MS = 40, /* long enough to see what must not come */
	ALWAYS_MS = 10000,
	POISON = 0xa5,
};

struct bench {
	struct rig r;
	int uffd;
	void (*end)(struct rig *r);
	int done_fd;
	pthread_t thread;
};

/* Let every access to the page at RIG_DATA wait. False if the host does not allow that. */
static bool hold_page(struct bench *b)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)rig_at(&b->r, RIG_DATA), PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	b->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (b->uffd < 0)
		return false;
	assert_int_equal(ioctl(b->uffd, UFFDIO_API, &api), 0);
	assert_int_equal(ioctl(b->uffd, UFFDIO_REGISTER, &reg), 0);
	return true;
}

static void release_page(struct bench *b)
{
	static const uint8_t zeros[PAGE];
	struct uffdio_copy copy = { .dst = (uintptr_t)rig_at(&b->r, RIG_DATA),
				    .src = (uintptr_t)zeros,
				    .len = PAGE };

	assert_int_equal(ioctl(b->uffd, UFFDIO_COPY, &copy), 0);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static void start_read(struct bench *b)
{
	static const struct piece read[] = { { RIG_HEADER, 16, R },
					     { RIG_DATA, 512, W },
					     { RIG_STATUS, 1, W } };

	rig_header(&b->r, RIG_HEADER, VIRTIO_BLK_T_IN, 3);
	rig_post(&b->r, read, 3);
	rig_kick(&b->r);
	assert_true(is_readable(b->uffd, ALWAYS_MS)); /* the host wants the page */
}

static void *end_main(void *arg)
{
	struct bench *b = arg;

	b->end(&b->r);
	(void)eventfd_write(b->done_fd, 1);
	return NULL;
}

/* Begin a disk whose only read is stuck in the host, and @end in another thread. */
static void begin(struct bench *b, enum rig_mode mode, void (*end)(struct rig *r))
{
	*b = (struct bench){ .end = end, .done_fd = eventfd(0, EFD_CLOEXEC) };
	rig_init(&b->r, mode, rig_engine(mode) == BLK_ENGINE_URING ? ",buffers=plain" : "");
	if (!hold_page(b)) {
		print_message("userfaultfd: %s\n", strerror(errno));
		rig_deinit(&b->r);
		close(b->done_fd);
		skip();
	}
	start_read(b);
	assert_int_equal(pthread_create(&b->thread, NULL, end_main, b), 0);
	assert_false(is_readable(b->done_fd, NEVER_MS));
	release_page(b);
	assert_true(is_readable(b->done_fd, ALWAYS_MS));
	pthread_join(b->thread, NULL);
}

static void finish(struct bench *b)
{
	rig_deinit(&b->r);
	close(b->uffd);
	close(b->done_fd);
}

static void reset(struct rig *r)
{
	rig_set_reg(r, VIRTIO_MMIO_STATUS, 0);
}

static void reset_queue(struct rig *r)
{
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_SEL, 0);
	rig_set_reg(r, VIRTIO_MMIO_REG_QUEUE_RESET, 1);
}

static void expect_dead_quiet(struct bench *b)
{
	uint64_t irqs = atomic_load(&b->r.irqs);

	memset(rig_at(&b->r, 0), POISON, RIG_RAM);
	blk_pause(b->r.blk);
	blk_resume(b->r.blk);
	assert_true(rig_is_filled(rig_at(&b->r, 0), POISON, RIG_RAM));
	assert_int_equal(atomic_load(&b->r.irqs), irqs);
	assert_int_equal(irqs, 0);
	rig_setup(&b->r, b->r.features);
	assert_answer(rig_read(&b->r, 4, RIG_DATA, 512), 0, 513);
}

ETEST(a_reset_waits_for_the_host_and_is_quiet_after)
{
	struct bench b;

	begin(&b, RIG_MODE, reset);
	assert_int_equal(rig_reg(&b.r, VIRTIO_MMIO_STATUS), 0);
	expect_dead_quiet(&b);
	finish(&b);
}

ETEST(a_queue_reset_waits_for_the_host_and_is_quiet_after)
{
	struct bench b;

	begin(&b, RIG_MODE, reset_queue);
	expect_dead_quiet(&b);
	finish(&b);
}

static void pause_disk(struct rig *r)
{
	blk_pause(r->blk);
}

/* What had been started is finished and answered. */
ETEST(a_freeze_waits_for_the_host_and_loses_nothing)
{
	struct bench b;

	begin(&b, RIG_MODE, pause_disk);
	assert_int_equal(rig_used_idx(&b.r, 0), 1);
	assert_int_equal(*(uint8_t *)rig_at(&b.r, RIG_STATUS), 0);
	assert_true(rig_is_filled(rig_at(&b.r, RIG_DATA), rig_pattern(3), 512));
	blk_resume(b.r.blk);
	assert_int_equal(rig_take_on(&b.r, 0).len, 513);
	finish(&b);
}

#define WITH_THREADS(name) ON(name, RIG_WORKER_THREADS), ON(name, RIG_URING_THREADS)

TESTS(WITH_THREADS(a_reset_waits_for_the_host_and_is_quiet_after),
      WITH_THREADS(a_queue_reset_waits_for_the_host_and_is_quiet_after),
      WITH_THREADS(a_freeze_waits_for_the_host_and_loses_nothing))
