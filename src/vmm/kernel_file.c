// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/kernel_file.h"

#include "base/util.h"
#include "vmm/x86_layout.h"

#include <elf.h>
#include <errno.h>

enum {
	SECTOR = 512,
	BOOT_FLAG = 0xAA55,
	PROTOCOL_MIN = 0x020c, /* xloadflags, Linux 3.8 */
	JUMP_OFFSET = 0x201,   /* its byte says where the header ends, counted from 0x202 */
	ENTRY_64 = 0x200,
	SETUP_SECTORS_DEFAULT = 4,
};

static bool is_elf(const unsigned char *head, size_t len)
{
	return len >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static bool is_bzimage(const unsigned char *head, size_t len)
{
	return len >= sizeof(struct boot_params) &&
	       le16_get(head + offsetof(struct boot_params, hdr.boot_flag)) == BOOT_FLAG &&
	       !memcmp(head + offsetof(struct boot_params, hdr.header), "HdrS", 4);
}

static int check_elf(const Elf64_Ehdr *e, size_t head_bytes)
{
	uint64_t table_end = e->e_phoff + (uint64_t)e->e_phnum * sizeof(Elf64_Phdr);

	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_ident[EI_DATA] != ELFDATA2LSB ||
	    e->e_machine != EM_X86_64)
		return err_new(-ENOEXEC, "an ELF file, but not for x86-64");
	if (e->e_type != ET_EXEC)
		return err_new(-ENOEXEC, "an ELF file, but not a kernel (type %u)", e->e_type);
	if (e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phnum == 0 || e->e_phoff > head_bytes ||
	    table_end > head_bytes)
		return err_new(-ENOEXEC, "ELF program headers are missing or out of place");
	return 0;
}

static int add_segment(const Elf64_Phdr *p, uint64_t file_bytes, struct kernel_file *f)
{
	uint64_t file_end, memory_end;

	if (f->segment_count == KERNEL_SEGMENTS_MAX)
		return err_new(-ENOEXEC, "more than %d ELF segments", KERNEL_SEGMENTS_MAX);
	if (__builtin_add_overflow(p->p_offset, p->p_filesz, &file_end) || file_end > file_bytes)
		return err_new(-ENOEXEC, "truncated: segment %u lies beyond the file's %llu bytes",
			       f->segment_count, (unsigned long long)file_bytes);
	if (p->p_filesz > p->p_memsz ||
	    __builtin_add_overflow(p->p_paddr, p->p_memsz, &memory_end) ||
	    p->p_paddr < X86_HIGH_RAM)
		return err_new(-ENOEXEC, "segment %u at %#llx: not a place for a kernel",
			       f->segment_count, (unsigned long long)p->p_paddr);
	f->segments[f->segment_count++] = (struct kernel_segment){
		.offset = p->p_offset,
		.file_bytes = p->p_filesz,
		.gpa = p->p_paddr,
		.memory_bytes = p->p_memsz,
	};
	return 0;
}

static bool is_loaded(const struct kernel_file *f, uint64_t address)
{
	for (unsigned i = 0; i < f->segment_count; i++)
		if (address >= f->segments[i].gpa &&
		    address - f->segments[i].gpa < f->segments[i].file_bytes)
			return true;
	return false;
}

static int parse_elf(const unsigned char *head, size_t head_bytes, uint64_t file_bytes,
		     struct kernel_file *f)
{
	Elf64_Ehdr e;

	if (head_bytes < sizeof(e))
		return err_new(-ENOEXEC, "truncated: an ELF header of %zu bytes", head_bytes);
	memcpy(&e, head, sizeof(e));
	int r = check_elf(&e, head_bytes);

	if (r < 0)
		return err_trace(r);
	for (unsigned i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, head + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD || p.p_memsz == 0)
			continue;
		r = add_segment(&p, file_bytes, f);
		if (r < 0)
			return err_trace(r);
	}
	f->entry = e.e_entry;
	if (!is_loaded(f, f->entry))
		return err_new(-ENOEXEC, "entry %#llx is in no segment",
			       (unsigned long long)f->entry);
	return 0;
}

/* The header ends where its own jump says; newer fields of ours stay zero, newer ones of the
 * kernel's are not ours to know. */
static int read_setup_header(const unsigned char *head, struct setup_header *ret)
{
	size_t start = offsetof(struct boot_params, hdr);
	size_t end = JUMP_OFFSET + 1 + head[JUMP_OFFSET];

	memcpy(ret, head + start, MIN(end - start, sizeof(*ret)));
	if (ret->version < PROTOCOL_MIN || !(ret->xloadflags & XLF_KERNEL_64) ||
	    !(ret->loadflags & LOADED_HIGH))
		return err_new(-ENOEXEC,
			       "boot protocol %u.%02u without a 64-bit entry: not an x86-64 kernel",
			       ret->version >> 8, ret->version & 0xff);
	return 0;
}

/* Where the decompressor works in place: where the kernel likes to be, if it can be moved at all. */
static uint64_t bzimage_address(const struct setup_header *h)
{
	if (!h->relocatable_kernel || h->pref_address >= X86_MMIO_GAP ||
	    h->pref_address < X86_HIGH_RAM)
		return X86_HIGH_RAM;
	return h->pref_address;
}

static int parse_bzimage(const unsigned char *head, uint64_t file_bytes, struct kernel_file *f)
{
	struct setup_header *h = &f->header;
	int r = read_setup_header(head, h);

	if (r < 0)
		return err_trace(r);
	uint64_t sectors = h->setup_sects ? h->setup_sects : SETUP_SECTORS_DEFAULT;
	uint64_t start = (sectors + 1) * SECTOR;
	uint64_t bytes = (uint64_t)h->syssize * 16;

	/* syssize is rounded up to 16 bytes, the file need not be. */
	if (bytes <= ENTRY_64 || start + bytes > align_up(file_bytes, 16) || start >= file_bytes)
		return err_new(-ENOEXEC,
			       "truncated: the kernel ends at byte %llu, the file at %llu",
			       (unsigned long long)(start + bytes), (unsigned long long)file_bytes);
	f->is_bzimage = true;
	f->segments[0] = (struct kernel_segment){
		.offset = start,
		.file_bytes = MIN(bytes, file_bytes - start),
		.gpa = bzimage_address(h),
	};
	f->segments[0].memory_bytes = MAX(f->segments[0].file_bytes, (uint64_t)h->init_size);
	f->segment_count = 1;
	f->entry = f->segments[0].gpa + ENTRY_64;
	return 0;
}

int kernel_file_parse(const void *head, size_t head_bytes, uint64_t file_bytes,
		      struct kernel_file *ret)
{
	struct kernel_file f = { 0 };
	int r;

	if (file_bytes == 0)
		return err_new(-ENOEXEC, "empty");
	if (is_elf(head, head_bytes))
		r = parse_elf(head, head_bytes, file_bytes, &f);
	else if (is_bzimage(head, head_bytes))
		r = parse_bzimage(head, file_bytes, &f);
	else
		r = err_new(-ENOEXEC, "neither a bzImage nor an ELF vmlinux");
	if (r < 0)
		return err_trace(r);
	*ret = f;
	return 0;
}
