// SPDX-License-Identifier: GPL-2.0-only
/* A machine's life as steps: register accesses of any width, stores into rings, requests, kicks and
 * time, with a throttle, a latency model and faults in the way. Whatever the order:
 *  - time moves only forwards and an event is never due in the past once time was let run;
 *  - after a reset nothing is due and nothing in guest memory changes until the next bring-up;
 *  - answers never outnumber the chains that were offered.
 *
 * Input: steps of 4 bytes: kind, two bytes of operand, one of value. */
#include "qtest.h"

#include "base/util.h"

#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "the device broke a rule: %s\n", #claim);                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

enum {
	RAM = 1 << 20,
	DESC = 0x10000,
	AVAIL = 0x11000,
	USED = 0x12000,
	BUFFERS = 0x20000,
	QUEUE_SIZE = 32,
	STEPS_MAX = 400,
};

struct world {
	struct qtest q;
	uint16_t avail; /* what the driver has offered since the last bring-up */
	bool is_up;
};

static uint32_t reg(struct world *w, unsigned offset)
{
	return (uint32_t)qtest_load(&w->q, QTEST_REGISTERS + offset, 4);
}

static void set_reg(struct world *w, unsigned offset, uint32_t value)
{
	qtest_store(&w->q, QTEST_REGISTERS + offset, 4, value);
}

static void step_bring_up(struct world *w, uint16_t operand, uint8_t value)
{
	static const uint32_t statuses[] = { 0, 1, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		set_reg(w, VIRTIO_MMIO_STATUS, statuses[i]);
	set_reg(w, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set_reg(w, VIRTIO_MMIO_DRIVER_FEATURES, 1 | (value & 1) << 8);
	set_reg(w, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	set_reg(w, VIRTIO_MMIO_DRIVER_FEATURES, (operand & 0x7a00u) | (value & 2u) << 28);
	set_reg(w, VIRTIO_MMIO_STATUS, 11);
	memset(w->q.ram.host + DESC, 0, 0x4000);
	w->avail = 0;
	set_reg(w, VIRTIO_MMIO_QUEUE_SEL, 0);
	set_reg(w, VIRTIO_MMIO_QUEUE_NUM, QUEUE_SIZE);
	set_reg(w, VIRTIO_MMIO_QUEUE_DESC_LOW, DESC);
	set_reg(w, VIRTIO_MMIO_QUEUE_AVAIL_LOW, AVAIL);
	set_reg(w, VIRTIO_MMIO_QUEUE_USED_LOW, USED);
	set_reg(w, VIRTIO_MMIO_QUEUE_READY, 1);
	set_reg(w, VIRTIO_MMIO_STATUS, 15);
	w->is_up = true;
}

/* A request of three descriptors, mostly legal. */
static void step_request(struct world *w, uint16_t operand, uint8_t value)
{
	static const uint32_t types[] = { 0, 1, 4, 8, 11, 13, 0, 1 };
	unsigned char *ram = w->q.ram.host;
	unsigned slot = w->avail % (QUEUE_SIZE / 4), first = slot * 3;
	uint64_t at = BUFFERS + slot * 0x2000;
	const struct virtio_blk_outhdr header = { .type = types[value & 7], .sector = operand };
	bool is_read = header.type == VIRTIO_BLK_T_IN || header.type == VIRTIO_BLK_T_GET_ID;
	const struct vring_desc descs[3] = {
		{ at, 16, 1, (uint16_t)(first + 1) },
		{ at + 0x100, 512u * (value >> 4), (uint16_t)(is_read ? 3 : 1),
		  (uint16_t)(first + 2) },
		{ at + 0x1ff0, value & 8 ? 0 : 1, 2, 0 },
	};

	memcpy(ram + at, &header, sizeof(header));
	memcpy(ram + DESC + first * 16, descs, sizeof(descs));
	le16_put(ram + AVAIL + 4 + 2 * (w->avail % QUEUE_SIZE), (uint16_t)first);
	w->avail++;
	le16_put(ram + AVAIL + 2, w->avail);
}

static void step_kick(struct world *w, uint16_t operand, uint8_t value)
{
	set_reg(w, VIRTIO_MMIO_QUEUE_NOTIFY, value & 0x80 ? operand : 0);
}

static void step_time(struct world *w, uint16_t operand, uint8_t value)
{
	uint64_t before_ns = w->q.clock_ns;
	uint64_t target_ns = before_ns + ((uint64_t)operand << (value & 31));

	qtest_clock_to(&w->q, target_ns);
	MUST(w->q.clock_ns >= before_ns);
	MUST(blk_next_due_ns(w->q.blk) > target_ns || w->q.clock_ns == target_ns);
}

static void step_register(struct world *w, uint16_t operand, uint8_t value)
{
	static const unsigned sizes[] = { 4, 4, 1, 2, 8, 4, 4, 4 };
	uint64_t addr = QTEST_REGISTERS + operand % QTEST_WINDOW;
	unsigned size = sizes[value & 7];

	if (operand & 0x8000)
		qtest_store(&w->q, addr, size, value >> 3);
	else
		(void)qtest_load(&w->q, addr, size);
}

static void step_poke(struct world *w, uint16_t operand, uint8_t value)
{
	w->q.ram.host[DESC + operand % 0x3000] = value;
}

static void step_reset(struct world *w, uint16_t operand, uint8_t value)
{
	unsigned char *ram = w->q.ram.host;
	uint64_t irqs;

	set_reg(w, VIRTIO_MMIO_STATUS, 0);
	MUST(reg(w, VIRTIO_MMIO_STATUS) == 0);
	MUST(blk_next_due_ns(w->q.blk) == UINT64_MAX);
	w->is_up = false;
	memset(ram, 0xa5, RAM);
	irqs = w->q.irqs;
	qtest_clock_to(&w->q, w->q.clock_ns + NSEC_PER_SEC);
	set_reg(w, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	for (unsigned i = 0; i < RAM; i += 8)
		MUST(le64_get(ram + i) == UINT64_C(0xa5a5a5a5a5a5a5a5));
	MUST(w->q.irqs == irqs);
}

static void (*const steps[])(struct world *, uint16_t, uint8_t) = {
	step_bring_up, step_request, step_kick, step_time, step_register, step_poke, step_reset,
};

static const char *const specs[] = {
	"ram:64K",
	"ram:64K,throttle=iops=1000,iops-burst=3,bps=100K",
	"ram:64K,latency=uniform:0-3ms,seed=1",
	"ram:64K,fault=op=read,prob=0.3,action=delay:2ms,fault=op=any,prob=0.2,action=errno:EIO,"
	"fault=op=write,prob=0.3,action=short,fault=op=any,prob=0.1,action=drop-completion,"
	"fault=op=any,prob=0.2,action=spurious-irq",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .is_up = false };
	struct blk_spec spec;

	if (size < 5)
		return 0;
	MUST(blk_spec_parse(specs[data[0] % ARRAY_SIZE(specs)], &spec) == 0);
	MUST(qtest_init(&w.q, &spec, RAM) == 0);
	step_bring_up(&w, 0x7a00, 3);
	for (size_t at = 1, n = 0; at + 4 <= size && n < STEPS_MAX; at += 4, n++)
		steps[data[at] % ARRAY_SIZE(steps)](&w, le16_get(data + at + 1), data[at + 3]);
	MUST((uint32_t)reg(&w, VIRTIO_MMIO_MAGIC_VALUE) == 0x74726976);
	qtest_deinit(&w.q);
	return 0;
}
