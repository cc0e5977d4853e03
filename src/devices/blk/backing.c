// SPDX-License-Identifier: GPL-2.0-only
/* File, RAM and null backings; overlay.c holds the fourth. */
#include "devices/blk/backing.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "devices/blk/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static ssize_t file_readv(struct blk_backing *b, const struct iovec *iov, unsigned count,
			  uint64_t offset)
{
	ssize_t n = preadv(b->fd, iov, (int)count, (off_t)offset);

	return n < 0 ? -errno : n;
}

static ssize_t file_writev(struct blk_backing *b, const struct iovec *iov, unsigned count,
			   uint64_t offset)
{
	ssize_t n = pwritev(b->fd, iov, (int)count, (off_t)offset);

	return n < 0 ? -errno : n;
}

static int file_sync(struct blk_backing *b)
{
	return fdatasync(b->fd) < 0 ? -errno : 0;
}

static int file_fallocate(struct blk_backing *b, int mode, uint64_t offset, uint64_t bytes)
{
	return fallocate(b->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) < 0
		       ? -errno
		       : 0;
}

static int file_discard(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	int r = file_fallocate(b, FALLOC_FL_PUNCH_HOLE, offset, bytes);

	/* A host that cannot give storage back ignores the hint. */
	return r == -EOPNOTSUPP || r == -ENODEV ? 0 : r;
}

/* For hosts without any way to zero a range: one page of zeros, many times. */
static int write_zeros(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	static const unsigned char page[4096];
	struct iovec iov[64];

	while (bytes) {
		unsigned count = 0;
		ssize_t n;

		for (uint64_t left = bytes; left && count < ARRAY_SIZE(iov); count++) {
			iov[count].iov_base = (void *)(uintptr_t)page; /* only read */
			iov[count].iov_len = MIN(sizeof(page), left);
			left -= iov[count].iov_len;
		}
		n = pwritev(b->fd, iov, (int)count, (off_t)offset);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		offset += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

static int file_zero(struct blk_backing *b, uint64_t offset, uint64_t bytes, bool can_unmap)
{
	int r = -EOPNOTSUPP;

	if (can_unmap)
		r = file_fallocate(b, FALLOC_FL_PUNCH_HOLE, offset, bytes);
	if (r == -EOPNOTSUPP || r == -ENODEV)
		r = file_fallocate(b, FALLOC_FL_ZERO_RANGE, offset, bytes);
	if (r == -EOPNOTSUPP || r == -ENODEV)
		r = write_zeros(b, offset, bytes);
	return r;
}

static const struct blk_backing_ops file_ops = {
	.name = "file",
	.readv = file_readv,
	.writev = file_writev,
	.sync = file_sync,
	.discard = file_discard,
	.zero = file_zero,
};

static int volatile_sync(struct blk_backing *b)
{
	return 0; /* it is gone with the process whatever we do */
}

/* tmpfs has no ZERO_RANGE, and a hole is as good as zeros in memory. */
static int ram_zero(struct blk_backing *b, uint64_t offset, uint64_t bytes, bool can_unmap)
{
	return file_zero(b, offset, bytes, true);
}

static const struct blk_backing_ops ram_ops = {
	.name = "ram",
	.is_volatile = true,
	.readv = file_readv,
	.writev = file_writev,
	.sync = volatile_sync,
	.discard = file_discard,
	.zero = ram_zero,
};

static ssize_t null_readv(struct blk_backing *b, const struct iovec *iov, unsigned count,
			  uint64_t offset)
{
	uint64_t bytes = blk_iov_bytes(iov, count);

	blk_iov_zero(iov, count, 0, bytes);
	return (ssize_t)bytes;
}

static ssize_t null_writev(struct blk_backing *b, const struct iovec *iov, unsigned count,
			   uint64_t offset)
{
	return (ssize_t)blk_iov_bytes(iov, count);
}

static int null_discard(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	return 0;
}

static int null_zero(struct blk_backing *b, uint64_t offset, uint64_t bytes, bool can_unmap)
{
	return 0;
}

static const struct blk_backing_ops null_ops = {
	.name = "null",
	.is_volatile = true,
	.readv = null_readv,
	.writev = null_writev,
	.sync = volatile_sync,
	.discard = null_discard,
	.zero = null_zero,
};

/* The size of an open file or block device. */
static int file_size(int fd, const char *path, uint64_t *ret)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) < 0)
		return err_new(-errno, "disk %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_new(-EISDIR, "disk %s is a directory", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_new(-EINVAL, "disk %s is neither a file nor a block device", path);
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_new(-errno, "disk %s has no size: %s", path, strerror(errno));
	*ret = (uint64_t)end;
	return 0;
}

static int open_file(const struct blk_spec *spec, struct blk_backing *b)
{
	bool is_read_only = spec->is_read_only || spec->has_overlay;
	int flags = (is_read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;

	b->fd = open(spec->path, flags);
	if (b->fd < 0)
		return err_new(-errno, "disk %s: cannot open it for %s: %s", spec->path,
			       is_read_only ? "reading" : "writing", strerror(errno));
	b->ops = &file_ops;
	b->is_direct = true;
	return file_size(b->fd, spec->path, &b->bytes);
}

static int open_ram(const struct blk_spec *spec, struct blk_backing *b)
{
	b->fd = memfd_create("ktstr-disk", MFD_CLOEXEC);
	if (b->fd < 0 || ftruncate(b->fd, (off_t)spec->bytes) < 0)
		return err_new(-errno, "disk %s: %s", spec->path, strerror(errno));
	b->ops = &ram_ops;
	b->is_direct = true;
	b->bytes = spec->bytes;
	return 0;
}

static int open_null(const struct blk_spec *spec, struct blk_backing *b)
{
	b->ops = &null_ops;
	b->bytes = spec->bytes;
	return 0;
}

int blk_backing_open(const struct blk_spec *spec, struct blk_backing *ret)
{
	static int (*const opens[])(const struct blk_spec *, struct blk_backing *) = {
		[BLK_BACKING_FILE] = open_file,
		[BLK_BACKING_RAM] = open_ram,
		[BLK_BACKING_NULL] = open_null,
	};
	cleanup(blk_backing_deinit) struct blk_backing b = BLK_BACKING_NULL_INIT;
	int r = opens[spec->backing](spec, &b);

	if (r < 0)
		return err_trace(r);
	b.bytes -= b.bytes % spec->block_bytes;
	if (b.bytes == 0)
		return err_new(-EINVAL, "disk %s holds no whole block of %u bytes", spec->path,
			       spec->block_bytes);
	if (spec->has_overlay)
		r = blk_overlay_init(&b);
	if (r == 0 && spec->record[0])
		r = blk_record_init(&b, spec->record);
	if (r < 0)
		return err_prefix(r, "disk %s: ", spec->path);
	*ret = b;
	b = BLK_BACKING_NULL_INIT;
	return 0;
}

void blk_backing_deinit(struct blk_backing *b)
{
	blk_record_deinit(b);
	blk_overlay_deinit(b);
	b->fd = fd_close(b->fd);
}
