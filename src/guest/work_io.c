// SPDX-License-Identifier: GPL-2.0-only
/* Workloads on the test disk, /dev/vda: direct I/O, so that every access goes to the device and its
 * waits are real D-state waits. */
#include "base/util.h"
#include "guest/work.h"
#include "guest/work_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEST_DISK "/dev/vda"
enum { BLOCK_BYTES = 4096 };

static struct disk disk_open(struct worker *w, uint64_t block_bytes, int flags)
{
	struct disk d = { .block_bytes = block_bytes };
	uint64_t bytes = 0;

	/* Preparing is not waiting for a CPU. */
	worker_block(w, DUE_UNKNOWN);
	d.fd = open(TEST_DISK, flags | O_DIRECT | O_CLOEXEC);
	if (d.fd < 0)
		worker_fail(w, "open %s: %s", TEST_DISK, strerror(errno));
	if (ioctl(d.fd, BLKGETSIZE64, &bytes))
		worker_fail(w, "size of %s: %s", TEST_DISK, strerror(errno));
	d.blocks = bytes / block_bytes;
	if (!d.blocks)
		worker_fail(w, "%s has %llu bytes, less than a block of %zu", TEST_DISK,
			    (unsigned long long)bytes, d.block_bytes);
	d.data = mmap(NULL, block_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (d.data == MAP_FAILED)
		worker_fail(w, "map a block: %s", strerror(errno));
	worker_unblock(w);
	return d;
}

static void read_random(struct worker *w, const struct disk *d)
{
	uint64_t block = worker_random(w) % d->blocks;
	ssize_t n;

	worker_block(w, DUE_UNKNOWN);
	n = pread(d->fd, d->data, d->block_bytes, (off_t)(block * d->block_bytes));
	worker_unblock(w);
	if (n != (ssize_t)d->block_bytes)
		worker_fail(w, "read block %llu of %s: %s", (unsigned long long)block, TEST_DISK,
			    n < 0 ? strerror(errno) : "short");
	shared_add(&w->telemetry->bytes, d->block_bytes);
}

void work_io_rand_read(struct worker *w, const uint64_t *p)
{
	struct disk d = disk_open(w, p[0], O_RDONLY);

	for (;;) {
		read_random(w, &d);
		worker_compute(w, p[1]);
		worker_iterate(w);
	}
}

void work_io_sync_write(struct worker *w, const uint64_t *p)
{
	struct disk d = disk_open(w, p[0], O_RDWR | O_DSYNC);

	memset(d.data, 0x5a, d.block_bytes);
	for (uint64_t block = w->index % d.blocks;; block = (block + 1) % d.blocks) {
		ssize_t n;

		worker_block(w, DUE_UNKNOWN);
		n = pwrite(d.fd, d.data, d.block_bytes, (off_t)(block * d.block_bytes));
		worker_unblock(w);
		if (n != (ssize_t)d.block_bytes)
			worker_fail(w, "write %s: %s", TEST_DISK,
				    n < 0 ? strerror(errno) : "short");
		shared_add(&w->telemetry->bytes, d.block_bytes);
		worker_compute(w, p[1]);
		worker_iterate(w);
	}
}

void work_read_block(struct worker *w, struct disk *d)
{
	if (!d->data)
		*d = disk_open(w, BLOCK_BYTES, O_RDONLY);
	read_random(w, d);
}

/* The lock is held over the read: who waits for it waits for the device. */
void work_io_convoy(struct worker *w, const uint64_t *p)
{
	struct work_lock *lock = w->ensemble->shared;
	struct disk d = disk_open(w, BLOCK_BYTES, O_RDONLY);

	for (;;) {
		work_lock_take(w, lock);
		read_random(w, &d);
		work_lock_release(w, lock);
		worker_compute(w, p[1]);
		worker_iterate(w);
	}
}
