// SPDX-License-Identifier: GPL-2.0-only
/* A hostile front end costs itself its connection at most: after every case another front end reads
 * what was written before, and no descriptor of the server is left open. */
#include "vhost/client.h"
#include "vhost/fixture.h"

#include "base/cleanup.h"

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the connection is after a case. */
enum fate {
	REFUSED, /* the last message was answered "failed", and the connection goes on */
	CLOSED,
};

struct hostile {
	const char *name;
	enum fate fate;
	int64_t (*run)(struct client *c); /* the last acknowledgement, or CLIENT_CLOSED */
};

static int64_t ask(struct client *c, uint32_t request, const void *payload, uint32_t size,
		   unsigned fd_count)
{
	int fds[32] = { 0 };

	for (unsigned i = 0; i < fd_count; i++)
		fds[i] = c->memory_fd;
	return client_ask(c, request, payload, size, fds, fd_count);
}

static int64_t table_of(struct client *c, struct vhost_region_msg a, struct vhost_region_msg b)
{
	struct vhost_region_msg regions[] = { a, b };
	int fds[] = { c->memory_fd, c->memory_fd };

	return client_ask_memory(c, regions, 2, fds, 2);
}

/* Wait for the end of the stream. */
static int64_t wait_closed(struct client *c)
{
	struct vhost_header h;

	return client_recv(c, &h, NULL, 0, NULL) ? 0 : CLIENT_CLOSED;
}

#define CASE(id) static int64_t id(struct client *c)

CASE(unknown_request)
{
	return ask(c, 9999, NULL, 0, 0);
}

CASE(unknown_request_with_everything)
{
	char payload[VHOST_MAX_PAYLOAD] = { 1 };

	return ask(c, 6, payload, sizeof(payload), VHOST_MAX_FDS);
}

CASE(unknown_request_without_reply)
{
	client_send(c, 9999, VHOST_FLAG_VERSION, NULL, 0, NULL, 0);
	return wait_closed(c);
}

CASE(absurd_size)
{
	struct vhost_header h = { VHOST_SET_MEM_TABLE, VHOST_FLAG_VERSION, UINT32_MAX };

	assert_int_equal(write(c->socket, &h, sizeof(h)), sizeof(h));
	return wait_closed(c);
}

CASE(wrong_version)
{
	client_send(c, VHOST_SET_OWNER, 3 | VHOST_FLAG_NEED_REPLY, NULL, 0, NULL, 0);
	return wait_closed(c);
}

CASE(reply_nobody_wants)
{
	client_send(c, VHOST_SET_OWNER, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY, NULL, 0, NULL, 0);
	return wait_closed(c);
}

CASE(too_many_descriptors)
{
	return ask(c, VHOST_SET_MEM_TABLE, NULL, 0, 20);
}

CASE(descriptor_with_a_request_that_has_none)
{
	return ask(c, VHOST_SET_OWNER, NULL, 0, 1);
}

CASE(short_payload)
{
	return ask(c, VHOST_SET_FEATURES, "1234567", 7, 0);
}

CASE(long_payload)
{
	return ask(c, VHOST_SET_OWNER, "1", 1, 0);
}

CASE(features_not_offered)
{
	return client_ask_u64(c, VHOST_SET_FEATURES, c->features | UINT64_C(1) << 62);
}

CASE(protocol_features_not_offered)
{
	return client_ask_u64(c, VHOST_SET_PROTOCOL_FEATURES, UINT64_MAX);
}

CASE(table_with_too_few_descriptors)
{
	struct vhost_region_msg r = client_region(c);

	return client_ask_memory(c, &r, 1, NULL, 0);
}

CASE(table_with_too_many_descriptors)
{
	struct vhost_region_msg r = client_region(c);
	int fds[] = { c->memory_fd, c->memory_fd };

	return client_ask_memory(c, &r, 1, fds, 2);
}

CASE(table_with_too_many_regions)
{
	struct vhost_table_msg m = { .count = 9 };

	return ask(c, VHOST_SET_MEM_TABLE, &m, sizeof(m), 8);
}

CASE(table_with_an_absurd_count)
{
	struct vhost_table_msg m = { .count = UINT32_MAX };

	return ask(c, VHOST_SET_MEM_TABLE, &m, 8, 0);
}

