/* SPDX-License-Identifier: GPL-2.0-only */
/* A recorded disk (devices/blk/record.h) as an array, and the images that a power cut could have
 * left of it.
 *
 *	| ... flush | ... | last flush before the cut | w | w | w | cut
 *	`--- on stable storage, applied ------------'  `-- any of them, in part or not at all
 *
 * A write that no flush has covered may be there, be missing, or have reached a border of a 4096
 * byte physical block; that an older write of the same sectors is there instead of it, is thereby
 * among the images. Within a physical block nothing is torn. */
#pragma once

#include "base/err.h"
#include "devices/blk/record.h"
#include "devices/blk/rng.h"

struct blk_log_entry {
	enum blk_record_op op;
	uint64_t offset;
	uint64_t bytes;
	const unsigned char *payload; /* of a write; inside the text that was parsed */
};

struct blk_log {
	uint64_t disk_bytes;
	struct blk_log_entry *entries;
	size_t count;
	bool is_cut_short; /* the last record is not whole: its writer was killed */
};

#define BLK_LOG_NULL ((struct blk_log){ 0 })

/* Read the log in @data, which must outlive @ret. Whatever the bytes are: 0, or -EINVAL with words
 * that name the record, or -ENOMEM. The caller ends it with blk_log_deinit(). */
int blk_log_parse(const void *data, size_t size, struct blk_log *ret) must_check;
void blk_log_deinit(struct blk_log *log);

/* The crash that is built: records from @cut on never happened, those before @stable are there. */
struct blk_crash {
	size_t cut;
	size_t stable;
	bool is_prefix; /* all before the cut are there: nothing was lost or reordered */
	uint64_t applied;
	uint64_t lost;
	uint64_t torn;
};

/* Choose a crash of @log. With @ignores_flushes the disk is taken for one that lied about them. */
struct blk_crash blk_crash_choose(const struct blk_log *log, struct blk_rng *rng,
				  bool ignores_flushes);

/* Bring @fd, a copy of the disk as it was when the recording began, to what @crash left. 0, or a
 * negative errno with words. */
int blk_crash_build(const struct blk_log *log, struct blk_crash *crash, struct blk_rng *rng,
		    int fd) must_check;
