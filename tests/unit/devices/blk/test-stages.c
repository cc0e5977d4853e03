// SPDX-License-Identifier: GPL-2.0-only
/* Reset, queue reset and freeze while a request is at each stage of its way, one by one, on virtual
 * time; what it could still write to is poisoned and must stay so. (A host call under way is the one
 * stage that cannot be held still: test-race.c meets it by chance, many times. Memory that changes
 * is the vhost face's: tests/unit/vhost/test-session.c.) */
#include "rig.h"

#include <string.h>

enum { POISON = 0xa5, SECTOR = 5 };

static const struct piece usual_read[] = { { RIG_HEADER, 16, R },
					   { RIG_DATA, 512, W },
					   { RIG_STATUS, 1, W } };

static void post_read(struct rig *r)
{
	rig_header(r, RIG_HEADER, VIRTIO_BLK_T_IN, SECTOR);
	rig_post(r, usual_read, 3);
}

/* Stages: how the disk is made, and what brings a request there. */

static void post_only(struct rig *r)
{
	post_read(r);
}

static void post_and_kick(struct rig *r)
{
	post_read(r);
	rig_kick(r);
}

/* The first takes the only token, the second waits. */
static void stall_behind_another(struct rig *r)
{
	assert_answer(rig_read(r, 0, RIG_DATA, 512), 0, 513);
	post_and_kick(r);
	assert_int_equal(rig_counter(r, "currently_throttled"), 1);
}

static const struct stage {
	const char *options;
	void (*reach)(struct rig *r);
	unsigned answered; /* before the event, the request included */
	bool needs_kick;
} stages[] = {
	{ "", post_only, 0, true }, /* on the ring */
	{ ",throttle=read-iops=100", stall_behind_another, 0, false },
	{ ",latency=4ms", post_and_kick, 0, false }, /* done, its answer held back */
	{ ",fault=op=read,nth=1,action=delay:9ms", post_and_kick, 0, false },
	{ "", post_and_kick, 1, false }, /* answered */
};

static void reset(struct rig *r)
{
	rig_set_reg(r, VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(rig_reg(r, VIRTIO_MMIO_STATUS), 0);
}

static void reset_queue(struct rig *r)
{
	rig_set_reg(r, VIRTIO_MMIO_QUEUE_SEL, 0);
	rig_set_reg(r, VIRTIO_MMIO_REG_QUEUE_RESET, 1);
	assert_int_equal(rig_reg(r, VIRTIO_MMIO_REG_QUEUE_RESET), 0);
}

static void pass_time(struct rig *r, uint64_t ns)
{
	for (unsigned i = 0; i < 10; i++) {
		r->clock_ns += ns / 10;
		blk_run_due(r->blk);
	}
}

static void expect_silence(struct rig *r, uint64_t ns)
{
	uint64_t irqs = atomic_load(&r->irqs);

	pass_time(r, ns);
	assert_true(rig_is_filled(rig_at(r, 0), POISON, RIG_RAM));
	assert_int_equal(atomic_load(&r->irqs), irqs);
}

static void end_at_every_stage(enum rig_mode mode, void (*end)(struct rig *r))
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		struct rig r;

		rig_init(&r, mode, stages[i].options);
		stages[i].reach(&r);
		end(&r);
		memset(rig_at(&r, 0), POISON, RIG_RAM);
		expect_silence(&r, NSEC_PER_SEC);
		assert_int_equal(rig_counter(&r, "currently_throttled"), 0);
		/* And the disk is as good as new. */
		rig_setup(&r, r.features);
		post_and_kick(&r);
		pass_time(&r, NSEC_PER_SEC);
		assert_int_equal(rig_used_idx(&r, 0), 1);
		assert_true(rig_is_filled(rig_at(&r, RIG_DATA), rig_pattern(SECTOR), 512));
		rig_deinit(&r);
	}
}

ETEST(a_reset_at_every_stage_leaves_memory_alone)
{
	end_at_every_stage(RIG_MODE, reset);
}

ETEST(a_queue_reset_at_every_stage_leaves_memory_alone)
{
	end_at_every_stage(RIG_MODE, reset_queue);
}

/* All of memory is poisoned while the disk is frozen, and is what it was when it thaws. */
ETEST(a_freeze_at_every_stage_is_quiet_and_loses_nothing)
{
	static uint8_t before[RIG_RAM];

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		struct rig r;

		rig_init(&r, RIG_MODE, stages[i].options);
		stages[i].reach(&r);
		uint16_t used = (uint16_t)(r.rings[0].used + stages[i].answered);

		assert_int_equal(rig_used_idx(&r, 0), used);
		blk_pause(r.blk);
		memcpy(before, rig_at(&r, 0), RIG_RAM);
		memset(rig_at(&r, 0), POISON, RIG_RAM);
		rig_kick(&r);
		expect_silence(&r, NSEC_PER_SEC);
		memcpy(rig_at(&r, 0), before, RIG_RAM);
		blk_resume(r.blk);
		if (stages[i].needs_kick)
			rig_kick(&r);
		pass_time(&r, NSEC_PER_SEC);
		assert_int_equal(rig_used_idx(&r, 0), r.rings[0].used + 1);
		assert_int_equal(rig_take_on(&r, 0).len, 513);
		assert_int_equal(*(uint8_t *)rig_at(&r, RIG_STATUS), 0);
		assert_true(rig_is_filled(rig_at(&r, RIG_DATA), rig_pattern(SECTOR), 512));
		rig_deinit(&r);
	}
}

TESTS(ON_VIRTUAL(a_reset_at_every_stage_leaves_memory_alone),
      ON_VIRTUAL(a_queue_reset_at_every_stage_leaves_memory_alone),
      ON_VIRTUAL(a_freeze_at_every_stage_is_quiet_and_loses_nothing))
