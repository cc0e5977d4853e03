// SPDX-License-Identifier: GPL-2.0-only
/* The console behind the MMIO transport, driven as Linux's virtio_console does it: control buffers
 * posted, DEVICE_READY, an answer to each PORT_ADD. Most tests do the thread's work themselves
 * (console_serve()); the last ones run the thread. */
#include "base/buf.h"
#include "devices/console.h"
#include "virtio/mmio-driver.h"

#include "test.h"

#include <linux/virtio_console.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	QUEUES = 6,
	RING = 16,
	CTL_RX = 4,
	CTL_TX = 5,
	CONTROL_RX = 2,
	CONTROL_TX = 3,
	BUFFER = 256
};

struct rig {
	struct ring_memory m;
	struct ring rings[QUEUES];
	uint64_t buffers[QUEUES]; /* RING places of BUFFER bytes each */
	struct console *console;
	struct virtio_mmio mmio;
	int interrupt_fd; /* counts raised interrupts */
	int host;	  /* our end of the control port */
	int ctl_fd;
	int tty; /* our end of the terminal */
	int tty_fd;
};

static void raise_line(void *ctx)
{
	(void)eventfd_write(((struct rig *)ctx)->interrupt_fd, 1);
}

static void drive(struct rig *r, uint64_t features)
{
	assert_true(mmio_negotiate(&r->mmio, features));
	for (unsigned q = 0; q < QUEUES; q++) {
		ring_reset(&r->rings[q]);
		assert_true(mmio_setup_queue(&r->mmio, q, &r->rings[q].setup));
	}
	mmio_driver_ok(&r->mmio);
}

static struct rig *rig_new(bool has_tty)
{
	struct rig *r = test_calloc(1, sizeof(*r));
	int ctl[2], tty[2] = { -1, -1 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ctl), 0);
	if (has_tty)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tty), 0);
	r->host = ctl[0];
	r->ctl_fd = ctl[1];
	r->tty = tty[0];
	r->tty_fd = tty[1];
	r->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(r->interrupt_fd >= 0);
	struct console_desc desc = { .ctl_fd = r->ctl_fd, .tty_fd = r->tty_fd };

	ring_memory_init(&r->m, 1 * MIB);
	for (unsigned q = 0; q < QUEUES; q++) {
		ring_init(&r->rings[q], &r->m, RING);
		r->buffers[q] = ring_place(&r->m, RING * BUFFER, 64);
	}
	assert_int_equal(console_new(&desc, &r->console), 0);
	assert_int_equal(virtio_mmio_init(&r->mmio, console_virtio(r->console), &r->m.mem,
					  (struct irq_line){ raise_line, r }),
			 0);
	return r;
}

static void rig_free(struct rig *r)
{
	virtio_mmio_deinit(&r->mmio);
	console_free(r->console);
	ring_memory_deinit(&r->m);
	fd_close(r->host);
	fd_close(r->ctl_fd);
	fd_close(r->tty);
	fd_close(r->tty_fd);
	fd_close(r->interrupt_fd);
	test_free(r);
}

static uint64_t buffer(const struct rig *r, unsigned q, unsigned i)
{
	return r->buffers[q] + i * BUFFER;
}

/* Post buffer @i of queue @q for the device to fill. */
static void post_empty(struct rig *r, unsigned q, uint16_t i)
{
	struct ring_buffer b = { buffer(r, q, i), BUFFER, RING_WRITE };

	ring_offer(&r->rings[q], ring_chain(&r->rings[q], i, &b, 1));
}

static void post_all(struct rig *r, unsigned q)
{
	for (uint16_t i = 0; i < RING; i++)
		post_empty(r, q, i);
}

static void post_bytes(struct rig *r, unsigned q, uint16_t i, const void *data, uint32_t len)
{
	struct ring_buffer b = { buffer(r, q, i), len, 0 };

	memcpy(ring_host(&r->m, b.addr), data, len);
	ring_offer(&r->rings[q], ring_chain(&r->rings[q], i, &b, 1));
}

static void say(struct rig *r, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control c = { id, event, value };
	uint32_t head, len;

	post_bytes(r, CONTROL_TX, 0, &c, sizeof(c));
	console_serve(r->console);
	assert_true(ring_take(&r->rings[CONTROL_TX], &head, &len));
	assert_int_equal(len, 0);
}

