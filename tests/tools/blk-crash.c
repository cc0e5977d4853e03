// SPDX-License-Identifier: GPL-2.0-only
/* Cut the power, many times: from a recorded disk (`ktstr blk --disk IMG,record=LOG`) and a copy of
 * IMG from before, build images that a crash could have left, and ask e2fsprogs about each.
 *
 * An image is good if after what every boot does (e2fsck -p: replay the journal, drop orphans) a
 * full e2fsck -fn finds nothing. Beyond that, what was fsynced must be there: a workload that writes
 * /synced/0, /synced/1 ..., each holding its tag (TAG followed by the number in six digits), and begins
 * a file only when the one before it is fsynced, has its promises checked: when tag K shows up in
 * the log, files 0..K-1 must hold theirs. The last of them and one more are looked at.
 *
 *	blk-crash LOG BASE DIR [--seed S] [--images N] [--first I] [--ignore-flushes]
 *
 * Prints "ok N" or "FAIL N" for each image; a failed one stays in DIR, and `--first N --images 1`
 * makes it again. --ignore-flushes takes the disk for one that lies about flushes: images must then
 * fail, or the test is blind. Exit: 0 all good, 1 some failed, 2 it could not be tried. */
#include "blk-log.h"

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAG "ktstr-synced-"
enum { TAG_DIGITS = 6, TAG_BYTES = sizeof(TAG) - 1 + TAG_DIGITS };

struct options {
	const char *log, *base, *dir;
	uint64_t seed, images, first;
	bool ignores_flushes;
};

/* The highest tag in the payload of @e plus one, or @floor if that is higher. */
static uint64_t tags_begun(const struct blk_log_entry *e, uint64_t floor)
{
	if (e->op != BLK_RECORD_WRITE)
		return floor;
	for (uint64_t at = 0; at + 512 <= e->bytes; at += 512) {
		char digits[TAG_DIGITS + 1] = "";
		uint64_t number;

		if (memcmp(e->payload + at, TAG, sizeof(TAG) - 1) != 0)
			continue;
		memcpy(digits, e->payload + at + sizeof(TAG) - 1, TAG_DIGITS);
		for (char *zero = digits; *zero == '0' && zero[1]; zero++)
			*zero = ' ';
		if (parse_u64(digits + strspn(digits, " "), &number) == 0)
			floor = MAX(floor, number + 1);
	}
	return floor;
}

/* Files that were fsynced before the crash, whatever is lost by it. */
static uint64_t files_synced(const struct blk_log *log, const struct blk_crash *crash)
{
	uint64_t begun = 0;

	for (size_t i = 0; i < crash->cut; i++)
		begun = tags_begun(&log->entries[i], begun);
	return begun ? begun - 1 : 0;
}

static int check_file(const char *image, uint64_t number)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	char request[64], tag[64];
	int r;

	snprintf(request, sizeof(request), "cat /synced/%llu", (unsigned long long)number);
	snprintf(tag, sizeof(tag), TAG "%06llu", (unsigned long long)number);
	r = child_run((const char *const[]){ "debugfs", "-R", request, image, NULL }, NULL, &out);
	if (r < 0)
		return err_trace(r);
	if (out.len < TAG_BYTES || memcmp(out.data, tag, TAG_BYTES) != 0)
		return err_new(-EIO, "file %llu was fsynced and is lost",
			       (unsigned long long)number);
	return 0;
}

/* 0, or -EIO with words for what is wrong with the image. */
static int judge(const char *image, uint64_t synced, struct blk_rng *rng)
{
	/* 1 says "corrected": the journal was replayed. The first line of stderr becomes the words. */
	const char *const replay[] = { "sh", "-c",  "e2fsck -p \"$1\" >&2; test $? -le 1",
				       "sh", image, NULL };
	const char *const check[] = { "sh",
				      "-c",
				      "said=$(e2fsck -fn \"$1\" 2>/dev/null) || { echo \"$said\" | "
				      "grep -v ^Pass >&2; exit 1; }",
				      "sh",
				      image,
				      NULL };
	int r = child_run(replay, NULL, NULL);

	if (r < 0)
		return err_prefix(r, "replay: ");
	r = child_run(check, NULL, NULL);
	if (r < 0)
		return err_prefix(r, "check: ");
	if (synced)
		r = check_file(image, synced - 1);
	if (r == 0 && synced)
		r = check_file(image, blk_rng_below(rng, synced));
	return r;
}

/* Copy the data of @from, not its holes: most of a fresh file system is none. */
static int copy_sparse(int from, int to, uint64_t bytes)
{
	off_t at = 0, end;

	if (ftruncate(to, (off_t)bytes) < 0)
		return err_new(-errno, "image: %s", strerror(errno));
	while ((at = lseek(from, at, SEEK_DATA)) >= 0 && (uint64_t)at < bytes) {
		end = lseek(from, at, SEEK_HOLE);
		while (at < end) {
			char chunk[65536];
			ssize_t n = pread(from, chunk, MIN(sizeof(chunk), (size_t)(end - at)), at);

			if (n <= 0 || pwrite(to, chunk, (size_t)n, at) != n)
				return err_new(-EIO, "cannot copy the base image");
			at += n;
		}
	}
	return 0;
}

