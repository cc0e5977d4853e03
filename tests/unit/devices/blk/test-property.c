// SPDX-License-Identifier: GPL-2.0-only
/* Random requests in random legal partitions against a model that knows nothing of descriptors: a
 * request is a string of bytes that the device may read and a number of bytes that it may write.
 * Checked for each: status, used.len, every byte of the writable part, and the disk; for each kick:
 * number of answers (and their order, where the engine does one request at a time), and one
 * interrupt (where requests run side by side, or in a thread: one for each store of used.idx).
 *
 * On every engine. Where requests of one kick may run side by side (io_uring) they have no order, so
 * those that touch the same sectors and change them are not put into one kick.
 *
 * KTSTR_BLK_PROPERTY=1000000 runs a million; KTSTR_BLK_SEED starts elsewhere. */
#include "devices/blk/rng.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ARENA = 0x80000,
	ARENA_END = RIG_RAM - 0x1000,
	PIECES_MAX = 24,
	PAYLOAD_MAX = 16 * 512 + 64,
	BATCH_MAX = 6,
	SEGMENTS_MAX = 6,
	FILL = 0x5a,
};

/* Sectors that a request of this kick touches. */
struct extent {
	uint64_t start;
	uint64_t end;
	bool is_changed;
};

/* A string of bytes, cut into pieces in guest memory. */
struct stream {
	struct piece pieces[PIECES_MAX];
	unsigned count;
	unsigned empty;
};

struct request {
	uint32_t type;
	uint64_t sector;
	uint8_t readable[16 + PAYLOAD_MAX];
	uint32_t readable_bytes;
	uint32_t writable_bytes; /* the status byte included */
	struct stream out, in;
	uint16_t head;
	/* What must come of it. */
	bool is_dropped;
	bool is_open; /* not answered yet */
	uint32_t len;
	uint8_t writable[PAYLOAD_MAX + 1];
};

struct world {
	struct rig rig;
	struct blk_rng rng;
	uint8_t disk[RIG_DISK_SECTORS * 512];
	uint64_t arena;
	struct request batch[BATCH_MAX];
	struct extent extents[BATCH_MAX * SEGMENTS_MAX];
	unsigned extent_count;
	uint64_t answers;
};

static bool is_concurrent(const struct world *w)
{
	return rig_engine(w->rig.mode) == BLK_ENGINE_URING;
}

static uint64_t below(struct world *w, uint64_t bound)
{
	return blk_rng_below(&w->rng, bound);
}

static bool one_in(struct world *w, unsigned n)
{
	return below(w, n) == 0;
}

/* Room for a piece: somewhere behind the last one, now and then over the border of the slots. */
static uint64_t place(struct world *w, uint32_t len)
{
	uint64_t addr = w->arena + below(w, 40);

	if (addr < RIG_SLOT - 0x8000 && len > 1 && one_in(w, 20))
		addr = RIG_SLOT - 1 - below(w, len - 1);
	w->arena = addr + len;
	assert_true(w->arena < ARENA_END);
	return addr;
}

static void add_piece(struct world *w, struct stream *s, uint32_t len, uint16_t flags)
{
	s->pieces[s->count++] =
		(struct piece){ len ? place(w, len) : below(w, UINT64_MAX), len, flags };
	s->empty += !len;
}

static void cut(struct world *w, struct stream *s, uint32_t bytes, uint16_t flags)
{
	*s = (struct stream){ 0 };
	while (bytes && s->count < PIECES_MAX - 2) {
		uint32_t len = one_in(w, 3) ? bytes : 1 + (uint32_t)below(w, bytes);

		if (one_in(w, 10))
			add_piece(w, s, 0, flags);
		add_piece(w, s, len, flags);
		bytes -= len;
	}
	if (bytes)
		add_piece(w, s, bytes, flags);
	if (one_in(w, 10))
		add_piece(w, s, 0, flags);
}

/* Copy a stream out of or into guest memory, byte by byte. */
static void copy(struct world *w, const struct stream *s, uint8_t *bytes, bool is_store)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (!s->pieces[i].len)
			continue;
		void *at = rig_at(&w->rig, s->pieces[i].addr);

		memcpy(is_store ? at : bytes, is_store ? (void *)bytes : at, s->pieces[i].len);
		bytes += s->pieces[i].len;
	}
}

