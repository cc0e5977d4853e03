/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest physical memory: a sorted table of regions and the one door from (guest address, length) to
 * a host pointer. Whoever holds bytes from a guest converts addresses here and nowhere else.
 *
 *	guest:  0 ....... 3 GiB   (hole: registers)   4 GiB ........ 5 GiB
 *	        [ region 0      ]                     [ region 1          ]
 *	host:   one memfd mapping, or one mapping for each region (vhost-user)
 *
 * The table is filled before threads start, or while those that read it are parked; lookups take no
 * lock. The memory itself is shared with a running guest: copy with gmem_load()/gmem_read() once,
 * check the copy, never look again. Not here: dirty logging, and holes that are devices (bus/). */
#pragma once

#include "base/err.h"
#include "base/util.h"

#include <sys/uio.h>

enum { GMEM_MAX_REGIONS = 64 };

struct gmem_region {
	uint64_t gpa;
	uint64_t bytes;
	unsigned char *host;
};

/* Who else can exchange the pages under the regions while these exist. I/O that is set up on pages
 * instead of addresses (registered buffers) would go on with the old ones. */
enum gmem_pages {
	GMEM_PAGES_FOREIGN, /* a peer can truncate the file */
	GMEM_PAGES_SEALED, /* a peer cannot truncate it, but punch holes into it (a balloon does) */
	GMEM_PAGES_OWN,	   /* nobody */
};

struct gmem {
	struct gmem_region regions[GMEM_MAX_REGIONS]; /* by address, no two overlap */
	unsigned count;
	enum gmem_pages pages; /* set by who fills the table */
};

#define GMEM_NULL ((struct gmem){ .count = 0 })

enum gmem_outcome {
	GMEM_OUTSIDE = 1, /* some byte of the range is in no region, or the range wraps 2^64 */
	GMEM_IOV_FULL,	  /* more iovecs than the caller has room for */
};

/* Make [@base, @base + @bytes) guest memory that lives at @host, which stays the caller's and must
 * outlive the entry. 0; -EINVAL if empty or wrapping 2^64, -EEXIST if it overlaps a region, -ENOSPC
 * when the table is full. No lookup may run meanwhile. */
int gmem_add(struct gmem *mem, gpa_t base, uint64_t bytes, void *host) must_check;

/* Take out the region that is exactly [@base, @base + @bytes). 0 or -ENOENT. No lookup may run
 * meanwhile; the caller unmaps. */
int gmem_remove(struct gmem *mem, gpa_t base, uint64_t bytes) must_check;

/* Host pointer for [@addr, @addr + @len) if it all lies in @region, otherwise NULL: for callers that
 * try the region they met last before they ask the table. */
static inline unsigned char *gmem_region_ptr(const struct gmem_region *region, gpa_t addr,
					     uint64_t len)
{
	uint64_t offset = addr.v - region->gpa; /* wraps when the region starts above */

	return offset < region->bytes && len <= region->bytes - offset ? region->host + offset
								       : NULL;
}

/* The region that holds @addr, or NULL. Any thread. */
const struct gmem_region *gmem_find(const struct gmem *mem, gpa_t addr);

/* Host pointer for [@addr, @addr + @len), or NULL unless all of it lies in ONE region. A @len of 0
 * is answered as if it were 1, so that a result is always a pointer to guest memory. Any thread. */
void *gmem_ptr(const struct gmem *mem, gpa_t addr, uint64_t len);

/* As gmem_ptr() for a range that may run over regions that are adjacent in guest memory: fills
 * @iov[0..@count_ret) in address order, an iovec for each region touched. @len 0 gives none and is
 * fine at any address. 0; GMEM_OUTSIDE; GMEM_IOV_FULL if @max is too small. Any thread. */
int gmem_iov(const struct gmem *mem, gpa_t addr, uint64_t len, struct iovec *iov, unsigned max,
	     unsigned *count_ret) must_check;

/* Copy out of or into guest memory, over adjacent regions. 0, or GMEM_OUTSIDE with nothing copied.
 * Any thread; bytes that the guest changes meanwhile arrive in either form. */
int gmem_read(const struct gmem *mem, gpa_t addr, void *buf, size_t len) must_check;
int gmem_write(const struct gmem *mem, gpa_t addr, const void *buf, size_t len) must_check;

/* Load @len bytes that the guest may be changing, each byte exactly once: the compiler cannot
 * fetch again what was checked. For headers and descriptors; payload goes by vectored I/O. */
void gmem_load(void *dst, const void *guest, size_t len);
/* The same for stores: each byte is written once, in no promised order. */
void gmem_store(void *guest, const void *src, size_t len);

/* Copy between a flat buffer and an iovec array of guest memory, from byte @offset of the array on;
 * with the promise of gmem_load()/gmem_store(). Returns the bytes copied: @len, or less where the
 * array ends. Any thread. */
size_t iov_load(const struct iovec *iov, unsigned count, uint64_t offset, void *buf, size_t len);
size_t iov_store(const struct iovec *iov, unsigned count, uint64_t offset, const void *buf,
		 size_t len);

/* Memory for a guest: a memfd and one shared mapping of it. */
struct gmem_backing {
	int fd;
	uint64_t bytes;
	unsigned char *host;
};

#define GMEM_BACKING_NULL ((struct gmem_backing){ .fd = -1 })

/* Make @bytes (a multiple of the page size) of zeros, page-aligned, under the memfd name @name.
 * Pages are taken when first touched. 0, -EINVAL, or the host's refusal with words. The caller ends
 * it with gmem_backing_deinit(). */
int gmem_backing_init(struct gmem_backing *ret, const char *name, uint64_t bytes) must_check;
void gmem_backing_deinit(struct gmem_backing *b);
