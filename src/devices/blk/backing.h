/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the sectors are: a file, memory, nothing, or a memory overlay over a file; over any of them
 * may lie the recorder (record.h). Calls look like
 * the host's: they return a count or 0, or a negative errno without words, and may move less than
 * asked; io.h makes whole transfers of them.
 *
 * RAM is a memfd and is read and written by the same system calls as a file: the kernel copies, so
 * guest memory that goes away under us is -EFAULT and never SIGBUS. A host file that shrinks reads
 * as its end (io.h turns that into zeros) and grows again when written.
 *
 * Threads: after blk_backing_open() any number may call at the same time; what two requests to the
 * same sectors leave behind is the guest's business, as on a real disk. */
#pragma once

#include "devices/blk/spec.h"

#include <sys/uio.h>

struct blk_backing;
struct blk_recorder;

struct blk_backing_ops {
	const char *name;
	bool is_volatile; /* nothing of it outlives the process: sync has nothing to do */
	/* Read to or write from @iov (at most 1024) at byte @offset. */
	ssize_t (*readv)(struct blk_backing *b, const struct iovec *iov, unsigned count,
			 uint64_t offset);
	ssize_t (*writev)(struct blk_backing *b, const struct iovec *iov, unsigned count,
			  uint64_t offset);
	/* What was written before is on stable storage after. */
	int (*sync)(struct blk_backing *b);
	/* The bytes are not needed any more; a hint. */
	int (*discard)(struct blk_backing *b, uint64_t offset, uint64_t bytes);
	/* The bytes read as zeros from now on; storage may be given back if @can_unmap. */
	int (*zero)(struct blk_backing *b, uint64_t offset, uint64_t bytes, bool can_unmap);
};

struct blk_backing {
	const struct blk_backing_ops *ops;
	uint64_t bytes; /* a multiple of the block size */
	int fd;		/* the file or the memfd; -1 for none */
	bool is_direct; /* fd holds exactly the disk: an engine may use it beside ops */
	/* Overlay only: the memfd with the sectors written, and a bit for each that is there. */
	int top_fd;
	uint64_t *present;
	uint64_t present_bytes;
	struct blk_recorder *record; /* NULL: ops are the disk's own */
};

#define BLK_BACKING_NULL_INIT ((struct blk_backing){ .fd = -1, .top_fd = -1 })

/* Open what @spec names. 0, or a negative errno with words that name the file and the reason. The
 * caller ends it with blk_backing_deinit(). */
int blk_backing_open(const struct blk_spec *spec, struct blk_backing *ret) must_check;
void blk_backing_deinit(struct blk_backing *b);

/* The overlay's part of the two above (overlay.c): @b->fd is the file below, opened read-only. */
int blk_overlay_init(struct blk_backing *b) must_check;
void blk_overlay_deinit(struct blk_backing *b);

/* Copy of the first @bytes of @iov into @ret, which has room for @max iovecs; returns how many it
 * took. Less than @bytes are covered if @max is reached. */
unsigned blk_iov_head(const struct iovec *iov, unsigned count, uint64_t bytes, struct iovec *ret,
		      unsigned max);
uint64_t blk_iov_bytes(const struct iovec *iov, unsigned count);
/* Set @bytes bytes from byte @offset of @iov on to zero. */
void blk_iov_zero(const struct iovec *iov, unsigned count, uint64_t offset, uint64_t bytes);
