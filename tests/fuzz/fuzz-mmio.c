// SPDX-License-Identifier: GPL-2.0-only
/* Register accesses, stores into guest memory and completions in any order, on the transport with an
 * echo device behind it. The device ends the program when the transport breaks its contract; what
 * the registers must show is checked here after every step. Each step is three bytes and what its
 * kind needs. */
#include "virtio/echo-device.h"
#include "virtio/mmio-driver.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "the transport broke a rule: %s\n", #claim);               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct world {
	struct ring_memory m;
	struct ring rings[ECHO_QUEUES];
	struct echo echo;
	struct virtio_mmio mmio;
	uint64_t body;
	unsigned raised;
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
	((struct world *)ctx)->raised++;
}

static void check_rules(struct world *w)
{
	uint32_t status = mmio_get(&w->mmio, VIRTIO_MMIO_STATUS);
	uint64_t negotiated = w->echo.dev.negotiated;

	MUST(!(mmio_get(&w->mmio, VIRTIO_MMIO_INTERRUPT_STATUS) & ~3u));
	MUST(!(status & VIRTIO_CONFIG_S_DRIVER_OK) || status & VIRTIO_CONFIG_S_FEATURES_OK);
	MUST(!(status & VIRTIO_CONFIG_S_FEATURES_OK) || status & VIRTIO_CONFIG_S_DRIVER);
	MUST(!(status & VIRTIO_CONFIG_S_DRIVER) || status & VIRTIO_CONFIG_S_ACKNOWLEDGE);
	MUST(!(status & ~0xcfu));
	MUST(!!(status & VIRTIO_CONFIG_S_FEATURES_OK) == (negotiated >> VIRTIO_F_VERSION_1 & 1));
	for (unsigned q = 0; q < ECHO_QUEUES; q++) {
		struct vq *vq = &w->echo.dev.queues[q];

		MUST(!virtio_queue_is_live(&w->echo.dev, q) ||
		     (vq->is_started && status & VIRTIO_CONFIG_S_DRIVER_OK));
		MUST(vq->is_started == w->mmio.state.queues[q].is_ready);
		MUST(w->echo.was_live[q] == virtio_queue_is_live(&w->echo.dev, q));
	}
	MUST(mmio_get(&w->mmio, VIRTIO_MMIO_REG_QUEUE_RESET) == 0);
}

/* A legal driver's start, so that inputs need not find it by chance. */
static void start(struct world *w)
{
	if (!mmio_negotiate(&w->mmio, mmio_offered(&w->mmio)))
		return;
	for (unsigned q = 0; q < ECHO_QUEUES; q++) {
		ring_reset(&w->rings[q]);
		MUST(mmio_setup_queue(&w->mmio, q, &w->rings[q].setup));
	}
	mmio_driver_ok(&w->mmio);
}

static void offer(struct world *w, struct input *in)
{
	struct ring *r = &w->rings[take(in, 1) % ECHO_QUEUES];
	uint16_t head = (uint16_t)(take(in, 1) % ECHO_QUEUE_SIZE);
	struct ring_buffer buffers[2] = { { w->body, take(in, 1), 0 },
					  { w->body + 512, take(in, 1), RING_WRITE } };

	ring_chain(r, head, buffers, head + 1 < ECHO_QUEUE_SIZE ? 2 : 1);
	ring_offer(r, head);
}

static void step(struct world *w, struct input *in)
{
	uint32_t kind = take(in, 1), offset = take(in, 1), value;

	switch (kind % 8) {
	case 0: /* a control register */
		mmio_set(&w->mmio, offset & ~3u, take(in, 4));
		break;
	case 1: /* a small value to a control register */
		mmio_set(&w->mmio, offset & ~3u, take(in, 1));
		break;
	case 2: /* any width anywhere */
		value = take(in, 2);
		mmio_set_wide(&w->mmio, offset + (value >> 14) * 128, value,
			      (uint8_t)(1u << value % 4));
		break;
	case 3:
		value = take(in, 2);
		mmio_get_wide(&w->mmio, value % 0x300, (uint8_t)(1u << offset % 4));
		break;
	case 4: /* guest memory: rings and descriptors are in its first pages */
		*(unsigned char *)ring_host(&w->m, RING_MEMORY_BASE + (offset << 4 | kind >> 4)) =
			(unsigned char)take(in, 1);
		break;
	case 5:
		offer(w, in);
		mmio_kick(&w->mmio, offset % (ECHO_QUEUES + 1));
		break;
	case 6:
		w->echo.is_held = kind & 8;
		echo_complete(&w->echo);
		break;
	default:
		start(w);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct world *w = calloc(1, sizeof(*w));
	unsigned steps = 0;

	if (!w)
		abort();
	ring_memory_init(&w->m, 16384);
	for (unsigned q = 0; q < ECHO_QUEUES; q++)
		ring_init(&w->rings[q], &w->m, ECHO_QUEUE_SIZE);
	w->body = ring_place(&w->m, 1024, 16);
	echo_init(&w->echo);
	MUST(!virtio_mmio_init(&w->mmio, &w->echo.dev, &w->m.mem,
			       (struct irq_line){ raise_line, w }));
	while (in.left && steps++ < 400) {
		step(w, &in);
		check_rules(w);
	}
	mmio_set(&w->mmio, VIRTIO_MMIO_STATUS, 0);
	MUST(mmio_get(&w->mmio, VIRTIO_MMIO_STATUS) == 0);
	MUST(mmio_get(&w->mmio, VIRTIO_MMIO_INTERRUPT_STATUS) == 0);
	check_rules(w);
	/* Late completions touch nothing and say nothing. */
	unsigned raised = w->raised;

	while (echo_complete(&w->echo))
		;
	MUST(w->raised == raised);
	virtio_mmio_deinit(&w->mmio);
	echo_deinit(&w->echo);
	ring_memory_deinit(&w->m);
	free(w);
	return 0;
}
