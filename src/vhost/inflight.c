// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/inflight.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	REGION_VERSION = 1,
	REGION_ALIGN = 64, /* as libvhost-user has it, so that back ends can follow each other */
	MAX_QUEUES = 256,
	MAX_QUEUE_SIZE = 32768,
};

static uint64_t region_bytes(uint16_t queue_size)
{
	return align_up(sizeof(struct inflight_region) + queue_size * sizeof(struct inflight_desc),
			REGION_ALIGN);
}

/* What a ring of the second set takes; 0 if there is none beside rings of @queue_size. */
static uint64_t large_bytes(uint16_t queue_size)
{
	return queue_size < INFLIGHT_LARGE_SIZE ? region_bytes(INFLIGHT_LARGE_SIZE) : 0;
}

static int check_counts(uint16_t queue_count, uint16_t queue_size)
{
	if (!queue_count || queue_count > MAX_QUEUES)
		return err_new(-EINVAL, "in-flight memory for %u rings", queue_count);
	if (!is_power_of_two(queue_size) || queue_size > MAX_QUEUE_SIZE)
		return err_new(-EINVAL, "in-flight memory for rings of %u entries", queue_size);
	return 0;
}

int inflight_create(uint16_t queue_count, uint16_t queue_size, int *fd_ret,
		    struct vhost_inflight_msg *ret)
{
	int r = check_counts(queue_count, queue_size);

	if (r < 0)
		return err_trace(r);
	uint64_t bytes =
		align_up(queue_count * (region_bytes(queue_size) + large_bytes(queue_size)),
			 (uint64_t)getpagesize());
	cleanup(fd_closep) int fd = memfd_create("vhost-inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_new(-errno, "in-flight memory of %" PRIu64 " bytes: %s", bytes,
			       strerror(errno));
	*fd_ret = steal_fd(&fd);
	*ret = (struct vhost_inflight_msg){ .mmap_bytes = bytes,
					    .queue_count = queue_count,
					    .queue_size = queue_size };
	return 0;
}

static int check_file(const struct vhost_inflight_msg *msg, int fd)
{
	struct stat st;
	uint64_t end;

	if (msg->mmap_bytes < msg->queue_count * region_bytes(msg->queue_size))
		return err_new(-EINVAL, "in-flight memory of %" PRIu64 " bytes is too small",
			       msg->mmap_bytes);
	if (!is_aligned(msg->mmap_offset, REGION_ALIGN) ||
	    __builtin_add_overflow(msg->mmap_offset, msg->mmap_bytes, &end))
		return err_new(-EINVAL, "in-flight memory at offset 0x%" PRIx64, msg->mmap_offset);
	if (fstat(fd, &st) < 0)
		return err_new(-errno, "in-flight memory: %s", strerror(errno));
	if (!S_ISREG(st.st_mode) || end > (uint64_t)st.st_size)
		return err_new(-EINVAL, "in-flight memory reaches beyond its file of %jd bytes",
			       (intmax_t)st.st_size);
	return 0;
}

int inflight_map(struct inflight *fl, const struct vhost_inflight_msg *msg, int fd)
{
	int r = check_counts(msg->queue_count, msg->queue_size);

	if (r >= 0)
		r = check_file(msg, fd);
	if (r < 0)
		return err_trace(r);
	uint64_t lead = msg->mmap_offset % (uint64_t)getpagesize();
	uint64_t first_set = msg->queue_count * region_bytes(msg->queue_size);
	uint64_t both_sets = first_set + msg->queue_count * large_bytes(msg->queue_size);
	bool has_large = both_sets > first_set && msg->mmap_bytes >= both_sets;
	size_t bytes = lead + (has_large ? both_sets : first_set);
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 (off_t)(msg->mmap_offset - lead));

	if (map == MAP_FAILED)
		return err_new(-errno, "map in-flight memory: %s", strerror(errno));
	r = guard_add(fl->guard, map, bytes);
	if (r < 0) {
		munmap(map, bytes);
		return err_trace(r);
	}
	inflight_unmap(fl);
	fl->map = map;
	fl->map_bytes = bytes;
	fl->base = (char *)map + lead;
	fl->queue_count = msg->queue_count;
	fl->queue_size = msg->queue_size;
	fl->has_large = has_large;
	return 0;
}

void inflight_unmap(struct inflight *fl)
{
	if (fl->map) {
		guard_remove(fl->map);
		munmap(fl->map, fl->map_bytes);
	}
	*fl = (struct inflight){ .guard = fl->guard };
}

struct inflight_region *inflight_region_of(const struct inflight *fl, unsigned index, uint32_t size,
					   uint16_t *room_ret)
{
	uint64_t first_set = fl->queue_count * region_bytes(fl->queue_size);
	char *at;

	if (!fl->map || index >= fl->queue_count)
		return NULL;
	if (size <= fl->queue_size) {
		*room_ret = fl->queue_size;
		at = fl->base + index * region_bytes(fl->queue_size);
	} else if (fl->has_large && size <= INFLIGHT_LARGE_SIZE) {
		*room_ret = INFLIGHT_LARGE_SIZE;
		at = fl->base + first_set + index * region_bytes(INFLIGHT_LARGE_SIZE);
	} else {
		return NULL;
	}
	return (struct inflight_region *)(void *)at;
}

/* The last process may have died between storing used.idx and clearing the marks of that batch:
 * the list of the batch, as long as the index has moved, says which marks are stale. */
