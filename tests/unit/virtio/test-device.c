// SPDX-License-Identifier: GPL-2.0-only
/* What is common to all devices: kicks that are accepted or not, publication with its interrupt,
 * going live and ending. The transport is a recorder. */
#include "virtio/echo-device.h"
#include "virtio/ring.h"

#include "test.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

struct recorder {
	unsigned used, config, broken;
	enum vq_breakage reason;
};

static void on_used(void *ctx, unsigned q)
{
	((struct recorder *)ctx)->used++;
}

static void on_config(void *ctx)
{
	((struct recorder *)ctx)->config++;
}

static void on_broken(void *ctx, unsigned q, enum vq_breakage reason)
{
	((struct recorder *)ctx)->broken++;
	((struct recorder *)ctx)->reason = reason;
}

static const struct virtio_transport_ops recording = { on_used, on_config, on_broken };

struct rig {
	struct ring_memory m;
	struct ring ring;
	struct echo *echo;
	struct recorder recorder;
	uint64_t body;
};

static void rig_init(struct rig *r)
{
	*r = (struct rig){ .echo = test_malloc(sizeof(*r->echo)) };
	ring_memory_init(&r->m, 65536);
	ring_init(&r->ring, &r->m, ECHO_QUEUE_SIZE);
	r->body = ring_place(&r->m, 1024, 16);
	echo_init(r->echo);
	virtio_device_attach(&r->echo->dev, &r->m.mem, &recording, &r->recorder);
	r->echo->dev.negotiated = VQ_FEATURES;
}

static void rig_deinit(struct rig *r)
{
	echo_deinit(r->echo);
	ring_memory_deinit(&r->m);
	test_free(r->echo);
}

static void offer(struct rig *r, uint16_t head)
{
	struct ring_buffer b[] = { { r->body, 4, 0 }, { r->body + 64, 4, RING_WRITE } };

	ring_offer(&r->ring, ring_chain(&r->ring, head, b, 2));
}

static void go_live(struct rig *r)
{
	assert_int_equal(vq_start(&r->echo->dev.queues[1], &r->m.mem, &r->ring.setup), 0);
	virtio_queue_go_live(&r->echo->dev, 1);
}

TEST(a_kick_counts_only_while_the_queue_is_live)
{
	struct rig r;

	rig_init(&r);
	struct vq_counters *c = &r.echo->dev.queues[1].counters;

	virtio_queue_kick(&r.echo->dev, 1);
	assert_int_equal(counter_get(&c->kicks_ignored), 1);
	assert_int_equal(r.echo->notifies, 0);
	go_live(&r);
	virtio_queue_kick(&r.echo->dev, 1);
	assert_int_equal(counter_get(&c->kicks), 1);
	assert_int_equal(r.echo->notifies, 1);
	virtio_queue_end(&r.echo->dev, 1, VIRTIO_STOP_DISCARD);
	virtio_queue_kick(&r.echo->dev, 1);
	assert_int_equal(counter_get(&c->kicks_ignored), 2);
	assert_int_equal(r.echo->notifies, 1);
	rig_deinit(&r);
}

TEST(chains_that_are_there_are_served_without_a_kick)
{
	struct rig r;
	uint32_t head, len;

	rig_init(&r);
	offer(&r, 0);
	go_live(&r);
	assert_true(ring_take(&r.ring, &head, &len));
	assert_int_equal(len, 4);
	assert_int_equal(r.recorder.used, 1);
	assert_int_equal(counter_get(&r.echo->dev.queues[1].counters.kicks), 0);
	rig_deinit(&r);
}

TEST(nothing_published_is_no_interrupt)
{
	struct rig r;

	rig_init(&r);
	go_live(&r);
	virtio_queue_kick(&r.echo->dev, 1);
	virtio_queue_publish(&r.echo->dev, 1);
	assert_int_equal(r.recorder.used, 0);
	rig_deinit(&r);
}

TEST(a_queue_that_was_never_live_ends_quietly)
{
	struct rig r;

	rig_init(&r);
	assert_int_equal(virtio_queue_end(&r.echo->dev, 0, VIRTIO_STOP_DISCARD), 0);
	assert_int_equal(vq_start(&r.echo->dev.queues[1], &r.m.mem, &r.ring.setup), 0);
	virtio_queue_end(&r.echo->dev, 1, VIRTIO_STOP_DISCARD);
	assert_false(r.echo->dev.queues[1].is_started);
	assert_int_equal(r.echo->stops, 0);
	rig_deinit(&r);
}

TEST(ending_a_queue_says_where_it_stopped)
{
	struct rig r;

	rig_init(&r);
	for (uint16_t head = 0; head < 6; head = (uint16_t)(head + 2))
		offer(&r, head);
	go_live(&r);
	assert_int_equal(virtio_queue_end(&r.echo->dev, 1, VIRTIO_STOP_DRAIN), 3);
	assert_int_equal(r.echo->last_stop, VIRTIO_STOP_DRAIN);
	rig_deinit(&r);
}

TEST(a_broken_queue_is_reported_with_its_reason)
{
	struct rig r;

	rig_init(&r);
	go_live(&r);
	ring_set_avail_idx(&r.ring, 1000);
	virtio_queue_kick(&r.echo->dev, 1);
	assert_true(r.recorder.broken > 0);
	assert_int_equal(r.recorder.reason, VQ_BREAK_AVAIL_IDX);
	rig_deinit(&r);
}

TEST(with_an_eventfd_a_kick_wakes_and_does_not_serve)
{
	struct rig r;
	eventfd_t value;

	rig_init(&r);
	assert_int_equal(virtio_device_open_kicks(&r.echo->dev), 0);
	go_live(&r);
	virtio_queue_kick(&r.echo->dev, 1);
	virtio_queue_kick(&r.echo->dev, 1);
	assert_int_equal(r.echo->notifies, 0);
	assert_int_equal(eventfd_read(r.echo->dev.queues[1].kick_fd, &value), 0);
	assert_int_equal(value, 2);
	/* A full counter does not block the vCPU that kicks. */
	assert_int_equal(eventfd_write(r.echo->dev.queues[1].kick_fd, UINT64_MAX - 1), 0);
	virtio_queue_kick(&r.echo->dev, 1);
	rig_deinit(&r);
}

TEST(every_change_of_configuration_is_a_new_generation)
{
	struct rig r;

	rig_init(&r);
	uint32_t before = atomic_load(&r.echo->dev.config_generation);

	virtio_config_touch(&r.echo->dev);
	assert_int_equal(r.recorder.config, 0);
	virtio_config_changed(&r.echo->dev);
	assert_int_equal(r.recorder.config, 1);
	assert_int_equal(atomic_load(&r.echo->dev.config_generation), before + 2);
	rig_deinit(&r);
}

TEST(a_device_can_be_taken_down_twice)
{
	struct virtio_device zero = { 0 };
	struct rig r;

	virtio_device_deinit(&zero);
	rig_init(&r);
	virtio_device_deinit(&r.echo->dev);
	rig_deinit(&r);
}

TESTS(T(a_kick_counts_only_while_the_queue_is_live),
      T(chains_that_are_there_are_served_without_a_kick), T(nothing_published_is_no_interrupt),
      T(a_queue_that_was_never_live_ends_quietly), T(ending_a_queue_says_where_it_stopped),
      T(a_broken_queue_is_reported_with_its_reason),
      T(with_an_eventfd_a_kick_wakes_and_does_not_serve),
      T(every_change_of_configuration_is_a_new_generation), T(a_device_can_be_taken_down_twice))
