// SPDX-License-Identifier: GPL-2.0-only
/* The register file of virtio-mmio, rule by rule (virtio 1.2, 4.2.2, 3.1.1, 2.1, 2.6.1), with an
 * echo device behind it. */
#include "virtio/echo-device.h"
#include "virtio/mmio-driver.h"

#include "test.h"

#include <pthread.h>
#include <string.h>

#define REG(name) VIRTIO_MMIO_##name
#define S(name) VIRTIO_CONFIG_S_##name

enum { QUEUE_RESET = VIRTIO_MMIO_REG_QUEUE_RESET, QUEUE_READY = VIRTIO_MMIO_QUEUE_READY };

static const uint64_t version_1 = UINT64_C(1) << VIRTIO_F_VERSION_1;
static const uint64_t ring_reset_bit = UINT64_C(1) << VIRTIO_F_RING_RESET;

struct rig {
	struct ring_memory m;
	struct ring rings[ECHO_QUEUES];
	uint64_t body;
	struct echo *echo;
	struct virtio_mmio mmio;
	unsigned raised;
	uint32_t status_when_raised, events_when_raised;
	uint16_t used_when_raised;
};

static void raise_line(void *ctx)
{
	struct rig *r = ctx;

	r->raised++;
	r->status_when_raised = mmio_get(&r->mmio, REG(STATUS));
	r->events_when_raised = mmio_get(&r->mmio, REG(INTERRUPT_STATUS));
	r->used_when_raised = ring_used_idx(&r->rings[0]);
}

static struct rig *rig_new(void)
{
	struct rig *r = test_calloc(1, sizeof(*r));

	r->echo = test_malloc(sizeof(*r->echo));
	ring_memory_init(&r->m, 1 * MIB);
	for (unsigned q = 0; q < ECHO_QUEUES; q++)
		ring_init(&r->rings[q], &r->m, ECHO_QUEUE_SIZE);
	r->body = ring_place(&r->m, 4096, 16);
	echo_init(r->echo);
	assert_int_equal(virtio_mmio_init(&r->mmio, &r->echo->dev, &r->m.mem,
					  (struct irq_line){ raise_line, r }),
			 0);
	return r;
}

static void rig_free(struct rig *r)
{
	virtio_mmio_deinit(&r->mmio);
	echo_deinit(r->echo);
	ring_memory_deinit(&r->m);
	test_free(r->echo);
	test_free(r);
}

static uint64_t refusals(const struct rig *r, enum virtio_mmio_refusal reason)
{
	return counter_get(&r->mmio.refusals[reason]);
}

static uint64_t all_refusals(const struct rig *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < MMIO_REFUSAL_COUNT; i++)
		sum += counter_get(&r->mmio.refusals[i]);
	return sum;
}

static uint32_t status(struct rig *r)
{
	return mmio_get(&r->mmio, REG(STATUS));
}

static void set_status(struct rig *r, uint32_t value)
{
	mmio_set(&r->mmio, REG(STATUS), value);
}

/* A driver that is up with all queues. */
static void bring_up(struct rig *r, uint64_t features)
{
	assert_true(mmio_negotiate(&r->mmio, features));
	for (unsigned q = 0; q < ECHO_QUEUES; q++) {
		ring_reset(&r->rings[q]);
		assert_true(mmio_setup_queue(&r->mmio, q, &r->rings[q].setup));
	}
	mmio_driver_ok(&r->mmio);
}

static void offer(struct rig *r, unsigned q, uint16_t head)
{
	struct ring_buffer b[] = { { r->body, 8, 0 },
				   { r->body + 512 + head * 8u, 8, RING_WRITE } };

	ring_offer(&r->rings[q], ring_chain(&r->rings[q], head, b, 2));
}

TEST(identity_registers_say_what_they_must)
{
	struct rig *r = rig_new();

	assert_int_equal(mmio_get(&r->mmio, REG(MAGIC_VALUE)), 0x74726976);
	assert_int_equal(mmio_get(&r->mmio, REG(VERSION)), 2);
	assert_int_equal(mmio_get(&r->mmio, REG(DEVICE_ID)), ECHO_DEVICE_ID);
	assert_int_equal(mmio_get(&r->mmio, REG(VENDOR_ID)), VIRTIO_MMIO_VENDOR);
	assert_int_equal(all_refusals(r), 0);
	rig_free(r);
}