static int try_image(const struct options *o, const struct blk_log *log, int base_fd,
		     uint64_t number, bool *is_good_ret)
{
	struct blk_rng rng = { (o->seed << 32) ^ number };
	cleanup(freep) char *path = NULL;
	cleanup(fd_closep) int fd = -1;
	struct blk_crash crash = blk_crash_choose(log, &rng, o->ignores_flushes);
	uint64_t synced = files_synced(log, &crash);
	int r = str_printf(&path, "%s/crash-%llu.img", o->dir, (unsigned long long)number);

	if (r < 0)
		return err_trace(r);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_new(-errno, "%s: %s", path, strerror(errno));
	r = copy_sparse(base_fd, fd, log->disk_bytes);
	if (r == 0)
		r = blk_crash_build(log, &crash, &rng, fd);
	if (r < 0)
		return err_trace(r);
	r = judge(path, synced, &rng);
	if (r < 0 && r != -EIO)
		return err_trace(r);
	*is_good_ret = r == 0;
	printf("%s %llu: cut at %zu of %zu, stable to %zu, %s, %llu lost, %llu torn, %llu files "
	       "synced%s%s\n",
	       r ? "FAIL" : "ok", (unsigned long long)number, crash.cut, log->count, crash.stable,
	       crash.is_prefix ? "prefix" : "subset", (unsigned long long)crash.lost,
	       (unsigned long long)crash.torn, (unsigned long long)synced, r ? ": " : "",
	       r ? err_text() : "");
	if (r == 0)
		unlink(path);
	return 0;
}

static int map_log(const char *path, const void **data_ret, size_t *size_ret)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_new(-errno, "%s: %s", path, strerror(errno));
	if (st.st_size == 0)
		return err_new(-EINVAL, "%s is empty", path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return err_new(-errno, "%s: %s", path, strerror(errno));
	*data_ret = data;
	*size_ret = (size_t)st.st_size;
	return 0;
}

static int open_base(const struct options *o, uint64_t bytes, int *ret)
{
	cleanup(fd_closep) int fd = open(o->base, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_new(-errno, "%s: %s", o->base, strerror(errno));
	if ((uint64_t)st.st_size < bytes)
		return err_new(-EINVAL, "%s is smaller than the recorded disk", o->base);
	*ret = steal_fd(&fd);
	return 0;
}

static int run(const struct options *o, unsigned *failed_ret)
{
	cleanup(blk_log_deinit) struct blk_log log = BLK_LOG_NULL;
	cleanup(fd_closep) int base_fd = -1;
	const void *data = NULL;
	size_t size = 0;
	int r = map_log(o->log, &data, &size);

	if (r == 0)
		r = blk_log_parse(data, size, &log); /* the mapping lasts as long as we do */
	if (r == 0)
		r = open_base(o, log.disk_bytes, &base_fd);
	for (uint64_t i = 0; r == 0 && i < o->images; i++) {
		bool is_good = false;

		r = try_image(o, &log, base_fd, o->first + i, &is_good);
		*failed_ret += r == 0 && !is_good;
	}
	return r;
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = { { "seed", required_argument, NULL, 's' },
					       { "images", required_argument, NULL, 'n' },
					       { "first", required_argument, NULL, 'f' },
					       { "ignore-flushes", no_argument, NULL, 'i' },
					       { 0 } };
	int r = 0;

	for (int key; r == 0 && (key = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (key == 's')
			r = parse_u64_in(optarg, 0, UINT32_MAX, &o->seed);
		else if (key == 'n')
			r = parse_u64_in(optarg, 1, 100000, &o->images);
		else if (key == 'f')
			r = parse_u64_in(optarg, 0, UINT32_MAX, &o->first);
		else if (key == 'i')
			o->ignores_flushes = true;
		else
			r = -EINVAL;
	}
	if (r < 0 || argc - optind != 3)
		return -EINVAL;
	o->log = argv[optind];
	o->base = argv[optind + 1];
	o->dir = argv[optind + 2];
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1, .images = 40 };
	unsigned failed = 0;

	if (read_options(argc, argv, &o) < 0) {
		fprintf(stderr, "usage: blk-crash LOG BASE DIR [--seed S] [--images N] [--first I] "
				"[--ignore-flushes]\n");
		return 2;
	}
	if (run(&o, &failed) < 0) {
		fprintf(stderr, "blk-crash: %s\n", err_text());
		return 2;
	}
	return failed ? 1 : 0;
}
