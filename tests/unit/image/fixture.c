// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

static size_t gzip_of(const void *data, size_t len, void *out, size_t cap)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return cap - z.avail_out;
}

static size_t xz_of(const void *data, size_t len, uint8_t *out, size_t cap)
{
	size_t used = 0;

	assert_int_equal(
		lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, data, len, out, &used, cap),
		LZMA_OK);
	return used;
}

/* The legacy frame that `lz4 -l` writes: magic, then size and bytes of each block; here of two blocks. */
static size_t lz4_of(const char *data, size_t len, uint8_t *out, size_t cap)
{
	const size_t parts[] = { len / 2, len - len / 2 };
	size_t at = sizeof(uint32_t);

	le32_put(out, 0x184c2102);
	for (int i = 0; i < 2; i++) {
		int n = LZ4_compress_default(data, (char *)out + at + 4, (int)parts[i],
					     (int)(cap - at - 4));

		assert_true(n > 0);
		le32_put(out + at, (uint32_t)n);
		at += 4 + (size_t)n;
		data += parts[i];
	}
	return at;
}

void fixture_compress(enum fixture_format format, const void *data, size_t len, struct buf *ret)
{
	size_t cap = len * 2 + 65536, n = 0;
	cleanup(freep) uint8_t *out = malloc(cap);

	switch (format) {
	case FIXTURE_GZIP:
		n = gzip_of(data, len, out, cap);
		break;
	case FIXTURE_XZ:
		n = xz_of(data, len, out, cap);
		break;
	case FIXTURE_ZSTD:
		n = ZSTD_compress(out, cap, data, len, 3);
		assert_false(ZSTD_isError(n));
		break;
	default:
		n = lz4_of(data, len, out, cap);
	}
	buf_add(ret, out, n);
}

void fixture_vmlinux(const char *release, struct buf *ret)
{
	Elf64_Ehdr h = { .e_type = ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_version = 1,
			 .e_entry = 0x1000000,
			 .e_phoff = sizeof(h),
			 .e_ehsize = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 1 };
	Elf64_Phdr p = { .p_type = PT_LOAD,
			 .p_offset = 4096,
			 .p_vaddr = 0xffffffff81000000,
			 .p_paddr = 0x1000000,
			 .p_filesz = 8192,
			 .p_memsz = 16384 };
	uint8_t *bytes = buf_zeros(ret, 4096 + 8192);

	memcpy(h.e_ident,
	       "\x7f"
	       "ELF\2\1\1",
	       7);
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), &p, sizeof(p));
	for (size_t i = 4096; i < 12288; i++)
		bytes[i] = (uint8_t)(i >> 6);
	snprintf((char *)bytes + 5000, 200,
		 "Linux version %%s (%%s)%cLinux version %s (me@here) #1 SMP", 0, release);
}

void fixture_bzimage_around(const char *release, const void *payload, size_t len, struct buf *ret)
{
	enum { SETUP_SECTS = 4, PAYLOAD_OFFSET = 0x100, VERSION_AT = 0x400 };
	uint8_t *head = buf_zeros(ret, (SETUP_SECTS + 1) * 512 + PAYLOAD_OFFSET);

	head[0x1f1] = SETUP_SECTS;
	le16_put(head + 0x1fe, 0xaa55);
	memcpy(head + 0x202, "HdrS", 4);
	le16_put(head + 0x206, 0x20f);
	le16_put(head + 0x20e, VERSION_AT - 0x200);
	le16_put(head + 0x236, 1);
	le32_put(head + 0x248, PAYLOAD_OFFSET);
	le32_put(head + 0x24c, (uint32_t)len);
	snprintf((char *)head + VERSION_AT, 256, "%s (me@here) #1 SMP", release);
	buf_add(ret, payload, len);
}

void fixture_bzimage(const char *release, enum fixture_format format, struct buf *ret)
{
	cleanup(buf_deinit) struct buf vmlinux = BUF_NULL, payload = BUF_NULL;
	uint8_t size[4];

	fixture_vmlinux(release, &vmlinux);
	fixture_compress(format, vmlinux.data, vmlinux.len, &payload);
	le32_put(size, (uint32_t)vmlinux.len);
	if (format != FIXTURE_GZIP)
		buf_add(&payload, size, sizeof(size));
	fixture_bzimage_around(release, payload.data, payload.len, ret);
}

char *fixture_dir(void)
{
	char template[] = "/tmp/ktstr-image-test-XXXXXX";
	char *real;

	assert_non_null(mkdtemp(template));
	real = realpath(template, NULL);
	assert_non_null(real);
	return real;
}

void fixture_remove(char *dir)
{
	const char *argv[] = { "rm", "-rf", dir, NULL };

	assert_int_equal(child_run(argv, NULL, NULL), 0);
	free(dir);
}

void fixture_removep(char **dir)
{
	if (*dir)
		fixture_remove(*dir);
}

void fixture_write(const void *data, size_t len, int mode, const char *path_fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int fd;

	va_start(ap, path_fmt);
	vsnprintf(path, sizeof(path), path_fmt, ap);
	va_end(ap);
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, data, len), 0);
	close(fd);
}