CASE(table_that_is_cut_off)
{
	struct vhost_table_msg m = { .count = 2 };

	return ask(c, VHOST_SET_MEM_TABLE, &m, 8 + 32, 2);
}

CASE(table_that_overlaps)
{
	struct vhost_region_msg a = client_region(c), b = a;

	b.user_addr += UINT64_C(1) << 40;
	return table_of(c, a, b);
}

CASE(table_that_repeats)
{
	return table_of(c, client_region(c), client_region(c));
}

CASE(table_that_wraps)
{
	struct vhost_region_msg a = client_region(c), b = a;

	b.guest_addr = UINT64_MAX - 4095;
	b.user_addr += UINT64_C(1) << 40;
	return table_of(c, a, b);
}

CASE(table_of_nothing)
{
	struct vhost_region_msg a = client_region(c), b = a;

	b.guest_addr += UINT64_C(1) << 40;
	b.user_addr += UINT64_C(1) << 40;
	b.bytes = 0;
	return table_of(c, a, b);
}

CASE(table_larger_than_its_file)
{
	struct vhost_region_msg r = client_region(c);

	r.bytes = UINT64_C(1) << 50;
	return client_ask_memory(c, &r, 1, &c->memory_fd, 1);
}

CASE(table_beyond_its_file)
{
	struct vhost_region_msg r = client_region(c);

	r.mmap_offset = 4096;
	return client_ask_memory(c, &r, 1, &c->memory_fd, 1);
}

CASE(table_of_an_eventfd)
{
	struct vhost_region_msg r = client_region(c);

	return client_ask_memory(c, &r, 1, &c->rings[0].kick_fd, 1);
}

CASE(table_without_the_rings_that_run)
{
	struct vhost_region_msg r = client_region(c);

	r.guest_addr += UINT64_C(1) << 40;
	r.user_addr += UINT64_C(1) << 40;
	return client_ask_memory(c, &r, 1, &c->memory_fd, 1);
}

CASE(region_removed_from_under_a_ring)
{
	struct vhost_single_region_msg m = { .region = client_region(c) };

	return ask(c, VHOST_REM_MEM_REG, &m, sizeof(m), 0);
}

CASE(region_removed_that_never_was)
{
	struct vhost_single_region_msg m = { .region = client_region(c) };

	m.region.guest_addr++;
	return ask(c, VHOST_REM_MEM_REG, &m, sizeof(m), 0);
}

CASE(region_added_without_a_descriptor)
{
	struct vhost_single_region_msg m = { .region = client_region(c) };

	return ask(c, VHOST_ADD_MEM_REG, &m, sizeof(m), 0);
}

CASE(region_added_twice)
{
	struct vhost_single_region_msg m = { .region = client_region(c) };

	return ask(c, VHOST_ADD_MEM_REG, &m, sizeof(m), 1);
}

CASE(ring_beyond_the_last)
{
	return client_ask_state(c, VHOST_SET_VRING_ENABLE, 1, 1);
}

CASE(ring_far_beyond_the_last)
{
	return client_ask_state(c, VHOST_SET_VRING_NUM, UINT32_MAX, 64);
}

CASE(base_of_a_ring_beyond_the_last)
{
	struct vhost_vring_state_msg m = { 77, 0 };

	client_send(c, VHOST_GET_VRING_BASE, VHOST_FLAG_VERSION, &m, sizeof(m), NULL, 0);
	return wait_closed(c);
}

CASE(ring_of_an_odd_size)
{
	client_stop_ring(c, 0);
	return client_ask_state(c, VHOST_SET_VRING_NUM, 0, 63);
}

CASE(ring_of_no_size)
{
	client_stop_ring(c, 0);
	return client_ask_state(c, VHOST_SET_VRING_NUM, 0, 0);
}

CASE(ring_of_an_absurd_size)
{
	client_stop_ring(c, 0);
	return client_ask_state(c, VHOST_SET_VRING_NUM, 0, 1u << 31);
}

CASE(ring_resized_while_it_runs)
{
	return client_ask_state(c, VHOST_SET_VRING_NUM, 0, 32);
}

