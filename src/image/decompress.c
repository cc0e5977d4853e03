// SPDX-License-Identifier: GPL-2.0-only
/* One small loop for each library, all feeding the same bounded sink.
 * Source: Linux, scripts/Makefile.lib (what a build compresses with) and lib/decompress_unlz4.c
 * (the legacy lz4 form: magic, then blocks that each begin with their size). */
#include "image/decompress.h"

#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

enum {
	CHUNK_BYTES = 256 * 1024,
	XZ_MEMORY_MAX = 512 << 20, /* kernels use dictionaries to 128 MiB */
	ZSTD_WINDOW_LOG_MAX = 27,  /* zstd -22 --ultra, what kernels are built with */
	LZ4_BLOCK_BYTES = 8 << 20, /* what a legacy block unpacks to at most */
};

/* What a format's function works on. */
struct unpacking {
	const uint8_t *in;
	size_t in_bytes;
	size_t max_bytes;
	const char *what;
	const char *format;
	struct buf *out;
};

struct compression {
	const char *name;
	const char *magic;
	size_t magic_bytes;
	int (*unpack)(struct unpacking *u); /* NULL: known by name only */
};

static int damaged(const struct unpacking *u, const char *why)
{
	return err_new(-EBADMSG, "%s: damaged %s data: %s", u->what, u->format, why);
}

static int truncated(const struct unpacking *u)
{
	return err_new(-EBADMSG, "%s: truncated: the %s data ends too early", u->what, u->format);
}

static int emit(struct unpacking *u, const void *data, size_t len)
{
	if (len > u->max_bytes)
		return err_new(-EFBIG, "%s: unpacks to more than was announced or allowed",
			       u->what);
	u->max_bytes -= len;
	buf_add(u->out, data, len);
	return buf_ok(u->out);
}

static void *chunk_new(const struct unpacking *u, int *r)
{
	void *chunk = malloc(CHUNK_BYTES);

	*r = chunk ? 0 : err_new(-ENOMEM, "%s: out of memory to unpack it", u->what);
	return chunk;
}

static void inflate_endp(z_stream *z)
{
	inflateEnd(z);
}

static int unpack_gzip(struct unpacking *u)
{
	cleanup(inflate_endp) z_stream z = { 0 };
	int r, status = Z_OK;
	cleanup(freep) uint8_t *chunk = chunk_new(u, &r);

	if (r < 0)
		return r;
	if (u->in_bytes > UINT32_MAX)
		return damaged(u, "larger than 4 GiB");
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return err_new(-ENOMEM, "%s: zlib cannot start", u->what);
	z.next_in = (Bytef *)(uintptr_t)u->in;
	z.avail_in = (uInt)u->in_bytes;
	while (status != Z_STREAM_END) {
		z.next_out = chunk;
		z.avail_out = CHUNK_BYTES;
		status = inflate(&z, Z_NO_FLUSH);
		if (status == Z_BUF_ERROR)
			return truncated(u);
		if (status != Z_OK && status != Z_STREAM_END)
			return damaged(u, z.msg ? z.msg : "zlib refuses it");
		r = emit(u, chunk, CHUNK_BYTES - z.avail_out);
		if (r < 0)
			return r;
	}
	return 0;
}

static void lzma_endp(lzma_stream *s)
{
	lzma_end(s);
}

static int unpack_xz(struct unpacking *u)
{
	cleanup(lzma_endp) lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret status = LZMA_OK;
	int r;
	cleanup(freep) uint8_t *chunk = chunk_new(u, &r);

	if (r < 0)
		return r;
	if (lzma_stream_decoder(&s, XZ_MEMORY_MAX, 0) != LZMA_OK)
		return err_new(-ENOMEM, "%s: liblzma cannot start", u->what);
	s.next_in = u->in;
	s.avail_in = u->in_bytes;
	while (status != LZMA_STREAM_END) {
		s.next_out = chunk;
		s.avail_out = CHUNK_BYTES;
		status = lzma_code(&s, LZMA_RUN);
		if (status == LZMA_BUF_ERROR)
			return truncated(u);
		if (status == LZMA_MEMLIMIT_ERROR)
			return damaged(u, "it asks for too much memory");
		if (status != LZMA_OK && status != LZMA_STREAM_END)
			return damaged(u, "liblzma refuses it");
		r = emit(u, chunk, CHUNK_BYTES - s.avail_out);
		if (r < 0)
			return r;
	}
	return 0;
}

