/* SPDX-License-Identifier: GPL-2.0-only */
/* A reader of 64-bit x86 ELF files in memory, for bytes that nobody vouches for: every table,
 * string and range is checked against the end of the data before it is used. It reads what this
 * room needs (segments, dynamic section, sections by name) and nothing else. Source: System V ABI,
 * chapters 4 and 5. */
#pragma once

#include "base/err.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes inside of somebody else's memory. */
struct span {
	const uint8_t *data;
	size_t len;
};

struct elf {
	struct span bytes;
	int fd; /* -1: all bytes are there; else ranges are read from it when they are asked for */
	Elf64_Ehdr header;
	const char *name; /* for errors, borrowed */
};

#define ELF_NULL ((struct elf){ .fd = -1 })

enum { ELF_OTHER = 1 };

/* Look at @bytes, which are borrowed as is @name. Returns 0; ELF_OTHER if this is no ELF file at all;
 * -ENOEXEC if it is one, but not 64-bit little-endian x86-64; -EBADMSG if its tables are not inside. */
int elf_open(const void *bytes, size_t len, const char *name, struct elf *ret) must_check;
/* The same for an open file of @len bytes; @fd is borrowed until elf_close(). A read that fails makes the
 * range look as if it were not inside. */
int elf_open_fd(int fd, size_t len, const char *name, struct elf *ret) must_check;
/* Give back the memory of elf_open_fd(); spans and strings of it end here. */
void elf_close(struct elf *e);

/* Program header @index; false if there is none. */
bool elf_segment(const struct elf *e, unsigned index, Elf64_Phdr *ret);
/* The first program header of @type; false if there is none. */
bool elf_segment_of_type(const struct elf *e, uint32_t type, Elf64_Phdr *ret);
/* The file's bytes of a segment; false if they are not all inside. */
bool elf_segment_bytes(const struct elf *e, const Elf64_Phdr *segment, struct span *ret);
/* The file's @len bytes at virtual address @address; false if no loaded segment holds them all. */
bool elf_at_address(const struct elf *e, uint64_t address, uint64_t len, struct span *ret);
/* The bytes of the first section called @section; false if there is none, or it is not inside. */
bool elf_section(const struct elf *e, const char *section, struct span *ret);
/* The string at @offset of a string table; NULL if it does not end inside. */
const char *elf_string(const struct span *strings, uint64_t offset);
