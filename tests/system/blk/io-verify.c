// SPDX-License-Identifier: GPL-2.0-only
/* A disk's user inside a guest: random writes, fsync, discard and zeroing, from two threads on two
 * CPUs (so that two queues are used), then every block is read and checked. A block carries where it
 * belongs, which write made it, and a CRC-32C over all of that.
 *
 *   io-verify run|check PATH MIB SEED
 *
 * `run` does and checks; `check` only checks what an earlier `run` of the same MIB and SEED must have
 * left, because the operations follow from the seed alone. PATH is a block device or a file.
 * Linked statically, for it is carried into machines: no code of the project is in it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, RUN_BLOCKS_MAX = 16, THREADS = 2, FSYNC_EVERY = 16 };

struct block {
	uint64_t index;
	uint64_t generation; /* counts the operations of its thread */
	uint32_t crc;	     /* of the block with 0 here */
	uint8_t fill[BLOCK - 20];
} __attribute__((packed));
_Static_assert(sizeof(struct block) == BLOCK, "a block");

/* What a block must hold: a generation, or one of these. */
static const uint64_t never_written = 0, is_zero = UINT64_MAX, is_anything = UINT64_MAX - 1;

struct job {
	const char *path;
	uint64_t first, count; /* blocks */
	uint64_t random;
	uint64_t *expected;
	unsigned cpu;
	bool is_dry; /* only work out what is expected */
	bool is_device;
	const char *what; /* that failed, or NULL */
	int error;
};

static uint64_t next_random(struct job *j)
{
	j->random ^= j->random << 13;
	j->random ^= j->random >> 7;
	j->random ^= j->random << 17;
	return j->random;
}

