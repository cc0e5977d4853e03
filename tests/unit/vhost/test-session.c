// SPDX-License-Identifier: GPL-2.0-only
/* What a front end that keeps to the protocol may rely on. */
#include "devices/blk/blk.h"
#include "vhost/client.h"
#include "vhost/fixture.h"
#include "vhost/server.h"

#include "base/cleanup.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEVER_MS = 60 }; /* long enough to see what must not come */

static struct client connected(struct fixture *f, const char *spec)
{
	struct client c;

	fixture_init(f, 1 << 20);
	fixture_start(f, spec);
	client_connect(&c, f->path);
	return c;
}

static void end(struct fixture *f, struct client *c)
{
	client_end(c);
	assert_int_equal(fixture_stop(f), 0);
	assert_int_equal(f->reported, 0);
	fixture_deinit(f);
}

/* A write and a read of one sector succeed. */
static void assert_works(struct client *c, unsigned ring)
{
	unsigned char out[512], in[512];

	memset(out, 0xa5, sizeof(out));
	assert_int_equal(client_write(c, ring, 3, out, sizeof(out)), VIRTIO_BLK_S_OK);
	assert_int_equal(client_read(c, ring, 3, in, sizeof(in)), VIRTIO_BLK_S_OK);
	assert_memory_equal(out, in, sizeof(out));
}

static bool has_answer(struct client *c, int timeout_ms)
{
	uint32_t head, len;

	return client_wait(c, 0, timeout_ms, &head, &len);
}

TEST(features_of_device_rings_and_protocol_are_offered)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M,queues=4");
	static const unsigned bits[] = { VIRTIO_F_VERSION_1,	   VHOST_F_PROTOCOL_FEATURES,
					 VIRTIO_RING_F_EVENT_IDX,  VIRTIO_RING_F_INDIRECT_DESC,
					 VIRTIO_BLK_F_FLUSH,	   VIRTIO_BLK_F_DISCARD,
					 VIRTIO_BLK_F_WRITE_ZEROES };
	static const unsigned protocol[] = { VHOST_PROTOCOL_MQ,
					     VHOST_PROTOCOL_REPLY_ACK,
					     VHOST_PROTOCOL_CONFIG,
					     VHOST_PROTOCOL_INFLIGHT_SHMFD,
					     VHOST_PROTOCOL_RESET_DEVICE,
					     VHOST_PROTOCOL_STATUS,
					     VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS };
	uint64_t features = client_get(&c, VHOST_GET_FEATURES);
	uint64_t offered = client_get(&c, VHOST_GET_PROTOCOL_FEATURES);

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		assert_true(features >> bits[i] & 1);
	for (size_t i = 0; i < ARRAY_SIZE(protocol); i++)
		assert_true(offered >> protocol[i] & 1);
	assert_int_equal(client_get(&c, VHOST_GET_QUEUE_NUM), 4);
	end(&f, &c);
}

TEST(sectors_written_are_read_back_on_every_engine)
{
	static const char *const specs[] = { "ram:1M", "ram:1M,engine=inline", "IMAGE",
					     "IMAGE,engine=uring", "IMAGE,engine=inline" };

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct fixture f;
		struct client c = connected(&f, specs[i]);

		client_start(&c, &(struct client_setup){ 0 });
		for (unsigned n = 0; n < 100; n++)
			assert_works(&c, 0);
		end(&f, &c);
	}
}

TEST(every_ring_of_a_multi_queue_disk_works)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M,queues=4");

	client_start(&c, &(struct client_setup){ .ring_count = 4 });
	for (unsigned i = 0; i < 4; i++)
		assert_works(&c, i);
	end(&f, &c);
}

TEST(without_protocol_features_a_ring_starts_enabled)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");
	uint64_t features =
		client_get(&c, VHOST_GET_FEATURES) & ~(UINT64_C(1) << VHOST_F_PROTOCOL_FEATURES);

	client_start(&c, &(struct client_setup){ .features = features, .is_disabled = true });
	assert_works(&c, 0);
	end(&f, &c);
}