static uint64_t random_sector(struct world *w)
{
	static const uint64_t corners[] = {
		0,	    RIG_DISK_SECTORS - 1, RIG_DISK_SECTORS, UINT64_C(1) << 55,
		UINT64_MAX, UINT64_MAX - 1
	};

	return one_in(w, 8) ? corners[below(w, ARRAY_SIZE(corners))] : below(w, RIG_DISK_SECTORS);
}

static uint32_t random_bytes(struct world *w)
{
	if (one_in(w, 8))
		return (uint32_t)below(w, 1500);
	return 512 * (uint32_t)below(w, 17);
}

static uint32_t random_type(struct world *w)
{
	static const uint32_t types[] = {
		0, 0, 0, 1, 1, 1, 4, 8, 11, 13, 13, 2, 0x80000000, 0xbeef
	};

	return types[below(w, ARRAY_SIZE(types))];
}

static void random_segments(struct world *w, struct request *q)
{
	unsigned count = (unsigned)below(w, SEGMENTS_MAX);

	for (unsigned i = 0; i < count; i++) {
		struct virtio_blk_discard_write_zeroes s = {
			.sector = random_sector(w),
			.num_sectors =
				(uint32_t)(one_in(w, 20) ? below(w, 1u << 24) : below(w, 30)),
			.flags = (uint32_t)(one_in(w, 10) ? below(w, 4) : 0),
		};

		memcpy(q->readable + q->readable_bytes, &s, 16);
		q->readable_bytes += 16;
	}
	if (one_in(w, 12))
		q->readable_bytes -= (uint32_t)below(w, 16);
}

static void invent(struct world *w, struct request *q)
{
	struct virtio_blk_outhdr header = { .type = random_type(w), .sector = random_sector(w) };

	*q = (struct request){ .type = header.type,
			       .sector = header.sector,
			       .readable_bytes = 16,
			       .writable_bytes = 1 };
	memcpy(q->readable, &header, 16);
	if (q->type == VIRTIO_BLK_T_OUT || one_in(w, 15)) {
		uint32_t bytes = random_bytes(w);

		memset(q->readable + 16, (int)below(w, 256), bytes);
		q->readable[16 + below(w, 512)] ^= 1;
		q->readable_bytes += bytes;
	} else if (q->type >= VIRTIO_BLK_T_DISCARD && q->type <= VIRTIO_BLK_T_WRITE_ZEROES) {
		random_segments(w, q);
	}
	if (q->type == VIRTIO_BLK_T_IN || one_in(w, 15))
		q->writable_bytes += random_bytes(w);
	else if (q->type == VIRTIO_BLK_T_GET_ID)
		q->writable_bytes += 15 + (uint32_t)below(w, 10);
	if (one_in(w, 40))
		q->writable_bytes = 0;
	if (one_in(w, 40))
		q->readable_bytes = (uint32_t)below(w, 16);
	cut(w, &q->out, q->readable_bytes, R);
	cut(w, &q->in, q->writable_bytes, W);
	if (q->out.count + q->in.count == 0)
		add_piece(w, &q->out, 0, R);
}

/* What @q would touch if it were done. */
static unsigned extents_of(const struct request *q, struct extent *ret)
{
	uint32_t bytes = q->type == VIRTIO_BLK_T_IN ? q->writable_bytes : q->readable_bytes;
	bool is_data = q->type == VIRTIO_BLK_T_IN || q->type == VIRTIO_BLK_T_OUT;
	unsigned count = 0;

	if (is_data)
		ret[count++] = (struct extent){ q->sector, bytes / 512 + 1, q->type != 0 };
	for (uint32_t at = 16; !is_data && at + 16 <= bytes; at += 16) {
		struct virtio_blk_discard_write_zeroes s;

		memcpy(&s, q->readable + at, 16);
		if (count < SEGMENTS_MAX)
			ret[count++] = (struct extent){ s.sector, s.num_sectors, true };
	}
	for (unsigned i = 0; i < count; i++)
		if (__builtin_add_overflow(ret[i].start, ret[i].end, &ret[i].end))
			ret[i].end = UINT64_MAX;
	return count;
}

/* May @q be done side by side with the others of its kick? */
static bool may_join(struct world *w, const struct request *q)
{
	struct extent *mine = &w->extents[w->extent_count];
	unsigned count = extents_of(q, mine);

	for (unsigned i = 0; i < count; i++)
		for (const struct extent *e = w->extents; e < mine; e++)
			if (e->start < mine[i].end && mine[i].start < e->end &&
			    (e->is_changed || mine[i].is_changed))
				return false;
	w->extent_count += count;
	return true;
}

