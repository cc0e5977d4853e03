// SPDX-License-Identifier: GPL-2.0-only
/* Small arithmetic on iovec arrays. */
#include "devices/blk/backing.h"

#include "base/util.h"

unsigned blk_iov_head(const struct iovec *iov, unsigned count, uint64_t bytes, struct iovec *ret,
		      unsigned max)
{
	unsigned used = 0;

	for (unsigned i = 0; i < count && used < max && bytes; i++) {
		size_t len = MIN(iov[i].iov_len, bytes);

		ret[used++] = (struct iovec){ .iov_base = iov[i].iov_base, .iov_len = len };
		bytes -= len;
	}
	return used;
}

uint64_t blk_iov_bytes(const struct iovec *iov, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += iov[i].iov_len;
	return bytes;
}

void blk_iov_zero(const struct iovec *iov, unsigned count, uint64_t offset, uint64_t bytes)
{
	for (unsigned i = 0; i < count && bytes; i++) {
		size_t skip = MIN(iov[i].iov_len, offset);
		size_t len = MIN(iov[i].iov_len - skip, bytes);

		memset((unsigned char *)iov[i].iov_base + skip, 0, len);
		offset -= skip;
		bytes -= len;
	}
}