TEST(a_disabled_ring_is_left_alone_and_a_kick_before_enable_is_not_lost)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ .is_disabled = true });
	client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
	client_kick(&c, 0);
	assert_false(has_answer(&c, NEVER_MS));
	assert_int_equal(client_ask_state(&c, VHOST_SET_VRING_ENABLE, 0, 1), 0);
	assert_true(has_answer(&c, CLIENT_TIMEOUT_MS));
	end(&f, &c);
}

TEST(a_ring_can_be_disabled_and_enabled_again)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ 0 });
	for (unsigned i = 0; i < 20; i++) {
		assert_works(&c, 0);
		assert_int_equal(client_ask_state(&c, VHOST_SET_VRING_ENABLE, 0, 0), 0);
		client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
		client_kick(&c, 0);
		assert_false(has_answer(&c, i ? 0 : NEVER_MS));
		assert_int_equal(client_ask_state(&c, VHOST_SET_VRING_ENABLE, 0, 1), 0);
		assert_true(has_answer(&c, CLIENT_TIMEOUT_MS));
	}
	end(&f, &c);
}

TEST(what_is_in_the_ring_at_its_start_is_served_without_a_kick)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_negotiate(&c, &(struct client_setup){ 0 });
	client_share_memory(&c);
	client_make_ring(&c, 0, 64);
	client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
	client_start_ring(&c, 0, 0, true);
	assert_true(has_answer(&c, CLIENT_TIMEOUT_MS));
	end(&f, &c);
}

TEST(a_stopped_ring_says_where_it_goes_on_and_serves_nothing)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ 0 });
	for (unsigned i = 0; i < 5; i++)
		assert_works(&c, 0);
	assert_int_equal(client_stop_ring(&c, 0), 10);
	client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
	client_kick(&c, 0);
	assert_false(has_answer(&c, NEVER_MS));
	assert_int_equal(client_stop_ring(&c, 0), 10);
	client_start_ring(&c, 0, 10, true);
	assert_true(has_answer(&c, CLIENT_TIMEOUT_MS));
	assert_int_equal(client_stop_ring(&c, 0), 11);
	end(&f, &c);
}

TEST(indices_run_over_65535_across_a_restart)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ 0 });
	client_stop_ring(&c, 0);
	struct ring *r = &c.rings[0].ring;

	r->posted = r->taken = 65533;
	ring_show(r);
	memcpy(r->used + 2, &r->taken, 2);
	client_start_ring(&c, 0, 65533, true);
	for (unsigned i = 0; i < 4; i++)
		assert_works(&c, 0);
	assert_int_equal(client_stop_ring(&c, 0), 5);
	end(&f, &c);
}

TEST(kick_and_call_descriptors_can_change_while_the_ring_runs)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ 0 });
	for (unsigned i = 0; i < 20; i++) {
		struct client_ring *r = &c.rings[0];

		assert_works(&c, 0);
		close(r->kick_fd);
		close(r->call_fd);
		r->kick_fd = eventfd(0, EFD_CLOEXEC);
		r->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(client_ask_fd(&c, VHOST_SET_VRING_KICK, 0, r->kick_fd), 0);
		assert_int_equal(client_ask_fd(&c, VHOST_SET_VRING_CALL, 0, r->call_fd), 0);
	}
	end(&f, &c);
}

/* User-mode Linux signals its driver so. */
TEST(kick_can_be_a_pipe_and_call_a_pipe_or_a_socket)
{
	static const char *const specs[] = { "ram:1M", "ram:1M", "ram:1M,engine=inline",
					     "ram:1M,engine=inline" };

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct fixture f;
		struct client c = connected(&f, specs[i]);
		struct client_ring *r = &c.rings[0];
		int kick[2], call[2];

		client_start(&c, &(struct client_setup){ 0 });
		assert_int_equal(pipe(kick), 0);
		if (i % 2)
			assert_int_equal(pipe(call), 0);
		else
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, call), 0);
		assert_int_equal(client_ask_fd(&c, VHOST_SET_VRING_KICK, 0, kick[0]), 0);
		assert_int_equal(client_ask_fd(&c, VHOST_SET_VRING_CALL, 0, call[1]), 0);
		close(r->kick_fd);
		close(r->call_fd);
		close(kick[0]);
		close(call[1]);
		r->kick_fd = kick[1];
		r->call_fd = call[0];
		for (unsigned n = 0; n < 100; n++)
			assert_works(&c, 0);
		end(&f, &c);
	}
}

