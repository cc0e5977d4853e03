// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

void vhost_mem_init(struct vhost_mem *mem, struct guard *guard)
{
	*mem = (struct vhost_mem){ .guard = guard };
}

static void region_unmap(struct vhost_region *r)
{
	guard_remove(r->map);
	munmap(r->map, r->map_bytes);
}

void vhost_mem_deinit(struct vhost_mem *mem)
{
	for (unsigned i = 0; i < mem->count; i++)
		region_unmap(&mem->regions[i]);
	vhost_mem_init(mem, mem->guard);
}

static bool does_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes; /* neither wraps: checked before */
}

static int check_region(const struct vhost_mem *mem, const struct vhost_region_msg *m)
{
	uint64_t end;

	if (!m->bytes)
		return err_new(-EINVAL, "memory region at 0x%" PRIx64 " is empty", m->guest_addr);
	if (__builtin_add_overflow(m->guest_addr, m->bytes, &end) ||
	    __builtin_add_overflow(m->user_addr, m->bytes, &end) ||
	    __builtin_add_overflow(m->mmap_offset, m->bytes, &end) || end > INT64_MAX)
		return err_new(-EINVAL, "memory region 0x%" PRIx64 "+0x%" PRIx64 " wraps",
			       m->guest_addr, m->bytes);
	for (unsigned i = 0; i < mem->count; i++) {
		const struct vhost_region *r = &mem->regions[i];

		if (does_overlap(m->guest_addr, m->bytes, r->guest_addr, r->bytes) ||
		    does_overlap(m->user_addr, m->bytes, r->user_addr, r->bytes))
			return err_new(-EINVAL,
				       "memory region 0x%" PRIx64 "+0x%" PRIx64
				       " overlaps 0x%" PRIx64 "+0x%" PRIx64,
				       m->guest_addr, m->bytes, r->guest_addr, r->bytes);
	}
	if (mem->count == VHOST_MEM_SLOTS)
		return err_new(-ENOSPC, "more than %d memory regions", VHOST_MEM_SLOTS);
	return 0;
}

/* mmap() wants offsets in units of the page, which is large on hugetlbfs. */
static int file_page_bytes(int fd, const struct vhost_region_msg *m, uint64_t *ret)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_new(-errno, "memory region's file: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_new(-EINVAL, "memory region's descriptor is no file");
	if (m->mmap_offset + m->bytes > (uint64_t)st.st_size)
		return err_new(-EINVAL,
			       "memory region 0x%" PRIx64 "+0x%" PRIx64
			       " reaches beyond its file of %jd bytes",
			       m->guest_addr, m->bytes, (intmax_t)st.st_size);
	*ret = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize : (uint64_t)getpagesize();
	return 0;
}

static int region_map(const struct vhost_region_msg *m, int fd, struct vhost_region *r)
{
	uint64_t page_bytes = (uint64_t)getpagesize();
	int e = file_page_bytes(fd, m, &page_bytes);

	if (e < 0)
		return err_trace(e);
	uint64_t lead = m->mmap_offset % page_bytes;

	r->map_bytes = align_up(lead + m->bytes, page_bytes);
	r->map = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		      (off_t)(m->mmap_offset - lead));
	if (r->map == MAP_FAILED)
		return err_new(-errno, "map memory region 0x%" PRIx64 "+0x%" PRIx64 ": %s",
			       m->guest_addr, m->bytes, strerror(errno));
	r->host = (char *)r->map + lead;
	return 0;
}

/* The table is as trustworthy as its least region. */
static enum gmem_pages pages_of(const struct vhost_mem *mem, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	bool is_sealed = seals >= 0 && seals & F_SEAL_SHRINK;

	if (!is_sealed || (mem->count && mem->gmem.pages == GMEM_PAGES_FOREIGN))
		return GMEM_PAGES_FOREIGN;
	return GMEM_PAGES_SEALED;
}

int vhost_mem_add(struct vhost_mem *mem, const struct vhost_region_msg *m, int fd)
{
	struct vhost_region region = { .guest_addr = m->guest_addr,
				       .bytes = m->bytes,
				       .user_addr = m->user_addr };
	int r = check_region(mem, m);

	if (r < 0)
		return err_trace(r);
	r = region_map(m, fd, &region);
	if (r < 0)
		return err_trace(r);
	r = guard_add(mem->guard, region.map, region.map_bytes);
	if (r >= 0)
		r = gmem_add(&mem->gmem, gpa(m->guest_addr), m->bytes, region.host);
	if (r < 0) {
		region_unmap(&region);
		return err_trace(r);
	}
	mem->gmem.pages = pages_of(mem, fd);
	mem->regions[mem->count++] = region;
	return 0;
}

int vhost_mem_remove(struct vhost_mem *mem, const struct vhost_region_msg *m)
{
	for (unsigned i = 0; i < mem->count; i++) {
		struct vhost_region *r = &mem->regions[i];

		if (r->guest_addr != m->guest_addr || r->bytes != m->bytes ||
		    r->user_addr != m->user_addr)
			continue;
		int e = gmem_remove(&mem->gmem, gpa(r->guest_addr), r->bytes);

		if (e < 0)
			return err_trace(e);
		region_unmap(r);
		*r = mem->regions[--mem->count];
		return 0;
	}
	return err_new(-ENOENT, "no memory region 0x%" PRIx64 "+0x%" PRIx64, m->guest_addr,
		       m->bytes);
}

int vhost_mem_translate(const struct vhost_mem *mem, uint64_t user_addr, uint64_t bytes, gpa_t *ret)
{
	for (unsigned i = 0; i < mem->count; i++) {
		const struct vhost_region *r = &mem->regions[i];

		if (user_addr < r->user_addr || bytes > r->bytes ||
		    user_addr - r->user_addr > r->bytes - bytes)
			continue;
		*ret = gpa(r->guest_addr + (user_addr - r->user_addr));
		return 0;
	}
	return err_new(-EFAULT, "address 0x%" PRIx64 "+0x%" PRIx64 " is in no memory region",
		       user_addr, bytes);
}
