// SPDX-License-Identifier: GPL-2.0-only
#include "blk-driver.h"

#include "base/util.h"

#include <linux/virtio_blk.h>

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

/* Three descriptors for each request, used again and again. */
static void write_requests(unsigned char *ram, uint32_t type, unsigned batch)
{
	const uint16_t data_flag = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0;

	for (unsigned i = 0; i < batch; i++) {
		uint64_t at = BUFFERS + i * 0x1100;
		const uint16_t first = (uint16_t)(3 * i);
		const struct vring_desc descs[3] = {
			{ at, 16, VRING_DESC_F_NEXT, (uint16_t)(first + 1) },
			{ at + 64, BLK_DRIVER_BYTES, VRING_DESC_F_NEXT | data_flag,
			  (uint16_t)(first + 2) },
			{ at + 32, 1, VRING_DESC_F_WRITE, 0 },
		};
		const struct virtio_blk_outhdr header = { .type = type, .sector = i };

		memcpy(ram + DESC + first * 16, descs, sizeof(descs));
		memcpy(ram + at, &header, sizeof(header));
	}
}

int blk_driver_init(struct blk_driver *d, const char *text, const struct blk_clock *clock,
		    uint32_t type, unsigned batch)
{
	struct blk_spec spec;
	int r = blk_spec_parse(text, &spec);

	*d = (struct blk_driver){ .ram = GMEM_BACKING_NULL, .batch = batch };
	if (r == 0)
		r = gmem_backing_init(&d->ram, "bench", RAM);
	if (r == 0)
		r = gmem_add(&d->mem, gpa(0), RAM, d->ram.host);
	if (r == 0)
		r = blk_new(&spec, clock, &d->blk);
	if (r == 0)
		r = virtio_mmio_init(&d->mmio, blk_virtio(d->blk), &d->mem,
				     (struct irq_line){ no_irq, NULL });
	if (r < 0)
		return err_trace(r);
	write_requests(d->ram.host, type, batch);
	bring_up(&d->mmio);
	return 0;
}

void blk_driver_deinit(struct blk_driver *d)
{
	virtio_mmio_deinit(&d->mmio);
	d->blk = blk_free(d->blk);
	gmem_backing_deinit(&d->ram);
}

void blk_driver_turn(struct blk_driver *d)
{
	unsigned char *ram = d->ram.host;

	for (unsigned i = 0; i < d->batch; i++)
		le16_put(ram + AVAIL + 4 + 2 * (d->avail++ % SIZE), (uint16_t)(3 * i));
	__atomic_store_n((uint16_t *)(void *)(ram + AVAIL + 2), d->avail, __ATOMIC_RELEASE);
	set_reg(&d->mmio, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

uint16_t blk_driver_done(const struct blk_driver *d)
{
	return __atomic_load_n((uint16_t *)(void *)(d->ram.host + USED + 2), __ATOMIC_ACQUIRE);
}
