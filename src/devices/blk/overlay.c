// SPDX-License-Identifier: GPL-2.0-only
/* Copy-on-write over a read-only file: what is written goes to a memfd, a bitmap says which sectors
 * are there. The granule is one sector, the unit in which guests write, so nothing is ever copied
 * up and two queues never have to agree about a cluster.
 *
 *	read:	| file | top | top | file |	a call for each run of equal bits
 *
 * A sector is marked when its last byte has been written: a transfer that was cut short inside it
 * goes on there, or failed and leaves the old sector in view. */
#include "base/cleanup.h"
#include "base/util.h"
#include "devices/blk/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

enum { SECTOR = 512, IOV_BATCH = 64 };

static bool is_present(const struct blk_backing *b, uint64_t sector)
{
	uint64_t word = __atomic_load_n(&b->present[sector / 64], __ATOMIC_ACQUIRE);

	return word >> (sector % 64) & 1;
}

/* Mark the sectors [first, end), a word at a time. */
static void mark(struct blk_backing *b, uint64_t first, uint64_t end)
{
	while (first < end) {
		uint64_t low = first % 64;
		uint64_t n = MIN(64 - low, end - first);
		uint64_t bits = (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << low;

		__atomic_fetch_or(&b->present[first / 64], bits, __ATOMIC_RELEASE);
		first += n;
	}
}

/* Bytes from @offset on, at most @bytes, that live in the same layer. */
static uint64_t run_length(const struct blk_backing *b, uint64_t offset, uint64_t bytes,
			   bool *is_top_ret)
{
	uint64_t sector = offset / SECTOR;
	uint64_t end = offset + bytes;
	bool is_top = is_present(b, sector);

	do
		sector++;
	while (sector * SECTOR < end && is_present(b, sector) == is_top);
	*is_top_ret = is_top;
	return MIN(sector * SECTOR, end) - offset;
}

/* A position in an iovec array that is used up front to back. */
struct cursor {
	const struct iovec *iov;
	unsigned count;
	uint64_t skip; /* bytes of iov[0] that are used */
};

/* The next iovecs, at most @bytes bytes. */
static unsigned cursor_take(const struct cursor *c, uint64_t bytes, struct iovec *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->count && n < IOV_BATCH && bytes; i++) {
		uint64_t skip = i ? 0 : c->skip;
		size_t len = MIN(c->iov[i].iov_len - skip, bytes);

		ret[n++] = (struct iovec){ (unsigned char *)c->iov[i].iov_base + skip, len };
		bytes -= len;
	}
	return n;
}

static void cursor_advance(struct cursor *c, uint64_t bytes)
{
	c->skip += bytes;
	while (c->count && c->skip >= c->iov[0].iov_len) {
		c->skip -= c->iov[0].iov_len;
		c->iov++;
		c->count--;
	}
}

static ssize_t overlay_readv(struct blk_backing *b, const struct iovec *iov, unsigned count,
			     uint64_t offset)
{
	struct cursor c = { .iov = iov, .count = count };
	uint64_t bytes = blk_iov_bytes(iov, count);
	uint64_t done = 0;

	while (done < bytes) {
		struct iovec part[IOV_BATCH];
		bool is_top;
		uint64_t run = run_length(b, offset + done, bytes - done, &is_top);
		unsigned n = cursor_take(&c, run, part);
		ssize_t got =
			preadv(is_top ? b->top_fd : b->fd, part, (int)n, (off_t)(offset + done));

		if (got < 0)
			return done ? (ssize_t)done : -errno;
		if (got == 0) { /* the file below has shrunk; the top has not */
			got = (ssize_t)blk_iov_bytes(part, n);
			blk_iov_zero(part, n, 0, (uint64_t)got);
		}
		cursor_advance(&c, (uint64_t)got);
		done += (uint64_t)got;
	}
	return (ssize_t)done;
}

static ssize_t overlay_writev(struct blk_backing *b, const struct iovec *iov, unsigned count,
			      uint64_t offset)
{
	ssize_t n = pwritev(b->top_fd, iov, (int)count, (off_t)offset);

	if (n < 0)
		return -errno;
	mark(b, offset / SECTOR, (offset + (uint64_t)n) / SECTOR);
	return n;
}

static int overlay_sync(struct blk_backing *b)
{
	return 0; /* gone with the process whatever we do */
}

static int overlay_zero(struct blk_backing *b, uint64_t offset, uint64_t bytes, bool can_unmap)
{
	if (fallocate(b->top_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)bytes) < 0)
		return -errno;
	mark(b, offset / SECTOR, (offset + bytes) / SECTOR);
	return 0;
}

static int overlay_discard(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	return overlay_zero(b, offset, bytes, true);
}

static const struct blk_backing_ops overlay_ops = {
	.name = "overlay",
	.is_volatile = true,
	.readv = overlay_readv,
	.writev = overlay_writev,
	.sync = overlay_sync,
	.discard = overlay_discard,
	.zero = overlay_zero,
};

int blk_overlay_init(struct blk_backing *b)
{
	uint64_t words = (b->bytes / SECTOR + 63) / 64;
	void *present;

	b->top_fd = memfd_create("ktstr-overlay", MFD_CLOEXEC);
	if (b->top_fd < 0 || ftruncate(b->top_fd, (off_t)b->bytes) < 0)
		return err_new(-errno, "no memory for the overlay: %s", strerror(errno));
	present = mmap(NULL, words * 8, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (present == MAP_FAILED)
		return err_new(-errno, "no memory for the overlay's bitmap: %s", strerror(errno));
	b->present = present;
	b->present_bytes = words * 8;
	b->ops = &overlay_ops;
	b->is_direct = false;
	return 0;
}

void blk_overlay_deinit(struct blk_backing *b)
{
	if (b->present)
		munmap(b->present, b->present_bytes);
	b->present = NULL;
	b->top_fd = fd_close(b->top_fd);
}
