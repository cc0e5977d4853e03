// SPDX-License-Identifier: GPL-2.0-only
/* The recorder of a disk's changes, and the reader that builds crashes from its log. */
#include "blk-log.h"

#include "base/buf.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SECTOR = 512, DISK = 8 << 20, HEAD = sizeof(struct blk_record_file) };

/* A RAM disk under the recorder. */
struct recorded {
	char path[64];
	struct blk_spec spec;
	struct blk_backing disk;
	struct buf text;
	struct blk_log log;
};

static void start(struct recorded *t)
{
	char spec[128];

	*t = (struct recorded){ .disk = BLK_BACKING_NULL_INIT };
	snprintf(t->path, sizeof(t->path), "/tmp/ktstr-record-%d", getpid());
	unlink(t->path);
	snprintf(spec, sizeof(spec), "ram:8M,record=%s", t->path);
	assert_int_equal(blk_spec_parse(spec, &t->spec), 0);
	assert_int_equal(blk_backing_open(&t->spec, &t->disk), 0);
}

static ssize_t put(struct recorded *t, char byte, uint64_t offset, size_t bytes)
{
	char *data = test_malloc(bytes);
	struct iovec iov[2] = { { data, bytes / 2 }, { data + bytes / 2, bytes - bytes / 2 } };
	ssize_t n;

	memset(data, byte, bytes);
	n = t->disk.ops->writev(&t->disk, iov, 2, offset);
	test_free(data);
	return n;
}

static void read_log(struct recorded *t)
{
	if (buf_read_file(&t->text, t->path, 64 << 20) < 0 ||
	    blk_log_parse(t->text.data, t->text.len, &t->log) < 0)
		fail_msg("%s", err_text());
}

static void end(struct recorded *t)
{
	blk_log_deinit(&t->log);
	buf_deinit(&t->text);
	blk_backing_deinit(&t->disk);
	unlink(t->path);
}

TEST(what_changes_the_disk_is_logged_in_its_order)
{
	static const struct blk_log_entry expected[] = {
		{ BLK_RECORD_WRITE, 4096, 1024, NULL }, { BLK_RECORD_FLUSH, 0, 0, NULL },
		{ BLK_RECORD_ZERO, 8192, 4096, NULL },	{ BLK_RECORD_DISCARD, 0, 65536, NULL },
		{ BLK_RECORD_WRITE, 4096, 512, NULL },
	};
	struct recorded t;

	start(&t);
	assert_int_equal(put(&t, 'a', 4096, 1024), 1024);
	assert_int_equal(t.disk.ops->sync(&t.disk), 0);
	assert_int_equal(t.disk.ops->zero(&t.disk, 8192, 4096, true), 0);
	assert_int_equal(t.disk.ops->discard(&t.disk, 0, 65536), 0);
	assert_int_equal(put(&t, 'b', 4096, 512), 512);
	read_log(&t);
	assert_int_equal(t.log.disk_bytes, DISK);
	assert_false(t.log.is_cut_short);
	assert_int_equal(t.log.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(t.log.entries[i].op, expected[i].op);
		assert_int_equal(t.log.entries[i].offset, expected[i].offset);
		assert_int_equal(t.log.entries[i].bytes, expected[i].bytes);
	}
	assert_int_equal(t.log.entries[0].payload[1023], 'a');
	assert_int_equal(t.log.entries[4].payload[511], 'b');
	end(&t);
}

TEST(a_long_write_becomes_several_records)
{
	struct recorded t;

	start(&t);
	assert_int_equal(put(&t, 'x', 0, (2 << 20) + SECTOR), (2 << 20) + SECTOR);
	read_log(&t);
	assert_int_equal(t.log.count, 3);
	assert_int_equal(t.log.entries[2].offset, 2 << 20);
	assert_int_equal(t.log.entries[2].bytes, SECTOR);
	end(&t);
}

TEST(a_log_that_is_there_is_not_overwritten)
{
	struct blk_backing second = BLK_BACKING_NULL_INIT;
	struct recorded t;

	start(&t);
	assert_int_equal(blk_backing_open(&t.spec, &second), -EEXIST);
	assert_non_null(strstr(err_text(), t.path));
	end(&t);
}

TEST(a_log_that_cannot_grow_ends_where_it_is_true_and_fails_the_disk)
{
	const struct rlimit none = { HEAD + 1000, RLIM_INFINITY };
	struct rlimit before;
	struct recorded t;

	start(&t);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(put(&t, 'a', 0, SECTOR), SECTOR);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ none.rlim_cur, before.rlim_max });
	/* The disk takes these bytes (below the limit), the log does not. */
	assert_int_equal(put(&t, 'b', 0, SECTOR), -EIO);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(put(&t, 'c', 0, SECTOR), -EIO);
	assert_int_equal(t.disk.ops->sync(&t.disk), -EIO);
	assert_int_equal(t.disk.ops->zero(&t.disk, 0, SECTOR, false), -EIO);
	assert_int_equal(t.disk.ops->discard(&t.disk, 0, SECTOR), -EIO);
	read_log(&t);
	assert_int_equal(t.log.count, 1);
	assert_false(t.log.is_cut_short);
	end(&t);
}

static void three_writes_and_a_flush(struct recorded *t)
{
	start(t);
	assert_int_equal(put(t, 'a', 0, SECTOR), SECTOR);
	assert_int_equal(t->disk.ops->sync(&t->disk), 0);
	assert_int_equal(put(t, 'b', SECTOR, SECTOR), SECTOR);
	assert_int_equal(put(t, 'c', 0, SECTOR), SECTOR);
	read_log(t);
}

