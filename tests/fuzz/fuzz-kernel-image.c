// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a kernel file: the bzImage header and its payload, the ELF checks, the search for the
 * banner. What is accepted has to be what the header promises: an ELF kernel with a release. */
#include "image/bzimage.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
	if (!claim)
		abort();
}

static void check_release(const char *release)
{
	size_t len = strnlen(release, KERNEL_RELEASE_BYTES);

	require(len && len < KERNEL_RELEASE_BYTES && !strchr(release, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	char release[KERNEL_RELEASE_BYTES];
	struct bzimage image;

	if (!bzimage_parse(data, size, size, "input", &image)) {
		check_release(image.release);
		require(image.payload_offset + image.payload_bytes <= size);
	}
	if (!bzimage_unpack(data, size, "input", &elf))
		require(!vmlinux_check(elf.data, elf.len, elf.len, "unpacked"));
	if (!vmlinux_check(data, size, size, "input"))
		require(size > 64);
	if (kernel_banner_release(data, size, release))
		check_release(release);
	return 0;
}
