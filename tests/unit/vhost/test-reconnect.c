// SPDX-License-Identifier: GPL-2.0-only
/* kill -9 at any moment, the next back end on the same socket, and the front end's view is that of
 * one disk that was slow for a moment: every request is answered once, in the end the sectors hold
 * what was written last. */
#include "vhost/client.h"
#include "vhost/fixture.h"

#include "base/cleanup.h"

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RING_SIZE = 64, DEPTH = 16, SECTORS = 64 };

struct story {
	struct fixture f;
	struct client c;
	struct vhost_inflight_msg inflight;
	int inflight_fd;
};

/* @inflight_size: what the front end asks in-flight memory for. */
static void begin_with(struct story *s, const char *spec, uint16_t inflight_size)
{
	fixture_init(&s->f, 1 << 20);
	fixture_spawn(&s->f, spec);
	client_connect(&s->c, s->f.path);
	s->c.ring_count = 1;
	client_negotiate(&s->c, &(struct client_setup){ 0 });
	s->inflight_fd = client_get_inflight(&s->c, inflight_size, &s->inflight);
	client_share_memory(&s->c);
	client_make_ring(&s->c, 0, RING_SIZE);
	assert_int_equal(client_set_inflight(&s->c, &s->inflight, s->inflight_fd), 0);
	client_start_ring(&s->c, 0, 0, true);
	s->c.mark = s->c.memory.used;
}

static void begin(struct story *s, const char *spec)
{
	begin_with(s, spec, RING_SIZE);
}

static void crash(struct story *s, const char *next_spec)
{
	fixture_kill(&s->f);
	fixture_spawn(&s->f, next_spec);
	/* As QEMU does: the base is where the used ring is, whatever was taken before. */
	client_reconnect(&s->c, s->f.path, &s->inflight, s->inflight_fd,
			 ring_used_idx(&s->c.rings[0].ring));
}

static void finish(struct story *s)
{
	client_end(&s->c);
	close(s->inflight_fd);
	fixture_kill(&s->f);
	fixture_deinit(&s->f);
}

TEST(requests_in_flight_at_the_crash_are_answered_once_by_the_successor)
{
	struct client_request r[DEPTH];
	bool was_answered[RING_SIZE] = { false };
	unsigned char data[512], in[512];
	uint32_t head, len;
	struct story s;

	begin(&s, "IMAGE,latency=fixed:1000s");
	for (unsigned i = 0; i < DEPTH; i++) {
		memset(data, (int)i, sizeof(data));
		r[i] = client_post(&s.c, 0, VIRTIO_BLK_T_OUT, i / 2, data, sizeof(data));
	}
	client_kick(&s.c, 0);
	assert_false(client_wait(&s.c, 0, 50, &head, &len));
	crash(&s, "IMAGE");
	for (unsigned i = 0; i < DEPTH; i++) {
		assert_true(client_wait(&s.c, 0, CLIENT_TIMEOUT_MS, &head, &len));
		assert_false(was_answered[head]);
		was_answered[head] = true;
	}
	for (unsigned i = 0; i < DEPTH; i++)
		assert_int_equal(client_status(&s.c, &r[i]), VIRTIO_BLK_S_OK);
	/* Two writes to each sector: the one that was taken later wins. */
	for (unsigned i = 0; i < DEPTH / 2; i++) {
		assert_int_equal(client_read(&s.c, 0, i, in, sizeof(in)), VIRTIO_BLK_S_OK);
		assert_int_equal(in[0], 2 * i + 1);
	}
	assert_false(client_wait(&s.c, 0, 20, &head, &len));
	assert_int_equal(client_stop_ring(&s.c, 0), DEPTH + DEPTH / 2);
	finish(&s);
}

/* Where answers come in the order of requests, what is in flight is what lies behind the used index, and
 * a back end without a book does right by accident. Here every other request is answered before the
 * crash; its sector is then given a mark that doing it again would overwrite. */