TEST(features_are_offered_in_two_words_and_zeros_behind)
{
	struct rig *r = rig_new();

	assert_true(mmio_offered(&r->mmio) ==
		    (r->echo->dev.features | VQ_FEATURES | version_1 | ring_reset_bit));
	for (uint32_t sel = 2; sel; sel = sel == 2 ? 3 : sel == 3 ? UINT32_MAX : 0) {
		mmio_set(&r->mmio, REG(DEVICE_FEATURES_SEL), sel);
		assert_int_equal(mmio_get(&r->mmio, REG(DEVICE_FEATURES)), 0);
	}
	rig_free(r);
}

TEST(a_feature_set_that_cannot_be_is_refused_and_another_may_follow)
{
	struct rig *r = rig_new();

	assert_false(mmio_negotiate(&r->mmio, 0));	       /* VERSION_1 missing */
	assert_false(mmio_negotiate(&r->mmio, version_1 | 2)); /* not offered */
	assert_false(mmio_negotiate(&r->mmio, version_1 | UINT64_C(1) << 63));
	assert_int_equal(refusals(r, MMIO_BAD_FEATURES), 3);
	assert_int_equal(status(r), S(ACKNOWLEDGE) | S(DRIVER));
	assert_true(r->echo->dev.negotiated == 0);
	/* Without a reset in between. */
	mmio_set(&r->mmio, REG(DRIVER_FEATURES_SEL), 1);
	mmio_set(&r->mmio, REG(DRIVER_FEATURES), (uint32_t)(version_1 >> 32));
	mmio_set(&r->mmio, REG(DRIVER_FEATURES_SEL), 0);
	mmio_set(&r->mmio, REG(DRIVER_FEATURES), 1);
	set_status(r, status(r) | S(FEATURES_OK));
	assert_true(status(r) & S(FEATURES_OK));
	assert_true(r->echo->dev.negotiated == (version_1 | 1));
	rig_free(r);
}

TEST(a_feature_bit_above_63_is_not_offered_and_refused)
{
	static const uint32_t words[] = { 2, 3, 4, 1000, UINT32_MAX };
	struct rig *r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		mmio_negotiate(&r->mmio, 0);
		mmio_set(&r->mmio, REG(DRIVER_FEATURES_SEL), 1);
		mmio_set(&r->mmio, REG(DRIVER_FEATURES), (uint32_t)(version_1 >> 32));
		mmio_set(&r->mmio, REG(DRIVER_FEATURES_SEL), words[i]);
		mmio_set(&r->mmio, REG(DRIVER_FEATURES), 1);
		set_status(r, status(r) | S(FEATURES_OK));
		assert_false(status(r) & S(FEATURES_OK));
	}
	assert_true(mmio_negotiate(&r->mmio, version_1)); /* a reset forgets them */
	rig_free(r);
}

TEST(a_device_may_refuse_a_combination)
{
	struct rig *r = rig_new();

	r->echo->is_refusing_features = true;
	assert_false(mmio_negotiate(&r->mmio, version_1));
	assert_true(r->echo->dev.negotiated == 0);
	r->echo->is_refusing_features = false;
	assert_true(mmio_negotiate(&r->mmio, version_1));
	rig_free(r);
}

TEST(features_are_fixed_once_they_are_ok)
{
	struct rig *r = rig_new();

	assert_true(mmio_negotiate(&r->mmio, version_1));
	mmio_set(&r->mmio, REG(DRIVER_FEATURES_SEL), 0);
	mmio_set(&r->mmio, REG(DRIVER_FEATURES), 0x21);
	assert_int_equal(refusals(r, MMIO_BAD_TIME), 1);
	set_status(r, status(r) | S(FEATURES_OK));
	assert_true(r->echo->dev.negotiated == version_1);
	rig_free(r);
}

TEST(status_bits_are_taken_in_order_only)
{
	static const struct {
		uint32_t write, status;
	} cases[] = {
		{ S(DRIVER), 0 },
		{ S(FEATURES_OK), 0 },
		{ S(DRIVER_OK), 0 },
		{ S(DRIVER_OK) | S(FEATURES_OK) | S(DRIVER), 0 },
		{ S(ACKNOWLEDGE) | S(DRIVER_OK), S(ACKNOWLEDGE) },
		{ S(ACKNOWLEDGE) | S(FEATURES_OK), S(ACKNOWLEDGE) },
		/* Several steps in one write, each in its order; features were never set. */
		{ S(ACKNOWLEDGE) | S(DRIVER) | S(FEATURES_OK) | S(DRIVER_OK),
		  S(ACKNOWLEDGE) | S(DRIVER) },
		{ S(FAILED), S(FAILED) },
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_status(r, 0);
		set_status(r, cases[i].write);
		assert_int_equal(status(r), cases[i].status);
	}
	assert_int_equal(r->echo->driver_oks, 0);
	rig_free(r);
}

