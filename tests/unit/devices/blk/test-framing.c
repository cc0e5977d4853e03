// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 3: any split of a request into descriptors means the same request, and what is
 * no request is refused or dropped. */
#include "rig.h"

#include <string.h>

/* One way of cutting a request. Offsets are into the request's readable and writable bytes. */
struct shape {
	const char *name;
	uint32_t type;
	struct piece pieces[8];
	unsigned count;
	uint32_t len;
};

enum { H = RIG_HEADER, S = RIG_STATUS, D = RIG_DATA };

/* 1 KiB from sector 9. The header is at H, data at D unless a piece spans both: then D follows H
 * (OUT), or S follows D (IN). */
static const struct shape legal[] = {
	{ "usual", VIRTIO_BLK_T_IN, { { H, 16, R }, { D, 1024, W }, { D + 1024, 1, W } }, 3, 1025 },
	{ "header in pieces",
	  VIRTIO_BLK_T_IN,
	  { { H, 1, R }, { H + 1, 7, R }, { H + 8, 8, R }, { D, 1024, W }, { D + 1024, 1, W } },
	  5,
	  1025 },
	{ "data and status in one", VIRTIO_BLK_T_IN, { { H, 16, R }, { D, 1025, W } }, 2, 1025 },
	{ "data cut at odd bytes",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { D, 1, W }, { D + 1, 600, W }, { D + 601, 424, W } },
	  4,
	  1025 },
	{ "empty ones everywhere",
	  VIRTIO_BLK_T_IN,
	  { { H, 0, R },
	    { H, 16, R },
	    { RIG_HOLE, 0, R },
	    { D, 0, W },
	    { D, 1024, W },
	    { D, 0, W },
	    { D + 1024, 1, W },
	    { D, 0, W } },
	  8,
	  1025 },
	{ "over the border of two slots",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { RIG_SLOT - 512, 1024, W }, { RIG_SLOT + 512, 1, W } },
	  3,
	  1025 },
	{ "usual OUT", VIRTIO_BLK_T_OUT, { { H, 16, R }, { H + 16, 1024, R }, { S, 1, W } }, 3, 1 },
	{ "header and data in one", VIRTIO_BLK_T_OUT, { { H, 1040, R }, { S, 1, W } }, 2, 1 },
	{ "cut inside the header and after it",
	  VIRTIO_BLK_T_OUT,
	  { { H, 10, R }, { H + 10, 100, R }, { H + 110, 930, R }, { S, 1, W } },
	  4,
	  1 },
	{ "empty status behind",
	  VIRTIO_BLK_T_OUT,
	  { { H, 1040, R }, { S, 1, W }, { S, 0, W } },
	  3,
	  1 },
};

static void run_legal(struct rig *r, const struct shape *shape)
{
	const struct piece *last = &shape->pieces[shape->count - 1];
	bool is_read = shape->type == VIRTIO_BLK_T_IN;
	uint64_t data = shape->pieces[1].addr == RIG_SLOT - 512 ? RIG_SLOT - 512 : D;
	struct rig_answer a;

	while (!last->len)
		last--;
	memset(rig_at(r, data), 0x5a, 1024);
	memset(rig_at(r, H), 0x33, 2048);
	rig_header(r, H, shape->type, 9);
	a = rig_run(r, last->addr + last->len - 1, shape->pieces, shape->count);
	if (!a.is_answered || a.status || a.len != shape->len)
		fail_msg("%s: answered %d, status %u, len %u", shape->name, a.is_answered, a.status,
			 a.len);
	if (is_read && (!rig_is_filled(rig_at(r, data), rig_pattern(9), 512) ||
			!rig_is_filled(rig_at(r, data + 512), rig_pattern(10), 512)))
		fail_msg("%s: wrong data", shape->name);
	if (!is_read && !rig_disk_is(r, 9, 2, 0x33))
		fail_msg("%s: wrong sectors", shape->name);
}

ETEST(any_partition_is_the_same_request)
{
	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		struct rig r;

		rig_init(&r, RIG_MODE, "");
		run_legal(&r, &legal[i]);
		assert_int_equal(rig_counter(&r, "io_errors"), 0);
		rig_deinit(&r);
	}
}

