/* SPDX-License-Identifier: GPL-2.0-only */
/* The least driver that keeps a disk busy, for benchmarks: one queue on our registers, requests of
 * 4 KiB in three descriptors each, posted in batches. */
#pragma once

#include "devices/blk/blk.h"
#include "gmem/gmem.h"
#include "virtio/mmio.h"

struct blk_driver {
	struct gmem mem;
	struct gmem_backing ram;
	struct virtio_mmio mmio;
	struct blk *blk;
	unsigned batch;
	uint16_t avail;
};

enum { BLK_DRIVER_BATCH_MAX = 64, BLK_DRIVER_BYTES = 4096 };

/* A disk of @spec on @clock (NULL: real), and requests of @type to the first @batch blocks. 0, or a
 * negative errno with words. @d must stay where it is. */
int blk_driver_init(struct blk_driver *d, const char *spec, const struct blk_clock *clock,
		    uint32_t type, unsigned batch) must_check;
void blk_driver_deinit(struct blk_driver *d);

/* Post every request once and kick. */
void blk_driver_turn(struct blk_driver *d);
/* Requests answered so far, modulo 2^16. */
uint16_t blk_driver_done(const struct blk_driver *d);
