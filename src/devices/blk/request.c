// SPDX-License-Identifier: GPL-2.0-only
/* Parsing and refusing requests. One table row for each request type says what it needs. */
#include "devices/blk/request.h"

#include "base/util.h"

#include <linux/virtio_blk.h>

enum {
	HEADER_BYTES = 16,
	SEGMENT_BYTES = 16,
	/* Segments looked at for unknown flags, which win over "too many": a bound on the work. */
	SCANNED_SEGMENTS_MAX = 4096,
};

#define X(id, name, status) { name, status },
static const struct {
	const char *name;
	uint8_t status;
} refusals[] = { BLK_REFUSALS(X) };
#undef X

const char *blk_refusal_name(enum blk_refusal refusal)
{
	return refusals[refusal].name;
}

uint8_t blk_refusal_status(enum blk_refusal refusal)
{
	return refusals[refusal].status;
}

/* Everything one request type is; @check sees a request whose op, sector and status are set. */
struct type_row {
	uint32_t type;
	enum blk_op op;
	bool is_write;
	uint64_t feature; /* the mask that must have been negotiated; 0 = none */
	enum blk_refusal (*check)(struct blk_request *req, struct vq_chain *chain,
				  const struct type_row *row, const struct blk_limits *limits);
};

/* Is [sector, sector + sectors) inside the disk? Never forms sector * 512, which wraps. */
static bool is_inside(uint64_t sector, uint64_t sectors, const struct blk_limits *limits)
{
	return sectors <= limits->sectors && sector <= limits->sectors - sectors;
}

/* Cut @bytes off the front of the readable iovecs; what is left is the payload. */
static void take_readable_payload(struct blk_request *req, struct vq_chain *chain, size_t bytes)
{
	struct iovec *iov = chain->iov;
	unsigned count = chain->readable_count;

	while (count && bytes >= iov->iov_len) {
		bytes -= iov->iov_len;
		iov++;
		count--;
	}
	if (count && bytes) {
		iov->iov_base = (unsigned char *)iov->iov_base + bytes;
		iov->iov_len -= bytes;
	}
	req->iov = iov;
	req->iov_count = count;
	req->data_bytes = chain->readable_bytes - HEADER_BYTES;
}

/* Cut the status byte off the end of the writable iovecs; what is left is the payload. */
static void take_writable_payload(struct blk_request *req, struct vq_chain *chain)
{
	struct iovec *iov = chain->iov + chain->readable_count;
	unsigned count = chain->writable_count;

	if (--iov[count - 1].iov_len == 0)
		count--;
	req->iov = iov;
	req->iov_count = count;
	req->data_bytes = req->room_bytes;
}

/* Framing that only matters once data is going to move. */
static enum blk_refusal check_data(const struct blk_request *req, const struct vq_chain *chain,
				   bool is_write, const struct blk_limits *limits)
{
	uint64_t out_bytes = chain->readable_bytes - HEADER_BYTES;

	if (is_write && limits->is_read_only)
		return BLK_READ_ONLY;
	if (is_write ? req->room_bytes : out_bytes)
		return BLK_BAD_DIRECTION;
	return chain->has_bad_address ? BLK_BAD_ADDRESS : BLK_ACCEPTED;
}

static enum blk_refusal check_read_write(struct blk_request *req, struct vq_chain *chain,
					 const struct type_row *row,
					 const struct blk_limits *limits)
{
	enum blk_refusal refusal = check_data(req, chain, row->is_write, limits);
	unsigned empty = row->is_write ? chain->readable_empty : chain->writable_empty;

	if (refusal)
		return refusal;
	if (row->is_write)
		take_readable_payload(req, chain, HEADER_BYTES);
	else
		take_writable_payload(req, chain);
	if (req->data_bytes == 0 && !empty)
		return BLK_NO_DATA;
	if (!is_aligned(req->data_bytes, BLK_SECTOR_BYTES))
		return BLK_BAD_LENGTH;
	req->sectors = req->data_bytes / BLK_SECTOR_BYTES;
	return is_inside(req->sector, req->sectors, limits) ? BLK_ACCEPTED : BLK_BAD_RANGE;
}

static enum blk_refusal check_flush(struct blk_request *req, struct vq_chain *chain,
				    const struct type_row *row, const struct blk_limits *limits)
{
	req->sector = 0;
	return chain->has_bad_address ? BLK_BAD_ADDRESS : BLK_ACCEPTED;
}

static enum blk_refusal check_get_id(struct blk_request *req, struct vq_chain *chain,
				     const struct type_row *row, const struct blk_limits *limits)
{
	req->sector = 0;
	if (chain->has_bad_address)
		return BLK_BAD_ADDRESS;
	take_writable_payload(req, chain);
	return req->room_bytes < VIRTIO_BLK_ID_BYTES ? BLK_BAD_LENGTH : BLK_ACCEPTED;
}

/* Load every segment once; keep the first BLK_SEGMENTS_MAX. Flags that are not known anywhere win
 * over all that may be wrong elsewhere. */