TEST(status_bits_are_never_cleared_but_by_reset)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	set_status(r, S(ACKNOWLEDGE));
	assert_int_equal(status(r), S(ACKNOWLEDGE) | S(DRIVER) | S(FEATURES_OK) | S(DRIVER_OK));
	assert_int_equal(refusals(r, MMIO_BAD_STATUS), 1);
	set_status(r, 0);
	assert_int_equal(status(r), 0);
	rig_free(r);
}

TEST(needs_reset_and_reserved_bits_are_not_the_drivers)
{
	struct rig *r = rig_new();

	set_status(r, S(ACKNOWLEDGE) | S(NEEDS_RESET));
	set_status(r, S(ACKNOWLEDGE) | 0x30);
	set_status(r, S(ACKNOWLEDGE) | 0xffffff00);
	assert_int_equal(status(r), S(ACKNOWLEDGE));
	assert_int_equal(refusals(r, MMIO_BAD_STATUS), 3);
	rig_free(r);
}

TEST(a_driver_may_write_back_needs_reset_as_it_read_it)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	ring_set_avail_idx(&r->rings[0], 999);
	mmio_kick(&r->mmio, 0);
	assert_true(status(r) & S(NEEDS_RESET));
	uint64_t before = all_refusals(r);

	set_status(r, status(r) | S(FAILED));
	assert_int_equal(all_refusals(r), before);
	rig_free(r);
}

TEST(a_reset_undoes_everything_but_the_counters)
{
	struct rig *r = rig_new();

	bring_up(r, mmio_offered(&r->mmio));
	r->echo->is_held = true;
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	mmio_set(&r->mmio, REG(QUEUE_SEL), 2);
	unsigned resets = r->echo->resets;

	set_status(r, 0);
	assert_int_equal(status(r), 0);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 0);
	assert_int_equal(r->echo->resets, resets + 1);
	assert_int_equal(r->echo->stops, ECHO_QUEUES);
	assert_int_equal(r->echo->last_stop, VIRTIO_STOP_DISCARD);
	assert_true(r->echo->dev.negotiated == 0);
	for (uint32_t q = 0; q < ECHO_QUEUES; q++) {
		mmio_set(&r->mmio, REG(QUEUE_SEL), q);
		assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
		/* Size and addresses are gone too. */
		mmio_set(&r->mmio, QUEUE_READY, 1);
		assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	}
	assert_int_equal(counter_get(&r->echo->dev.queues[0].counters.kicks), 1);
	/* The selectors are back at 0. */
	set_status(r, 0);
	assert_int_equal(mmio_get(&r->mmio, REG(DEVICE_FEATURES)),
			 (uint32_t)(r->echo->dev.features | VQ_FEATURES));
	rig_free(r);
}

TEST(a_late_completion_after_reset_writes_nothing_and_raises_nothing)
{
	struct rig *r = rig_new();

	bring_up(r, mmio_offered(&r->mmio));
	r->echo->is_held = true;
	offer(r, 0, 0);
	offer(r, 0, 4);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(r->echo->held_count, 2);
	set_status(r, 0);
	bring_up(r, mmio_offered(&r->mmio)); /* the next life uses the same rings */
	offer(r, 0, 4);
	unsigned char *before = test_malloc(r->m.bytes);

	memcpy(before, r->m.host, r->m.bytes);
	unsigned raised = r->raised;

	assert_true(echo_complete(r->echo));
	assert_true(echo_complete(r->echo));
	assert_memory_equal(before, r->m.host, r->m.bytes);
	assert_int_equal(r->raised, raised);
	assert_int_equal(counter_get(&r->echo->dev.queues[0].counters.stale), 2);
	test_free(before);
	rig_free(r);
}

TEST(a_queue_that_is_not_there_has_size_0_and_takes_no_writes)
{
	static const uint32_t numbers[] = { ECHO_QUEUES, 63, 64, 65, 0x10000, UINT32_MAX };
	static const uint32_t writable[] = { REG(QUEUE_NUM),	   QUEUE_READY,
					     REG(QUEUE_DESC_LOW),  REG(QUEUE_DESC_HIGH),
					     REG(QUEUE_AVAIL_LOW), REG(QUEUE_AVAIL_HIGH),
					     REG(QUEUE_USED_LOW),  REG(QUEUE_USED_HIGH),
					     QUEUE_RESET };
	struct rig *r = rig_new();

	assert_true(mmio_negotiate(&r->mmio, version_1 | ring_reset_bit));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		mmio_set(&r->mmio, REG(QUEUE_SEL), numbers[i]);
		assert_int_equal(mmio_get(&r->mmio, REG(QUEUE_NUM_MAX)), 0);
		assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
		assert_int_equal(mmio_get(&r->mmio, QUEUE_RESET), 0);
		uint64_t before = refusals(r, MMIO_BAD_QUEUE);

		for (size_t k = 0; k < ARRAY_SIZE(writable); k++)
			mmio_set(&r->mmio, writable[k], 1);
		assert_int_equal(refusals(r, MMIO_BAD_QUEUE), before + ARRAY_SIZE(writable));
	}
	for (uint32_t q = 0; q < ECHO_QUEUES; q++) {
		mmio_set(&r->mmio, REG(QUEUE_SEL), q);
		assert_int_equal(mmio_get(&r->mmio, REG(QUEUE_NUM_MAX)), ECHO_QUEUE_SIZE);
	}
	rig_free(r);
}

