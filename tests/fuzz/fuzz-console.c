// SPDX-License-Identifier: GPL-2.0-only
/* A hostile guest on the console: chains of its making on all six queues, sockets that send, take,
 * fill up and end, resets in between. Nothing may crash, hang or invent bytes: what reaches the
 * host's end is never more than what the guest sent, and the other way round. */
#include "devices/console.h"
#include "virtio/mmio-driver.h"

#include <linux/virtio_console.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUEUES = 6, RING = 8, BODY = 4096 };

#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "console: %s\n", #claim);                                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct world {
	struct ring_memory m;
	struct ring rings[QUEUES];
	uint64_t body;
	struct console *console;
	struct virtio_mmio mmio;
	int host[CONSOLE_PORT_COUNT];
	uint64_t host_sent[CONSOLE_PORT_COUNT], host_got[CONSOLE_PORT_COUNT];
};

struct input {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct input *in, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		value |= (uint32_t)*in->data++ << (8 * i);
	return value;
}

static void raise_line(void *ctx)
{
}

static void start(struct world *w, uint64_t without)
{
	if (!mmio_negotiate(&w->mmio, mmio_offered(&w->mmio) & ~without))
		return;
	for (unsigned q = 0; q < QUEUES; q++) {
		ring_reset(&w->rings[q]);
		MUST(mmio_setup_queue(&w->mmio, q, &w->rings[q].setup));
	}
	mmio_driver_ok(&w->mmio);
}

/* A chain of up to three buffers somewhere in or near the body. */
static void offer(struct world *w, struct input *in, unsigned q)
{
	struct ring_buffer buffers[3];
	unsigned count = take(in, 1) % 3 + 1;
	uint16_t head = (uint16_t)(take(in, 1) % (RING - 2));

	for (unsigned i = 0; i < count; i++) {
		uint32_t where = take(in, 2);

		buffers[i].addr = w->body + where % (BODY + 64);
		buffers[i].len = take(in, 1) * (where >> 14);
		buffers[i].flags = where & 0x2000 ? RING_WRITE : 0;
	}
	ring_offer(&w->rings[q], ring_chain(&w->rings[q], head, buffers, count));
}

static void control(struct world *w, struct input *in)
{
	struct virtio_console_control c = { take(in, 1) % 3, (uint16_t)(take(in, 1) % 9),
					    (uint16_t)(take(in, 1) % 3) };
	struct ring_buffer b = { w->body, sizeof(c), 0 };

	gmem_store(ring_host(&w->m, w->body), &c, sizeof(c));
	ring_offer(&w->rings[3], ring_chain(&w->rings[3], (uint16_t)(take(in, 1) % RING), &b, 1));
}

static void host_step(struct world *w, struct input *in, unsigned p)
{
	char bytes[512] = "";
	uint32_t what = take(in, 2);
	ssize_t n;

	if (what & 1) {
		n = send(w->host[p], bytes, what % sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
		w->host_sent[p] += n > 0 ? (uint64_t)n : 0;
	} else if (what & 2) {
		n = recv(w->host[p], bytes, sizeof(bytes), MSG_DONTWAIT);
		w->host_got[p] += n > 0 ? (uint64_t)n : 0;
	} else if (what > 0xff00) {
		shutdown(w->host[p], what & 4 ? SHUT_RDWR : SHUT_WR);
	}
}

static void step(struct world *w, struct input *in)
{
	uint32_t kind = take(in, 1);

	switch (kind % 8) {
	case 0:
	case 1:
		offer(w, in, kind >> 3 & 7 ? (kind >> 3 & 7) % QUEUES : 0);
		break;
	case 2:
		control(w, in);
		break;
	case 3:
		host_step(w, in, kind >> 7);
		break;
	case 4:
		*(unsigned char *)ring_host(&w->m, RING_MEMORY_BASE + take(in, 2) % 4096) =
			(unsigned char)take(in, 1);
		break;
	case 5:
		start(w, kind & 0x80 ? UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT : 0);
		break;
	case 6:
		console_resize(w->console, (uint16_t)take(in, 1), 25);
		break;
	default:
		mmio_set(&w->mmio, take(in, 1), take(in, 4));
		break;
	}
	for (unsigned i = 0; i < 4 && console_serve(w->console); i++)
		;
}

static void check_bytes(const struct world *w)
{
	const struct console_counters *c = console_counters(w->console);

	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		MUST(counter_get(&c->to_guest_bytes[p]) <= w->host_sent[p]);
		MUST(w->host_got[p] <= counter_get(&c->from_guest_bytes[p]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { 0 };
	struct input in = { data, size };
	int pairs[CONSOLE_PORT_COUNT][2];

	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[p]));
		w.host[p] = pairs[p][0];
	}
	ring_memory_init(&w.m, 16384);
	for (unsigned q = 0; q < QUEUES; q++)
		ring_init(&w.rings[q], &w.m, RING);
	w.body = ring_place(&w.m, BODY, 16);
	struct console_desc desc = { .ctl_fd = pairs[CONSOLE_CTL][1],
				     .tty_fd = pairs[CONSOLE_TTY][1] };

	MUST(!console_new(&desc, &w.console));
	MUST(!virtio_mmio_init(&w.mmio, console_virtio(w.console), &w.m.mem,
			       (struct irq_line){ raise_line, NULL }));
	start(&w, 0);
	for (unsigned steps = 0; in.left && steps < 300; steps++)
		step(&w, &in);
	check_bytes(&w);
	virtio_mmio_deinit(&w.mmio);
	console_free(w.console);
	ring_memory_deinit(&w.m);
	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		close(pairs[p][0]);
		close(pairs[p][1]);
	}
	return 0;
}
