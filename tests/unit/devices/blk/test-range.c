// SPDX-License-Identifier: GPL-2.0-only
/* Range checks of requests against arithmetic that cannot wrap (128 bits), exhaustively: every small
 * disk, every start near 0, near its end, and near each place where some product or sum of 64 bits
 * wraps, every small length, for data and for segments. */
#include "devices/blk/request.h"

#include "base/util.h"

#include "test.h"

#include <linux/virtio_blk.h>
#include <string.h>

enum { DISK_MAX = 6, LENGTH_MAX = 8, NEAR = 8 };

static const uint64_t all_features =
	UINT64_C(1) << VIRTIO_BLK_F_DISCARD | UINT64_C(1) << VIRTIO_BLK_F_WRITE_ZEROES;

/* What 2^55 sectors, 2^63 bytes and 2^64 of anything wrap to. */
static const uint64_t places[] = {
	0,
	UINT64_C(1) << 32,
	UINT64_C(1) << 54,
	UINT64_C(1) << 55,
	(UINT64_C(1) << 55) + (UINT64_C(1) << 54),
	UINT64_C(1) << 56,
	UINT64_C(1) << 63,
	UINT64_MAX - NEAR + 1,
};

/* Capacities: small ones, and the largest that a file can have. */
static const uint64_t disks[] = { 0, 1, 2, 3, 4, 5, DISK_MAX, INT64_MAX / 512 };

struct request {
	struct virtio_blk_outhdr header;
	struct virtio_blk_discard_write_zeroes segments[3];
	uint8_t status;
	struct vq_chain chain;
	struct blk_request parsed;
};

static struct blk_limits limits_of(uint64_t sectors)
{
	return (struct blk_limits){ .sectors = sectors, .negotiated = all_features };
}

static bool is_in(uint64_t disk, uint64_t sector, uint64_t sectors)
{
	return (unsigned __int128)sector + sectors <= disk;
}

static void set_chain(struct request *q, void *out, size_t out_bytes, void *in, size_t in_bytes)
{
	struct vq_chain *c = &q->chain;

	*c = (struct vq_chain){ 0 };
	c->iov[c->readable_count++] = (struct iovec){ &q->header, sizeof(q->header) };
	if (out_bytes)
		c->iov[c->readable_count++] = (struct iovec){ out, out_bytes };
	c->readable_empty = 1;
	c->readable_bytes = sizeof(q->header) + out_bytes;
	if (in_bytes)
		c->iov[c->readable_count + c->writable_count++] = (struct iovec){ in, in_bytes };
	c->iov[c->readable_count + c->writable_count++] = (struct iovec){ &q->status, 1 };
	c->writable_empty = 1;
	c->writable_bytes = in_bytes + 1;
	c->last_writable = &q->status;
}

static void check_data(struct request *q, uint32_t type, uint64_t disk, uint64_t sector,
		       uint64_t sectors)
{
	static uint8_t payload[LENGTH_MAX * 512];
	const struct blk_limits limits = limits_of(disk);
	bool is_read = type == VIRTIO_BLK_T_IN;
	enum blk_refusal expected, got;

	q->header = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	set_chain(q, payload, is_read ? 0 : sectors * 512, payload, is_read ? sectors * 512 : 0);
	got = blk_request_parse(&q->parsed, &q->chain, &limits);
	expected = is_in(disk, sector, sectors) ? BLK_ACCEPTED : BLK_BAD_RANGE;
	if (got != expected)
		fail_msg("type %u, disk %lu, sector %#lx + %lu: %s", type, disk, sector, sectors,
			 blk_refusal_name(got));
	if (got == BLK_ACCEPTED) {
		assert_true(q->parsed.sector == sector && q->parsed.sectors == sectors);
		assert_true(((unsigned __int128)sector + sectors) * 512 <= INT64_MAX);
	}
}