/* The model. Returns the status; *@written_ret is how much of q->writable is written. */

static bool is_in_disk(uint64_t sector, uint64_t sectors)
{
	return sector <= RIG_DISK_SECTORS && sectors <= RIG_DISK_SECTORS - sector;
}

static uint8_t model_read(struct world *w, struct request *q, uint32_t *written_ret)
{
	uint32_t room = q->writable_bytes - 1;

	if (q->readable_bytes > 16 || (!room && !q->in.empty) || room % 512 ||
	    !is_in_disk(q->sector, room / 512))
		return 1;
	memcpy(q->writable, w->disk + q->sector * 512, room);
	*written_ret = room;
	return 0;
}

static uint8_t model_write(struct world *w, struct request *q)
{
	uint32_t bytes = q->readable_bytes - 16;

	if (q->writable_bytes > 1 || (!bytes && !q->out.empty) || bytes % 512 ||
	    !is_in_disk(q->sector, bytes / 512))
		return 1;
	memcpy(w->disk + q->sector * 512, q->readable + 16, bytes);
	return 0;
}

static uint8_t model_get_id(struct request *q, uint32_t *written_ret)
{
	if (q->writable_bytes - 1 < 20)
		return 1;
	memset(q->writable, 0, 20);
	memcpy(q->writable, "ktstr-disk", 10);
	*written_ret = 20;
	return 0;
}

static uint8_t model_segments(struct world *w, struct request *q)
{
	struct virtio_blk_discard_write_zeroes s;
	uint32_t bytes = q->readable_bytes - 16;
	uint32_t known = q->type == VIRTIO_BLK_T_WRITE_ZEROES ? 1 : 0;

	for (uint32_t at = 0; at + 16 <= bytes; at += 16) {
		memcpy(&s, q->readable + 16 + at, 16);
		if (s.flags & ~known)
			return 2;
	}
	if (q->writable_bytes > 1 || !bytes || bytes % 16 || bytes / 16 > 64)
		return 1;
	for (uint32_t at = 0; at < bytes; at += 16) {
		memcpy(&s, q->readable + 16 + at, 16);
		if (s.num_sectors > 1 << 22 ||
		    (s.num_sectors && !is_in_disk(s.sector, s.num_sectors)))
			return 1;
	}
	for (uint32_t at = 0; at < bytes; at += 16) {
		memcpy(&s, q->readable + 16 + at, 16);
		if (s.num_sectors)
			memset(w->disk + s.sector * 512, 0, (size_t)s.num_sectors * 512);
	}
	return 0;
}

static uint8_t model_status(struct world *w, struct request *q, uint32_t *written_ret)
{
	if (q->readable_bytes < 16)
		return 1;
	switch (q->type) {
	case VIRTIO_BLK_T_IN:
		return model_read(w, q, written_ret);
	case VIRTIO_BLK_T_OUT:
		return model_write(w, q);
	case VIRTIO_BLK_T_FLUSH:
		return 0;
	case VIRTIO_BLK_T_GET_ID:
		return model_get_id(q, written_ret);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return model_segments(w, q);
	default:
		return 2;
	}
}

static void predict(struct world *w, struct request *q)
{
	uint32_t written = 0;

	q->is_dropped = q->writable_bytes == 0;
	if (q->is_dropped)
		return;
	memset(q->writable, FILL, q->writable_bytes);
	q->writable[q->writable_bytes - 1] = model_status(w, q, &written);
	q->len = written == q->writable_bytes - 1 ? written + 1 : written;
}

/* Post directly, or all or the end of it through an indirect table. */
static void post(struct world *w, struct request *q)
{
	struct piece all[2 * PIECES_MAX];
	struct vring_desc *table;
	unsigned count = q->out.count + q->in.count;
	unsigned direct = one_in(w, 2) ? count : (unsigned)below(w, count);

	memcpy(all, q->out.pieces, q->out.count * sizeof(all[0]));
	memcpy(all + q->out.count, q->in.pieces, q->in.count * sizeof(all[0]));
	if (direct < count) {
		uint64_t at = align_up(place(w, 16 * count + 16), 16);
		unsigned in_table = count - direct;

		w->arena = at + 16 * count + 16;
		table = rig_at(&w->rig, at);
		for (unsigned i = 0; i < in_table; i++)
			table[i] = (struct vring_desc){
				.addr = all[direct + i].addr,
				.len = all[direct + i].len,
				.flags = (uint16_t)(all[direct + i].flags |
						    (i + 1 < in_table ? VRING_DESC_F_NEXT : 0)),
				.next = (uint16_t)(i + 1),
			};
		all[direct] = (struct piece){ at, 16 * in_table, IND };
		count = direct + 1;
	}
	q->head = rig_post(&w->rig, all, count);
}