TEST(a_log_of_any_length_is_read_up_to_its_last_whole_record)
{
	struct recorded t;

	three_writes_and_a_flush(&t);
	for (size_t size = 0; size < t.text.len; size++) {
		struct blk_log log = BLK_LOG_NULL;
		int r = blk_log_parse(t.text.data, size, &log);

		assert_int_equal(r, size < HEAD ? -EINVAL : 0);
		assert_true(log.count <= 3);
		blk_log_deinit(&log);
	}
	end(&t);
}

TEST(a_record_that_lies_is_refused)
{
	static const struct {
		const char *what;
		size_t at; /* in the file */
		uint64_t value;
	} lies[] = {
		{ "file magic", 0, 1 },
		{ "version", 8, 2 },
		{ "disk beyond 2^63", 16, UINT64_MAX },
		{ "disk smaller than the write", 16, SECTOR - 1 },
		{ "magic", HEAD, 7 },
		{ "operation 0", HEAD, BLK_RECORD_MAGIC },
		{ "operation 9", HEAD, BLK_RECORD_MAGIC | UINT64_C(9) << 32 },
		{ "sequence", HEAD + 8, 1 },
		{ "offset", HEAD + 16, DISK },
		{ "offset that wraps", HEAD + 16, UINT64_MAX },
		{ "no bytes", HEAD + 24, 0 },
		{ "too many bytes", HEAD + 24, BLK_RECORD_PAYLOAD_MAX + 1 },
	};
	struct recorded t;

	three_writes_and_a_flush(&t);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct blk_log log = BLK_LOG_NULL;
		uint64_t truth = le64_get(t.text.data + lies[i].at);

		le64_put(t.text.data + lies[i].at, lies[i].value);
		if (blk_log_parse(t.text.data, t.text.len, &log) != -EINVAL)
			fail_msg("%s: believed", lies[i].what);
		le64_put(t.text.data + lies[i].at, truth);
	}
	end(&t);
}

/* Which of 'a', 'c' (sector 0) and 'b' (sector 1) a thousand crashes have left. */
static unsigned seen_after_crashes(const struct blk_log *log, bool ignores_flushes)
{
	unsigned seen = 0;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		int fd = memfd_create("crash", MFD_CLOEXEC);
		struct blk_rng rng = { seed };
		struct blk_crash crash = blk_crash_choose(log, &rng, ignores_flushes);
		char disk[2 * SECTOR] = "";
		unsigned first;

		assert_true(crash.cut <= log->count && crash.stable <= crash.cut);
		assert_int_equal(ftruncate(fd, sizeof(disk)), 0);
		assert_int_equal(blk_crash_build(log, &crash, &rng, fd), 0);
		assert_int_equal(pread(fd, disk, sizeof(disk), 0), sizeof(disk));
		close(fd);
		first = disk[0] == 'a' ? 1 : disk[0] == 'c' ? 2 : 0;
		if (crash.stable)
			assert_true(first != 0);
		if (crash.cut == log->count)
			seen |= 1u << (first * 2 + (disk[SECTOR] == 'b'));
	}
	return seen;
}

TEST(every_legal_crash_is_found_and_no_other)
{
	struct recorded t;

	three_writes_and_a_flush(&t);
	/* The flush keeps 'a' or what came over it; b and c come and go. */
	assert_int_equal(seen_after_crashes(&t.log, false), 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5);
	/* Without it all six are possible. */
	assert_int_equal(seen_after_crashes(&t.log, true), 0x3f);
	end(&t);
}

/* The log of one 4 KiB write and the flush that the rig sends behind it, a letter for each record. */
static void one_write_is_logged_as(enum rig_mode mode, const char *fault, bool is_write_back,
				   const char *expected)
{
	static const char letters[] = "?WZDF";
	struct recorded t = { .disk = BLK_BACKING_NULL_INIT };
	char options[256], seen[16] = "";
	struct rig r;

	snprintf(t.path, sizeof(t.path), "/tmp/ktstr-record-%d", getpid());
	unlink(t.path);
	snprintf(options, sizeof(options), ",record=%s%s", t.path, fault);
	rig_init(&r, mode, options);
	rig_set_reg(&r, VIRTIO_MMIO_CONFIG + offsetof(struct virtio_blk_config, wce),
		    is_write_back);
	memset(rig_at(&r, RIG_DATA), 0x5a, 4096);
	assert_answer(rig_write(&r, 16, RIG_DATA, 4096), VIRTIO_BLK_S_OK, 1);
	rig_deinit(&r);
	read_log(&t);
	for (size_t i = 0; i < t.log.count && i + 1 < sizeof(seen); i++)
		seen[i] = letters[t.log.entries[i].op];
	assert_string_equal(seen, expected);
	assert_int_equal(t.log.entries[0].offset, 16 * SECTOR);
	end(&t);
}

ETEST(the_log_has_each_flush_that_was_made_and_no_other)
{
	one_write_is_logged_as(RIG_MODE, "", true, "WF");
	one_write_is_logged_as(RIG_MODE, "", false, "WFF"); /* write-through */
	one_write_is_logged_as(RIG_MODE, ",fault=op=flush,action=lost-flush", true, "W");
	one_write_is_logged_as(RIG_MODE, ",fault=op=write,nth=1,action=short", true, "WWF");
}

TESTS(T(what_changes_the_disk_is_logged_in_its_order), T(a_long_write_becomes_several_records),
      T(a_log_that_is_there_is_not_overwritten),
      T(a_log_that_cannot_grow_ends_where_it_is_true_and_fails_the_disk),
      T(a_log_of_any_length_is_read_up_to_its_last_whole_record), T(a_record_that_lies_is_refused),
      T(every_legal_crash_is_found_and_no_other),
      ON_ALL(the_log_has_each_flush_that_was_made_and_no_other))
