/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's view of one disk for tests: guest memory in two adjacent regions (so that a buffer may
 * run over a slot border), a transport, and the engines, with and without threads. Every device
 * test runs in each mode: TESTS(ON_ALL(claim), ...) gives the test its own as RIG_MODE. */
#pragma once

#include "base/util.h"
#include "devices/blk/blk.h"
#include "virtio/mmio.h"

#include "test.h"

#include <linux/virtio_blk.h>
#include <stdio.h>

enum {
	RIG_RAM = 2 << 20,  /* bytes of guest memory at 0 */
	RIG_SLOT = 1 << 20, /* where the second region begins */
	RIG_QUEUE_SIZE = 256,
	RIG_DISK_SECTORS = 2048,
	RIG_HOLE = 0x40000000, /* an address in no RAM */

	/* Where tests put things. */
	RIG_HEADER = 0x80000,
	RIG_STATUS = 0x81000,
	RIG_DATA = 0x90000,
	RIG_TABLE = 0x70000, /* indirect tables */
	RIG_SENTINEL = 0x7f000,

	/* Where a queue's rings are, and its parts. */
	RIG_RINGS = 0x10000,
	RIG_RING_STRIDE = 0x4000,
	RIG_AVAIL = 0x1000,
	RIG_USED = 0x2000,
};

enum { R = 0, W = VRING_DESC_F_WRITE, IND = VRING_DESC_F_INDIRECT };

struct piece {
	uint64_t addr;
	uint32_t len;
	uint16_t flags; /* R, W, IND */
};

/* How a disk is served. Without threads its clock is virtual and a kick is answered when it returns. */
enum rig_mode {
	RIG_INLINE,
	RIG_URING, /* guest memory registered */
	RIG_URING_PLAIN,
	RIG_WORKER_THREADS,
	RIG_URING_THREADS,
	RIG_INLINE_THREADS, /* kicks are served by the kicker, what is late by a thread */
	RIG_MODES,
};

struct rig;

/* How the driver reaches the disk: rig-mmio.c, or tests/unit/vhost/rig-vhost.c, whichever the test
 * program is linked with. */
struct rig_face {
	bool is_threaded; /* a kick returns before it is answered, on every engine */
	void (*attach)(struct rig *r);
	void (*detach)(struct rig *r);
	/* Reset, negotiate, set all queues up, go. */
	void (*setup)(struct rig *r, uint64_t features);
	void (*kick)(struct rig *r, unsigned q);
	uint64_t (*irqs)(struct rig *r);
};

extern const struct rig_face *const rig_face;

struct rig {
	enum rig_mode mode;
	bool has_threads; /* answers come from another thread, on the real clock */
	unsigned char *ram;
	int ram_fd;
	struct gmem mem;
	struct blk *blk;
	struct virtio_mmio mmio; /* the face's */
	struct rig_vhost *vhost; /* the other face's */
	uint64_t clock_ns;	 /* virtual, unless there are threads */
	_Atomic uint64_t irqs;	 /* on the MMIO face: raised */
	uint64_t drained_irqs;	 /* taken off irq_fd */
	int irq_fd;
	int disk_fd;
	char path[64];
	uint64_t features;
	unsigned queues;
	struct {
		uint16_t next_desc, avail, used;
	} rings[BLK_QUEUES_MAX];
};

/* One used entry, with what the status byte says. */
struct rig_answer {
	bool is_answered;
	uint8_t status;
	uint32_t len;
};

extern const enum rig_mode rig_modes[RIG_MODES];
enum blk_engine rig_engine(enum rig_mode mode);

/* Make a disk of RIG_DISK_SECTORS sectors, sector n filled with the byte n * 7 + 1, plus the spec's
 * @options ("" or ",ro,..."), and bring the device to DRIVER_OK with everything negotiated except
 * EVENT_IDX, minus @without. */
void rig_init_with(struct rig *r, enum rig_mode mode, const char *options, uint64_t without);
void rig_init(struct rig *r, enum rig_mode mode, const char *options);
void rig_deinit(struct rig *r);

/* Interrupts so far, when all answers have come. */
uint64_t rig_irqs(struct rig *r);

/* Registers; on the MMIO face only. */
uint32_t rig_reg(struct rig *r, unsigned offset);
void rig_set_reg(struct rig *r, unsigned offset, uint32_t value);
/* Reset, negotiate @features, set all queues up, DRIVER_OK. */
void rig_setup(struct rig *r, uint64_t features);

/* Guest memory. */
unsigned char *rig_ring(struct rig *r, unsigned q, unsigned part);
void *rig_at(struct rig *r, uint64_t addr);
void rig_header(struct rig *r, uint64_t addr, uint32_t type, uint64_t sector);

/* Put a chain on queue @q; kick; look. */
uint16_t rig_post_on(struct rig *r, unsigned q, const struct piece *pieces, unsigned count);
uint16_t rig_post(struct rig *r, const struct piece *pieces, unsigned count);
void rig_kick_on(struct rig *r, unsigned q);
void rig_kick(struct rig *r);
uint16_t rig_used_idx(struct rig *r, unsigned q);
/* Wait until @count more used entries are there, and take the next one. */
void rig_wait_on(struct rig *r, unsigned q, unsigned count);
struct vring_used_elem rig_take_on(struct rig *r, unsigned q);

/* Post the chain with a flush behind it, and say how the chain was answered; status is the byte at
 * @status_addr, which is set to 0xee before. */
struct rig_answer rig_run(struct rig *r, uint64_t status_addr, const struct piece *pieces,
			  unsigned count);

/* A whole request in the usual three descriptors (header, data, status at RIG_STATUS). */
struct rig_answer rig_read(struct rig *r, uint64_t sector, uint64_t addr, uint32_t bytes);
struct rig_answer rig_write(struct rig *r, uint64_t sector, uint64_t addr, uint32_t bytes);
struct rig_answer rig_request(struct rig *r, uint32_t type, uint64_t sector, uint64_t addr,
			      uint32_t bytes, uint16_t data_flags);

/* The byte that fills sector @sector of a fresh disk. */
static inline uint8_t rig_pattern(uint64_t sector)
{
	return (uint8_t)(sector * 7 + 1);
}
bool rig_is_filled(const void *p, uint8_t byte, size_t bytes);
/* Do @sectors sectors of the host file from @sector on hold @byte? */
bool rig_disk_is(struct rig *r, uint64_t sector, uint64_t sectors, uint8_t byte);

/* The value of a counter, by name. */
uint64_t rig_counter(struct rig *r, const char *name);

static inline void assert_answer(struct rig_answer a, uint8_t status, uint32_t len)
{
	assert_true(a.is_answered);
	assert_int_equal(a.status, status);
	assert_int_equal(a.len, len);
}

#define RIG_MODE (*(const enum rig_mode *)*state)
#define ETEST(name) static void name(void **state)
#define ON(name, i)                                                                                \
	{                                                                                          \
#name " @" #i, name, NULL, NULL, (void *)(uintptr_t)&rig_modes[i]                  \
	}
#define ON_ALL(name)                                                                               \
	ON(name, RIG_INLINE), ON(name, RIG_URING), ON(name, RIG_URING_PLAIN),                      \
		ON(name, RIG_WORKER_THREADS), ON(name, RIG_URING_THREADS)
#define ON_VIRTUAL(name) ON(name, RIG_INLINE), ON(name, RIG_URING), ON(name, RIG_URING_PLAIN)