static void crash_between_answers(uint16_t inflight_size)
{
	struct client_request r[DEPTH];
	unsigned char data[512], in[512];
	uint32_t head, len;
	struct story s;

	begin_with(&s, "IMAGE,latency=table:1000s/1ms", inflight_size);
	for (unsigned i = 0; i < DEPTH; i++) {
		memset(data, (int)i + 1, sizeof(data));
		r[i] = client_post(&s.c, 0, VIRTIO_BLK_T_OUT, i, data, sizeof(data));
	}
	client_kick(&s.c, 0);
	for (unsigned i = 1; i < DEPTH; i += 2) {
		assert_true(client_wait(&s.c, 0, CLIENT_TIMEOUT_MS, &head, &len));
		assert_int_equal(head, r[i].head);
	}
	fixture_kill(&s.f);
	cleanup(fd_closep) int fd = open(s.f.image, O_RDWR | O_CLOEXEC);

	memset(data, 0xaa, sizeof(data));
	for (unsigned i = 0; i < DEPTH; i++)
		assert_int_equal(pwrite(fd, data, sizeof(data), i * 512), sizeof(data));
	fixture_spawn(&s.f, "IMAGE");
	client_reconnect(&s.c, s.f.path, &s.inflight, s.inflight_fd,
			 ring_used_idx(&s.c.rings[0].ring));
	for (unsigned i = 0; i < DEPTH; i += 2) {
		assert_true(client_wait(&s.c, 0, CLIENT_TIMEOUT_MS, &head, &len));
		assert_int_equal(head, r[i].head);
		assert_int_equal(client_status(&s.c, &r[i]), VIRTIO_BLK_S_OK);
	}
	for (unsigned i = 0; i < DEPTH; i++) {
		assert_int_equal(client_read(&s.c, 0, i, in, sizeof(in)), VIRTIO_BLK_S_OK);
		assert_int_equal(in[0], i % 2 ? 0xaa : i + 1);
	}
	assert_false(client_wait(&s.c, 0, 20, &head, &len));
	finish(&s);
}

TEST(a_request_answered_before_an_earlier_one_is_not_done_again)
{
	crash_between_answers(RING_SIZE);
}

/* As QEMU's virtio-mmio front end does it: memory for its default size, whatever the driver chooses. */
TEST(a_ring_larger_than_the_memory_was_asked_for_has_a_book_too)
{
	crash_between_answers(RING_SIZE / 4);
}

TEST(a_crash_of_the_successor_loses_nothing_either)
{
	unsigned char data[512] = { 7 };
	uint32_t head, len;
	struct story s;

	begin(&s, "IMAGE,latency=fixed:1000s");
	for (unsigned i = 0; i < DEPTH; i++)
		client_post(&s.c, 0, VIRTIO_BLK_T_OUT, i, data, sizeof(data));
	client_kick(&s.c, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(client_wait(&s.c, 0, 30, &head, &len));
		crash(&s, i < 2 ? "IMAGE,latency=fixed:1000s" : "IMAGE,engine=uring");
	}
	for (unsigned i = 0; i < DEPTH; i++)
		assert_true(client_wait(&s.c, 0, CLIENT_TIMEOUT_MS, &head, &len));
	assert_false(client_wait(&s.c, 0, 20, &head, &len));
	finish(&s);
}

TEST(what_a_successor_had_not_started_when_its_connection_ended_is_done_by_the_next)
{
	unsigned char data[512] = { 7 };
	uint32_t head, len;
	struct story s;

	begin(&s, "IMAGE,latency=fixed:1000s");
	for (unsigned i = 0; i < DEPTH; i++)
		client_post(&s.c, 0, VIRTIO_BLK_T_OUT, i, data, sizeof(data));
	client_kick(&s.c, 0);
	assert_false(client_wait(&s.c, 0, 30, &head, &len));
	crash(&s, "IMAGE,throttle=write-iops=1");
	assert_true(client_wait(&s.c, 0, CLIENT_TIMEOUT_MS, &head, &len));
	client_reconnect(&s.c, s.f.path, &s.inflight, s.inflight_fd,
			 ring_used_idx(&s.c.rings[0].ring));
	unsigned before = ring_used_idx(&s.c.rings[0].ring);

	crash(&s, "IMAGE");
	for (unsigned i = before; i < DEPTH; i++)
		assert_true(client_wait(&s.c, 0, CLIENT_TIMEOUT_MS, &head, &len));
	assert_int_equal(ring_used_idx(&s.c.rings[0].ring), DEPTH);
	finish(&s);
}

