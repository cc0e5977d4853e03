// SPDX-License-Identifier: GPL-2.0-only
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

const enum rig_mode rig_modes[RIG_MODES] = {
	RIG_INLINE,	    RIG_URING,	       RIG_URING_PLAIN,
	RIG_WORKER_THREADS, RIG_URING_THREADS, RIG_INLINE_THREADS,
};

enum blk_engine rig_engine(enum rig_mode mode)
{
	static const enum blk_engine engines[RIG_MODES] = {
		[RIG_INLINE] = BLK_ENGINE_INLINE,	[RIG_URING] = BLK_ENGINE_URING,
		[RIG_URING_PLAIN] = BLK_ENGINE_URING,	[RIG_WORKER_THREADS] = BLK_ENGINE_WORKER,
		[RIG_URING_THREADS] = BLK_ENGINE_URING, [RIG_INLINE_THREADS] = BLK_ENGINE_INLINE,
	};

	return engines[mode];
}

static uint64_t virtual_now(void *ctx)
{
	return ((struct rig *)ctx)->clock_ns;
}

static void make_disk(struct rig *r)
{
	r->disk_fd = memfd_create("rig-disk", 0);
	assert_true(r->disk_fd >= 0);
	snprintf(r->path, sizeof(r->path), "/proc/%d/fd/%d", getpid(), r->disk_fd);
	for (uint64_t s = 0; s < RIG_DISK_SECTORS; s++) {
		unsigned char sector[512];

		memset(sector, rig_pattern(s), sizeof(sector));
		assert_int_equal(pwrite(r->disk_fd, sector, 512, (off_t)(s * 512)), 512);
	}
}