TEST(a_queue_with_impossible_rings_does_not_become_ready)
{
	struct rig *r = rig_new();
	const struct vq_setup good = r->rings[0].setup;
	const uint64_t end = ring_memory_end(&r->m);
	const struct vq_setup bad[] = {
		{ 0, good.desc, good.avail, good.used },
		{ 3, good.desc, good.avail, good.used },
		{ 2 * ECHO_QUEUE_SIZE, good.desc, good.avail, good.used },
		{ UINT32_MAX, good.desc, good.avail, good.used },
		{ 0x10010, good.desc, good.avail, good.used }, /* 16 in its low half */
		{ good.size, gpa(good.desc.v + 8), good.avail, good.used },
		{ good.size, good.desc, gpa(good.avail.v + 1), good.used },
		{ good.size, good.desc, good.avail, gpa(good.used.v + 2) },
		{ good.size, gpa(0), good.avail, good.used },
		{ good.size, gpa(end - 16), good.avail, good.used },
		{ good.size, good.desc, gpa(end - 2), good.used },
		{ good.size, good.desc, good.avail, gpa(end) },
		{ good.size, good.desc, good.avail, gpa(UINT64_MAX - 3) },
		{ good.size, gpa(good.desc.v | UINT64_C(1) << 32), good.avail, good.used },
	};

	assert_true(mmio_negotiate(&r->mmio, version_1));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(mmio_setup_queue(&r->mmio, 0, &bad[i]));
		assert_int_equal(refusals(r, MMIO_BAD_RING), i + 1);
	}
	assert_true(mmio_setup_queue(&r->mmio, 0, &good));
	rig_free(r);
}

TEST(queue_ready_takes_0_and_1_only)
{
	struct rig *r = rig_new();

	assert_true(mmio_negotiate(&r->mmio, version_1));
	assert_true(mmio_setup_queue(&r->mmio, 0, &r->rings[0].setup));
	mmio_set(&r->mmio, QUEUE_READY, 2);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 1);
	mmio_set(&r->mmio, QUEUE_READY, 0);
	mmio_set(&r->mmio, QUEUE_READY, 0x100);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	rig_free(r);
}

TEST(a_ready_queue_does_not_change)
{
	static const uint32_t registers[] = { REG(QUEUE_NUM),	     REG(QUEUE_DESC_LOW),
					      REG(QUEUE_DESC_HIGH),  REG(QUEUE_AVAIL_LOW),
					      REG(QUEUE_AVAIL_HIGH), REG(QUEUE_USED_LOW),
					      REG(QUEUE_USED_HIGH),  QUEUE_READY };
	struct rig *r = rig_new();
	uint32_t head, len;

	bring_up(r, version_1);
	mmio_set(&r->mmio, REG(QUEUE_SEL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		mmio_set(&r->mmio, registers[i], 1);
	assert_int_equal(refusals(r, MMIO_BAD_TIME), ARRAY_SIZE(registers));
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 1);
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	assert_true(ring_take(&r->rings[0], &head, &len));
	rig_free(r);
}

TEST(a_queue_set_up_and_stopped_before_driver_ok_may_be_set_up_again)
{
	struct rig *r = rig_new();

	assert_true(mmio_negotiate(&r->mmio, version_1));
	assert_true(mmio_setup_queue(&r->mmio, 0, &r->rings[0].setup));
	mmio_set(&r->mmio, QUEUE_READY, 0);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	assert_true(mmio_setup_queue(&r->mmio, 0, &r->rings[1].setup));
	assert_int_equal(r->echo->stops, 0); /* it never ran */
	rig_free(r);
}

TEST(after_driver_ok_an_unused_queue_stays_unused)
{
	struct rig *r = rig_new();

	assert_true(mmio_negotiate(&r->mmio, version_1));
	assert_true(mmio_setup_queue(&r->mmio, 0, &r->rings[0].setup));
	mmio_driver_ok(&r->mmio);
	assert_false(mmio_setup_queue(&r->mmio, 1, &r->rings[1].setup));
	assert_int_equal(refusals(r, MMIO_BAD_TIME), 8);
	rig_free(r);
}

TEST(queue_ready_0_stops_and_drains)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	mmio_set(&r->mmio, REG(QUEUE_SEL), 1);
	mmio_set(&r->mmio, QUEUE_READY, 0);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	assert_int_equal(r->echo->stops, 1);
	assert_int_equal(r->echo->last_stop, VIRTIO_STOP_DRAIN);
	offer(r, 1, 0);
	mmio_kick(&r->mmio, 1);
	assert_int_equal(ring_used_idx(&r->rings[1]), 0);
	assert_int_equal(counter_get(&r->echo->dev.queues[1].counters.kicks_ignored), 1);
	mmio_set(&r->mmio, QUEUE_READY, 1); /* not without a reset */
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	/* The others go on. */
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(ring_used_idx(&r->rings[0]), 1);
	rig_free(r);
}

