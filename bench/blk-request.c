// SPDX-License-Identifier: GPL-2.0-only
/* COUNT writes of 4 KiB through the whole device, engine inline, backing null, which forgets them: kick,
 * walk, parse, answer, interrupt decision, and no copying. What blk-request.sh counts the instructions
 * of; a run by hand prints nothing. usage: blk-request COUNT BATCH [DISK-OPTIONS] */
#include "base/util.h"
#include "devices/blk/blk.h"
#include "virtio/mmio.h"

#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>

enum { RAM = 1 << 20, DESC = 0, AVAIL = 0x1000, USED = 0x2000, BUFFERS = 0x4000, SIZE = 256 };

static void no_irq(void *ctx)
{
}

static void set_reg(struct virtio_mmio *mmio, unsigned offset, uint64_t value)
{
	struct bus_access a = { .addr = offset, .size = 4, .is_write = true, .value = value };

	virtio_mmio_access(mmio, &a);
}

static void bring_up(struct virtio_mmio *mmio)
{
	static const uint32_t steps[][2] = {
		{ VIRTIO_MMIO_STATUS, 1 },
		{ VIRTIO_MMIO_STATUS, 3 },
		{ VIRTIO_MMIO_DRIVER_FEATURES, 1u << VIRTIO_BLK_F_FLUSH },
		{ VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1 },
		{ VIRTIO_MMIO_DRIVER_FEATURES, 1 },
		{ VIRTIO_MMIO_STATUS, 11 },
		{ VIRTIO_MMIO_QUEUE_NUM, SIZE },
		{ VIRTIO_MMIO_QUEUE_DESC_LOW, DESC },
		{ VIRTIO_MMIO_QUEUE_AVAIL_LOW, AVAIL },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, USED },
		{ VIRTIO_MMIO_QUEUE_READY, 1 },
		{ VIRTIO_MMIO_STATUS, 15 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		set_reg(mmio, steps[i][0], steps[i][1]);
}

/* Three descriptors for each of @batch requests, used again and again. */
static void write_requests(unsigned char *ram, unsigned batch)
{
	for (unsigned i = 0; i < batch; i++) {
		uint64_t at = BUFFERS + i * 0x1100;
		const uint16_t first = (uint16_t)(3 * i);
		const struct vring_desc descs[3] = {
			{ at, 16, VRING_DESC_F_NEXT, (uint16_t)(first + 1) },
			{ at + 64, 4096, VRING_DESC_F_NEXT, (uint16_t)(first + 2) },
			{ at + 32, 1, VRING_DESC_F_WRITE, 0 },
		};
		const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT, .sector = i };

		memcpy(ram + DESC + first * 16, descs, sizeof(descs));
		memcpy(ram + at, &header, sizeof(header));
	}
}

static void run(struct virtio_mmio *mmio, unsigned char *ram, uint64_t count, unsigned batch)
{
	uint16_t avail = 0;

	for (uint64_t done = 0; done < count; done += batch) {
		for (unsigned i = 0; i < batch; i++)
			le16_put(ram + AVAIL + 4 + 2 * (avail++ % SIZE), (uint16_t)(3 * i));
		__atomic_store_n((uint16_t *)(void *)(ram + AVAIL + 2), avail, __ATOMIC_RELEASE);
		set_reg(mmio, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	}
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	unsigned batch = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	struct gmem mem = GMEM_NULL;
	struct gmem_backing ram = GMEM_BACKING_NULL;
	struct virtio_mmio mmio;
	struct blk_spec spec;
	struct blk *blk;
	char text[256];

	snprintf(text, sizeof(text), "null:1G,engine=inline%s", argc > 3 ? argv[3] : "");
	if (batch < 1 || batch > 64 || blk_spec_parse(text, &spec) < 0 ||
	    gmem_backing_init(&ram, "bench", RAM) < 0 ||
	    gmem_add(&mem, gpa(0), RAM, ram.host) < 0 || blk_new(&spec, NULL, &blk) < 0 ||
	    virtio_mmio_init(&mmio, blk_virtio(blk), &mem, (struct irq_line){ no_irq, NULL }) < 0) {
		fprintf(stderr, "blk-request: %s\n", err_text());
		return 1;
	}
	write_requests(ram.host, batch);
	bring_up(&mmio);
	run(&mmio, ram.host, count, batch);
	virtio_mmio_deinit(&mmio);
	blk_free(blk);
	gmem_backing_deinit(&ram);
	return 0;
}