TEST(a_driver_without_a_call_descriptor_polls)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");
	uint32_t head, len;

	client_start(&c, &(struct client_setup){ 0 });
	assert_int_equal(client_ask_fd(&c, VHOST_SET_VRING_CALL, 0, -1), 0);
	client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
	client_kick(&c, 0);
	while (!ring_take(&c.rings[0].ring, &head, &len))
		;
	assert_int_equal(len, 513);
	end(&f, &c);
}

/* Writes and reads without end, checked, until told to stop. */
struct traffic {
	struct client *c;
	atomic_bool must_stop;
	unsigned rounds;
	bool has_failed;
};

static void *run_traffic(void *ctx)
{
	struct traffic *t = ctx;
	unsigned char out[512], in[512];

	while (!atomic_load(&t->must_stop) && !t->has_failed) {
		memset(out, (int)(t->rounds & 0xff), sizeof(out));
		uint64_t sector = t->rounds % 1000;

		t->has_failed = client_write(t->c, 0, sector, out, sizeof(out)) ||
				client_read(t->c, 0, sector, in, sizeof(in)) ||
				memcmp(out, in, sizeof(out));
		t->rounds++;
	}
	return NULL;
}

/* The value of a counter of the served disk, by name. */
static uint64_t counter(struct fixture *f, const char *name)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	char key[80];

	blk_counters_json(f->blk, &out);
	snprintf(key, sizeof(key), "\"%s\":", name);
	const char *at = strstr(buf_text(&out), key);

	assert_non_null(at);
	return strtoull(at + strlen(key), NULL, 10);
}

