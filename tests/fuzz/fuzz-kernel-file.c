// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as the head of a kernel file that is to be loaded. The first 8 bytes say how long the
 * file claims to be. What is accepted copies only from inside the file, to places that do not wrap
 * and are not below 1 MiB, and is entered where something was loaded. */
#include "base/util.h"
#include "vmm/kernel_file.h"
#include "vmm/x86_layout.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
	if (!claim)
		abort();
}

static void check_segment(const struct kernel_segment *s, uint64_t file_bytes)
{
	uint64_t end;

	require(!__builtin_add_overflow(s->offset, s->file_bytes, &end) && end <= file_bytes);
	require(!__builtin_add_overflow(s->gpa, s->memory_bytes, &end));
	require(s->file_bytes <= s->memory_bytes && s->gpa >= X86_HIGH_RAM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_file f;
	bool is_entered = false;

	if (size < sizeof(uint64_t))
		return 0;
	uint64_t file_bytes = le64_get(data);

	data += sizeof(uint64_t);
	size = MIN(size - sizeof(uint64_t), (size_t)KERNEL_HEAD_BYTES);
	if (kernel_file_parse(data, size, MAX(file_bytes, size), &f) < 0)
		return 0;
	require(f.segment_count > 0 && f.segment_count <= KERNEL_SEGMENTS_MAX);
	for (unsigned i = 0; i < f.segment_count; i++) {
		const struct kernel_segment *s = &f.segments[i];

		check_segment(s, MAX(file_bytes, size));
		is_entered |= f.entry >= s->gpa && f.entry - s->gpa < s->file_bytes;
	}
	require(is_entered);
	return 0;
}