TEST(a_queue_is_reset_alone_and_set_up_again)
{
	struct rig *r = rig_new();

	bring_up(r, version_1 | ring_reset_bit);
	r->echo->is_held = true;
	offer(r, 1, 0);
	mmio_kick(&r->mmio, 1);
	mmio_set(&r->mmio, REG(QUEUE_SEL), 1);
	mmio_set(&r->mmio, QUEUE_RESET, 1);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_RESET), 0);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	assert_int_equal(r->echo->last_stop, VIRTIO_STOP_DISCARD);
	assert_int_equal(r->echo->stops, 1);
	/* A late completion of the old life. */
	ring_reset(&r->rings[1]);
	assert_true(echo_complete(r->echo));
	assert_int_equal(ring_used_idx(&r->rings[1]), 0);
	assert_int_equal(r->raised, 0);
	/* Its setting is gone; a new one may be smaller, and starts at index 0. */
	mmio_set(&r->mmio, QUEUE_READY, 1);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 0);
	struct ring small;

	ring_init(&small, &r->m, 4);
	r->echo->is_held = false;
	r->rings[1] = small;
	offer(r, 1, 0);
	assert_true(mmio_setup_queue(&r->mmio, 1, &small.setup));
	/* Re-enabled while DRIVER_OK: what is there is served without a kick. */
	assert_int_equal(ring_used_idx(&r->rings[1]), 1);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_RESET), 0);
	rig_free(r);
}

TEST(queue_reset_needs_its_feature)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	mmio_set(&r->mmio, REG(QUEUE_SEL), 0);
	mmio_set(&r->mmio, QUEUE_RESET, 1);
	assert_int_equal(mmio_get(&r->mmio, QUEUE_READY), 1);
	assert_int_equal(refusals(r, MMIO_BAD_TIME), 1);
	rig_free(r);
}

TEST(a_broken_queue_asks_for_a_reset_once_and_the_others_go_on)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	ring_set_avail_idx(&r->rings[0], ECHO_QUEUE_SIZE + 1);
	mmio_kick(&r->mmio, 0);
	assert_true(status(r) & S(NEEDS_RESET));
	assert_true(status(r) & S(DRIVER_OK));
	assert_int_equal(r->raised, 1);
	assert_int_equal(mmio_ack(&r->mmio), VIRTIO_MMIO_INT_CONFIG);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(r->raised, 1);
	assert_int_equal(
		counter_get(&r->echo->dev.queues[0].counters.breakages[VQ_BREAK_AVAIL_IDX]), 1);
	offer(r, 1, 0);
	mmio_kick(&r->mmio, 1);
	assert_int_equal(ring_used_idx(&r->rings[1]), 1);
	assert_int_equal(mmio_ack(&r->mmio), VIRTIO_MMIO_INT_VRING);
	bring_up(r, version_1);
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(ring_used_idx(&r->rings[0]), 1);
	rig_free(r);
}

TEST(kicks_that_cannot_be_are_ignored_and_counted)
{
	struct rig *r = rig_new();
	struct vq_counters *c = &r->echo->dev.queues[0].counters;

	mmio_kick(&r->mmio, 0); /* no driver */
	assert_true(mmio_negotiate(&r->mmio, version_1));
	mmio_kick(&r->mmio, 0); /* not ready */
	assert_true(mmio_setup_queue(&r->mmio, 0, &r->rings[0].setup));
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0); /* before DRIVER_OK */
	assert_int_equal(counter_get(&c->kicks_ignored), 3);
	assert_int_equal(ring_used_idx(&r->rings[0]), 0);
	mmio_kick(&r->mmio, ECHO_QUEUES); /* absent */
	mmio_kick(&r->mmio, UINT32_MAX);
	assert_int_equal(refusals(r, MMIO_BAD_QUEUE), 2);
	assert_int_equal(r->echo->notifies, 0);
	mmio_driver_ok(&r->mmio); /* what is there is served without a kick */
	assert_int_equal(ring_used_idx(&r->rings[0]), 1);
	rig_free(r);
}

