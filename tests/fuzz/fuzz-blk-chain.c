// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as one request: header, descriptors, segments, on a small RAM disk, through the whole
 * device. Whatever they say:
 *  - the chain is answered once, or dropped and counted, or the queue is broken;
 *  - nothing changes in guest memory outside the chain's writable buffers and the used ring;
 *  - used.len covers no byte that was not written, and the status byte says OK, IOERR or UNSUPP;
 *  - sectors change only for an OUT, DISCARD or WRITE_ZEROES that was answered OK.
 *
 * Input: 1 byte of flags, 24 bytes of header and segment room, then 8 bytes for each descriptor. */
#include "qtest.h"

#include "base/util.h"

#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "the block device broke a rule: %s\n", #claim);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

enum {
	RAM = 1 << 20,
	DISK = 64 * 1024,
	DESC = 0x10000,
	AVAIL = 0x11000,
	USED = 0x12000,
	BUFFERS = 0x20000,
	BUFFERS_BYTES = 0x4000,
	QUEUE_SIZE = 16,
	DESCS_MAX = 12,
	FILL = 0x5a,
	HEAD_BYTES = 25,
	DESC_BYTES = 8,
};

struct world {
	struct qtest q;
	struct vring_desc descs[DESCS_MAX];
	unsigned count;
	unsigned char before[BUFFERS_BYTES];
};

