// SPDX-License-Identifier: GPL-2.0-only
/* Resets, queue resets, pauses, throttle changes and readers of counters in the middle of I/O, with
 * threads: after each reset memory is poisoned and must stay so; everything goes on afterwards. */
#include "rig.h"

#include <pthread.h>
#include <string.h>

enum { D = RIG_DATA, DEPTH = 60 };

static const struct piece usual_read[] = { { RIG_HEADER, 16, R },
					   { D, 4096, W },
					   { RIG_STATUS, 1, W } };

static void post_many(struct rig *r)
{
	rig_header(r, RIG_HEADER, VIRTIO_BLK_T_IN, 8);
	for (unsigned i = 0; i < DEPTH; i++)
		rig_post(r, usual_read, 3);
	rig_kick(r);
}

static void drain(struct rig *r)
{
	rig_wait_on(r, 0, DEPTH);
	for (unsigned i = 0; i < DEPTH; i++)
		assert_int_equal(rig_take_on(r, 0).len, 4097);
}

/* Let some of the requests get somewhere: how many is different each time. */
static void let_some_go(struct rig *r, unsigned some)
{
	for (unsigned i = 0; i < some * 20; i++)
		(void)rig_used_idx(r, 0);
}

static void expect_silence(struct rig *r)
{
	uint64_t irqs = atomic_load(&r->irqs);

	memset(rig_at(r, 0), 0xa5, RIG_SLOT);
	blk_pause(r->blk); /* every queue has been through its lock */
	blk_resume(r->blk);
	assert_true(rig_is_filled(rig_at(r, 0), 0xa5, RIG_SLOT));
	assert_int_equal(atomic_load(&r->irqs), irqs);
}

ETEST(a_reset_at_any_moment_leaves_memory_alone)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned round = 0; round < 60; round++) {
		post_many(&r);
		let_some_go(&r, round);
		rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
		assert_int_equal(rig_reg(&r, VIRTIO_MMIO_STATUS), 0);
		expect_silence(&r);
		rig_setup(&r, r.features);
	}
	post_many(&r);
	drain(&r);
	rig_deinit(&r);
}

ETEST(a_queue_reset_at_any_moment_leaves_memory_alone)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned round = 0; round < 60; round++) {
		post_many(&r);
		let_some_go(&r, round);
		rig_set_reg(&r, VIRTIO_MMIO_QUEUE_SEL, 0);
		rig_set_reg(&r, VIRTIO_MMIO_REG_QUEUE_RESET, 1);
		assert_int_equal(rig_reg(&r, VIRTIO_MMIO_REG_QUEUE_RESET), 0);
		expect_silence(&r);
		rig_setup(&r, r.features);
	}
	rig_deinit(&r);
}

ETEST(a_pause_at_any_moment_is_quiet_and_loses_nothing)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	for (unsigned round = 0; round < 100; round++) {
		uint8_t *spot = rig_at(&r, D);

		post_many(&r);
		let_some_go(&r, round % 40);
		blk_pause(r.blk);
		uint16_t used = rig_used_idx(&r, 0);

		memset(spot, 0xa5, 4096);
		let_some_go(&r, 50);
		assert_true(rig_is_filled(spot, 0xa5, 4096));
		assert_int_equal(rig_used_idx(&r, 0), used);
		blk_resume(r.blk);
		drain(&r);
	}
	assert_int_equal(rig_counter(&r, "reads_completed"), 100 * DEPTH);
	rig_deinit(&r);
}

struct meddler {
	struct rig *rig;
	atomic_bool is_ending;
};

/* What a monitor and an operator do meanwhile. */
static void *meddle(void *arg)
{
	struct meddler *m = arg;
	struct blk_throttle_spec fast, none = { 0 };

	if (blk_throttle_parse("iops=1000000,iops-burst=5", &fast) < 0)
		return NULL;
	while (!atomic_load(&m->is_ending)) {
		(void)rig_counter(m->rig, "reads_completed");
		blk_set_throttle(m->rig->blk, &fast);
		blk_pause(m->rig->blk);
		blk_resume(m->rig->blk);
		blk_set_throttle(m->rig->blk, &none);
	}
	return NULL;
}

ETEST(pauses_and_limits_from_another_thread_lose_nothing)
{
	struct meddler m = { 0 };
	pthread_t thread;
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	m.rig = &r;
	assert_int_equal(pthread_create(&thread, NULL, meddle, &m), 0);
	for (unsigned round = 0; round < 100; round++) {
		post_many(&r);
		drain(&r);
	}
	atomic_store(&m.is_ending, true);
	pthread_join(thread, NULL);
	assert_int_equal(rig_counter(&r, "reads_completed"), 100 * DEPTH);
	rig_deinit(&r);
}

#define WITH_THREADS(name) ON(name, RIG_WORKER_THREADS), ON(name, RIG_URING_THREADS)

TESTS(ON_ALL(a_reset_at_any_moment_leaves_memory_alone),
      ON_ALL(a_queue_reset_at_any_moment_leaves_memory_alone),
      ON_ALL(a_pause_at_any_moment_is_quiet_and_loses_nothing),
      WITH_THREADS(pauses_and_limits_from_another_thread_lose_nothing))