CASE(ring_moved_while_it_runs)
{
	return client_ask_state(c, VHOST_SET_VRING_BASE, 0, 7);
}

CASE(base_beyond_16_bits)
{
	client_stop_ring(c, 0);
	return client_ask_state(c, VHOST_SET_VRING_BASE, 0, 65536);
}

CASE(ring_in_no_memory)
{
	struct vhost_vring_addr_msg m = { .desc = 0x1000, .used = 0x2000, .avail = 0x3000 };

	return ask(c, VHOST_SET_VRING_ADDR, &m, sizeof(m), 0);
}

CASE(ring_over_the_end_of_memory)
{
	uint64_t end = (uintptr_t)c->memory.host + c->memory.bytes;
	struct vhost_vring_addr_msg m = { .desc = end - 64, .used = end - 16, .avail = end - 16 };

	return ask(c, VHOST_SET_VRING_ADDR, &m, sizeof(m), 0);
}

CASE(ring_misaligned)
{
	uint64_t at = (uintptr_t)c->memory.host;
	struct vhost_vring_addr_msg m = { .desc = at + 1, .used = at + 1, .avail = at + 1 };

	return ask(c, VHOST_SET_VRING_ADDR, &m, sizeof(m), 0);
}

CASE(ring_with_a_log)
{
	struct vhost_vring_addr_msg m = { .flags = 1 };

	return ask(c, VHOST_SET_VRING_ADDR, &m, sizeof(m), 0);
}

CASE(kick_without_a_descriptor)
{
	return client_ask_fd(c, VHOST_SET_VRING_KICK, 0, -1);
}

CASE(kick_with_a_descriptor_that_is_denied)
{
	uint64_t value = VHOST_VRING_NO_FD;

	return ask(c, VHOST_SET_VRING_KICK, &value, sizeof(value), 1);
}

CASE(call_with_a_descriptor_that_is_promised)
{
	uint64_t value = 0;

	return ask(c, VHOST_SET_VRING_CALL, &value, sizeof(value), 0);
}

CASE(call_that_is_a_file)
{
	return client_ask_fd(c, VHOST_SET_VRING_CALL, 0, c->memory_fd);
}

CASE(kick_that_is_a_socket)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	int64_t ack = client_ask_fd(c, VHOST_SET_VRING_KICK, 0, fds[0]);

	close(fds[0]);
	close(fds[1]);
	return ack;
}

CASE(enable_of_neither_kind)
{
	return client_ask_state(c, VHOST_SET_VRING_ENABLE, 0, 2);
}

CASE(config_that_lies_about_its_size)
{
	struct vhost_config_msg m = { .size = 200 };

	return ask(c, VHOST_SET_CONFIG, &m, 20, 0);
}

CASE(config_that_wraps)
{
	struct vhost_config_msg m = { .offset = UINT32_MAX, .size = 2 };

	return ask(c, VHOST_SET_CONFIG, &m, 14, 0);
}

CASE(config_without_a_header)
{
	return ask(c, VHOST_SET_CONFIG, NULL, 0, 0);
}

CASE(inflight_for_too_many_rings)
{
	struct vhost_inflight_msg m = { .queue_count = 2, .queue_size = 64 };

	client_send(c, VHOST_GET_INFLIGHT_FD, VHOST_FLAG_VERSION, &m, sizeof(m), NULL, 0);
	return wait_closed(c);
}

CASE(inflight_beyond_its_file)
{
	struct vhost_inflight_msg m = { .mmap_bytes = UINT64_C(1) << 40,
					.queue_count = 1,
					.queue_size = 64 };

	return ask(c, VHOST_SET_INFLIGHT_FD, &m, sizeof(m), 1);
}

CASE(inflight_of_garbage)
{
	struct vhost_inflight_msg m = { .mmap_bytes = 8192, .queue_count = 1, .queue_size = 64 };
	cleanup(fd_closep) int fd = memfd_create("garbage", MFD_CLOEXEC);
	char garbage[8192];

	memset(garbage, 0xee, sizeof(garbage));
	assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
	return client_ask(c, VHOST_SET_INFLIGHT_FD, &m, sizeof(m), &fd, 1);
}

