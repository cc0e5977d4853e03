// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as the log of a recorded disk. What is accepted stays inside the disk and inside the
 * bytes, whatever the reader does with it next. */
#include "blk-log.h"

#include "base/util.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
	if (!claim)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk_log log = BLK_LOG_NULL;

	if (blk_log_parse(data, size, &log) < 0) {
		require(!log.entries);
		return 0;
	}
	for (size_t i = 0; i < log.count; i++) {
		const struct blk_log_entry *e = &log.entries[i];

		require(e->offset <= log.disk_bytes && e->bytes <= log.disk_bytes - e->offset);
		if (e->op == BLK_RECORD_WRITE)
			require(e->payload >= data && e->payload + e->bytes <= data + size);
	}
	blk_log_deinit(&log);
	return 0;
}