static uint32_t crc32c(const void *data, size_t len)
{
	static const uint32_t nibbles[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *p = data;
	uint32_t crc = ~0u;

	for (; len--; p++) {
		crc ^= *p;
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

static void fill_block(struct block *b, uint64_t index, uint64_t generation)
{
	uint64_t x = index * 0x9e3779b97f4a7c15u + generation;

	for (size_t i = 0; i < sizeof(b->fill); i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		b->fill[i] = (uint8_t)(x >> 56);
	}
	b->index = index;
	b->generation = generation;
	b->crc = 0;
	b->crc = crc32c(b, sizeof(*b));
}

static bool is_filled(struct block *b, uint64_t index, uint64_t generation)
{
	uint32_t crc = b->crc;

	b->crc = 0;
	return b->index == index && b->generation == generation && crc32c(b, sizeof(*b)) == crc;
}

static bool is_all_zero(const struct block *b)
{
	static const struct block zero;

	return memcmp(b, &zero, sizeof(zero)) == 0;
}

static int fail(struct job *j, const char *what)
{
	j->what = what;
	j->error = errno;
	return -1;
}

/* ---- operations: blocks @at to @at + @count of the disk ---- */

static void expect(struct job *j, uint64_t at, uint64_t count, uint64_t what)
{
	for (uint64_t i = at; i < at + count; i++)
		j->expected[i] = what;
}

static int do_write(struct job *j, int fd, struct block *buf, uint64_t at, uint64_t count,
		    uint64_t generation)
{
	size_t bytes = count * BLOCK;

	expect(j, at, count, generation);
	if (j->is_dry)
		return 0;
	for (uint64_t i = 0; i < count; i++)
		fill_block(&buf[i], at + i, generation);
	return pwrite(fd, buf, bytes, (off_t)(at * BLOCK)) == (ssize_t)bytes ? 0 : fail(j, "write");
}

/* Discarded blocks of a device hold anything until they are written; a hole in a file reads as zeros. */
static int do_discard(struct job *j, int fd, uint64_t at, uint64_t count)
{
	uint64_t range[2] = { at * BLOCK, count * BLOCK };

	expect(j, at, count, j->is_device ? is_anything : is_zero);
	if (j->is_dry)
		return 0;
	if (j->is_device)
		return ioctl(fd, BLKDISCARD, range) == 0 ? 0 : fail(j, "discard");
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)range[0],
			 (off_t)range[1]) == 0
		       ? 0
		       : fail(j, "punch hole");
}

static int do_zero(struct job *j, int fd, uint64_t at, uint64_t count)
{
	uint64_t range[2] = { at * BLOCK, count * BLOCK };

	expect(j, at, count, is_zero);
	if (j->is_dry)
		return 0;
	if (j->is_device)
		return ioctl(fd, BLKZEROOUT, range) == 0 ? 0 : fail(j, "zero out");
	return fallocate(fd, FALLOC_FL_ZERO_RANGE, (off_t)range[0], (off_t)range[1]) == 0
		       ? 0
		       : fail(j, "zero range");
}

static int do_one(struct job *j, int fd, struct block *buf, uint64_t generation)
{
	uint64_t at = j->first + next_random(j) % j->count;
	uint64_t most = j->first + j->count - at;
	uint64_t count = 1 + next_random(j) % RUN_BLOCKS_MAX;
	uint64_t kind = next_random(j) % 16;

	count = count < most ? count : most;
	if (kind == 0)
		return do_discard(j, fd, at, count);
	if (kind == 1)
		return do_zero(j, fd, at, count);
	return do_write(j, fd, buf, at, count, generation);
}

static int do_all(struct job *j, int fd, struct block *buf)
{
	int r = 0;

	/* About half of the blocks are written, some of them more than once. */
	for (uint64_t op = 1; op <= j->count / RUN_BLOCKS_MAX * 2 && r == 0; op++) {
		r = do_one(j, fd, buf, op);
		if (r == 0 && !j->is_dry && op % FSYNC_EVERY == 0 && fsync(fd) < 0)
			r = fail(j, "fsync");
	}
	if (r == 0 && !j->is_dry && fsync(fd) < 0)
		r = fail(j, "fsync");
	return r;
}

/* ---- checking ---- */

static bool is_as_expected(struct job *j, struct block *b, uint64_t index)
{
	uint64_t wanted = j->expected[index];

	if (wanted == never_written || wanted == is_anything)
		return true;
	return wanted == is_zero ? is_all_zero(b) : is_filled(b, index, wanted);
}

static int check_all(struct job *j, int fd, struct block *buf)
{
	uint64_t end = j->first + j->count;

	for (uint64_t at = j->first; at < end; at += RUN_BLOCKS_MAX) {
		uint64_t count = end - at < RUN_BLOCKS_MAX ? end - at : RUN_BLOCKS_MAX;
		size_t bytes = count * BLOCK;

		if (pread(fd, buf, bytes, (off_t)(at * BLOCK)) != (ssize_t)bytes)
			return fail(j, "read");
		for (uint64_t i = 0; i < count; i++) {
			if (is_as_expected(j, &buf[i], at + i))
				continue;
			fprintf(stderr, "block %llu is not of write %llu\n",
				(unsigned long long)(at + i),
				(unsigned long long)j->expected[at + i]);
			errno = EBADMSG;
			return fail(j, "verify");
		}
	}
	return 0;
}

static void *run_job(void *arg)
{
	struct job *j = arg;
	void *buf = NULL;
	cpu_set_t cpus;
	int fd = open(j->path, O_RDWR | O_DIRECT | O_CLOEXEC);

	CPU_ZERO(&cpus);
	CPU_SET(j->cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus); /* one CPU will do as well */
	if (fd < 0 || posix_memalign(&buf, BLOCK, RUN_BLOCKS_MAX * BLOCK))
		fail(j, "open");
	else if (do_all(j, fd, buf) == 0)
		check_all(j, fd, buf);
	free(buf);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int run_jobs(struct job *jobs)
{
	pthread_t threads[THREADS];
	int status = 0;

	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run_job, &jobs[i]))
			exit(3);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (!jobs[i].what)
			continue;
		fprintf(stderr, "io-verify: %s: %s: %s\n", jobs[i].path, jobs[i].what,
			strerror(jobs[i].error));
		status = 1;
	}
	return status;
}

/* A file gets its size; of a device only the kind is asked. */
static int prepare(const char *path, uint64_t bytes, bool *is_device_ret)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -1 : 0;

	if (r == 0 && S_ISREG(st.st_mode))
		r = ftruncate(fd, (off_t)bytes);
	if (r == 0)
		*is_device_ret = S_ISBLK(st.st_mode);
	else
		fprintf(stderr, "io-verify: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

int main(int argc, char **argv)
{
	struct job jobs[THREADS];
	bool is_device = false;

	if (argc != 5 || (strcmp(argv[1], "run") != 0 && strcmp(argv[1], "check") != 0)) {
		fprintf(stderr, "usage: io-verify run|check PATH MIB SEED\n");
		return 2;
	}
	uint64_t blocks = strtoull(argv[3], NULL, 10) * (1024 * 1024 / BLOCK);
	uint64_t *expected = calloc(blocks, sizeof(*expected));

	if (!blocks || !expected || prepare(argv[2], blocks * BLOCK, &is_device) < 0)
		return 3;
	for (unsigned i = 0; i < THREADS; i++)
		jobs[i] = (struct job){
			.path = argv[2],
			.first = blocks / THREADS * i,
			.count = blocks / THREADS,
			.random = (strtoull(argv[4], NULL, 10) + i + 1) * 0x9e3779b97f4a7c15u,
			.expected = expected,
			.cpu = i,
			.is_dry = argv[1][0] == 'c',
			.is_device = is_device,
		};
	int status = run_jobs(jobs);

	free(expected);
	return status;
}