static void bring_up(struct world *w)
{
	static const uint32_t steps[][2] = {
		{ VIRTIO_MMIO_STATUS, 0 },
		{ VIRTIO_MMIO_STATUS, 1 },
		{ VIRTIO_MMIO_STATUS, 3 },
		{ VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0 },
		{ VIRTIO_MMIO_DRIVER_FEATURES,
		  1u << VIRTIO_BLK_F_FLUSH | 1u << VIRTIO_BLK_F_DISCARD |
			  1u << VIRTIO_BLK_F_WRITE_ZEROES | 1u << VIRTIO_RING_F_INDIRECT_DESC },
		{ VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1 },
		{ VIRTIO_MMIO_DRIVER_FEATURES, 1 },
		{ VIRTIO_MMIO_STATUS, 11 },
		{ VIRTIO_MMIO_QUEUE_SEL, 0 },
		{ VIRTIO_MMIO_QUEUE_NUM, QUEUE_SIZE },
		{ VIRTIO_MMIO_QUEUE_DESC_LOW, DESC },
		{ VIRTIO_MMIO_QUEUE_AVAIL_LOW, AVAIL },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, USED },
		{ VIRTIO_MMIO_QUEUE_READY, 1 },
		{ VIRTIO_MMIO_STATUS, 15 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		qtest_store(&w->q, QTEST_REGISTERS + steps[i][0], 4, steps[i][1]);
}

/* Addresses near the buffers, so that pieces meet; now and then anywhere. */
static uint64_t address_from(const uint8_t *d)
{
	if (d[2] & 0x80)
		return (uint64_t)le16_get(d) << 48 | RAM;
	return BUFFERS + le16_get(d) % BUFFERS_BYTES;
}

static void make_chain(struct world *w, const uint8_t *data, size_t size)
{
	unsigned char *ram = w->q.ram.host;

	memset(ram + BUFFERS, FILL, BUFFERS_BYTES);
	memcpy(ram + BUFFERS, data + 1, HEAD_BYTES - 1);
	for (size_t at = HEAD_BYTES; at + DESC_BYTES <= size && w->count < DESCS_MAX;
	     at += DESC_BYTES) {
		bool has_next = at + 2 * DESC_BYTES <= size && w->count + 1 < DESCS_MAX;

		w->descs[w->count] = (struct vring_desc){
			.addr = address_from(data + at),
			.len = data[at + 3] & 1 ? le32_get(data + at + 4)
						: le16_get(data + at + 4) % 2048,
			.flags = (uint16_t)((data[at + 2] & 6) | (has_next ? 1 : 0)),
			.next = (uint16_t)(w->count + 1),
		};
		w->count++;
	}
	if (w->count == 0)
		return;
	memcpy(ram + DESC, w->descs, sizeof(w->descs));
	if (data[0] & 1) /* a first piece that is a header, or inputs would rarely have one */
		memcpy(ram + DESC, &(struct vring_desc){ BUFFERS, 16, w->count > 1 ? 1 : 0, 1 },
		       16);
	memcpy(w->descs, ram + DESC, sizeof(w->descs));
	le16_put(ram + AVAIL + 2, 1);
}

/* Is byte @at of guest memory in a buffer that the device may write? */
static bool is_writable(const struct world *w, uint64_t at)
{
	for (unsigned i = 0; i < w->count; i++) {
		const struct vring_desc *d = &w->descs[i];

		/* What an indirect table says may be anything: no claim then. */
		if (d->flags & VRING_DESC_F_INDIRECT)
			return true;
		if (d->flags & VRING_DESC_F_WRITE && at >= d->addr && at - d->addr < d->len)
			return true;
	}
	return false;
}

static void check_memory(const struct world *w)
{
	const unsigned char *ram = w->q.ram.host;

	for (uint64_t i = 0; i < BUFFERS_BYTES; i++)
		MUST(ram[BUFFERS + i] == w->before[i] || is_writable(w, BUFFERS + i));
}

static uint64_t writable_bytes(const struct world *w, bool *is_plain_ret)
{
	uint64_t bytes = 0;

	*is_plain_ret = true;
	for (unsigned i = 0; i < w->count; i++) {
		if (w->descs[i].flags & VRING_DESC_F_INDIRECT)
			*is_plain_ret = false;
		if (w->descs[i].flags & VRING_DESC_F_WRITE)
			bytes += w->descs[i].len;
	}
	return bytes;
}

static void check_answer(struct world *w, uint64_t disk_changes)
{
	const unsigned char *ram = w->q.ram.host;
	uint16_t used = le16_get(ram + USED + 2);
	bool needs_reset = qtest_load(&w->q, QTEST_REGISTERS + VIRTIO_MMIO_STATUS, 4) & 0x40;
	bool is_plain;
	uint64_t room = writable_bytes(w, &is_plain);
	const struct vq_counters *c = &blk_virtio(w->q.blk)->queues[0].counters;

	MUST(used <= 1);
	MUST(used + needs_reset + counter_get(&c->chains_dropped) == 1);
	MUST(w->q.irqs == 1 || !(used || needs_reset));
	MUST(!used || !is_plain || le32_get(ram + USED + 8) <= room);
	MUST(!disk_changes || used);
}

/* How many writes, discards and zeroings the device says it has done. */
static uint64_t changes(struct world *w)
{
	static const char *const names[] = { "\"writes_completed\":", "\"discards_completed\":",
					     "\"write_zeroes_completed\":" };
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	uint64_t sum = 0;

	blk_counters_json(w->q.blk, &out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sum += strtoull(strstr(buf_text(&out), names[i]) + strlen(names[i]), NULL, 10);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk_spec spec;
	struct world w = { .count = 0 };

	if (size < HEAD_BYTES + DESC_BYTES)
		return 0;
	MUST(blk_spec_parse("ram:64K", &spec) == 0);
	spec.is_read_only = data[0] & 2;
	MUST(qtest_init(&w.q, &spec, RAM) == 0);
	bring_up(&w);
	make_chain(&w, data, size);
	memcpy(w.before, (unsigned char *)w.q.ram.host + BUFFERS, BUFFERS_BYTES);
	qtest_store(&w.q, QTEST_REGISTERS + VIRTIO_MMIO_QUEUE_NOTIFY, 4, 0);
	check_memory(&w);
	check_answer(&w, changes(&w));
	MUST(!spec.is_read_only || changes(&w) == 0);
	qtest_deinit(&w.q);
	return 0;
}