ETEST(any_partition_works_behind_an_indirect_table)
{
	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		struct shape shape = legal[i];
		struct vring_desc table[9] = { 0 };
		struct rig r;

		rig_init(&r, RIG_MODE, "");
		for (unsigned d = 0; d < shape.count; d++)
			table[d] = (struct vring_desc){
				.addr = shape.pieces[d].addr,
				.len = shape.pieces[d].len,
				.flags = (uint16_t)(shape.pieces[d].flags |
						    (d + 1 < shape.count ? VRING_DESC_F_NEXT : 0)),
				.next = (uint16_t)(d + 1),
			};
		/* Unaligned, and one unused entry behind the last. */
		memcpy(rig_at(&r, RIG_TABLE + 1), table, sizeof(table));
		memset(rig_at(&r, D), 0x5a, 1024);
		memset(rig_at(&r, H), 0x33, 2048);
		rig_header(&r, H, shape.type, 9);
		const struct piece *last = &shape.pieces[shape.count - 1];

		while (!last->len)
			last--;
		const struct piece indirect = { RIG_TABLE + 1, 16 * (shape.count + 1), IND };

		assert_answer(rig_run(&r, last->addr + last->len - 1, &indirect, 1), 0, shape.len);
		rig_deinit(&r);
	}
}

struct refusal {
	const char *name;
	uint32_t type;
	struct piece pieces[6];
	unsigned count;
	uint8_t status;
	uint32_t len;
	const char *counter; /* that moves by one */
};