static int forget_last_batch(struct inflight_region *region, uint16_t size, uint16_t used_idx)
{
	uint16_t count = (uint16_t)(used_idx - atomic_load(&region->used_idx));
	uint16_t head = atomic_load(&region->last_batch_head);

	if (count > size)
		return err_new(-EINVAL, "in-flight memory is %u used entries behind a ring of %u",
			       count, size);
	for (; count; count--) {
		if (head >= size)
			return err_new(-EINVAL, "in-flight memory lists head %u of %u", head, size);
		atomic_store(&region->desc[head].is_inflight, 0);
		head = atomic_load(&region->desc[head].next);
	}
	atomic_store(&region->used_idx, used_idx);
	return 0;
}

/* One head with the counter it was taken at: a private copy, sorted. */
struct taken {
	uint64_t counter;
	uint16_t head;
};

static int compare_taken(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return (x->counter > y->counter) - (x->counter < y->counter);
}

static int collect(struct inflight_ring *ring)
{
	cleanup(freep) struct taken *taken = calloc(ring->size, sizeof(*taken));
	unsigned count = 0;

	if (!taken)
		return err_new(-ENOMEM, "sort what was in flight");
	for (uint16_t i = 0; i < ring->size; i++)
		if (atomic_load(&ring->region->desc[i].is_inflight))
			taken[count++] =
				(struct taken){ atomic_load(&ring->region->desc[i].counter), i };
	qsort(taken, count, sizeof(*taken), compare_taken);
	for (unsigned i = 0; i < count; i++)
		ring->redo[i] = taken[i].head;
	ring->counter = count ? taken[count - 1].counter + 1 : 0;
	ring->book.redo_count = count;
	return 0;
}

static void region_init(struct inflight_region *region, uint16_t room, uint16_t used_idx)
{
	region->features = 0;
	region->desc_num = room;
	for (uint16_t i = 0; i < room; i++)
		atomic_store(&region->desc[i].is_inflight, 0);
	atomic_store(&region->last_batch_head, 0);
	atomic_store(&region->used_idx, used_idx);
	atomic_store(&region->version, REGION_VERSION);
}

static struct inflight_ring *ring_of(struct vq_book *book)
{
	return container_of(book, struct inflight_ring, book);
}

static void on_taken(struct vq_book *book, uint16_t head)
{
	struct inflight_ring *ring = ring_of(book);
	struct inflight_desc *d = &ring->region->desc[head];

	atomic_store_explicit(&d->counter, ring->counter++, memory_order_relaxed);
	atomic_store_explicit(&d->is_inflight, 1, memory_order_release);
}

static void on_put_back(struct vq_book *book, uint16_t head)
{
	atomic_store_explicit(&ring_of(book)->region->desc[head].is_inflight, 0,
			      memory_order_release);
}

static void on_staged(struct vq_book *book, uint16_t head)
{
	struct inflight_ring *ring = ring_of(book);
	struct inflight_region *region = ring->region;
	uint16_t last = atomic_load_explicit(&region->last_batch_head, memory_order_relaxed);

	assert(ring->staged_count < ring->size);
	atomic_store_explicit(&region->desc[head].next, last, memory_order_release);
	atomic_store_explicit(&region->last_batch_head, head, memory_order_release);
	ring->staged[ring->staged_count++] = head;
}

static void on_published(struct vq_book *book, uint16_t used_idx)
{
	struct inflight_ring *ring = ring_of(book);

	for (unsigned i = 0; i < ring->staged_count; i++)
		atomic_store_explicit(&ring->region->desc[ring->staged[i]].is_inflight, 0,
				      memory_order_release);
	ring->staged_count = 0;
	atomic_store_explicit(&ring->region->used_idx, used_idx, memory_order_release);
}

static int ring_init(struct inflight_ring *ring, struct inflight_region *region, uint16_t size)
{
	*ring = (struct inflight_ring){
		.book = { .taken = on_taken,
			  .put_back = on_put_back,
			  .staged = on_staged,
			  .published = on_published },
		.region = region,
		.size = size,
		.redo = calloc(size, sizeof(*ring->redo)),
		.staged = calloc(size, sizeof(*ring->staged)),
	};
	ring->book.redo = ring->redo;
	return ring->redo && ring->staged ? 0 : err_new(-ENOMEM, "book of %u heads", size);
}

int inflight_ring_start(struct inflight_ring *ring, struct inflight_region *region, uint16_t room,
			uint16_t size, uint16_t used_idx)
{
	int r = ring_init(ring, region, size);

	if (r < 0)
		return err_trace(r);
	uint16_t version = atomic_load(&region->version);

	if (!version) {
		region_init(region, room, used_idx);
		return INFLIGHT_FRESH;
	}
	if (version != REGION_VERSION || region->desc_num != room)
		return err_new(-EINVAL, "in-flight memory version %u for %u entries, expected %u",
			       version, region->desc_num, room);
	r = forget_last_batch(region, size, used_idx);
	if (r >= 0)
		r = collect(ring);
	return r < 0 ? err_trace(r) : 0;
}

void inflight_forget(struct inflight_region *region)
{
	atomic_store(&region->version, 0);
}

void inflight_ring_deinit(struct inflight_ring *ring)
{
	free(ring->redo);
	free(ring->staged);
	*ring = INFLIGHT_RING_NULL;
}
