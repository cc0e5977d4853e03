/* SPDX-License-Identifier: GPL-2.0-only */
/* A log of everything that changed a disk, in the order in which the host did it: what a crash test
 * needs to build each image that a power cut could have left (tests/tools/blk-crash.c).
 *
 *	| file header | record | payload | record | record | payload | ...
 *
 * It is a layer over another backing, so that engines, faults and write-through are the same with
 * it: a write that was cut short is logged as short, a flush that a fault swallowed is not logged,
 * and with write-back off each write is followed by its flush. One lock is held over the host's
 * call and its record; that, and not the log's speed, makes the order true. io_uring's calls are
 * therefore made in place on such a disk.
 *
 * The payload is what the disk holds after the write, read back under the lock: guest memory is
 * read once, and may change meanwhile.
 *
 * A log that cannot be written ends the recording where it is true: the change that was not
 * recorded, and every later one, is answered with an I/O error. */
#pragma once

#include "devices/blk/backing.h"

#define BLK_RECORD_FILE_MAGIC "ktstrLOG"

enum {
	BLK_RECORD_VERSION = 1,
	BLK_RECORD_MAGIC = 0x4b524543,
	BLK_RECORD_PAYLOAD_MAX = 1 << 20, /* a longer write becomes several records */
};

enum blk_record_op {
	BLK_RECORD_WRITE = 1, /* bytes of payload follow */
	BLK_RECORD_ZERO,
	BLK_RECORD_DISCARD,
	BLK_RECORD_FLUSH, /* every record before it is on stable storage */
};

/* All fields are little-endian. */
struct blk_record_file {
	char magic[8];
	uint32_t version;
	uint32_t reserved;
	uint64_t disk_bytes;
};
_Static_assert(sizeof(struct blk_record_file) == 24, "part of the log's format");

struct blk_record {
	uint32_t magic;
	uint32_t op;
	uint64_t sequence; /* from 0, without gaps */
	uint64_t offset;   /* in bytes; 0 of a flush */
	uint64_t bytes;	   /* 0 of a flush */
};
_Static_assert(sizeof(struct blk_record) == 32, "part of the log's format");

/* Put the recorder over the open backing @b; the log @path must not exist yet. 0, or a negative
 * errno with words: -EEXIST, -ENOENT, -EACCES, -ENOSPC, -ENOMEM; @b is then unchanged. */
int blk_record_init(struct blk_backing *b, const char *path) must_check;
/* End the log. Nothing to do if there is none. */
void blk_record_deinit(struct blk_backing *b);