/* A disk's worth of writes with at most one outstanding per sector, and what each sector must hold
 * at the end. */
struct model {
	uint32_t last[SECTORS]; /* generation last posted */
	bool is_out[SECTORS];	/* outstanding */
	unsigned sector_of[RING_SIZE];
	struct client_request request_of[RING_SIZE];
	unsigned outstanding;
	uint32_t generation;
};

static void post_one(struct story *s, struct model *m)
{
	unsigned sector = (unsigned)rand() % SECTORS;
	uint32_t data[128];

	while (m->is_out[sector])
		sector = (sector + 1) % SECTORS;
	m->generation++;
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = m->generation;
	struct client_request r =
		client_post(&s->c, 0, VIRTIO_BLK_T_OUT, sector, data, sizeof(data));

	m->last[sector] = m->generation;
	m->is_out[sector] = true;
	m->sector_of[r.head] = sector;
	m->request_of[r.head] = r;
	m->outstanding++;
}

static void take_one(struct story *s, struct model *m)
{
	uint32_t head, len;

	assert_true(client_wait(&s->c, 0, CLIENT_TIMEOUT_MS, &head, &len));
	assert_true(head < RING_SIZE);
	assert_true(m->is_out[m->sector_of[head]]); /* not answered before */
	assert_int_equal(client_status(&s->c, &m->request_of[head]), VIRTIO_BLK_S_OK);
	m->is_out[m->sector_of[head]] = false;
	m->outstanding--;
}

static void check_disk(struct story *s, const struct model *m)
{
	uint32_t data[128];

	for (unsigned i = 0; i < SECTORS; i++) {
		assert_int_equal(client_read(&s->c, 0, i, data, sizeof(data)), VIRTIO_BLK_S_OK);
		assert_int_equal(data[0], m->last[i]);
		assert_int_equal(data[127], m->last[i]);
	}
}

static void crash_at_random(const char *spec, unsigned crashes)
{
	struct model m = { 0 };
	struct story s;

	srand(1);
	begin(&s, spec);
	for (unsigned n = 0; n < crashes; n++) {
		for (unsigned i = (unsigned)rand() % 40; i; i--) {
			/* Heads are used in turn, three descriptors each: a head is free again when
			 * its request, DEPTH before, was answered. */
			while (m.outstanding >= DEPTH)
				take_one(&s, &m);
			post_one(&s, &m);
			if (rand() % 4 == 0)
				client_kick(&s.c, 0);
		}
		client_kick(&s.c, 0);
		crash(&s, spec);
		while (m.outstanding)
			take_one(&s, &m);
	}
	check_disk(&s, &m);
	finish(&s);
}

TEST(crashes_at_random_lose_and_repeat_nothing)
{
	crash_at_random("IMAGE", 60);
}

TEST(crashes_at_random_lose_and_repeat_nothing_with_uring)
{
	crash_at_random("IMAGE,engine=uring", 60);
}

TEST(after_a_clean_stop_the_front_ends_base_counts)
{
	unsigned char in[512];
	struct story s;

	begin(&s, "IMAGE");
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(client_read(&s.c, 0, i, in, sizeof(in)), VIRTIO_BLK_S_OK);
	assert_int_equal(client_stop_ring(&s.c, 0), 5);
	/* The driver starts its rings anew, the front end gives the same memory. */
	ring_reset(&s.c.rings[0].ring);
	client_start_ring(&s.c, 0, 0, true);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(client_read(&s.c, 0, i, in, sizeof(in)), VIRTIO_BLK_S_OK);
	finish(&s);
}

TESTS(T(requests_in_flight_at_the_crash_are_answered_once_by_the_successor),
      T(a_request_answered_before_an_earlier_one_is_not_done_again),
      T(a_ring_larger_than_the_memory_was_asked_for_has_a_book_too),
      T(a_crash_of_the_successor_loses_nothing_either),
      T(what_a_successor_had_not_started_when_its_connection_ended_is_done_by_the_next),
      T(crashes_at_random_lose_and_repeat_nothing),
      T(crashes_at_random_lose_and_repeat_nothing_with_uring),
      T(after_a_clean_stop_the_front_ends_base_counts))