TEST(control_registers_are_32_bits_wide_and_aligned)
{
	struct rig *r = rig_new();
	uint64_t before = 0;

	for (uint64_t offset = 0; offset < VIRTIO_MMIO_CONFIG; offset++) {
		for (uint8_t size = 1; size <= 8; size *= 2) {
			if (size == 4 && offset % 4 == 0)
				continue;
			assert_true(mmio_get_wide(&r->mmio, offset, size) == 0);
			mmio_set_wide(&r->mmio, offset, 1, size);
			before += 2;
			assert_int_equal(refusals(r, MMIO_BAD_WIDTH), before);
		}
	}
	assert_int_equal(all_refusals(r), before);
	assert_int_equal(status(r), 0);
	rig_free(r);
}

TEST(registers_have_a_direction)
{
	static const uint32_t read_only[] = {
		REG(MAGIC_VALUE),      REG(VERSION),	     REG(DEVICE_ID),
		REG(VENDOR_ID),	       REG(DEVICE_FEATURES), REG(QUEUE_NUM_MAX),
		REG(INTERRUPT_STATUS), REG(SHM_LEN_LOW),     REG(SHM_LEN_HIGH),
		REG(SHM_BASE_LOW),     REG(SHM_BASE_HIGH),   REG(CONFIG_GENERATION),
	};
	static const uint32_t write_only[] = {
		REG(DEVICE_FEATURES_SEL), REG(DRIVER_FEATURES),	 REG(DRIVER_FEATURES_SEL),
		REG(QUEUE_SEL),		  REG(QUEUE_NUM),	 REG(QUEUE_NOTIFY),
		REG(INTERRUPT_ACK),	  REG(QUEUE_DESC_LOW),	 REG(QUEUE_DESC_HIGH),
		REG(QUEUE_AVAIL_LOW),	  REG(QUEUE_AVAIL_HIGH), REG(QUEUE_USED_LOW),
		REG(QUEUE_USED_HIGH),	  REG(SHM_SEL),
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		uint32_t value = mmio_get(&r->mmio, read_only[i]);

		mmio_set(&r->mmio, read_only[i], ~value);
		assert_int_equal(mmio_get(&r->mmio, read_only[i]), value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(write_only); i++)
		assert_int_equal(mmio_get(&r->mmio, write_only[i]), 0);
	assert_int_equal(refusals(r, MMIO_BAD_DIRECTION),
			 ARRAY_SIZE(read_only) + ARRAY_SIZE(write_only));
	/* Between the registers there is nothing; 0x028 is the legacy GuestPageSize. */
	assert_int_equal(mmio_get(&r->mmio, 0x028), 0);
	mmio_set(&r->mmio, 0x0f8, 1);
	assert_int_equal(refusals(r, MMIO_BAD_REGISTER), 2);
	rig_free(r);
}

TEST(there_are_no_shared_memory_regions)
{
	struct rig *r = rig_new();

	for (uint32_t sel = 0; sel < 3; sel++) {
		mmio_set(&r->mmio, REG(SHM_SEL), sel);
		for (uint32_t offset = REG(SHM_LEN_LOW); offset <= REG(SHM_BASE_HIGH); offset += 4)
			assert_int_equal(mmio_get(&r->mmio, offset), UINT32_MAX);
	}
	rig_free(r);
}

TEST(configuration_is_read_in_any_width_and_its_tail_is_0)
{
	struct rig *r = rig_new();

	for (unsigned offset = 0; offset < 32; offset++) {
		for (uint8_t size = 1; size <= 8; size *= 2) {
			uint64_t expected = 0;

			for (unsigned i = 0; i < size; i++)
				if (offset + i < ECHO_CONFIG_BYTES)
					expected |= (uint64_t)(0xa0 + offset + i) << (8 * i);
			assert_true(mmio_get_wide(&r->mmio, VIRTIO_MMIO_CONFIG + offset, size) ==
				    expected);
		}
	}
	assert_true(mmio_get_wide(&r->mmio, VIRTIO_MMIO_WINDOW - 8, 8) == 0);
	assert_true(mmio_get_wide(&r->mmio, UINT64_MAX - 7, 8) == 0);
	assert_int_equal(all_refusals(r), 0);
	rig_free(r);
}

TEST(only_what_is_the_drivers_in_the_configuration_can_be_written)
{
	struct rig *r = rig_new();
	uint32_t generation = mmio_get(&r->mmio, REG(CONFIG_GENERATION));

	mmio_set_wide(&r->mmio, VIRTIO_MMIO_CONFIG, 0, 4);
	mmio_set_wide(&r->mmio, VIRTIO_MMIO_CONFIG + ECHO_CONFIG_BYTES, 7, 1);
	assert_int_equal(refusals(r, MMIO_BAD_CONFIG), 2);
	assert_int_equal(mmio_get_wide(&r->mmio, VIRTIO_MMIO_CONFIG, 1), 0xa0);
	assert_int_equal(mmio_get(&r->mmio, REG(CONFIG_GENERATION)), generation);
	mmio_set_wide(&r->mmio, VIRTIO_MMIO_CONFIG + 12, 7, 1);
	assert_int_equal(mmio_get_wide(&r->mmio, VIRTIO_MMIO_CONFIG + 12, 1), 7);
	assert_int_not_equal(mmio_get(&r->mmio, REG(CONFIG_GENERATION)), generation);
	rig_free(r);
}

TEST(a_configuration_change_is_announced_after_driver_ok_only)
{
	struct rig *r = rig_new();
	uint32_t generation = mmio_get(&r->mmio, REG(CONFIG_GENERATION));

	virtio_config_changed(&r->echo->dev);
	assert_int_equal(r->raised, 0);
	assert_int_not_equal(mmio_get(&r->mmio, REG(CONFIG_GENERATION)), generation);
	bring_up(r, version_1);
	virtio_config_changed(&r->echo->dev);
	assert_int_equal(r->raised, 1);
	assert_int_equal(mmio_ack(&r->mmio), VIRTIO_MMIO_INT_CONFIG);
	rig_free(r);
}

TEST(used_idx_and_interrupt_status_are_there_before_the_interrupt)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(r->raised, 1);
	assert_int_equal(r->used_when_raised, 1);
	assert_int_equal(r->events_when_raised, VIRTIO_MMIO_INT_VRING);
	rig_free(r);
}

