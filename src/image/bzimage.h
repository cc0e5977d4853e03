/* SPDX-License-Identifier: GPL-2.0-only */
/* The x86 kernel file formats: what a bzImage says of itself, and the ELF vmlinux inside of it.
 * Works on bytes; files and the cache are image/kernel.h's business. All input is hostile.
 * Source: Linux, Documentation/arch/x86/boot.rst, "The real-mode kernel header". */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	KERNEL_RELEASE_BYTES = 65,	 /* __NEW_UTS_LEN and its NUL */
	BZIMAGE_HEAD_BYTES = 128 * 1024, /* as much as bzimage_parse() ever looks at */
	BZIMAGE_OTHER = 1,
};

struct bzimage {
	char release[KERNEL_RELEASE_BYTES];
	uint64_t payload_offset; /* in the file */
	uint64_t payload_bytes;
};

/* Read the header of a kernel file of @file_bytes, of which @head has the first @head_bytes (all,
 * or at least BZIMAGE_HEAD_BYTES). Returns 0; BZIMAGE_OTHER if this is no bzImage; -ENOEXEC if it
 * is one without a 64-bit entry or older than 2.08/2.12 of the protocol; -EBADMSG if its parts do
 * not fit into the file. @name is for the errors. */
int bzimage_parse(const void *head, size_t head_bytes, uint64_t file_bytes, const char *name,
		  struct bzimage *ret) must_check;

/* Append the vmlinux in the bzImage @data to @ret. Errors as above and as decompress(); -ENOEXEC
 * also for a payload that is no kernel. On an error @ret has some of the output. */
int bzimage_unpack(const void *data, size_t len, const char *name, struct buf *ret) must_check;

/* Is the ELF file that begins with @head, of @file_bytes, a whole x86-64 kernel? Returns 0;
 * BZIMAGE_OTHER if it is no ELF file; -ENOEXEC; -EBADMSG if a segment ends behind the file. */
int vmlinux_check(const void *head, size_t head_bytes, uint64_t file_bytes,
		  const char *name) must_check;

/* Find the release in the banner ("Linux version 6.12.1 (...") somewhere in @data; false if there
 * is none. */
bool kernel_banner_release(const void *data, size_t len, char ret[KERNEL_RELEASE_BYTES]);
