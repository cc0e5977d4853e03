// SPDX-License-Identifier: GPL-2.0-only
/* The recorder; see record.h. */
#include "devices/blk/record.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

struct blk_recorder {
	const struct blk_backing_ops *inner;
	pthread_mutex_t lock; /* the members below, and the host's calls that change the disk */
	int fd;
	uint64_t end; /* of the log: everything before is whole */
	uint64_t sequence;
	bool is_broken;
	unsigned char payload[BLK_RECORD_PAYLOAD_MAX];
};

/* One record, or none: what a full file system leaves of it is cut off. */
static int append(struct blk_recorder *r, enum blk_record_op op, uint64_t offset, uint64_t bytes)
{
	struct blk_record record = {
		.magic = BLK_RECORD_MAGIC,
		.op = op,
		.sequence = r->sequence,
		.offset = offset,
		.bytes = bytes,
	};
	const struct iovec iov[] = { { &record, sizeof(record) }, { r->payload, bytes } };
	bool has_payload = op == BLK_RECORD_WRITE;
	uint64_t whole = sizeof(record) + (has_payload ? bytes : 0);

	if (pwritev(r->fd, iov, has_payload ? 2 : 1, (off_t)r->end) != (ssize_t)whole) {
		r->is_broken = true;
		/* A reader stops at a record that is not whole: the cut is for tidiness. */
		(void)!ftruncate(r->fd, (off_t)r->end);
		return -EIO;
	}
	r->end += whole;
	r->sequence++;
	return 0;
}

static int read_back(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	struct blk_recorder *r = b->record;

	for (uint64_t done = 0; done < bytes;) {
		const struct iovec iov = { r->payload + done, bytes - done };
		ssize_t n = r->inner->readv(b, &iov, 1, offset + done);

		if (n == -EINTR)
			continue;
		if (n <= 0) {
			r->is_broken = true;
			return -EIO;
		}
		done += (uint64_t)n;
	}
	return 0;
}

static int log_write(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	int error = 0;

	for (uint64_t done = 0; done < bytes && !error;) {
		uint64_t part = MIN(bytes - done, (uint64_t)BLK_RECORD_PAYLOAD_MAX);

		error = read_back(b, offset + done, part);
		if (!error)
			error = append(b->record, BLK_RECORD_WRITE, offset + done, part);
		done += part;
	}
	return error;
}

static ssize_t record_readv(struct blk_backing *b, const struct iovec *iov, unsigned count,
			    uint64_t offset)
{
	return b->record->inner->readv(b, iov, count, offset);
}

static ssize_t record_writev(struct blk_backing *b, const struct iovec *iov, unsigned count,
			     uint64_t offset)
{
	struct blk_recorder *r = b->record;
	ssize_t n = -EIO;

	pthread_mutex_lock(&r->lock);
	if (!r->is_broken)
		n = r->inner->writev(b, iov, count, offset);
	if (n > 0 && log_write(b, offset, (uint64_t)n) < 0)
		n = -EIO;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static int record_sync(struct blk_backing *b)
{
	struct blk_recorder *r = b->record;
	int error = -EIO;

	pthread_mutex_lock(&r->lock);
	if (!r->is_broken)
		error = r->inner->sync(b);
	if (!error)
		error = append(r, BLK_RECORD_FLUSH, 0, 0);
	pthread_mutex_unlock(&r->lock);
	return error;
}

static int record_discard(struct blk_backing *b, uint64_t offset, uint64_t bytes)
{
	struct blk_recorder *r = b->record;
	int error = -EIO;

	pthread_mutex_lock(&r->lock);
	if (!r->is_broken)
		error = r->inner->discard(b, offset, bytes);
	if (!error)
		error = append(r, BLK_RECORD_DISCARD, offset, bytes);
	pthread_mutex_unlock(&r->lock);
	return error;
}

static int record_zero(struct blk_backing *b, uint64_t offset, uint64_t bytes, bool can_unmap)
{
	struct blk_recorder *r = b->record;
	int error = -EIO;

	pthread_mutex_lock(&r->lock);
	if (!r->is_broken)
		error = r->inner->zero(b, offset, bytes, can_unmap);
	if (!error)
		error = append(r, BLK_RECORD_ZERO, offset, bytes);
	pthread_mutex_unlock(&r->lock);
	return error;
}

static const struct blk_backing_ops record_ops = {
	.name = "record",
	.readv = record_readv,
	.writev = record_writev,
	.sync = record_sync,
	.discard = record_discard,
	.zero = record_zero,
};

/* A file of our own, so that a slip of the pen cannot cost anybody a file. */
static int start_log(struct blk_recorder *r, const char *path, uint64_t disk_bytes)
{
	struct blk_record_file head = {
		.magic = BLK_RECORD_FILE_MAGIC,
		.version = BLK_RECORD_VERSION,
		.disk_bytes = disk_bytes,
	};
	ssize_t n;

	r->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (r->fd < 0)
		return err_new(-errno, "record=%s: cannot create the log: %s", path,
			       strerror(errno));
	n = pwrite(r->fd, &head, sizeof(head), 0);
	if (n != sizeof(head))
		return err_new(n < 0 ? -errno : -ENOSPC, "record=%s: cannot write the log: %s",
			       path, n < 0 ? strerror(errno) : strerror(ENOSPC));
	r->end = sizeof(head);
	return 0;
}

static struct blk_recorder *recorder_free(struct blk_recorder *r)
{
	if (!r)
		return NULL;
	fd_close(r->fd);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}

int blk_record_init(struct blk_backing *b, const char *path)
{
	struct blk_recorder *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return err_new(-ENOMEM, "out of memory for the recorder");
	r->fd = -1;
	r->inner = b->ops;
	pthread_mutex_init(&r->lock, NULL);
	error = start_log(r, path, b->bytes);
	if (error < 0) {
		recorder_free(r);
		return error;
	}
	b->record = r;
	b->ops = &record_ops;
	b->is_direct = false;
	return 0;
}

void blk_record_deinit(struct blk_backing *b)
{
	b->record = recorder_free(b->record);
}