static void seal(int fd, int other_fd)
{
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(fcntl(other_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
}

TEST(memory_can_change_while_rings_run)
{
	static const struct {
		const char *spec;
		bool is_registered; /* again for each table */
	} cases[] = {
		{ "ram:1M", false },
		{ "IMAGE,engine=uring", false },
		{ "IMAGE,engine=uring,buffers=registered", true },
		{ "ram:1M,engine=inline", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct client c = connected(&f, cases[i].spec);
		struct traffic t = { .c = &c };
		struct vhost_region_msg region = client_region(&c), far = region;
		cleanup(fd_closep) int other_fd =
			memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		pthread_t thread;

		assert_int_equal(ftruncate(other_fd, CLIENT_MEMORY_BYTES), 0);
		if (cases[i].is_registered)
			seal(c.memory_fd, other_fd);
		far.guest_addr += UINT64_C(1) << 32;
		far.user_addr += UINT64_C(1) << 40;
		client_start(&c, &(struct client_setup){ 0 });
		pthread_create(&thread, NULL, run_traffic, &t);
		for (unsigned n = 0; n < 100; n++) {
			struct vhost_region_msg two[] = { far, region };
			int fds[] = { other_fd, c.memory_fd };
			struct vhost_single_region_msg single = { .region = far };

			assert_int_equal(client_ask_memory(&c, two, 2, fds, 2), 0);
			assert_int_equal(client_ask_memory(&c, &region, 1, &c.memory_fd, 1), 0);
			assert_int_equal(client_ask(&c, VHOST_ADD_MEM_REG, &single, sizeof(single),
						    &other_fd, 1),
					 0);
			assert_int_equal(
				client_ask(&c, VHOST_REM_MEM_REG, &single, sizeof(single), NULL, 0),
				0);
		}
		atomic_store(&t.must_stop, true);
		pthread_join(thread, NULL);
		assert_false(t.has_failed);
		assert_true(t.rounds > 0);
		if (cases[i].is_registered)
			assert_true(counter(&f, "buffers_registered") > 400);
		assert_int_equal(counter(&f, "uring_calls_registered") > 0, cases[i].is_registered);
		end(&f, &c);
	}
}

/* What the disk had of the old table is unmapped when the new one is there: touching it late would be
 * the end of the process. A request is answered once, whatever it was waiting for. */
TEST(memory_can_change_at_every_stage_of_a_request)
{
	static const char *const specs[] = {
		"IMAGE",
		"IMAGE,throttle=read-iops=20", /* the second request waits */
		"IMAGE,latency=50ms",	       /* both are done, and held back */
		"IMAGE,engine=uring,latency=50ms",
		"IMAGE,engine=uring,throttle=read-iops=20",
		"IMAGE,engine=inline,latency=50ms",
		"IMAGE,engine=inline,throttle=read-iops=20",
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(specs); i++) {
		bool is_kicked = i % 2;
		struct fixture f;
		struct client c = connected(&f, specs[i / 2]);
		struct vhost_region_msg region = client_region(&c);
		struct client_request r[2];
		uint32_t head, len;

		client_start(&c, &(struct client_setup){ 0 });
		for (unsigned n = 0; n < 2; n++)
			r[n] = client_post(&c, 0, VIRTIO_BLK_T_IN, n, NULL, 512);
		if (is_kicked)
			client_kick(&c, 0);
		for (unsigned n = 0; n < 3; n++)
			assert_int_equal(client_ask_memory(&c, &region, 1, &c.memory_fd, 1), 0);
		for (unsigned n = 0; n < 2; n++) {
			assert_true(client_wait(&c, 0, CLIENT_TIMEOUT_MS, &head, &len));
			assert_int_equal(len, 513);
			assert_int_equal(client_status(&c, &r[n]), VIRTIO_BLK_S_OK);
		}
		assert_false(client_wait(&c, 0, 20, &head, &len));
		assert_int_equal(ring_used_idx(&c.rings[0].ring), 2);
		end(&f, &c);
	}
}

/* Reading into pages that the front end has cut off would be an OK for bytes that nobody can see. */
TEST(memory_that_could_shrink_is_not_registered)
{
	struct fixture f;
	struct client c = connected(&f, "IMAGE,engine=uring,buffers=registered");

	client_start(&c, &(struct client_setup){ 0 });
	assert_works(&c, 0);
	assert_int_equal(counter(&f, "uring_calls"), 2);
	assert_int_equal(counter(&f, "uring_calls_registered"), 0);
	assert_int_equal(counter(&f, "buffers_registered"), 0);
	end(&f, &c);
}

TEST(the_number_of_memory_slots_is_told_and_kept)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_negotiate(&c, &(struct client_setup){ 0 });
	uint64_t slots = client_get(&c, VHOST_GET_MAX_MEM_SLOTS);

	assert_true(slots >= 8);
	for (uint64_t i = 0; i <= slots; i++) {
		struct vhost_single_region_msg m = { .region = { i << 20, 4096, i << 20,
								 i % 64 * 4096 } };

		assert_int_equal(client_ask(&c, VHOST_ADD_MEM_REG, &m, sizeof(m), &c.memory_fd, 1),
				 i == slots);
	}
	end(&f, &c);
}

TEST(configuration_is_read_in_any_part_and_its_tail_is_zero)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");
	struct vhost_config_msg m = { .offset = 0, .size = 8 };
	struct vhost_header h;
	uint32_t head_bytes = offsetof(struct vhost_config_msg, bytes);

	client_negotiate(&c, &(struct client_setup){ 0 });
	client_send(&c, VHOST_GET_CONFIG, 1, &m, head_bytes + 8, NULL, 0);
	assert_true(client_recv(&c, &h, &m, sizeof(m), NULL));
	assert_int_equal(h.size, head_bytes + 8);
	assert_int_equal(le64_get(m.bytes), 2048);
	m = (struct vhost_config_msg){ .offset = 0, .size = VHOST_MAX_CONFIG };
	client_send(&c, VHOST_GET_CONFIG, 1, &m, sizeof(m), NULL, 0);
	assert_true(client_recv(&c, &h, &m, sizeof(m), NULL));
	assert_int_equal(h.size, sizeof(m));
	for (unsigned i = 100; i < VHOST_MAX_CONFIG; i++)
		assert_int_equal(m.bytes[i], 0);
	m = (struct vhost_config_msg){ .offset = 1, .size = VHOST_MAX_CONFIG };
	client_send(&c, VHOST_GET_CONFIG, 1, &m, sizeof(m), NULL, 0);
	assert_true(client_recv(&c, &h, &m, sizeof(m), NULL));
	assert_int_equal(h.size, 0); /* the protocol's word for failure */
	end(&f, &c);
}

TEST(only_writeback_can_be_written_in_the_configuration)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");
	struct vhost_config_msg m = { .offset = offsetof(struct virtio_blk_config, wce),
				      .size = 1 };
	uint32_t bytes = offsetof(struct vhost_config_msg, bytes) + 1;
	struct vhost_header h;

	client_negotiate(&c, &(struct client_setup){ 0 });
	assert_int_equal(client_ask(&c, VHOST_SET_CONFIG, &m, bytes, NULL, 0), 0);
	m.bytes[0] = 7;
	client_send(&c, VHOST_GET_CONFIG, 1, &m, bytes, NULL, 0);
	assert_true(client_recv(&c, &h, &m, sizeof(m), NULL));
	assert_int_equal(m.bytes[0], 0);
	m.offset = 0;
	assert_int_equal(client_ask(&c, VHOST_SET_CONFIG, &m, bytes, NULL, 0), 1);
	m.offset = 200;
	assert_int_equal(client_ask(&c, VHOST_SET_CONFIG, &m, bytes, NULL, 0), 1);
	end(&f, &c);
}