CASE(status_beyond_a_byte)
{
	return client_ask_u64(c, VHOST_SET_STATUS, 256);
}

CASE(header_cut_off)
{
	assert_int_equal(write(c->socket, "\5\0\0", 3), 3);
	return CLIENT_CLOSED;
}

CASE(replies_never_read)
{
	for (int i = 0; i < 20000; i++)
		client_send(c, VHOST_GET_FEATURES, VHOST_FLAG_VERSION, NULL, 0, NULL, 0);
	return CLIENT_CLOSED;
}

/* The rings are in what is cut off. */
CASE(memory_that_shrinks)
{
	assert_int_equal(ftruncate(c->memory_fd, 0), 0);
	client_kick(c, 0);
	return wait_closed(c);
}

/* Only the data is: the back end itself never touches it, the host says EFAULT, the request fails,
 * and the connection lives. */
CASE(data_that_shrinks)
{
	struct client_request r = client_prepare(c, 0, VIRTIO_BLK_T_OUT, 100, NULL, 512);
	struct ring_buffer buffers[] = {
		{ r.header, 16, 0 },
		{ RING_MEMORY_BASE + CLIENT_MEMORY_BYTES - 4096, 512, 0 },
		{ r.status, 1, RING_WRITE },
	};
	uint32_t head, len;

	ring_chain(&c->rings[0].ring, r.head, buffers, 3);
	assert_int_equal(ftruncate(c->memory_fd, CLIENT_MEMORY_BYTES - 65536), 0);
	ring_offer(&c->rings[0].ring, r.head);
	client_kick(c, 0);
	assert_true(client_wait(c, 0, CLIENT_TIMEOUT_MS, &head, &len));
	assert_int_equal(client_status(c, &r), VIRTIO_BLK_S_IOERR);
	return 1;
}

/* The header is in what is cut off: it must not be taken for a read of sector 0 that succeeds. */
CASE(header_that_shrinks)
{
	struct client_request r = client_prepare(c, 0, VIRTIO_BLK_T_OUT, 100, NULL, 512);
	struct ring_buffer buffers[] = {
		{ RING_MEMORY_BASE + CLIENT_MEMORY_BYTES - 4096, 16, 0 },
		{ r.status, 1, RING_WRITE },
	};

	ring_chain(&c->rings[0].ring, r.head, buffers, 2);
	assert_int_equal(ftruncate(c->memory_fd, CLIENT_MEMORY_BYTES - 65536), 0);
	ring_offer(&c->rings[0].ring, r.head);
	client_kick(c, 0);
	int64_t fate = wait_closed(c);

	assert_int_equal(ring_used_idx(&c->rings[0].ring), c->rings[0].ring.taken);
	return fate;
}

/* The kick descriptor is made to block, and the front end takes its own kicks back: the worker that
 * was woken finds nothing, and must not sit in read(). */
CASE(kick_that_blocks)
{
	int kick_fd = c->rings[0].kick_fd;
	uint64_t count;

	assert_int_equal(fcntl(kick_fd, F_SETFL, 0), 0);
	for (int i = 0; i < 2000; i++) {
		client_kick(c, 0);
		struct iovec iov = { &count, sizeof(count) };
		ssize_t n = preadv2(kick_fd, &iov, 1, -1, RWF_NOWAIT);

		(void)n;
	}
	return CLIENT_CLOSED;
}

/* The call descriptor is made to block and is full: the worker sits in write(). */
CASE(call_that_blocks)
{
	int flags = fcntl(c->rings[0].call_fd, F_GETFL);
	uint64_t full = UINT64_MAX - 1;

	assert_int_equal(fcntl(c->rings[0].call_fd, F_SETFL, flags & ~O_NONBLOCK), 0);
	assert_int_equal(write(c->rings[0].call_fd, &full, sizeof(full)), sizeof(full));
	ring_set_used_event(&c->rings[0].ring, c->rings[0].ring.taken);
	client_post(c, 0, VIRTIO_BLK_T_IN, 0, NULL, 512);
	client_kick(c, 0);
	while (ring_used_idx(&c->rings[0].ring) == c->rings[0].ring.taken)
		;
	return CLIENT_CLOSED;
}

