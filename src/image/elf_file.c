// SPDX-License-Identifier: GPL-2.0-only
/* Each structure is copied out of the data before it is looked at, so alignment does not matter;
 * each range goes through sub_span(), the one place where offsets are compared with the end. */
#include "image/elf_file.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

static bool sub_span(const struct span *all, uint64_t offset, uint64_t len, struct span *ret)
{
	if (offset > all->len || len > all->len - offset)
		return false;
	*ret = (struct span){ all->data + offset, (size_t)len };
	return true;
}

static bool copy_out(const struct span *all, uint64_t offset, void *ret, size_t len)
{
	struct span from;

	if (!sub_span(all, offset, len, &from))
		return false;
	memcpy(ret, from.data, len);
	return true;
}

int elf_open(const void *bytes, size_t len, const char *name, struct elf *ret)
{
	struct elf e = { .bytes = { bytes, len }, .name = name };
	const Elf64_Ehdr *h = &e.header;
	struct span table;

	if (len < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG))
		return ELF_OTHER;
	if (!copy_out(&e.bytes, 0, &e.header, sizeof(e.header)))
		return err_new(-EBADMSG, "%s: truncated: shorter than an ELF header", name);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    h->e_machine != EM_X86_64)
		return err_new(-ENOEXEC, "%s: an ELF file, but not for 64-bit x86", name);
	if (h->e_phnum &&
	    (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == PN_XNUM ||
	     !sub_span(&e.bytes, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr), &table)))
		return err_new(-EBADMSG, "%s: truncated or damaged: program headers", name);
	*ret = e;
	return 0;
}

bool elf_segment(const struct elf *e, unsigned index, Elf64_Phdr *ret)
{
	return index < e->header.e_phnum &&
	       copy_out(&e->bytes, e->header.e_phoff + (uint64_t)index * sizeof(*ret), ret,
			sizeof(*ret));
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
	return sub_span(&e->bytes, segment->p_offset, segment->p_filesz, ret);
}

bool elf_at_address(const struct elf *e, uint64_t address, struct span *ret)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; elf_segment(e, i, &segment); i++) {
		uint64_t into = address - segment.p_vaddr;
		struct span all;

		if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
		    into >= segment.p_filesz || !elf_segment_bytes(e, &segment, &all))
			continue;
		return sub_span(&all, into, all.len - into, ret);
	}
	return false;
}

static bool section_header(const struct elf *e, uint64_t index, Elf64_Shdr *ret)
{
	uint64_t offset;

	return e->header.e_shoff && e->header.e_shentsize == sizeof(*ret) &&
	       !__builtin_mul_overflow(index, sizeof(*ret), &offset) &&
	       !__builtin_add_overflow(offset, e->header.e_shoff, &offset) &&
	       copy_out(&e->bytes, offset, ret, sizeof(*ret));
}

static bool section_bytes(const struct elf *e, const Elf64_Shdr *s, struct span *ret)
{
	return s->sh_type != SHT_NOBITS && sub_span(&e->bytes, s->sh_offset, s->sh_size, ret);
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