TEST(interrupt_status_holds_until_it_is_acknowledged_bit_by_bit)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	virtio_config_changed(&r->echo->dev);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 3);
	mmio_set(&r->mmio, REG(INTERRUPT_ACK), 0xfffffffc);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 3);
	mmio_set(&r->mmio, REG(INTERRUPT_ACK), 1);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 2);
	mmio_set(&r->mmio, REG(INTERRUPT_ACK), 2);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 0);
	rig_free(r);
}

TEST(a_kick_of_an_empty_queue_is_no_interrupt)
{
	struct rig *r = rig_new();

	bring_up(r, version_1);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(r->echo->notifies, 1);
	assert_int_equal(r->raised, 0);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 0);
	rig_free(r);
}

TEST(a_device_with_eventfds_gives_them_for_binding)
{
	struct rig *r = rig_new();

	assert_int_equal(virtio_mmio_notify_fd(&r->mmio, 0), -1);
	assert_int_equal(virtio_device_open_kicks(&r->echo->dev), 0);
	assert_true(virtio_mmio_notify_fd(&r->mmio, 0) >= 0);
	bring_up(r, version_1);
	offer(r, 0, 0);
	mmio_kick(&r->mmio, 0);
	assert_int_equal(r->echo->notifies, 0);
	rig_free(r);
}

/* A worker raises while a vCPU acknowledges: no event is lost, no bit comes from nowhere. */
struct race {
	struct rig *rig;
	_Atomic bool is_done;
};

static void *raise_often(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; i < 20000; i++)
		race->rig->mmio.dev->transport->config_interrupt(&race->rig->mmio);
	atomic_store(&race->is_done, true);
	return NULL;
}

static void raise_quietly(void *ctx)
{
}

TEST(an_event_during_an_acknowledgement_is_not_lost)
{
	struct rig *r = rig_new();
	struct race race = { .rig = r };
	pthread_t worker;

	bring_up(r, version_1);
	r->mmio.irq = (struct irq_line){ raise_quietly, NULL };
	assert_int_equal(pthread_create(&worker, NULL, raise_often, &race), 0);
	while (!atomic_load(&race.is_done)) {
		mmio_set(&r->mmio, REG(INTERRUPT_ACK), VIRTIO_MMIO_INT_VRING);
		if (mmio_get(&r->mmio, REG(INTERRUPT_STATUS)) & ~2u)
			fail_msg("a bit from nowhere");
	}
	pthread_join(worker, NULL);
	assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), VIRTIO_MMIO_INT_CONFIG);
	assert_int_equal(counter_get(&r->mmio.interrupts), 20000);
	rig_free(r);
}

