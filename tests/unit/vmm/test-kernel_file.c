// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"
#include "test.h"
#include "vmm/kernel_file.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

enum { FILE_BYTES = 1 << 20 };

/* A small vmlinux: text and data. */
struct elf {
	Elf64_Ehdr e;
	Elf64_Phdr p[3];
};

static struct elf good_elf(void)
{
	struct elf f = {
		.e = { .e_type = ET_EXEC,
		       .e_machine = EM_X86_64,
		       .e_entry = 0x1000100,
		       .e_phoff = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 3 },
		.p = { { .p_type = PT_LOAD,
			 .p_offset = 0x1000,
			 .p_paddr = 0x1000000,
			 .p_filesz = 0x8000,
			 .p_memsz = 0x8000 },
		       { .p_type = PT_NOTE, .p_offset = UINT64_MAX, .p_filesz = UINT64_MAX },
		       { .p_type = PT_LOAD,
			 .p_offset = 0x9000,
			 .p_paddr = 0x2000000,
			 .p_filesz = 0x1000,
			 .p_memsz = 0x5000 } },
	};

	memcpy(f.e.e_ident, ELFMAG, SELFMAG);
	f.e.e_ident[EI_CLASS] = ELFCLASS64;
	f.e.e_ident[EI_DATA] = ELFDATA2LSB;
	return f;
}

static struct boot_params good_bzimage(void)
{
	struct boot_params b = { .hdr = { .setup_sects = 3,
					  .syssize = 0x1000,
					  .boot_flag = 0xAA55,
					  .jump = 0x6aeb,
					  .version = 0x20f,
					  .loadflags = LOADED_HIGH,
					  .relocatable_kernel = 1,
					  .xloadflags = XLF_KERNEL_64,
					  .pref_address = 0x1000000,
					  .init_size = 0x300000,
					  .initrd_addr_max = 0x7fffffff } };

	memcpy(&b.hdr.header, "HdrS", 4);
	return b;
}

TEST(vmlinux_gives_its_loaded_segments_and_entry)
{
	struct elf elf = good_elf();
	struct kernel_file f;

	assert_int_equal(kernel_file_parse(&elf, sizeof(elf), FILE_BYTES, &f), 0);
	assert_false(f.is_bzimage);
	assert_int_equal(f.entry, 0x1000100);
	assert_int_equal(f.segment_count, 2);
	assert_int_equal(f.segments[1].offset, 0x9000);
	assert_int_equal(f.segments[1].gpa, 0x2000000);
	assert_int_equal(f.segments[1].file_bytes, 0x1000);
	assert_int_equal(f.segments[1].memory_bytes, 0x5000);
	assert_int_equal(f.header.version, 0);
}

TEST(bzimage_goes_where_it_likes_to_be_and_is_entered_at_0x200)
{
	struct boot_params b = good_bzimage();
	struct kernel_file f;

	assert_int_equal(kernel_file_parse(&b, sizeof(b), FILE_BYTES, &f), 0);
	assert_true(f.is_bzimage);
	assert_int_equal(f.segment_count, 1);
	assert_int_equal(f.segments[0].offset, 4 * 512);
	assert_int_equal(f.segments[0].file_bytes, 0x10000);
	assert_int_equal(f.segments[0].memory_bytes, 0x300000);
	assert_int_equal(f.segments[0].gpa, 0x1000000);
	assert_int_equal(f.entry, 0x1000200);
	assert_int_equal(f.header.version, 0x20f);
	b.hdr.relocatable_kernel = 0;
	assert_int_equal(kernel_file_parse(&b, sizeof(b), FILE_BYTES, &f), 0);
	assert_int_equal(f.entry, 0x100200);
}

TEST(bzimage_may_end_within_its_last_paragraph)
{
	struct boot_params b = good_bzimage();
	uint64_t end = 4 * 512 + 0x10000;
	struct kernel_file f;

	assert_int_equal(kernel_file_parse(&b, sizeof(b), end - 15, &f), 0);
	assert_int_equal(f.segments[0].file_bytes, 0x10000 - 15);
	assert_int_equal(kernel_file_parse(&b, sizeof(b), end - 16, &f), -ENOEXEC);
	assert_non_null(strstr(err_text(), "truncated"));
	err_clear();
}

#define BAD_ELF(name, ...)                                                                         \
	static void name(struct elf *f)                                                            \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