TEST(data_is_inside_the_disk_or_refused)
{
	struct request q;

	for (size_t d = 0; d < ARRAY_SIZE(disks); d++) {
		for (size_t p = 0; p <= ARRAY_SIZE(places); p++) {
			/* The last place is around the end of the disk. */
			uint64_t place = p < ARRAY_SIZE(places) ? places[p] : disks[d];

			for (uint64_t off = 0; off < 2 * NEAR; off++) {
				for (uint64_t n = 0; n <= LENGTH_MAX; n++) {
					/* Starts wrap round 2^64 as well. */
					uint64_t sector = place - NEAR + off;

					check_data(&q, VIRTIO_BLK_T_IN, disks[d], sector, n);
					check_data(&q, VIRTIO_BLK_T_OUT, disks[d], sector, n);
				}
			}
		}
	}
}

static enum blk_refusal model_segments(const struct request *q, unsigned count, uint64_t disk)
{
	for (unsigned i = 0; i < count; i++) {
		const struct virtio_blk_discard_write_zeroes *s = &q->segments[i];

		if (s->num_sectors > BLK_SEGMENT_SECTORS_MAX)
			return BLK_SEGMENT_TOO_LONG;
		if (s->num_sectors && !is_in(disk, s->sector, s->num_sectors))
			return BLK_BAD_RANGE;
	}
	return BLK_ACCEPTED;
}

/* Segment number @which takes all values, the others are fine. */
static void check_segments(struct request *q, uint64_t disk, unsigned which, uint64_t sector,
			   uint32_t sectors)
{
	const struct blk_limits limits = limits_of(disk);
	enum blk_refusal expected, got;

	memset(q->segments, 0, sizeof(q->segments));
	q->segments[which].sector = sector;
	q->segments[which].num_sectors = sectors;
	q->header = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_DISCARD };
	set_chain(q, q->segments, sizeof(q->segments), NULL, 0);
	expected = model_segments(q, ARRAY_SIZE(q->segments), disk);
	got = blk_request_parse(&q->parsed, &q->chain, &limits);
	if (got != expected)
		fail_msg("disk %lu, segment %u: %#lx + %u: %s", disk, which, sector, sectors,
			 blk_refusal_name(got));
}

TEST(segments_are_inside_the_disk_or_refused)
{
	static const uint32_t lengths[] = {
		0,
		1,
		2,
		3,
		DISK_MAX,
		DISK_MAX + 1,
		BLK_SEGMENT_SECTORS_MAX - 1,
		BLK_SEGMENT_SECTORS_MAX,
		BLK_SEGMENT_SECTORS_MAX + 1,
		UINT32_MAX - 1,
		UINT32_MAX,
	};
	struct request q;

	for (size_t d = 0; d < ARRAY_SIZE(disks); d++)
		for (size_t p = 0; p <= ARRAY_SIZE(places); p++)
			for (uint64_t off = 0; off < 2 * NEAR; off++)
				for (size_t n = 0; n < ARRAY_SIZE(lengths); n++)
					for (unsigned which = 0; which < 3; which++)
						check_segments(&q, disks[d], which,
							       (p < ARRAY_SIZE(places) ? places[p]
										       : disks[d]) -
								       NEAR + off,
							       lengths[n]);
}

/* Every length in bytes up to a few sectors: whole sectors only. */
TEST(only_whole_sectors_are_data)
{
	static uint8_t payload[3 * 512 + 1];
	const struct blk_limits limits = limits_of(DISK_MAX);
	struct request q = { .header.type = VIRTIO_BLK_T_OUT };

	for (size_t bytes = 0; bytes < sizeof(payload); bytes++) {
		set_chain(&q, payload, bytes, NULL, 0);
		assert_int_equal(blk_request_parse(&q.parsed, &q.chain, &limits),
				 bytes % 512 ? BLK_BAD_LENGTH : BLK_ACCEPTED);
	}
}

TESTS(T(data_is_inside_the_disk_or_refused), T(segments_are_inside_the_disk_or_refused),
      T(only_whole_sectors_are_data))
