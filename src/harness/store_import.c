// SPDX-License-Identifier: GPL-2.0-only
#include "harness/store_import.h"

#include "base/buf.h"
#include "base/util.h"
#include "harness/store.h"

#include <errno.h>

enum { IMPORT_BYTES_MAX = 256 * 1024 * 1024 };

int store_import(struct store *s, int64_t run, const char *path)
{
	cleanup(buf_deinit) struct buf all = BUF_NULL;
	int r = buf_read_file(&all, path, IMPORT_BYTES_MAX);
	char *rest = NULL;

	if (r == -ENOENT) {
		err_clear();
		return 0;
	}
	if (r < 0)
		return err_trace(r);
	for (char *line = all.len ? strtok_r(all.data, "\n", &rest) : NULL; line && r == 0;
	     line = strtok_r(NULL, "\n", &rest))
		r = store_add_record(s, run, line);
	return r;
}
