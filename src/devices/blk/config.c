// SPDX-License-Identifier: GPL-2.0-only
/* What the disk offers and says about itself, and the one thing a driver may change: writeback.
 * Source: virtio 1.2, 5.2.3, 5.2.4, 5.2.5. */
#include "devices/blk/internal.h"

#include "base/util.h"

#define BIT64(n) (UINT64_C(1) << (n))

enum {
	PHYSICAL_BLOCK_BYTES = 4096,
	OPTIMAL_IO_BYTES = 128 * 1024,
	WRITEBACK_OFFSET = offsetof(struct virtio_blk_config, wce),
};

_Static_assert(offsetof(struct virtio_blk_config, unused1) + 3 == BLK_CONFIG_BYTES,
	       "the configuration ends behind the write-zeroes limits");

uint64_t blk_features(const struct blk *blk)
{
	uint64_t features = BIT64(VIRTIO_BLK_F_SEG_MAX) | BIT64(VIRTIO_BLK_F_BLK_SIZE) |
			    BIT64(VIRTIO_BLK_F_FLUSH) | BIT64(VIRTIO_BLK_F_TOPOLOGY) |
			    BIT64(VIRTIO_BLK_F_CONFIG_WCE) | BIT64(VIRTIO_BLK_F_MQ) |
			    BIT64(VIRTIO_BLK_F_DISCARD) | BIT64(VIRTIO_BLK_F_WRITE_ZEROES);

	return blk->spec.is_read_only ? features | BIT64(VIRTIO_BLK_F_RO) : features;
}

/* Powers of two from the logical to the physical block. */
static uint8_t physical_block_exp(uint32_t block_bytes)
{
	return (uint8_t)__builtin_ctz(PHYSICAL_BLOCK_BYTES / block_bytes);
}

/* Chains of at most a queue's length are legal (2.7.5.3.1): header and status leave this. */
static uint32_t seg_max(void)
{
	return BLK_SEG_MAX;
}

void blk_config_read(struct virtio_device *dev, unsigned offset, void *buf, unsigned size)
{
	struct blk *blk = blk_of(dev);
	uint32_t block_bytes = blk->spec.block_bytes;
	const struct virtio_blk_config config = {
		.capacity = blk_sectors(blk),
		.seg_max = seg_max(),
		.blk_size = block_bytes,
		.physical_block_exp = physical_block_exp(block_bytes),
		.min_io_size = (uint16_t)(PHYSICAL_BLOCK_BYTES / block_bytes),
		.opt_io_size = OPTIMAL_IO_BYTES / block_bytes,
		.wce = atomic_load_explicit(&blk->writeback, memory_order_relaxed),
		.num_queues = (uint16_t)blk->queue_count,
		.max_discard_sectors = BLK_SEGMENT_SECTORS_MAX,
		.max_discard_seg = BLK_SEGMENTS_MAX,
		.discard_sector_alignment = block_bytes / BLK_SECTOR_BYTES,
		.max_write_zeroes_sectors = BLK_SEGMENT_SECTORS_MAX,
		.max_write_zeroes_seg = BLK_SEGMENTS_MAX,
		.write_zeroes_may_unmap = 1,
	};

	memcpy(buf, (const char *)&config + offset, size);
}

bool blk_config_write(struct virtio_device *dev, unsigned offset, const void *buf, unsigned size)
{
	struct blk *blk = blk_of(dev);
	uint8_t value;

	if (offset > WRITEBACK_OFFSET || offset + size <= WRITEBACK_OFFSET ||
	    !virtio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE))
		return false;
	value = ((const uint8_t *)buf)[WRITEBACK_OFFSET - offset] != 0;
	if (atomic_exchange(&blk->writeback, value) != value)
		virtio_config_touch(dev);
	return true;
}

/* 5.2.5.2: writeback starts as 0 if the driver takes CONFIG_WCE without FLUSH. */
bool blk_features_ok(struct virtio_device *dev)
{
	bool is_volatile = !virtio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE) ||
			   virtio_has_feature(dev, VIRTIO_BLK_F_FLUSH);

	if (atomic_exchange(&blk_of(dev)->writeback, is_volatile) != is_volatile)
		virtio_config_touch(dev);
	return true;
}

/* 5.2.6.2: must a write be on stable storage before it is answered? */
bool blk_is_write_through(const struct blk *blk)
{
	const struct virtio_device *dev = &blk->dev;

	if (virtio_has_feature(dev, VIRTIO_BLK_F_CONFIG_WCE))
		return !atomic_load_explicit(&blk->writeback, memory_order_relaxed);
	return !virtio_has_feature(dev, VIRTIO_BLK_F_FLUSH);
}
