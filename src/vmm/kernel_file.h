/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel file wants to have where in memory: an ELF vmlinux, or a bzImage by the 64-bit boot
 * protocol. The parser sees the file's first bytes and its size, believes neither, and writes a plain
 * plan of copies; x86_boot.h carries it out. It does not decompress: a bzImage does that itself in
 * the guest. Sources: ELF-64 object file format; Linux Documentation/arch/x86/boot.rst. */
#pragma once

#include "base/err.h"

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KERNEL_SEGMENTS_MAX = 16,
	KERNEL_HEAD_BYTES = 8192, /* as much of the file as the parser needs to see */
};

/* Copy file_bytes from offset in the file to gpa; what follows up to memory_bytes is zero. */
struct kernel_segment {
	uint64_t offset;
	uint64_t file_bytes;
	uint64_t gpa;
	uint64_t memory_bytes;
};

struct kernel_file {
	bool is_bzimage;
	uint64_t entry; /* guest-physical, entered in 64-bit mode */
	struct kernel_segment segments[KERNEL_SEGMENTS_MAX];
	unsigned segment_count;
	struct setup_header header; /* bzImage: its own; ELF: zero */
};

/* Parse the first @head_bytes (KERNEL_HEAD_BYTES, or less of a smaller file) of a kernel of
 * @file_bytes. Returns 0, or -ENOEXEC with words: neither kind, for another machine, truncated, or
 * with places that no kernel has. On success all sums offset + file_bytes are within the file and no
 * gpa + memory_bytes wraps; whether that is RAM is for the loader to say. Any thread. */
int kernel_file_parse(const void *head, size_t head_bytes, uint64_t file_bytes,
		      struct kernel_file *ret) must_check;
