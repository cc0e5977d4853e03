/* SPDX-License-Identifier: GPL-2.0-only */
/* One request: from a copied descriptor chain to "do this" or "refuse it, because". The bytes of the
 * header and of discard segments are loaded from guest memory once, here; afterwards only the copy
 * is looked at. How the request is cut into descriptors carries no meaning (2.7.4.1).
 *
 *	readable: | header 16 | OUT data or segments |	writable: | IN data | status 1 |
 *
 * Precedence of refusals: no status byte (dropped) > broken framing > UNSUPP > read-only > size and
 * range. Source: virtio 1.2, 5.2.6. */
#pragma once

#include "devices/blk/fault.h"
#include "virtio/vq.h"

enum {
	BLK_SECTOR_BYTES = 512,
	BLK_SEGMENTS_MAX = 64, /* of one discard or write-zeroes request */
	/* Sectors of one segment: 2 GiB, a multiple of every block size. */
	BLK_SEGMENT_SECTORS_MAX = 1 << 22,
};

/* Why a request is not done. To add a reason: add a row; its counter follows. */
#define BLK_REFUSALS(X)                                                                            \
	X(BLK_ACCEPTED, "none", VIRTIO_BLK_S_OK)                                                   \
	X(BLK_NO_STATUS, "no_status_byte", VIRTIO_BLK_S_IOERR) /* dropped, not answered */         \
	X(BLK_BAD_ORDER, "readable_after_writable", VIRTIO_BLK_S_IOERR)                            \
	X(BLK_TOO_MANY_PIECES, "too_many_descriptors", VIRTIO_BLK_S_IOERR)                         \
	X(BLK_TOO_LONG, "over_4_gib", VIRTIO_BLK_S_IOERR)                                          \
	X(BLK_BAD_HEADER, "bad_header", VIRTIO_BLK_S_IOERR)                                        \
	X(BLK_BAD_TYPE, "unsupported_type", VIRTIO_BLK_S_UNSUPP)                                   \
	X(BLK_BAD_FLAGS, "unsupported_flags", VIRTIO_BLK_S_UNSUPP)                                 \
	X(BLK_READ_ONLY, "read_only", VIRTIO_BLK_S_IOERR)                                          \
	X(BLK_BAD_ADDRESS, "bad_address", VIRTIO_BLK_S_IOERR)                                      \
	X(BLK_BAD_DIRECTION, "bad_direction", VIRTIO_BLK_S_IOERR) /* data of the other kind */     \
	X(BLK_NO_DATA, "no_data", VIRTIO_BLK_S_IOERR)                                              \
	X(BLK_BAD_LENGTH, "bad_length", VIRTIO_BLK_S_IOERR)                                        \
	X(BLK_BAD_RANGE, "bad_range", VIRTIO_BLK_S_IOERR)                                          \
	X(BLK_TOO_MANY_SEGMENTS, "too_many_segments", VIRTIO_BLK_S_IOERR)                          \
	X(BLK_SEGMENT_TOO_LONG, "segment_too_long", VIRTIO_BLK_S_IOERR)

#define X(id, name, status) id,
enum blk_refusal { BLK_REFUSALS(X) BLK_REFUSAL_COUNT };
#undef X

const char *blk_refusal_name(enum blk_refusal refusal);
uint8_t blk_refusal_status(enum blk_refusal refusal);

struct blk_segment {
	uint64_t sector;
	uint32_t sectors;
	bool can_unmap;
};

/* What requests are checked against. */
struct blk_limits {
	uint64_t sectors;    /* capacity */
	uint64_t negotiated; /* feature bits */
	bool is_read_only;
};

struct blk_request {
	enum blk_op op;
	uint8_t *status;     /* in guest memory; NULL: the chain must be dropped */
	uint64_t room_bytes; /* writable bytes before the status byte */
	uint64_t sector;     /* first; of discard and write-zeroes, the first segment's */
	uint64_t sectors;    /* of the range, or of all segments together */
	struct iovec *iov;   /* payload, inside the chain's own array */
	unsigned iov_count;
	uint64_t data_bytes;
	unsigned segment_count;
	struct blk_segment segments[BLK_SEGMENTS_MAX];
};

/* Read @chain, whose iovecs become the request's payload (header and status byte are cut off in
 * place). BLK_ACCEPTED, or the reason why not; status and room_bytes are set in any case. */
enum blk_refusal blk_request_parse(struct blk_request *req, struct vq_chain *chain,
				   const struct blk_limits *limits);
