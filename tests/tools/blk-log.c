// SPDX-License-Identifier: GPL-2.0-only
/* Recorded disks and their crashes; see blk-log.h. */
#include "blk-log.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PHYSICAL_BLOCK = 4096 };

static int check_record(const struct blk_log *log, const struct blk_record *record)
{
	bool is_flush = record->op == BLK_RECORD_FLUSH;
	uint64_t end;

	if (record->magic != BLK_RECORD_MAGIC || record->sequence != log->count)
		return err_new(-EINVAL, "record %zu: magic %#x, sequence %llu", log->count,
			       record->magic, (unsigned long long)record->sequence);
	if (record->op < BLK_RECORD_WRITE || record->op > BLK_RECORD_FLUSH)
		return err_new(-EINVAL, "record %zu: operation %u", log->count, record->op);
	if (__builtin_add_overflow(record->offset, record->bytes, &end) || end > log->disk_bytes ||
	    is_flush != (record->bytes == 0) ||
	    (record->op == BLK_RECORD_WRITE && record->bytes > BLK_RECORD_PAYLOAD_MAX))
		return err_new(-EINVAL, "record %zu: %llu bytes at %llu", log->count,
			       (unsigned long long)record->bytes,
			       (unsigned long long)record->offset);
	return 0;
}

/* Doubling, so that a long log costs no more than twice its size. */
static int add_entry(struct blk_log *log, const struct blk_log_entry *entry)
{
	size_t count = log->count;

	if (count == 0 || (is_power_of_two(count) && count >= 64)) {
		size_t room = count ? count * 2 : 64;
		void *entries = reallocarray(log->entries, room, sizeof(*entry));

		if (!entries)
			return err_new(-ENOMEM, "out of memory for %zu records", room);
		log->entries = entries;
	}
	log->entries[log->count++] = *entry;
	return 0;
}

static int parse_records(const unsigned char *at, size_t left, struct blk_log *log)
{
	while (left) {
		struct blk_record record;
		uint64_t payload;
		int r;

		log->is_cut_short = left < sizeof(record);
		if (log->is_cut_short)
			return 0;
		memcpy(&record, at, sizeof(record));
		r = check_record(log, &record);
		if (r < 0)
			return r;
		at += sizeof(record);
		left -= sizeof(record);
		payload = record.op == BLK_RECORD_WRITE ? record.bytes : 0;
		log->is_cut_short = left < payload;
		if (log->is_cut_short)
			return 0;
		r = add_entry(
			log, &(struct blk_log_entry){ record.op, record.offset, record.bytes, at });
		if (r < 0)
			return r;
		at += payload;
		left -= payload;
	}
	return 0;
}

int blk_log_parse(const void *data, size_t size, struct blk_log *ret)
{
	cleanup(blk_log_deinit) struct blk_log log = BLK_LOG_NULL;
	struct blk_record_file head;
	int r;

	if (size < sizeof(head))
		return err_new(-EINVAL, "%zu bytes are no log", size);
	memcpy(&head, data, sizeof(head));
	if (memcmp(head.magic, BLK_RECORD_FILE_MAGIC, sizeof(head.magic)) != 0 ||
	    head.version != BLK_RECORD_VERSION)
		return err_new(-EINVAL, "not a log of version %d", BLK_RECORD_VERSION);
	if (head.disk_bytes > INT64_MAX)
		return err_new(-EINVAL, "a log of a disk of %llu bytes",
			       (unsigned long long)head.disk_bytes);
	log.disk_bytes = head.disk_bytes;
	r = parse_records((const unsigned char *)data + sizeof(head), size - sizeof(head), &log);
	if (r < 0)
		return err_trace(r);
	*ret = log;
	log = BLK_LOG_NULL;
	return 0;
}

void blk_log_deinit(struct blk_log *log)
{
	free(log->entries);
	*log = BLK_LOG_NULL;
}

struct blk_crash blk_crash_choose(const struct blk_log *log, struct blk_rng *rng,
				  bool ignores_flushes)
{
	struct blk_crash crash = {
		.cut = blk_rng_below(rng, log->count + 1),
		.is_prefix = blk_rng_below(rng, 4) == 0,
	};

	/* Just before a flush is where most can be lost. */
	if (blk_rng_below(rng, 2))
		while (crash.cut < log->count && log->entries[crash.cut].op != BLK_RECORD_FLUSH)
			crash.cut++;
	for (size_t i = 0; i < crash.cut && !ignores_flushes; i++) {
		if (log->entries[i].op == BLK_RECORD_FLUSH)
			crash.stable = i + 1;
	}
	return crash;
}

static int write_all_at(int fd, const unsigned char *data, uint64_t bytes, uint64_t offset)
{
	while (bytes) {
		ssize_t n = pwrite(fd, data, bytes, (off_t)offset);

		if (n <= 0)
			return err_new(n < 0 ? -errno : -EIO, "image: write: %s", strerror(errno));
		data += n;
		bytes -= (uint64_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int apply(const struct blk_log_entry *e, uint64_t bytes, int fd)
{
	if (e->op == BLK_RECORD_FLUSH || bytes == 0)
		return 0;
	if (e->op == BLK_RECORD_WRITE)
		return write_all_at(fd, e->payload, bytes, e->offset);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)e->offset,
		      (off_t)bytes) < 0)
		return err_new(-errno, "image: punch a hole: %s", strerror(errno));
	return 0;
}

/* How much of an entry that no flush covers has reached the disk. */
static uint64_t surviving(const struct blk_log_entry *e, struct blk_crash *crash,
			  unsigned keep_eighths, struct blk_rng *rng)
{
	uint64_t border;

	if (crash->is_prefix || e->op == BLK_RECORD_FLUSH)
		return e->bytes;
	if (blk_rng_below(rng, 8) >= keep_eighths) {
		crash->lost++;
		return 0;
	}
	if (blk_rng_below(rng, 8))
		return e->bytes;
	border = e->offset + blk_rng_below(rng, e->bytes);
	border -= border % PHYSICAL_BLOCK;
	crash->torn++;
	return border > e->offset ? border - e->offset : 0;
}

int blk_crash_build(const struct blk_log *log, struct blk_crash *crash, struct blk_rng *rng, int fd)
{
	unsigned keep_eighths = 1 + (unsigned)blk_rng_below(rng, 7);

	for (size_t i = 0; i < crash->cut; i++) {
		const struct blk_log_entry *e = &log->entries[i];
		uint64_t bytes =
			i < crash->stable ? e->bytes : surviving(e, crash, keep_eighths, rng);
		int r = apply(e, bytes, fd);

		if (r < 0)
			return err_prefix(r, "record %zu: ", i);
		crash->applied += bytes != 0;
	}
	return 0;
}