#undef CASE
#define CASE(id, fate)                                                                             \
	{                                                                                          \
#id, fate, id                                                                      \
	}

static const struct hostile cases[] = {
	CASE(unknown_request, REFUSED),
	CASE(unknown_request_with_everything, REFUSED),
	CASE(unknown_request_without_reply, CLOSED),
	CASE(absurd_size, CLOSED),
	CASE(wrong_version, CLOSED),
	CASE(reply_nobody_wants, CLOSED),
	CASE(too_many_descriptors, CLOSED),
	CASE(descriptor_with_a_request_that_has_none, REFUSED),
	CASE(short_payload, REFUSED),
	CASE(long_payload, REFUSED),
	CASE(features_not_offered, REFUSED),
	CASE(protocol_features_not_offered, REFUSED),
	CASE(table_with_too_few_descriptors, REFUSED),
	CASE(table_with_too_many_descriptors, REFUSED),
	CASE(table_with_too_many_regions, REFUSED),
	CASE(table_with_an_absurd_count, REFUSED),
	CASE(table_that_is_cut_off, REFUSED),
	CASE(table_that_overlaps, REFUSED),
	CASE(table_that_repeats, REFUSED),
	CASE(table_that_wraps, REFUSED),
	CASE(table_of_nothing, REFUSED),
	CASE(table_larger_than_its_file, REFUSED),
	CASE(table_beyond_its_file, REFUSED),
	CASE(table_of_an_eventfd, REFUSED),
	CASE(table_without_the_rings_that_run, REFUSED),
	CASE(region_removed_from_under_a_ring, CLOSED),
	CASE(region_removed_that_never_was, REFUSED),
	CASE(region_added_without_a_descriptor, REFUSED),
	CASE(region_added_twice, REFUSED),
	CASE(ring_beyond_the_last, REFUSED),
	CASE(ring_far_beyond_the_last, REFUSED),
	CASE(base_of_a_ring_beyond_the_last, CLOSED),
	CASE(ring_of_an_odd_size, REFUSED),
	CASE(ring_of_no_size, REFUSED),
	CASE(ring_of_an_absurd_size, REFUSED),
	CASE(ring_resized_while_it_runs, REFUSED),
	CASE(ring_moved_while_it_runs, REFUSED),
	CASE(base_beyond_16_bits, REFUSED),
	CASE(ring_in_no_memory, REFUSED),
	CASE(ring_over_the_end_of_memory, REFUSED),
	CASE(ring_misaligned, REFUSED),
	CASE(ring_with_a_log, REFUSED),
	CASE(kick_without_a_descriptor, REFUSED),
	CASE(kick_with_a_descriptor_that_is_denied, REFUSED),
	CASE(call_with_a_descriptor_that_is_promised, REFUSED),
	CASE(call_that_is_a_file, REFUSED),
	CASE(kick_that_is_a_socket, REFUSED),
	CASE(enable_of_neither_kind, REFUSED),
	CASE(config_that_lies_about_its_size, REFUSED),
	CASE(config_that_wraps, REFUSED),
	CASE(config_without_a_header, REFUSED),
	CASE(inflight_for_too_many_rings, CLOSED),
	CASE(inflight_beyond_its_file, REFUSED),
	CASE(inflight_of_garbage, CLOSED),
	CASE(status_beyond_a_byte, REFUSED),
	CASE(header_cut_off, CLOSED),
	CASE(replies_never_read, CLOSED),
	CASE(memory_that_shrinks, CLOSED),
	CASE(data_that_shrinks, REFUSED),
	CASE(header_that_shrinks, CLOSED),
	CASE(kick_that_blocks, CLOSED),
	CASE(call_that_blocks, CLOSED),
};

static unsigned open_fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void assert_served(struct fixture *f, const char *after)
{
	unsigned char in[512] = { 0 };
	struct client c;

	client_connect(&c, f->path);
	client_start(&c, &(struct client_setup){ 0 });
	int status = client_read(&c, 0, 3, in, sizeof(in));

	client_end(&c);
	if (status || in[0] != 0xa5)
		fail_msg("%s: the next front end read status %d byte 0x%x", after, status, in[0]);
}

