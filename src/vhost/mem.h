/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory a front end shares with us: its regions, mapped, guarded, and offered as a struct gmem
 * to the queue walker. A region has three addresses: the guest's (descriptors use it), the front
 * end's own (ring addresses use it) and ours.
 *
 * Every claim of the front end is checked against the file: a region that is empty, wraps, overlaps
 * another in either address space or reaches beyond its file is refused, and a refusal leaves the
 * table as it was. One thread; nobody may use the gmem while the table changes. */
#pragma once

#include "base/util.h"
#include "gmem/gmem.h"
#include "vhost/guard.h"
#include "vhost/msg.h"

enum { VHOST_MEM_SLOTS = GMEM_MAX_REGIONS };

struct vhost_region {
	uint64_t guest_addr;
	uint64_t bytes;
	uint64_t user_addr;
	void *map; /* the whole mapping, which starts before the region if its offset is odd */
	size_t map_bytes;
	void *host; /* where the region starts in it */
};

struct vhost_mem {
	struct guard *guard;
	struct vhost_region regions[VHOST_MEM_SLOTS];
	unsigned count;
	struct gmem gmem;
};

/* An empty table whose mappings are guarded in the name of @guard (outlives it). */
void vhost_mem_init(struct vhost_mem *mem, struct guard *guard);

/* Unmap everything. Works twice. */
void vhost_mem_deinit(struct vhost_mem *mem);

/* Map @region of @fd (stays the caller's) and add it. 0; -EINVAL for a region that cannot be;
 * -ENOSPC when all slots are taken; mmap()'s error. With words. */
int vhost_mem_add(struct vhost_mem *mem, const struct vhost_region_msg *region, int fd) must_check;

/* Remove the region with the same guest address, size and user address. 0, or -ENOENT with words.
 */
int vhost_mem_remove(struct vhost_mem *mem, const struct vhost_region_msg *region) must_check;

/* Where [@user_addr, + @bytes) of the front end is in guest memory. 0, or -EFAULT with words unless
 * it lies wholly inside one region. */
int vhost_mem_translate(const struct vhost_mem *mem, uint64_t user_addr, uint64_t bytes,
			gpa_t *ret) must_check;