static void make_memory(struct rig *r)
{
	/* Two mappings of one file, the second not behind the first on the host. */
	int fd = memfd_create("rig-ram", MFD_ALLOW_SEALING);
	unsigned char *high;

	assert_int_equal(ftruncate(fd, RIG_RAM), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	r->mem.pages = GMEM_PAGES_OWN;
	r->ram = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	high = mmap(NULL, RIG_RAM - RIG_SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, RIG_SLOT);
	assert_true(r->ram != MAP_FAILED && high != MAP_FAILED);
	r->ram_fd = fd;
	assert_int_equal(gmem_add(&r->mem, gpa(0), RIG_SLOT, r->ram), 0);
	assert_int_equal(gmem_add(&r->mem, gpa(RIG_SLOT), RIG_RAM - RIG_SLOT, high), 0);
}

static struct blk_spec spec_of(struct rig *r, const char *options)
{
	static const char *const buffers[RIG_MODES] = {
		[RIG_URING] = ",buffers=registered",
		[RIG_URING_PLAIN] = ",buffers=plain",
		[RIG_URING_THREADS] = ",buffers=registered",
	};
	struct blk_spec spec;
	char text[1024];

	snprintf(text, sizeof(text), "%s,engine=%s%s%s", r->path,
		 blk_engine_name(rig_engine(r->mode)), buffers[r->mode] ? buffers[r->mode] : "",
		 options);
	if (blk_spec_parse(text, &spec) < 0)
		fail_msg("%s: %s", text, err_text());
	return spec;
}

void rig_init_with(struct rig *r, enum rig_mode mode, const char *options, uint64_t without)
{
	const struct blk_clock clock = { .now_ns = virtual_now, .ctx = r };
	struct blk_spec spec;

	*r = (struct rig){
		.mode = mode,
		.has_threads = mode >= RIG_WORKER_THREADS || rig_face->is_threaded,
		.clock_ns = 1000000,
	};
	make_disk(r);
	make_memory(r);
	spec = spec_of(r, options);
	r->queues = spec.queues;
	r->irq_fd = eventfd(0, EFD_NONBLOCK);
	if (blk_new(&spec, r->has_threads ? NULL : &clock, &r->blk) < 0)
		fail_msg("%s", err_text());
	rig_face->attach(r);
	assert_int_equal(blk_start(r->blk), 0);
	r->features = (blk_virtio(r->blk)->features | VQ_FEATURES |
		       UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VIRTIO_F_RING_RESET) &
		      ~(UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX) & ~without;
	rig_setup(r, r->features);
}

void rig_init(struct rig *r, enum rig_mode mode, const char *options)
{
	rig_init_with(r, mode, options, 0);
}

void rig_deinit(struct rig *r)
{
	rig_face->detach(r);
	r->blk = blk_free(r->blk);
	munmap(r->mem.regions[1].host, RIG_RAM - RIG_SLOT);
	munmap(r->ram, RIG_RAM);
	close(r->irq_fd);
	close(r->ram_fd);
	close(r->disk_fd);
}

void *rig_at(struct rig *r, uint64_t addr)
{
	assert_true(addr < RIG_RAM);
	return r->ram + addr;
}

unsigned char *rig_ring(struct rig *r, unsigned q, unsigned part)
{
	return rig_at(r, RIG_RINGS + q * RIG_RING_STRIDE + part);
}

void rig_setup(struct rig *r, uint64_t features)
{
	memset(r->rings, 0, sizeof(r->rings));
	rig_face->setup(r, features);
}

void rig_header(struct rig *r, uint64_t addr, uint32_t type, uint64_t sector)
{
	const struct virtio_blk_outhdr header = { .type = type, .sector = sector };

	memcpy(rig_at(r, addr), &header, sizeof(header));
}

uint16_t rig_post_on(struct rig *r, unsigned q, const struct piece *pieces, unsigned count)
{
	struct vring_desc *table = (void *)rig_ring(r, q, 0);
	uint16_t *avail = (void *)rig_ring(r, q, RIG_AVAIL);
	uint16_t head = r->rings[q].next_desc;

	for (unsigned i = 0; i < count; i++) {
		uint16_t at = r->rings[q].next_desc++ % RIG_QUEUE_SIZE;
		bool is_last = i + 1 == count;

		table[at] = (struct vring_desc){
			.addr = pieces[i].addr,
			.len = pieces[i].len,
			.flags = (uint16_t)(pieces[i].flags | (is_last ? 0 : VRING_DESC_F_NEXT)),
			.next = is_last ? 0 : (uint16_t)((at + 1) % RIG_QUEUE_SIZE),
		};
	}
	head %= RIG_QUEUE_SIZE;
	avail[2 + r->rings[q].avail++ % RIG_QUEUE_SIZE] = head;
	__atomic_store_n(&avail[1], r->rings[q].avail, __ATOMIC_SEQ_CST);
	return head;
}

uint16_t rig_post(struct rig *r, const struct piece *pieces, unsigned count)
{
	return rig_post_on(r, 0, pieces, count);
}

void rig_kick_on(struct rig *r, unsigned q)
{
	rig_face->kick(r, q);
}

void rig_kick(struct rig *r)
{
	rig_kick_on(r, 0);
}

uint16_t rig_used_idx(struct rig *r, unsigned q)
{
	return __atomic_load_n((uint16_t *)(void *)(rig_ring(r, q, RIG_USED) + 2),
			       __ATOMIC_ACQUIRE);
}

void rig_wait_on(struct rig *r, unsigned q, unsigned count)
{
	while ((uint16_t)(rig_used_idx(r, q) - r->rings[q].used) < count) {
		struct pollfd p = { .fd = r->irq_fd, .events = POLLIN };
		eventfd_t value = 0;

		if (poll(&p, 1, r->has_threads ? 10000 : 0) == 0 &&
		    (uint16_t)(rig_used_idx(r, q) - r->rings[q].used) < count)
			fail_msg("no answer: used.idx is %u", rig_used_idx(r, q));
		(void)!eventfd_read(r->irq_fd, &value);
		r->drained_irqs += value;
	}
}

uint64_t rig_irqs(struct rig *r)
{
	return rig_face->irqs(r);
}

struct vring_used_elem rig_take_on(struct rig *r, unsigned q)
{
	const struct vring_used_elem *entries = (void *)(rig_ring(r, q, RIG_USED) + 4);

	rig_wait_on(r, q, 1);
	return entries[r->rings[q].used++ % RIG_QUEUE_SIZE];
}

static uint16_t post_flush(struct rig *r)
{
	const struct piece flush[] = { { RIG_SENTINEL, 16, R }, { RIG_SENTINEL + 16, 1, W } };

	rig_header(r, RIG_SENTINEL, VIRTIO_BLK_T_FLUSH, 0);
	return rig_post(r, flush, 2);
}

struct rig_answer rig_run(struct rig *r, uint64_t status_addr, const struct piece *pieces,
			  unsigned count)
{
	struct rig_answer a = { 0 };
	uint16_t head, sentinel;
	struct vring_used_elem e;

	*(uint8_t *)rig_at(r, status_addr) = 0xee;
	head = rig_post(r, pieces, count);
	sentinel = post_flush(r);
	rig_kick(r);
	e = rig_take_on(r, 0);
	if (e.id == head) {
		a.is_answered = true;
		a.len = e.len;
		a.status = *(uint8_t *)rig_at(r, status_addr);
		e = rig_take_on(r, 0);
	}
	assert_int_equal(e.id, sentinel);
	return a;
}

struct rig_answer rig_request(struct rig *r, uint32_t type, uint64_t sector, uint64_t addr,
			      uint32_t bytes, uint16_t data_flags)
{
	const struct piece pieces[] = { { RIG_HEADER, 16, R },
					{ addr, bytes, data_flags },
					{ RIG_STATUS, 1, W } };

	rig_header(r, RIG_HEADER, type, sector);
	return rig_run(r, RIG_STATUS, pieces, 3);
}

struct rig_answer rig_read(struct rig *r, uint64_t sector, uint64_t addr, uint32_t bytes)
{
	return rig_request(r, VIRTIO_BLK_T_IN, sector, addr, bytes, W);
}

struct rig_answer rig_write(struct rig *r, uint64_t sector, uint64_t addr, uint32_t bytes)
{
	return rig_request(r, VIRTIO_BLK_T_OUT, sector, addr, bytes, R);
}

bool rig_is_filled(const void *p, uint8_t byte, size_t bytes)
{
	const uint8_t *at = p;

	/* Each byte is the one before it: memcmp() makes short work of megabytes. */
	return bytes == 0 || (at[0] == byte && memcmp(at, at + 1, bytes - 1) == 0);
}

bool rig_disk_is(struct rig *r, uint64_t sector, uint64_t sectors, uint8_t byte)
{
	for (uint64_t s = sector; s < sector + sectors; s++) {
		uint8_t data[512];

		assert_int_equal(pread(r->disk_fd, data, 512, (off_t)(s * 512)), 512);
		if (!rig_is_filled(data, byte, 512))
			return false;
	}
	return true;
}

uint64_t rig_counter(struct rig *r, const char *name)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	char key[80];
	const char *at;

	blk_counters_json(r->blk, &out);
	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(buf_text(&out), key);
	if (!at)
		fail_msg("no counter %s", name);
	return strtoull(at + strlen(key), NULL, 10);
}
