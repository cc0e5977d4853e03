// SPDX-License-Identifier: GPL-2.0-only
/* nettle, in hexadecimal. */
#include "image/sha256.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <string.h>

enum { FILE_CHUNK_BYTES = 65536 };

static void digest(struct sha256_ctx *ctx, char ret[SHA256_HEX_BYTES])
{
	uint8_t bytes[SHA256_DIGEST_SIZE];

	sha256_digest(ctx, sizeof(bytes), bytes);
	base16_encode_update(ret, sizeof(bytes), bytes);
	ret[SHA256_HEX_BYTES - 1] = '\0';
}

void sha256_of(const void *data, size_t len, char ret[SHA256_HEX_BYTES])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, data);
	digest(&ctx, ret);
}

int sha256_of_file(const char *path, char ret[SHA256_HEX_BYTES])
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t chunk[FILE_CHUNK_BYTES];
	struct sha256_ctx ctx;
	ssize_t n;

	if (fd < 0)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	sha256_init(&ctx);
	while ((n = read(fd, chunk, sizeof(chunk)))) {
		if (n < 0 && errno != EINTR)
			return err_new(-errno, "read %s: %s", path, strerror(errno));
		if (n > 0)
			sha256_update(&ctx, (size_t)n, chunk);
	}
	digest(&ctx, ret);
	return 0;
}