TEST(inflight_memory_is_told_with_and_without_padding)
{
	static const uint32_t sizes[] = { 20, 24 };
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_negotiate(&c, &(struct client_setup){ 0 });
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct vhost_inflight_msg m = { .queue_count = 1, .queue_size = 128 };
		struct vhost_header h;
		int fd = -1;

		client_send(&c, VHOST_GET_INFLIGHT_FD, 1, &m, sizes[i], NULL, 0);
		assert_true(client_recv(&c, &h, &m, sizeof(m), &fd));
		assert_int_equal(h.size, sizes[i]);
		assert_int_equal(m.queue_size, 128);
		assert_true(m.mmap_bytes >= 16 + 16 * 128);
		assert_int_equal(client_ask(&c, VHOST_SET_INFLIGHT_FD, &m, sizes[i], &fd, 1), 0);
		close(fd);
	}
	end(&f, &c);
}

TEST(status_is_kept_and_zero_resets)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ 0 });
	assert_int_equal(client_ask_u64(&c, VHOST_SET_STATUS, 15), 0);
	assert_int_equal(client_get(&c, VHOST_GET_STATUS), 15);
	assert_works(&c, 0);
	assert_int_equal(client_ask_u64(&c, VHOST_SET_STATUS, 0), 0);
	assert_int_equal(client_get(&c, VHOST_GET_STATUS), 0);
	client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
	client_kick(&c, 0);
	assert_false(has_answer(&c, NEVER_MS));
	assert_int_equal(client_stop_ring(&c, 0), 2); /* QEMU asks after the reset */
	end(&f, &c);
}

TEST(after_a_device_reset_everything_is_set_up_again)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");

	client_start(&c, &(struct client_setup){ 0 });
	for (unsigned i = 0; i < 10; i++) {
		assert_works(&c, 0);
		assert_int_equal(client_ask(&c, VHOST_RESET_DEVICE, NULL, 0, NULL, 0), 0);
		assert_int_equal(client_ask_u64(&c, VHOST_SET_FEATURES, c.features), 0);
		ring_reset(&c.rings[0].ring);
		client_start_ring(&c, 0, 0, true);
	}
	end(&f, &c);
}

