// SPDX-License-Identifier: GPL-2.0-only
/* The bytes a carrier sends: frames in pieces, requests, and result files, which go below a
 * directory whose parent must stay as it is. */
#include "host/carrier_frame.h"
#include "host/carrier_results.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

/* The directory around the results must hold nothing but them. */
static void check_around(const char *outer)
{
	DIR *dir = opendir(outer);

	for (const struct dirent *e; dir && (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "in"))
			__builtin_trap();
	}
	closedir(dir);
}

static void take(struct carrier_results *results, const struct carrier_frame *f)
{
	cleanup(carrier_run_request_deinit) struct carrier_run_request q = { 0 };

	if (f->type == CARRIER_RUN && carrier_run_request_read(f->payload, f->length, &q) < 0)
		err_clear();
	if ((f->type == CARRIER_FILE || f->type == CARRIER_FILE_DATA) &&
	    carrier_results_take(results, f) < 0)
		err_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char outer[] = "/dev/shm/ktstr-fuzz-XXXXXX", inner[64];
	cleanup(carrier_reader_deinit) struct carrier_reader reader = { 0 };
	cleanup(carrier_results_deinit) struct carrier_results results = CARRIER_RESULTS_NULL;
	struct carrier_frame f;
	size_t piece = size ? data[0] + 1u : 1;

	if (!mkdtemp(outer))
		return 0;
	snprintf(inner, sizeof(inner), "%s/in", outer);
	if (mkdir(inner, 0700) < 0 || carrier_results_open(&results, inner) < 0)
		__builtin_trap();
	for (size_t at = 1; at < size; at += piece) {
		int r;

		buf_add(&reader.in, data + at, size - at < piece ? size - at : piece);
		while ((r = carrier_reader_next(&reader, &f)) == 0)
			take(&results, &f);
		if (r < 0)
			break;
	}
	err_clear();
	check_around(outer);
	nftw(outer, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