static void check(struct world *w, struct request *q, struct vring_used_elem e)
{
	uint8_t got[PAYLOAD_MAX + 1];

	copy(w, &q->in, got, false);
	if (e.id != q->head || e.len != q->len || memcmp(got, q->writable, q->writable_bytes) != 0)
		fail_msg("type %u sector %#lx readable %u writable %u: head %u (%u), len %u (%u), "
			 "status %u (%u)",
			 q->type, q->sector, q->readable_bytes, q->writable_bytes, e.id, q->head,
			 e.len, q->len, got[q->writable_bytes - 1],
			 q->writable[q->writable_bytes - 1]);
}

/* The request that @head answers, no longer open; the first open one if answers have an order. */
static struct request *take_open(struct world *w, unsigned count, uint32_t head)
{
	for (unsigned i = 0; i < count; i++) {
		struct request *q = &w->batch[i];

		if (q->is_open && (!is_concurrent(w) || q->head == head)) {
			q->is_open = false;
			return q;
		}
	}
	fail_msg("head %u was not posted, or is answered twice", head);
	return NULL;
}

/* Threads may still be at the last chain when all others are answered, so it is one that is. */
static void invent_fitting(struct world *w, struct request *q, bool is_last)
{
	do
		invent(w, q);
	while ((w->rig.has_threads && is_last && !q->writable_bytes) ||
	       (is_concurrent(w) && !may_join(w, q)));
}

static unsigned post_batch(struct world *w, unsigned count)
{
	unsigned answers = 0;

	w->arena = ARENA;
	w->extent_count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct request *q = &w->batch[i];
		uint8_t fill[PAYLOAD_MAX + 1];

		invent_fitting(w, q, i + 1 == count);
		memset(fill, FILL, sizeof(fill));
		copy(w, &q->out, q->readable, true);
		copy(w, &q->in, fill, true);
		predict(w, q);
		post(w, q);
		q->is_open = !q->is_dropped;
		answers += q->is_open;
	}
	return answers;
}

static unsigned run_batch(struct world *w)
{
	unsigned count = 1 + (unsigned)below(w, BATCH_MAX);
	uint64_t irqs = atomic_load(&w->rig.irqs);
	unsigned answers = post_batch(w, count);

	rig_kick(&w->rig);
	for (unsigned i = 0; i < answers; i++) {
		struct vring_used_elem e = rig_take_on(&w->rig, 0);

		check(w, take_open(w, count, e.id), e);
	}
	assert_int_equal(rig_used_idx(&w->rig, 0), w->rig.rings[0].used);
	if (!w->rig.has_threads)
		assert_in_range(atomic_load(&w->rig.irqs) - irqs, answers != 0,
				is_concurrent(w) ? answers : answers != 0);
	w->answers += answers;
	return count;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void expect_disk(struct world *w)
{
	uint8_t *disk = malloc(sizeof(w->disk));

	assert_non_null(disk);
	assert_int_equal(pread(w->rig.disk_fd, disk, sizeof(w->disk), 0), sizeof(w->disk));
	assert_memory_equal(disk, w->disk, sizeof(w->disk));
	free(disk);
}

ETEST(random_requests_in_random_partitions_match_the_model)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t runs = number_from("KTSTR_BLK_PROPERTY", 100000);

	assert_non_null(w);
	w->rng.state = number_from("KTSTR_BLK_SEED", 1);
	rig_init(&w->rig, RIG_MODE, "");
	for (unsigned s = 0; s < RIG_DISK_SECTORS; s++)
		memset(w->disk + s * 512, rig_pattern(s), 512);
	for (uint64_t done = 0; done < runs;)
		done += run_batch(w);
	expect_disk(w);
	blk_pause(w->rig.blk); /* the last interrupt is raised */
	assert_int_equal(atomic_load(&w->rig.irqs), rig_counter(&w->rig, "batches"));
	assert_true(atomic_load(&w->rig.irqs) <= w->answers);
	blk_resume(w->rig.blk);
	rig_deinit(&w->rig);
	free(w);
}

TESTS(ON_ALL(random_requests_in_random_partitions_match_the_model))