static const struct refusal refused[] = {
	{ "15 bytes of header",
	  VIRTIO_BLK_T_IN,
	  { { H, 15, R }, { D, 512, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_header" },
	{ "header in writable memory",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, W }, { D, 512, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_header" },
	{ "header outside RAM",
	  VIRTIO_BLK_T_IN,
	  { { RIG_HOLE, 16, R }, { D, 512, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_header" },
	{ "only a status byte", VIRTIO_BLK_T_IN, { { S, 1, W } }, 1, 1, 1, "refused_bad_header" },
	{ "readable after writable",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { D, 512, W }, { D, 512, R }, { S, 1, W } },
	  4,
	  1,
	  0,
	  "refused_readable_after_writable" },
	{ "IN with readable data",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { D, 512, R }, { D, 512, W }, { S, 1, W } },
	  4,
	  1,
	  0,
	  "refused_bad_direction" },
	{ "OUT with writable data",
	  VIRTIO_BLK_T_OUT,
	  { { H, 16, R }, { D, 512, R }, { D, 512, W }, { S, 1, W } },
	  4,
	  1,
	  0,
	  "refused_bad_direction" },
	{ "data outside RAM",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { RIG_HOLE, 512, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_address" },
	{ "data over the end of RAM",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { RIG_RAM - 256, 512, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_address" },
	{ "data wrapping 2^64",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { UINT64_MAX - 255, 512, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_address" },
	{ "data from outside RAM",
	  VIRTIO_BLK_T_OUT,
	  { { H, 16, R }, { RIG_HOLE, 512, R }, { S, 1, W } },
	  3,
	  1,
	  1,
	  "refused_bad_address" },
	{ "second of two buffers outside RAM",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { D, 512, W }, { RIG_HOLE, 512, W }, { S, 1, W } },
	  4,
	  1,
	  0,
	  "refused_bad_address" },
	{ "IN without data",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { S, 1, W } },
	  2,
	  1,
	  1,
	  "refused_no_data" },
	{ "OUT without data",
	  VIRTIO_BLK_T_OUT,
	  { { H, 16, R }, { S, 1, W } },
	  2,
	  1,
	  1,
	  "refused_no_data" },
	{ "511 bytes",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { D, 511, W }, { S, 1, W } },
	  3,
	  1,
	  0,
	  "refused_bad_length" },
	{ "513 bytes",
	  VIRTIO_BLK_T_OUT,
	  { { H, 16, R }, { D, 513, R }, { S, 1, W } },
	  3,
	  1,
	  1,
	  "refused_bad_length" },
	{ "over 4 GiB",
	  VIRTIO_BLK_T_IN,
	  { { H, 16, R }, { 0, UINT32_MAX, W }, { D, 512, W }, { S, 1, W } },
	  4,
	  1,
	  0,
	  "refused_over_4_gib" },
};

ETEST(what_is_no_request_gets_ioerr)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const struct refusal *c = &refused[i];
		struct rig_answer a;
		struct rig r;

		rig_init(&r, RIG_MODE, "");
		memset(rig_at(&r, D), 0x5a, 1024);
		rig_header(&r, H, c->type, 0);
		a = rig_run(&r, S, c->pieces, c->count);
		if (!a.is_answered || a.status != c->status || a.len != c->len)
			fail_msg("%s: answered %d, status %u, len %u", c->name, a.is_answered,
				 a.status, a.len);
		if (rig_counter(&r, c->counter) != 1)
			fail_msg("%s: %s is %lu", c->name, c->counter, rig_counter(&r, c->counter));
		assert_int_equal(rig_counter(&r, "io_errors"), 1);
		assert_true(rig_is_filled(rig_at(&r, D), 0x5a, 1024));
		assert_true(rig_disk_is(&r, 0, 1, rig_pattern(0)));
		rig_deinit(&r);
	}
}

/* Without a byte for the status nothing is said, and the ring goes on. */
static const struct refusal dropped[] = {
	{ .name = "only a header", .pieces = { { H, 16, R } }, .count = 1 },
	{ .name = "readable status",
	  .type = VIRTIO_BLK_T_OUT,
	  .pieces = { { H, 16, R }, { D, 512, R }, { S, 1, R } },
	  .count = 3 },
	{ .name = "writable data, readable status",
	  .pieces = { { H, 16, R }, { D, 512, W }, { S, 1, R } },
	  .count = 3 },
	{ .name = "status outside RAM",
	  .pieces = { { H, 16, R }, { D, 512, W }, { RIG_HOLE, 1, W } },
	  .count = 3 },
	{ .name = "empty status", .pieces = { { H, 16, R }, { S, 0, W } }, .count = 2 },
	{ .name = "all empty", .pieces = { { H, 0, R }, { S, 0, W } }, .count = 2 },
};

ETEST(without_a_status_byte_the_chain_is_dropped)
{
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
		const struct refusal *c = &dropped[i];
		struct rig r;

		rig_init(&r, RIG_MODE, "");
		memset(rig_at(&r, D), 0x5a, 1024);
		rig_header(&r, H, c->type, 0);
		if (rig_run(&r, S, c->pieces, c->count).is_answered)
			fail_msg("%s: answered", c->name);
		assert_int_equal(*(uint8_t *)rig_at(&r, S), 0xee);
		assert_true(rig_is_filled(rig_at(&r, D), 0x5a, 1024));
		assert_int_equal(rig_counter(&r, "chains_dropped"), 1);
		assert_int_equal(rig_counter(&r, "io_errors"), 1);
		assert_int_equal(rig_irqs(&r), 1); /* the flush's */
		rig_deinit(&r);
	}
}

/* A read of @count bytes, one byte to a descriptor, through an indirect table. */
static struct rig_answer run_bytewise(struct rig *r, unsigned count)
{
	struct vring_desc *table = rig_at(r, 0x100000); /* room for thousands */
	const struct piece indirect = { 0x100000, 16 * (count + 2), IND };

	rig_header(r, H, VIRTIO_BLK_T_IN, 3);
	table[0] = (struct vring_desc){ H, 16, VRING_DESC_F_NEXT, 1 };
	for (unsigned i = 0; i < count; i++)
		table[i + 1] =
			(struct vring_desc){ D + i, 1, W | VRING_DESC_F_NEXT, (uint16_t)(i + 2) };
	table[count + 1] = (struct vring_desc){ S, 1, W, 0 };
	return rig_run(r, S, &indirect, 1);
}

ETEST(a_table_longer_than_the_queue_is_served_up_to_the_cap)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	assert_answer(run_bytewise(&r, 512), 0, 513);
	assert_true(rig_is_filled(rig_at(&r, D), rig_pattern(3), 512));
	assert_answer(run_bytewise(&r, 1024), 1, 0); /* 1026 descriptors */
	assert_int_equal(rig_counter(&r, "refused_too_many_descriptors"), 1);
	rig_deinit(&r);
}

TESTS(ON_ALL(any_partition_is_the_same_request),
      ON_ALL(any_partition_works_behind_an_indirect_table), ON_ALL(what_is_no_request_gets_ioerr),
      ON_ALL(without_a_status_byte_the_chain_is_dropped),
      ON_ALL(a_table_longer_than_the_queue_is_served_up_to_the_cap))
