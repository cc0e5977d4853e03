// SPDX-License-Identifier: GPL-2.0-only
/* Each structure is copied out of the data before it is looked at, so alignment does not matter; each
 * range goes through file_span(), the one place where offsets are compared with the end.
 *
 * A file on disk is an anonymous mapping of its size, of which only the ranges that are asked for are
 * filled: a mapping of the file itself would end the process if somebody truncated it. One byte more
 * stays zero behind it, so that a string ends even if somebody rewrites the file meanwhile. */
#include "image/elf_file.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool sub_span(const struct span *all, uint64_t offset, uint64_t len, struct span *ret)
{
	if (offset > all->len || len > all->len - offset)
		return false;
	*ret = (struct span){ all->data + offset, (size_t)len };
	return true;
}

static bool file_span(const struct elf *e, uint64_t offset, uint64_t len, struct span *ret)
{
	if (!sub_span(&e->bytes, offset, len, ret))
		return false;
	return e->fd < 0 || pread(e->fd, (void *)(uintptr_t)ret->data, ret->len, (off_t)offset) ==
				    (ssize_t)ret->len;
}

static bool copy_out(const struct elf *e, uint64_t offset, void *ret, size_t len)
{
	struct span from;

	if (!file_span(e, offset, len, &from))
		return false;
	memcpy(ret, from.data, len);
	return true;
}

static int read_header(struct elf *e)
{
	const Elf64_Ehdr *h = &e->header;
	struct span start;

	if (!file_span(e, 0, SELFMAG, &start) || memcmp(start.data, ELFMAG, SELFMAG))
		return ELF_OTHER;
	if (!copy_out(e, 0, &e->header, sizeof(e->header)))
		return err_new(-EBADMSG, "%s: truncated: shorter than an ELF header", e->name);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_machine != EM_X86_64)
		return err_new(-ENOEXEC, "%s: an ELF file, but not for 64-bit x86", e->name);
	if (h->e_phnum &&
	    (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == PN_XNUM ||
	     !file_span(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr), &start)))
		return err_new(-EBADMSG, "%s: truncated or damaged: program headers", e->name);
	return 0;
}

int elf_open(const void *bytes, size_t len, const char *name, struct elf *ret)
{
	struct elf e = { .bytes = { bytes, len }, .fd = -1, .name = name };
	int r = read_header(&e);

	if (!r)
		*ret = e;
	return r;
}

int elf_open_fd(int fd, size_t len, const char *name, struct elf *ret)
{
	struct elf e = { .bytes = { NULL, len }, .fd = fd, .name = name };
	void *map;
	int r;

	if (!len)
		return ELF_OTHER;
	map = mmap(NULL, len + 1, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return err_new(-errno, "%s: %s", name, strerror(errno));
	e.bytes.data = map;
	r = read_header(&e);
	if (r)
		elf_close(&e);
	else
		*ret = e;
	return r;
}

void elf_close(struct elf *e)
{
	if (e->fd >= 0)
		munmap((void *)(uintptr_t)e->bytes.data, e->bytes.len + 1);
	*e = ELF_NULL;
}

bool elf_segment(const struct elf *e, unsigned index, Elf64_Phdr *ret)
{
	return index < e->header.e_phnum &&
	       copy_out(e, e->header.e_phoff + (uint64_t)index * sizeof(*ret), ret, sizeof(*ret));
}

bool elf_segment_of_type(const struct elf *e, uint32_t type, Elf64_Phdr *ret)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; elf_segment(e, i, &segment); i++) {
		if (segment.p_type != type)
			continue;
		*ret = segment;
		return true;
	}
	return false;
}

bool elf_segment_bytes(const struct elf *e, const Elf64_Phdr *segment, struct span *ret)
{
	return file_span(e, segment->p_offset, segment->p_filesz, ret);
}

bool elf_at_address(const struct elf *e, uint64_t address, uint64_t len, struct span *ret)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; elf_segment(e, i, &segment); i++) {
		uint64_t into = address - segment.p_vaddr, offset;

		if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
		    into > segment.p_filesz || len > segment.p_filesz - into)
			continue;
		return !__builtin_add_overflow(segment.p_offset, into, &offset) &&
		       file_span(e, offset, len, ret);
	}
	return false;
}

static bool section_header(const struct elf *e, uint64_t index, Elf64_Shdr *ret)
{
	uint64_t offset;

	return e->header.e_shoff && e->header.e_shentsize == sizeof(*ret) &&
	       !__builtin_mul_overflow(index, sizeof(*ret), &offset) &&
	       !__builtin_add_overflow(offset, e->header.e_shoff, &offset) &&
	       copy_out(e, offset, ret, sizeof(*ret));
}

static bool section_bytes(const struct elf *e, const Elf64_Shdr *s, struct span *ret)
{
	return s->sh_type != SHT_NOBITS && file_span(e, s->sh_offset, s->sh_size, ret);
}

bool elf_section(const struct elf *e, const char *section, struct span *ret)
{
	uint64_t count = e->header.e_shnum, names_index = e->header.e_shstrndx;
	Elf64_Shdr s;
	struct span names;

	/* Numbers that do not fit into the header are in section 0. */
	if (!section_header(e, 0, &s))
		return false;
	if (!count)
		count = s.sh_size;
	if (names_index == SHN_XINDEX)
		names_index = s.sh_link;
	if (!section_header(e, names_index, &s) || !section_bytes(e, &s, &names))
		return false;
	for (uint64_t i = 1; i < count && section_header(e, i, &s); i++) {
		const char *name = elf_string(&names, s.sh_name);

		if (name && !strcmp(name, section))
			return section_bytes(e, &s, ret);
	}
	return false;
}

const char *elf_string(const struct span *strings, uint64_t offset)
{
	struct span rest;

	if (offset >= strings->len || !sub_span(strings, offset, strings->len - offset, &rest) ||
	    !memchr(rest.data, '\0', rest.len))
		return NULL;
	return (const char *)rest.data;
}