static void *change_often(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; i < 20000; i++)
		virtio_config_changed(race->rig->mmio.dev);
	atomic_store(&race->is_done, true);
	return NULL;
}

TEST(no_configuration_event_survives_the_reset_it_overlaps)
{
	struct rig *r = rig_new();
	struct race race = { .rig = r };
	pthread_t worker;

	r->mmio.irq = (struct irq_line){ raise_quietly, NULL };
	assert_int_equal(pthread_create(&worker, NULL, change_often, &race), 0);
	while (!atomic_load(&race.is_done)) {
		bring_up(r, version_1);
		set_status(r, 0);
		assert_int_equal(mmio_get(&r->mmio, REG(INTERRUPT_STATUS)), 0);
	}
	pthread_join(worker, NULL);
	rig_free(r);
}

/* Two vCPUs on one register file, one of them resetting all the time. */
static void *kick_often(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; i < 3000; i++) {
		mmio_kick(&race->rig->mmio, i % ECHO_QUEUES);
		mmio_get(&race->rig->mmio, REG(STATUS));
		mmio_ack(&race->rig->mmio);
		mmio_get_wide(&race->rig->mmio, VIRTIO_MMIO_CONFIG, 8);
	}
	atomic_store(&race->is_done, true);
	return NULL;
}

TEST(two_vcpus_may_reset_and_kick_at_once)
{
	struct rig *r = rig_new();
	struct race race = { .rig = r };
	pthread_t vcpu;

	r->mmio.irq = (struct irq_line){ raise_quietly, NULL };
	assert_int_equal(pthread_create(&vcpu, NULL, kick_often, &race), 0);
	while (!atomic_load(&race.is_done)) {
		bring_up(r, version_1);
		offer(r, 0, 0);
		set_status(r, 0);
		assert_int_equal(status(r), 0);
	}
	pthread_join(vcpu, NULL);
	rig_free(r);
}

TEST(every_refusal_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < MMIO_REFUSAL_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				virtio_mmio_refusal_name((enum virtio_mmio_refusal)i),
				virtio_mmio_refusal_name((enum virtio_mmio_refusal)k));
}

TESTS(T(identity_registers_say_what_they_must),
      T(features_are_offered_in_two_words_and_zeros_behind),
      T(a_feature_set_that_cannot_be_is_refused_and_another_may_follow),
      T(a_feature_bit_above_63_is_not_offered_and_refused), T(a_device_may_refuse_a_combination),
      T(features_are_fixed_once_they_are_ok), T(status_bits_are_taken_in_order_only),
      T(status_bits_are_never_cleared_but_by_reset),
      T(needs_reset_and_reserved_bits_are_not_the_drivers),
      T(a_driver_may_write_back_needs_reset_as_it_read_it),
      T(a_reset_undoes_everything_but_the_counters),
      T(a_late_completion_after_reset_writes_nothing_and_raises_nothing),
      T(a_queue_that_is_not_there_has_size_0_and_takes_no_writes),
      T(a_queue_with_impossible_rings_does_not_become_ready), T(queue_ready_takes_0_and_1_only),
      T(a_ready_queue_does_not_change),
      T(a_queue_set_up_and_stopped_before_driver_ok_may_be_set_up_again),
      T(after_driver_ok_an_unused_queue_stays_unused), T(queue_ready_0_stops_and_drains),
      T(a_queue_is_reset_alone_and_set_up_again), T(queue_reset_needs_its_feature),
      T(a_broken_queue_asks_for_a_reset_once_and_the_others_go_on),
      T(kicks_that_cannot_be_are_ignored_and_counted),
      T(control_registers_are_32_bits_wide_and_aligned), T(registers_have_a_direction),
      T(there_are_no_shared_memory_regions),
      T(configuration_is_read_in_any_width_and_its_tail_is_0),
      T(only_what_is_the_drivers_in_the_configuration_can_be_written),
      T(a_configuration_change_is_announced_after_driver_ok_only),
      T(used_idx_and_interrupt_status_are_there_before_the_interrupt),
      T(interrupt_status_holds_until_it_is_acknowledged_bit_by_bit),
      T(a_kick_of_an_empty_queue_is_no_interrupt), T(a_device_with_eventfds_gives_them_for_binding),
      T(an_event_during_an_acknowledgement_is_not_lost),
      T(no_configuration_event_survives_the_reset_it_overlaps),
      T(two_vcpus_may_reset_and_kick_at_once), T(every_refusal_has_a_name_of_its_own))