static void dctx_freep(ZSTD_DCtx **d)
{
	ZSTD_freeDCtx(*d);
}

static int unpack_zstd(struct unpacking *u)
{
	cleanup(dctx_freep) ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer in = { u->in, u->in_bytes, 0 };
	size_t left = 1;
	int r;
	cleanup(freep) uint8_t *chunk = chunk_new(u, &r);

	if (r < 0)
		return r;
	if (!d || ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
		return err_new(-ENOMEM, "%s: libzstd cannot start", u->what);
	while (left) {
		ZSTD_outBuffer out = { chunk, CHUNK_BYTES, 0 };

		left = ZSTD_decompressStream(d, &out, &in);
		if (ZSTD_isError(left))
			return damaged(u, ZSTD_getErrorName(left));
		r = emit(u, chunk, out.pos);
		if (r < 0)
			return r;
		if (left && !out.pos && in.pos == in.size)
			return truncated(u);
	}
	return 0;
}

static int unpack_lz4(struct unpacking *u)
{
	const uint8_t *p = u->in + sizeof(uint32_t);
	size_t left = u->in_bytes - sizeof(uint32_t);
	cleanup(freep) char *block = malloc(LZ4_BLOCK_BYTES);

	if (!block)
		return err_new(-ENOMEM, "%s: out of memory to unpack it", u->what);
	while (left) {
		uint32_t bytes;
		int r;

		if (left < sizeof(bytes))
			return truncated(u);
		bytes = le32_get(p);
		p += sizeof(bytes);
		left -= sizeof(bytes);
		if (bytes > LZ4_COMPRESSBOUND(LZ4_BLOCK_BYTES))
			return damaged(u, "a block is too large");
		if (bytes > left)
			return truncated(u);
		r = LZ4_decompress_safe((const char *)p, block, (int)bytes, LZ4_BLOCK_BYTES);
		if (r < 0)
			return damaged(u, "liblz4 refuses a block");
		p += bytes;
		left -= bytes;
		r = emit(u, block, (size_t)r);
		if (r < 0)
			return r;
	}
	return 0;
}

#define MAGIC(bytes) .magic = bytes, .magic_bytes = sizeof(bytes) - 1

static const struct compression compressions[] = {
	{ .name = "gzip", MAGIC("\x1f\x8b"), .unpack = unpack_gzip },
	{ .name = "xz", MAGIC("\xfd\x37zXZ\0"), .unpack = unpack_xz },
	{ .name = "zstd", MAGIC("\x28\xb5\x2f\xfd"), .unpack = unpack_zstd },
	{ .name = "lz4", MAGIC("\x02\x21\x4c\x18"), .unpack = unpack_lz4 },
	{ .name = "bzip2", MAGIC("BZh") },
	{ .name = "lzma", MAGIC("\x5d\0\0") },
	{ .name = "lzo", MAGIC("\x89LZO\0\r\n\x1a\n") },
};

static const struct compression *compression_of(const void *data, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		const struct compression *c = &compressions[i];

		if (len >= c->magic_bytes && !memcmp(data, c->magic, c->magic_bytes))
			return c;
	}
	return NULL;
}

const char *compression_name(const void *data, size_t len)
{
	const struct compression *c = compression_of(data, len);

	return c ? c->name : NULL;
}

int decompress(const void *data, size_t len, size_t max_bytes, const char *what, struct buf *ret)
{
	const struct compression *c = compression_of(data, len);
	struct unpacking u = { data, len, max_bytes, what, c ? c->name : NULL, ret };

	if (!c)
		return err_new(-ENOEXEC, "%s: compressed in no format that is known", what);
	if (!c->unpack)
		return err_new(
			-ENOEXEC,
			"%s: compressed with %s, which is not supported (gzip, xz, zstd and lz4 "
			"are)",
			what, c->name);
	return c->unpack(&u);
}
