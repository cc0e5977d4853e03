// SPDX-License-Identifier: GPL-2.0-only
/* The region table. It is kept sorted so that a lookup is one binary search, and so that a range
 * which runs over adjacent regions is a walk to the right. Copies are made of relaxed atomic loads
 * and stores: plain memcpy would let the compiler load a byte twice, and would be a data race with
 * a guest (or a test's driver thread) that writes at the same time. */
#include "gmem/gmem.h"

#include <errno.h>
#include <inttypes.h>

/* Index of the first region that ends above @addr; mem->count if none does. */
static unsigned first_ending_above(const struct gmem *mem, uint64_t addr)
{
	unsigned low = 0, high = mem->count;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		const struct gmem_region *r = &mem->regions[mid];

		/* The last byte, since gpa + bytes may be 2^64. */
		if (r->gpa + (r->bytes - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int gmem_add(struct gmem *mem, gpa_t base, uint64_t bytes, void *host)
{
	uint64_t last;

	if (!bytes || __builtin_add_overflow(base.v, bytes - 1, &last))
		return err_new(-EINVAL,
			       "guest memory at 0x%" PRIx64 ", 0x%" PRIx64 " bytes: no such range",
			       base.v, bytes);
	unsigned at = first_ending_above(mem, base.v);

	if (at < mem->count && mem->regions[at].gpa <= last)
		return err_new(-EEXIST, "guest memory at 0x%" PRIx64 " overlaps that at 0x%" PRIx64,
			       base.v, mem->regions[at].gpa);
	if (mem->count == GMEM_MAX_REGIONS)
		return err_new(-ENOSPC, "guest memory: more than %u regions", GMEM_MAX_REGIONS);
	memmove(&mem->regions[at + 1], &mem->regions[at],
		(mem->count - at) * sizeof(mem->regions[0]));
	mem->regions[at] = (struct gmem_region){ base.v, bytes, host };
	mem->count++;
	return 0;
}

int gmem_remove(struct gmem *mem, gpa_t base, uint64_t bytes)
{
	unsigned at = first_ending_above(mem, base.v);

	if (at == mem->count || mem->regions[at].gpa != base.v || mem->regions[at].bytes != bytes)
		return err_new(-ENOENT,
			       "guest memory at 0x%" PRIx64 ", 0x%" PRIx64
			       " bytes: not a region that is there",
			       base.v, bytes);
	mem->count--;
	memmove(&mem->regions[at], &mem->regions[at + 1],
		(mem->count - at) * sizeof(mem->regions[0]));
	return 0;
}

const struct gmem_region *gmem_find(const struct gmem *mem, gpa_t addr)
{
	unsigned at = first_ending_above(mem, addr.v);

	return at < mem->count && addr.v >= mem->regions[at].gpa ? &mem->regions[at] : NULL;
}

void *gmem_ptr(const struct gmem *mem, gpa_t addr, uint64_t len)
{
	const struct gmem_region *region = gmem_find(mem, addr);

	return region ? gmem_region_ptr(region, addr, MAX(len, UINT64_C(1))) : NULL;
}

int gmem_iov(const struct gmem *mem, gpa_t addr, uint64_t len, struct iovec *iov, unsigned max,
	     unsigned *count_ret)
{
	unsigned count = 0;
	unsigned at = first_ending_above(mem, addr.v);

	while (len) {
		if (at == mem->count || addr.v < mem->regions[at].gpa)
			return GMEM_OUTSIDE;
		if (count == max)
			return GMEM_IOV_FULL;
		const struct gmem_region *r = &mem->regions[at++];
		uint64_t offset = addr.v - r->gpa;
		uint64_t here = MIN(len, r->bytes - offset);

		iov[count++] = (struct iovec){ r->host + offset, here };
		len -= here;
		/* The end of the address space has no right neighbour. */
		if (len && __builtin_add_overflow(addr.v, here, &addr.v))
			return GMEM_OUTSIDE;
	}
	*count_ret = count;
	return 0;
}

int gmem_read(const struct gmem *mem, gpa_t addr, void *buf, size_t len)
{
	struct iovec iov[GMEM_MAX_REGIONS];
	unsigned count;
	int r = gmem_iov(mem, addr, len, iov, ARRAY_SIZE(iov), &count);

	if (!r)
		iov_load(iov, count, 0, buf, len);
	return r;
}

int gmem_write(const struct gmem *mem, gpa_t addr, const void *buf, size_t len)
{
	struct iovec iov[GMEM_MAX_REGIONS];
	unsigned count;
	int r = gmem_iov(mem, addr, len, iov, ARRAY_SIZE(iov), &count);

	if (!r)
		iov_store(iov, count, 0, buf, len);
	return r;
}

static bool is_word_aligned(const void *p)
{
	return (uintptr_t)p % sizeof(uint64_t) == 0;
}

void gmem_load(void *dst, const void *guest, size_t len)
{
	unsigned char *to = dst;
	const unsigned char *from = guest;

	if (is_word_aligned(from)) {
		for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
			uint64_t word = __atomic_load_n((const uint64_t *)(const void *)from,
							__ATOMIC_RELAXED);

			memcpy(to, &word, sizeof(word));
			to += sizeof(word);
			from += sizeof(word);
		}
	}
	while (len--)
		*to++ = __atomic_load_n(from++, __ATOMIC_RELAXED);
}

void gmem_store(void *guest, const void *src, size_t len)
{
	unsigned char *to = guest;
	const unsigned char *from = src;

	if (is_word_aligned(to)) {
		for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
			uint64_t word;

			memcpy(&word, from, sizeof(word));
			__atomic_store_n((uint64_t *)(void *)to, word, __ATOMIC_RELAXED);
			to += sizeof(word);
			from += sizeof(word);
		}
	}
	while (len--)
		__atomic_store_n(to++, *from++, __ATOMIC_RELAXED);
}

/* A place in an iovec array. */
struct cursor {
	const struct iovec *iov;
	unsigned left; /* iovecs */
	uint64_t offset;
};

/* The next contiguous piece of at most @max bytes; 0 where the array ends. */
static size_t cursor_next(struct cursor *c, size_t max, unsigned char **ret)
{
	while (c->left && c->offset >= c->iov->iov_len) {
		c->offset -= c->iov->iov_len;
		c->iov++;
		c->left--;
	}
	if (!c->left)
		return 0;
	size_t bytes = MIN(c->iov->iov_len - c->offset, max);

	*ret = (unsigned char *)c->iov->iov_base + c->offset;
	c->offset += bytes;
	return bytes;
}

size_t iov_load(const struct iovec *iov, unsigned count, uint64_t offset, void *buf, size_t len)
{
	struct cursor c = { iov, count, offset };
	unsigned char *guest;
	size_t done = 0, bytes;

	while (done < len && (bytes = cursor_next(&c, len - done, &guest))) {
		gmem_load((unsigned char *)buf + done, guest, bytes);
		done += bytes;
	}
	return done;
}

size_t iov_store(const struct iovec *iov, unsigned count, uint64_t offset, const void *buf,
		 size_t len)
{
	struct cursor c = { iov, count, offset };
	unsigned char *guest;
	size_t done = 0, bytes;

	while (done < len && (bytes = cursor_next(&c, len - done, &guest))) {
		gmem_store(guest, (const unsigned char *)buf + done, bytes);
		done += bytes;
	}
	return done;
}