/* Take the next control message; its payload as a string in @payload. False if there is none. */
static bool hear(struct rig *r, struct virtio_console_control *ret, char payload[BUFFER])
{
	uint32_t head, len;

	console_serve(r->console);
	if (!ring_take(&r->rings[CONTROL_RX], &head, &len))
		return false;
	assert_true(len >= sizeof(*ret) && len < BUFFER);
	const char *bytes = ring_host(&r->m, buffer(r, CONTROL_RX, head));

	memcpy(ret, bytes, sizeof(*ret));
	memcpy(payload, bytes + sizeof(*ret), len - sizeof(*ret));
	payload[len - sizeof(*ret)] = '\0';
	post_empty(r, CONTROL_RX, (uint16_t)head);
	return true;
}

static void expect(struct rig *r, uint32_t id, uint16_t event, uint16_t value, const char *text)
{
	struct virtio_console_control c;
	char payload[BUFFER];

	assert_true(hear(r, &c, payload));
	assert_int_equal(c.id, id);
	assert_int_equal(c.event, event);
	assert_int_equal(c.value, value);
	if (text)
		assert_string_equal(payload, text);
}

static void expect_silence(struct rig *r)
{
	struct virtio_console_control c;
	char payload[BUFFER];

	assert_false(hear(r, &c, payload));
}

static const uint64_t linux_features = UINT64_C(1) << VIRTIO_F_VERSION_1 | VQ_FEATURES |
				       UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT |
				       UINT64_C(1) << VIRTIO_CONSOLE_F_SIZE;