static enum blk_refusal load_segments(struct blk_request *req, const struct vq_chain *chain,
				      uint32_t known_flags)
{
	uint64_t n = (chain->readable_bytes - HEADER_BYTES) / SEGMENT_BYTES;

	n = MIN(n, (uint64_t)SCANNED_SEGMENTS_MAX);
	for (uint64_t i = 0; i < n; i++) {
		struct virtio_blk_discard_write_zeroes copy;

		if (iov_load(chain->iov, chain->readable_count, HEADER_BYTES + i * SEGMENT_BYTES,
			     &copy, sizeof(copy)) != sizeof(copy))
			break; /* the rest is not in guest memory; refused by its address */
		if (copy.flags & ~known_flags)
			return BLK_BAD_FLAGS;
		if (i < BLK_SEGMENTS_MAX)
			req->segments[req->segment_count++] = (struct blk_segment){
				.sector = copy.sector,
				.sectors = copy.num_sectors,
				.can_unmap = copy.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP,
			};
	}
	return BLK_ACCEPTED;
}

static enum blk_refusal check_segment_ranges(struct blk_request *req,
					     const struct blk_limits *limits)
{
	for (unsigned i = 0; i < req->segment_count; i++) {
		const struct blk_segment *s = &req->segments[i];

		if (s->sectors > BLK_SEGMENT_SECTORS_MAX)
			return BLK_SEGMENT_TOO_LONG;
		if (s->sectors && !is_inside(s->sector, s->sectors, limits))
			return BLK_BAD_RANGE;
		req->sectors += s->sectors;
	}
	req->sector = req->segments[0].sector;
	return BLK_ACCEPTED;
}

static enum blk_refusal check_segments(struct blk_request *req, struct vq_chain *chain,
				       const struct type_row *row, const struct blk_limits *limits)
{
	uint64_t bytes = chain->readable_bytes - HEADER_BYTES;
	uint32_t known_flags =
		row->op == BLK_OP_WRITE_ZEROES ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
	enum blk_refusal refusal = load_segments(req, chain, known_flags);

	if (!refusal)
		refusal = check_data(req, chain, true, limits);
	if (refusal)
		return refusal;
	if (bytes == 0)
		return BLK_NO_DATA;
	if (!is_aligned(bytes, SEGMENT_BYTES))
		return BLK_BAD_LENGTH;
	if (bytes / SEGMENT_BYTES > BLK_SEGMENTS_MAX)
		return BLK_TOO_MANY_SEGMENTS;
	return check_segment_ranges(req, limits);
}

#define FEATURE(bit) (UINT64_C(1) << (bit))

static const struct type_row type_rows[] = {
	{ VIRTIO_BLK_T_IN, BLK_OP_READ, false, 0, check_read_write },
	{ VIRTIO_BLK_T_OUT, BLK_OP_WRITE, true, 0, check_read_write },
	{ VIRTIO_BLK_T_FLUSH, BLK_OP_FLUSH, false, FEATURE(VIRTIO_BLK_F_FLUSH), check_flush },
	{ VIRTIO_BLK_T_GET_ID, BLK_OP_GET_ID, false, 0, check_get_id },
	{ VIRTIO_BLK_T_DISCARD, BLK_OP_DISCARD, true, FEATURE(VIRTIO_BLK_F_DISCARD),
	  check_segments },
	{ VIRTIO_BLK_T_WRITE_ZEROES, BLK_OP_WRITE_ZEROES, true, FEATURE(VIRTIO_BLK_F_WRITE_ZEROES),
	  check_segments },
};

static const struct type_row *type_find(uint32_t type, uint64_t negotiated)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_rows); i++) {
		const struct type_row *row = &type_rows[i];

		if (row->type == type)
			return (row->feature & ~negotiated) ? NULL : row;
	}
	return NULL;
}

/* Shapes of a chain that make no request of any type. */
static enum blk_refusal check_framing(const struct vq_chain *chain)
{
	if (!chain->last_writable || chain->ends_readable)
		return BLK_NO_STATUS;
	if (chain->is_readable_after_writable)
		return BLK_BAD_ORDER;
	if (chain->is_over_cap)
		return BLK_TOO_MANY_PIECES;
	return chain->is_over_4gib ? BLK_TOO_LONG : BLK_ACCEPTED;
}

enum blk_refusal blk_request_parse(struct blk_request *req, struct vq_chain *chain,
				   const struct blk_limits *limits)
{
	enum blk_refusal refusal = check_framing(chain);
	struct virtio_blk_outhdr header;
	const struct type_row *row;

	req->status = refusal == BLK_NO_STATUS ? NULL : chain->last_writable;
	req->room_bytes = req->status ? chain->writable_bytes - 1 : 0;
	req->sectors = 0;
	req->iov_count = 0;
	req->data_bytes = 0;
	req->segment_count = 0;
	if (refusal)
		return refusal;
	if (iov_load(chain->iov, chain->readable_count, 0, &header, HEADER_BYTES) != HEADER_BYTES)
		return BLK_BAD_HEADER;
	row = type_find(header.type, limits->negotiated);
	if (!row)
		return BLK_BAD_TYPE;
	req->op = row->op;
	req->sector = header.sector;
	return row->check(req, chain, row, limits);
}