static void run_case(struct fixture *f, const struct hostile *h)
{
	struct client c;

	client_connect(&c, f->path);
	client_start(&c, &(struct client_setup){ 0 });
	int64_t ack = h->run(&c);

	if (h->fate == REFUSED && ack != 1)
		fail_msg("%s: acknowledged with %jd, not refused", h->name, (intmax_t)ack);
	if (h->fate == CLOSED && ack != CLIENT_CLOSED)
		fail_msg("%s: acknowledged with %jd, not closed", h->name, (intmax_t)ack);
	if (h->fate == REFUSED && client_get(&c, VHOST_GET_QUEUE_NUM) != 1)
		fail_msg("%s: the connection did not go on", h->name);
	client_end(&c);
	assert_served(f, h->name);
}

static void run_all(const char *spec)
{
	unsigned char out[512];
	struct fixture f;
	struct client c;

	fixture_init(&f, 1 << 20);
	fixture_start(&f, spec);
	client_connect(&c, f.path);
	client_start(&c, &(struct client_setup){ 0 });
	memset(out, 0xa5, sizeof(out));
	assert_int_equal(client_write(&c, 0, 3, out, sizeof(out)), VIRTIO_BLK_S_OK);
	client_end(&c);
	assert_served(&f, "a friendly one");
	unsigned before = open_fd_count();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&f, &cases[i]);
	assert_int_equal(fixture_stop(&f), 0);
	assert_true(open_fd_count() < before);
	fixture_deinit(&f);
}

TEST(no_lie_costs_more_than_the_connection)
{
	run_all("IMAGE");
}

TEST(no_lie_costs_more_than_the_connection_with_uring)
{
	run_all("IMAGE,engine=uring");
}

TEST(no_lie_costs_more_than_the_connection_inline)
{
	run_all("IMAGE,engine=inline");
}

TEST(a_ring_works_on_after_every_refusal)
{
	unsigned char in[512];
	struct fixture f;
	struct client c;

	fixture_init(&f, 0);
	fixture_start(&f, "ram:1M");
	client_connect(&c, f.path);
	client_start(&c, &(struct client_setup){ 0 });
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].fate != REFUSED || cases[i].run == data_that_shrinks)
			continue;
		if (cases[i].run(&c) != 1)
			fail_msg("%s: not refused", cases[i].name);
		if (c.rings[0].kick_fd >= 0 &&
		    client_ask_fd(&c, VHOST_SET_VRING_KICK, 0, c.rings[0].kick_fd) != 0)
			fail_msg("%s: the ring cannot be started again", cases[i].name);
		if (client_ask_fd(&c, VHOST_SET_VRING_CALL, 0, c.rings[0].call_fd) != 0 ||
		    client_read(&c, 0, 3, in, sizeof(in)) != VIRTIO_BLK_S_OK)
			fail_msg("%s: the ring does not work any more", cases[i].name);
	}
	client_end(&c);
	assert_int_equal(fixture_stop(&f), 0);
	fixture_deinit(&f);
}

/* Every message byte by byte. */
TEST(a_whole_session_in_single_bytes_is_understood)
{
	struct fixture f;
	struct client c;
	uint64_t value;
	char bytes[20] = { 0 };

	fixture_init(&f, 0);
	fixture_start(&f, "ram:1M");
	client_connect(&c, f.path);
	for (unsigned round = 0; round < 50; round++) {
		struct vhost_header h = { VHOST_GET_FEATURES, VHOST_FLAG_VERSION, 0 };

		memcpy(bytes, &h, sizeof(h));
		for (unsigned i = 0; i < sizeof(h); i++)
			assert_int_equal(write(c.socket, &bytes[i], 1), 1);
		assert_true(client_recv(&c, &h, &value, sizeof(value), NULL));
		assert_true(value >> VHOST_F_PROTOCOL_FEATURES & 1);
	}
	client_end(&c);
	assert_int_equal(fixture_stop(&f), 0);
	fixture_deinit(&f);
}

TESTS(T(no_lie_costs_more_than_the_connection), T(no_lie_costs_more_than_the_connection_with_uring),
      T(no_lie_costs_more_than_the_connection_inline), T(a_ring_works_on_after_every_refusal),
      T(a_whole_session_in_single_bytes_is_understood))