BAD_ELF(elf_32_bit, f->e.e_ident[EI_CLASS] = ELFCLASS32)
BAD_ELF(elf_other_machine, f->e.e_machine = EM_AARCH64)
BAD_ELF(elf_shared_object, f->e.e_type = ET_DYN)
BAD_ELF(elf_table_outside, f->e.e_phoff = UINT64_MAX - 8)
BAD_ELF(elf_table_long, f->e.e_phnum = 5000)
BAD_ELF(elf_no_table, f->e.e_phnum = 0)
BAD_ELF(elf_offset_wraps, f->p[0].p_offset = UINT64_MAX)
BAD_ELF(elf_beyond_file, f->p[2].p_offset = FILE_BYTES - 0xfff)
BAD_ELF(elf_more_in_file, f->p[2].p_memsz = 0xfff)
BAD_ELF(elf_address_wraps, f->p[2].p_paddr = UINT64_MAX - 0x1000)
BAD_ELF(elf_low_address, f->p[2].p_paddr = 0x7000)
BAD_ELF(elf_entry_outside, f->e.e_entry = 0x1008000)
BAD_ELF(elf_no_segment, f->p[0].p_type = PT_NULL; f->p[2].p_type = PT_NULL)

TEST(bad_vmlinux_is_refused_with_the_reason)
{
	static const struct {
		void (*spoil)(struct elf *f);
		const char *words;
	} cases[] = {
		{ elf_32_bit, "not for x86-64" },
		{ elf_other_machine, "not for x86-64" },
		{ elf_shared_object, "not a kernel" },
		{ elf_table_outside, "program headers" },
		{ elf_table_long, "program headers" },
		{ elf_no_table, "program headers" },
		{ elf_offset_wraps, "truncated" },
		{ elf_beyond_file, "truncated" },
		{ elf_more_in_file, "not a place for a kernel" },
		{ elf_address_wraps, "not a place for a kernel" },
		{ elf_low_address, "not a place for a kernel" },
		{ elf_entry_outside, "is in no segment" },
		{ elf_no_segment, "is in no segment" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct elf elf = good_elf();
		struct kernel_file f;

		cases[i].spoil(&elf);
		assert_int_equal(kernel_file_parse(&elf, sizeof(elf), FILE_BYTES, &f), -ENOEXEC);
		if (!strstr(err_text(), cases[i].words))
			fail_msg("case %zu: %s", i, err_text());
		err_clear();
	}
}

TEST(too_many_segments_are_refused)
{
	struct {
		struct elf f;
		Elf64_Phdr more[KERNEL_SEGMENTS_MAX];
	} file = { .f = good_elf() };
	struct kernel_file f;

	file.f.e.e_phnum = 3 + KERNEL_SEGMENTS_MAX;
	for (unsigned i = 0; i < KERNEL_SEGMENTS_MAX; i++)
		file.more[i] = file.f.p[0];
	assert_int_equal(kernel_file_parse(&file, sizeof(file), FILE_BYTES, &f), -ENOEXEC);
	assert_non_null(strstr(err_text(), "more than 16"));
	err_clear();
}

TEST(bad_bzimage_is_refused_with_the_reason)
{
	struct boot_params old = good_bzimage(), no64 = good_bzimage(), huge = good_bzimage(),
			   small = good_bzimage();
	struct kernel_file f;

	old.hdr.version = 0x20b;
	no64.hdr.xloadflags = 0;
	huge.hdr.syssize = UINT32_MAX;
	small.hdr.syssize = 0x20;
	const struct {
		const struct boot_params *b;
		const char *words;
	} cases[] = { { &old, "64-bit entry" },
		      { &no64, "64-bit entry" },
		      { &huge, "truncated" },
		      { &small, "truncated" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(kernel_file_parse(cases[i].b, sizeof(old), FILE_BYTES, &f),
				 -ENOEXEC);
		assert_non_null(strstr(err_text(), cases[i].words));
	}
	err_clear();
}

TEST(every_prefix_of_a_kernel_is_refused_or_parsed)
{
	struct elf elf = good_elf();
	struct boot_params b = good_bzimage();
	struct kernel_file f;

	for (size_t len = 0; len < sizeof(elf); len++)
		assert_int_equal(kernel_file_parse(&elf, len, len, &f), -ENOEXEC);
	for (size_t len = 0; len < sizeof(b); len++)
		assert_int_equal(kernel_file_parse(&b, len, len, &f), -ENOEXEC);
	assert_int_equal(kernel_file_parse("#!/bin/sh\n", 10, 10, &f), -ENOEXEC);
	assert_non_null(strstr(err_text(), "neither a bzImage nor an ELF"));
	err_clear();
}

TESTS(T(vmlinux_gives_its_loaded_segments_and_entry),
      T(bzimage_goes_where_it_likes_to_be_and_is_entered_at_0x200),
      T(bzimage_may_end_within_its_last_paragraph), T(bad_vmlinux_is_refused_with_the_reason),
      T(too_many_segments_are_refused), T(bad_bzimage_is_refused_with_the_reason),
      T(every_prefix_of_a_kernel_is_refused_or_parsed))