/* Up to the control port being known to the guest, and @is_open by a process in it. */
static void bring_up(struct rig *r, bool is_open)
{
	drive(r, linux_features);
	post_all(r, CONTROL_RX);
	say(r, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	say(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_NAME, 1, CONSOLE_CTL_NAME);
	expect(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	expect_silence(r);
	post_all(r, CTL_RX);
	if (is_open)
		say(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

TEST(the_control_port_is_announced_named_and_opened)
{
	struct rig *r = rig_new(false);

	bring_up(r, true);
	rig_free(r);
}

TEST(a_port_is_added_once_however_often_the_driver_asks)
{
	struct rig *r = rig_new(false);

	bring_up(r, false);
	say(r, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_silence(r);
	bring_up(r, false); /* after a reset it is a new one */
	rig_free(r);
}

TEST(a_terminal_is_announced_as_console_with_its_size)
{
	struct rig *r = rig_new(true);
	struct virtio_console_control c;
	char payload[BUFFER];

	drive(r, linux_features);
	post_all(r, CONTROL_RX);
	say(r, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect(r, CONSOLE_TTY, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	expect(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_ADD, 1, "");
	say(r, CONSOLE_TTY, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(r, CONSOLE_TTY, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	expect(r, CONSOLE_TTY, VIRTIO_CONSOLE_RESIZE, 1, NULL);
	expect(r, CONSOLE_TTY, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	uint32_t generation = mmio_get(&r->mmio, VIRTIO_MMIO_CONFIG_GENERATION);

	console_resize(r->console, 132, 43);
	assert_true(hear(r, &c, payload));
	assert_int_equal(c.event, VIRTIO_CONSOLE_RESIZE);
	assert_int_equal(le16_get(payload), 43);
	assert_int_equal(le16_get(payload + 2), 132);
	assert_int_equal(mmio_get_wide(&r->mmio, VIRTIO_MMIO_CONFIG, 2), 132);
	assert_int_equal(mmio_get_wide(&r->mmio, VIRTIO_MMIO_CONFIG + 2, 2), 43);
	assert_int_equal(mmio_get(&r->mmio, VIRTIO_MMIO_CONFIG + 4), CONSOLE_PORT_COUNT);
	assert_int_not_equal(mmio_get(&r->mmio, VIRTIO_MMIO_CONFIG_GENERATION), generation);
	assert_true(mmio_ack(&r->mmio) & VIRTIO_MMIO_INT_CONFIG);
	rig_free(r);
}

TEST(bytes_wait_in_the_socket_until_the_guest_opens_the_port)
{
	struct rig *r = rig_new(false);
	uint32_t head, len;

	bring_up(r, false);
	assert_int_equal(write(r->host, "hello", 5), 5);
	console_serve(r->console);
	assert_false(ring_take(&r->rings[CTL_RX], &head, &len));
	say(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
	assert_int_equal(len, 5);
	assert_memory_equal(ring_host(&r->m, buffer(r, CTL_RX, head)), "hello", 5);
	/* Closed again: what comes now waits again. */
	say(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 0);
	assert_int_equal(write(r->host, "later", 5), 5);
	console_serve(r->console);
	assert_false(ring_take(&r->rings[CTL_RX], &head, &len));
	say(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
	rig_free(r);
}

TEST(bytes_wait_in_the_socket_until_there_are_buffers)
{
	struct rig *r = rig_new(false);
	char data[3 * BUFFER];
	uint32_t head, len, total = 0;

	bring_up(r, true);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	for (unsigned i = 0; i < RING; i++)
		assert_int_equal(write(r->host, data, BUFFER), BUFFER);
	console_serve(r->console);
	for (unsigned i = 0; i < RING; i++) {
		assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
		assert_int_equal(len, BUFFER);
	}
	assert_int_equal(write(r->host, data, sizeof(data)), sizeof(data));
	console_serve(r->console);
	assert_false(ring_take(&r->rings[CTL_RX], &head, &len));
	for (uint16_t i = 0; i < 3; i++)
		post_empty(r, CTL_RX, i);
	console_serve(r->console);
	while (ring_take(&r->rings[CTL_RX], &head, &len)) {
		assert_memory_equal(ring_host(&r->m, buffer(r, CTL_RX, head)), data + total, len);
		total += len;
	}
	assert_int_equal(total, sizeof(data));
	rig_free(r);
}

TEST(bytes_of_the_guest_reach_the_socket_whole_and_in_order)
{
	struct rig *r = rig_new(false);
	struct ring_buffer parts[3];
	char got[64] = "";
	uint32_t head, len;

	bring_up(r, true);
	for (unsigned i = 0; i < 3; i++)
		parts[i] = (struct ring_buffer){ buffer(r, CTL_TX, i), i == 1 ? 0 : 3, 0 };
	memcpy(ring_host(&r->m, parts[0].addr), "abc", 3);
	memcpy(ring_host(&r->m, parts[2].addr), "def", 3);
	ring_offer(&r->rings[CTL_TX], ring_chain(&r->rings[CTL_TX], 0, parts, 3));
	post_bytes(r, CTL_TX, 5, "ghi", 3);
	console_serve(r->console);
	assert_int_equal(read(r->host, got, sizeof(got)), 9);
	assert_string_equal(got, "abcdefghi");
	assert_true(ring_take(&r->rings[CTL_TX], &head, &len));
	assert_true(ring_take(&r->rings[CTL_TX], &head, &len));
	assert_int_equal(len, 0);
	rig_free(r);
}

TEST(a_full_socket_holds_the_ring_back_and_loses_nothing)
{
	struct rig *r = rig_new(false);
	uint32_t head, len;
	size_t posted = 0, got = 0;
	unsigned char block[BUFFER], back[4 * BUFFER];
	int small = 2048;

	assert_int_equal(setsockopt(r->ctl_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	bring_up(r, true);
	for (uint16_t i = 0;; i = (uint16_t)((i + 1) % RING)) {
		for (unsigned k = 0; k < BUFFER; k++)
			block[k] = (unsigned char)((posted + k) * 13 >> 3);
		post_bytes(r, CTL_TX, i, block, BUFFER);
		posted += BUFFER;
		console_serve(r->console);
		if (!ring_take(&r->rings[CTL_TX], &head, &len))
			break; /* held back */
	}
	assert_true(posted > BUFFER);
	while (got < posted) {
		ssize_t n = recv(r->host, back, sizeof(back), MSG_DONTWAIT);

		assert_true(n > 0);
		for (ssize_t k = 0; k < n; k++)
			assert_int_equal(back[k], (unsigned char)((got + (size_t)k) * 13 >> 3));
		got += (size_t)n;
		console_serve(r->console);
	}
	assert_true(ring_take(&r->rings[CTL_TX], &head, &len));
	assert_int_equal(counter_get(&console_counters(r->console)->from_guest_bytes[CONSOLE_CTL]),
			 posted);
	rig_free(r);
}

TEST(the_end_of_the_socket_closes_the_port_after_its_last_byte)
{
	struct rig *r = rig_new(false);
	uint32_t head, len;

	bring_up(r, true);
	assert_int_equal(write(r->host, "last", 4), 4);
	r->host = fd_close(r->host);
	console_serve(r->console);
	assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
	assert_int_equal(len, 4);
	expect(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	expect_silence(r);
	/* What the guest still sends is taken, so that it does not hang. */
	post_bytes(r, CTL_TX, 0, "tail", 4);
	console_serve(r->console);
	assert_true(ring_take(&r->rings[CTL_TX], &head, &len));
	assert_int_equal(counter_get(&console_counters(r->console)->discarded_bytes), 4);
	rig_free(r);
}

TEST(without_multiport_the_terminal_is_open_from_the_start)
{
	struct rig *r = rig_new(true);
	uint32_t head, len;
	char got[8];

	drive(r, UINT64_C(1) << VIRTIO_F_VERSION_1);
	post_all(r, 0);
	post_bytes(r, 1, 0, "out", 3);
	assert_int_equal(write(r->tty, "in", 2), 2);
	console_serve(r->console);
	assert_int_equal(read(r->tty, got, sizeof(got)), 3);
	assert_true(ring_take(&r->rings[0], &head, &len));
	assert_int_equal(len, 2);
	rig_free(r);
}

TEST(a_second_driver_starts_from_the_beginning)
{
	struct rig *r = rig_new(false);
	uint32_t head, len;

	bring_up(r, true);
	assert_int_equal(write(r->host, "one", 3), 3);
	console_serve(r->console);
	assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
	bring_up(r, false);
	assert_int_equal(write(r->host, "two", 3), 3);
	console_serve(r->console);
	assert_false(ring_take(&r->rings[CTL_RX], &head, &len));
	rig_free(r);
}

TEST(control_messages_without_sense_are_counted_and_answered)
{
	static const struct virtio_console_control cases[] = {
		{ CONSOLE_PORT_COUNT, VIRTIO_CONSOLE_PORT_READY, 1 },
		{ UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1 },
		{ CONSOLE_TTY, VIRTIO_CONSOLE_PORT_READY, 1 }, /* no such port here */
		{ CONSOLE_CTL, VIRTIO_CONSOLE_PORT_ADD, 1 },   /* ours to say */
		{ CONSOLE_CTL, 0xffff, 1 },
		{ CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 7 },
		{ 0, VIRTIO_CONSOLE_DEVICE_READY, 9 },
	};
	struct rig *r = rig_new(false);
	uint32_t head, len;

	bring_up(r, true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		say(r, cases[i].id, cases[i].event, cases[i].value);
		expect_silence(r);
		assert_int_equal(counter_get(&console_counters(r->console)->malformed), i + 1);
	}
	post_bytes(r, CONTROL_TX, 0, "short", 5);
	console_serve(r->console);
	assert_true(ring_take(&r->rings[CONTROL_TX], &head, &len));
	assert_int_equal(counter_get(&console_counters(r->console)->malformed),
			 ARRAY_SIZE(cases) + 1);
	rig_free(r);
}

TEST(buffers_that_cannot_be_used_go_back_empty)
{
	struct rig *r = rig_new(false);
	struct ring_buffer bad[] = {
		{ 8, 100, RING_WRITE },			/* in no memory */
		{ buffer(r, CTL_RX, 1), 100, 0 },	/* nothing writable */
		{ buffer(r, CTL_RX, 2), 0, RING_WRITE } /* no room */
	};
	uint32_t head, len;

	bring_up(r, false);
	drive(r, linux_features);
	post_all(r, CONTROL_RX);
	say(r, CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(write(r->host, "x", 1), 1);
	for (uint16_t i = 0; i < 3; i++)
		ring_offer(&r->rings[CTL_RX], ring_chain(&r->rings[CTL_RX], i, &bad[i], 1));
	post_empty(r, CTL_RX, 5);
	console_serve(r->console);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
		assert_int_equal(len, 0);
	}
	assert_true(ring_take(&r->rings[CTL_RX], &head, &len));
	assert_int_equal(head, 5);
	assert_int_equal(len, 1);
	rig_free(r);
}

TEST(a_broken_ring_asks_for_a_reset_and_stops_only_itself)
{
	struct rig *r = rig_new(false);
	char got[4];

	bring_up(r, true);
	ring_set_avail_idx(&r->rings[CTL_RX], 0x4000);
	post_bytes(r, CTL_TX, 0, "ok", 2);
	console_serve(r->console);
	assert_true(mmio_get(&r->mmio, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(read(r->host, got, sizeof(got)), 2);
	rig_free(r);
}

/* The thread. */

static void wait_used(struct ring *ring, uint32_t *head, uint32_t *len)
{
	for (unsigned i = 0; i < 10000; i++) {
		if (ring_take(ring, head, len))
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("no used entry within ten seconds");
}

/* A guest process that sends back what it gets, buffer by buffer. */
TEST(the_thread_moves_a_mebibyte_both_ways)
{
	enum { TOTAL = 1 << 20 };
	struct rig *r = rig_new(false);
	unsigned char *sent = test_malloc(TOTAL), *got = test_malloc(TOTAL);
	size_t out = 0, in = 0, echoed = 0;

	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (unsigned char)(i * 31 >> 4);
	bring_up(r, true);
	assert_int_equal(console_start(r->console), 0);
	while (echoed < TOTAL) {
		uint32_t head, len, ignored;

		if (out < TOTAL) {
			ssize_t n = send(r->host, sent + out, MIN((size_t)5000, TOTAL - out),
					 MSG_DONTWAIT);

			out += n > 0 ? (size_t)n : 0;
		}
		wait_used(&r->rings[CTL_RX], &head, &len);
		post_bytes(r, CTL_TX, 0, ring_host(&r->m, buffer(r, CTL_RX, head)), len);
		mmio_kick(&r->mmio, CTL_TX);
		wait_used(&r->rings[CTL_TX], &ignored, &ignored);
		post_empty(r, CTL_RX, (uint16_t)head);
		mmio_kick(&r->mmio, CTL_RX);
		echoed += len;
		for (ssize_t n; (n = recv(r->host, got + in, TOTAL - in, MSG_DONTWAIT)) > 0;)
			in += (size_t)n;
	}
	assert_int_equal(in, TOTAL);
	assert_memory_equal(sent, got, TOTAL);
	console_stop(r->console);
	test_free(sent);
	test_free(got);
	rig_free(r);
}

/* A driver that kicks only when the ring says that it must, as fast as it can. */
TEST(the_thread_misses_no_kick)
{
	enum { ROUNDS = 10000 };
	struct rig *r = rig_new(false);
	struct ring *tx = &r->rings[CTL_TX];
	char sink[4096];
	uint32_t head, len;

	bring_up(r, true);
	assert_int_equal(console_start(r->console), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint16_t old = tx->posted;

		post_bytes(r, CTL_TX, (uint16_t)(i % RING), "x", 1);
		if (ring_must_kick(tx, old, true))
			mmio_kick(&r->mmio, CTL_TX);
		for (unsigned spin = 0; spin < i % 500 && ring_used_idx(tx) == tx->taken; spin++)
			;
		if ((uint16_t)(tx->posted - tx->taken) == RING || i % 97 == 0)
			wait_used(tx, &head, &len);
		while (ring_take(tx, &head, &len))
			;
		(void)!recv(r->host, sink, sizeof(sink), MSG_DONTWAIT);
	}
	while (tx->taken != tx->posted)
		wait_used(tx, &head, &len);
	console_stop(r->console);
	rig_free(r);
}

TEST(reset_pause_and_stop_work_at_any_moment)
{
	struct rig *r = rig_new(false);
	char junk[4096] = "";

	assert_int_equal(console_start(r->console), 0);
	assert_int_equal(console_start(r->console), 0);
	for (unsigned i = 0; i < 200; i++) {
		drive(r, linux_features);
		post_all(r, CTL_RX);
		post_all(r, CONTROL_RX);
		struct virtio_console_control c = { CONSOLE_CTL, VIRTIO_CONSOLE_PORT_OPEN, 1 };

		post_bytes(r, CONTROL_TX, 0, &c, sizeof(c));
		mmio_kick(&r->mmio, CONTROL_TX);
		(void)!send(r->host, junk, sizeof(junk), MSG_DONTWAIT);
		if (i % 3 == 0) {
			console_pause(r->console);
			console_resume(r->console);
		}
		mmio_set(&r->mmio, VIRTIO_MMIO_STATUS, 0);
		uint16_t used = ring_used_idx(&r->rings[CTL_RX]);

		/* After the reset nothing moves any more. */
		mmio_kick(&r->mmio, CTL_RX);
		assert_int_equal(ring_used_idx(&r->rings[CTL_RX]), used);
	}
	console_stop(r->console);
	console_stop(r->console);
	rig_free(r);
}

TESTS(T(the_control_port_is_announced_named_and_opened),
      T(a_port_is_added_once_however_often_the_driver_asks),
      T(a_terminal_is_announced_as_console_with_its_size),
      T(bytes_wait_in_the_socket_until_the_guest_opens_the_port),
      T(bytes_wait_in_the_socket_until_there_are_buffers),
      T(bytes_of_the_guest_reach_the_socket_whole_and_in_order),
      T(a_full_socket_holds_the_ring_back_and_loses_nothing),
      T(the_end_of_the_socket_closes_the_port_after_its_last_byte),
      T(without_multiport_the_terminal_is_open_from_the_start),
      T(a_second_driver_starts_from_the_beginning),
      T(control_messages_without_sense_are_counted_and_answered),
      T(buffers_that_cannot_be_used_go_back_empty),
      T(a_broken_ring_asks_for_a_reset_and_stops_only_itself),
      T(the_thread_moves_a_mebibyte_both_ways), T(the_thread_misses_no_kick),
      T(reset_pause_and_stop_work_at_any_moment))