TEST(a_broken_ring_tells_its_err_descriptor_and_the_status)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M");
	struct pollfd p = { .events = POLLIN };

	client_start(&c, &(struct client_setup){ 0 });
	ring_offer(&c.rings[0].ring, 999);
	client_kick(&c, 0);
	p.fd = c.rings[0].err_fd;
	assert_int_equal(poll(&p, 1, CLIENT_TIMEOUT_MS), 1);
	assert_true(client_get(&c, VHOST_GET_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	end(&f, &c);
}

TEST(the_next_front_end_is_served_after_the_first)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M"), next;
	unsigned char in[512];

	client_start(&c, &(struct client_setup){ 0 });
	assert_works(&c, 0);
	client_connect(&next, f.path); /* waits in the backlog */
	client_end(&c);
	client_start(&next, &(struct client_setup){ 0 });
	assert_int_equal(client_read(&next, 0, 3, in, sizeof(in)), VIRTIO_BLK_S_OK);
	assert_int_equal(in[0], 0xa5);
	end(&f, &next);
}

TEST(stopping_answers_what_was_started_and_removes_the_socket)
{
	struct fixture f;
	struct client c = connected(&f, "ram:1M,latency=fixed:20ms");
	uint32_t head, len;
	struct stat st;

	client_start(&c, &(struct client_setup){ 0 });
	struct client_request r = client_post(&c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);

	client_kick(&c, 0);
	assert_false(client_wait(&c, 0, 1, &head, &len));
	assert_int_equal(fixture_stop(&f), 0);
	uint16_t used = ring_used_idx(&c.rings[0].ring);

	assert_int_equal(client_status(&c, &r), used ? VIRTIO_BLK_S_OK : 0xff);
	assert_int_equal(stat(f.path, &st), -1);
	client_end(&c);
	fixture_deinit(&f);
}

TEST(a_dead_socket_is_replaced_and_a_live_one_or_a_file_is_not)
{
	struct fixture f;
	struct client c;

	fixture_init(&f, 0);
	fixture_spawn(&f, "ram:1M");
	fixture_kill(&f);
	assert_int_equal(access(f.path, F_OK), 0);
	fixture_start(&f, "ram:1M");
	client_connect(&c, f.path);
	client_start(&c, &(struct client_setup){ 0 });
	assert_works(&c, 0);
	struct vhost_server_desc desc = { .path = f.path, .dev = blk_virtio(f.blk) };
	struct vhost_server *server;

	assert_int_equal(vhost_server_open(&desc, &server), -EADDRINUSE);
	cleanup(fd_closep) int fd = open(f.image, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);

	desc.path = f.image;
	assert_int_equal(vhost_server_open(&desc, &server), -EEXIST);
	end(&f, &c);
}

TESTS(T(kick_can_be_a_pipe_and_call_a_pipe_or_a_socket),
      T(features_of_device_rings_and_protocol_are_offered),
      T(sectors_written_are_read_back_on_every_engine), T(every_ring_of_a_multi_queue_disk_works),
      T(without_protocol_features_a_ring_starts_enabled),
      T(a_disabled_ring_is_left_alone_and_a_kick_before_enable_is_not_lost),
      T(a_ring_can_be_disabled_and_enabled_again),
      T(what_is_in_the_ring_at_its_start_is_served_without_a_kick),
      T(a_stopped_ring_says_where_it_goes_on_and_serves_nothing),
      T(indices_run_over_65535_across_a_restart),
      T(kick_and_call_descriptors_can_change_while_the_ring_runs),
      T(kick_can_be_a_pipe_and_call_a_pipe_or_a_socket),
      T(a_driver_without_a_call_descriptor_polls), T(memory_can_change_at_every_stage_of_a_request),
      T(memory_that_could_shrink_is_not_registered), T(memory_can_change_while_rings_run),
      T(the_number_of_memory_slots_is_told_and_kept),
      T(configuration_is_read_in_any_part_and_its_tail_is_zero),
      T(only_writeback_can_be_written_in_the_configuration),
      T(inflight_memory_is_told_with_and_without_padding), T(status_is_kept_and_zero_resets),
      T(after_a_device_reset_everything_is_set_up_again),
      T(a_broken_ring_tells_its_err_descriptor_and_the_status),
      T(the_next_front_end_is_served_after_the_first),
      T(stopping_answers_what_was_started_and_removes_the_socket),
      T(a_dead_socket_is_replaced_and_a_live_one_or_a_file_is_not))
