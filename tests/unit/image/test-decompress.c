// SPDX-License-Identifier: GPL-2.0-only
#include "image/decompress.h"

#include "base/util.h"
#include "fixture.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = { "gzip", "xz", "zstd", "lz4" };

static void sample(struct buf *ret)
{
	for (unsigned i = 0; i < 200000; i++)
		buf_printf(ret, "%u,", i * i % 977);
}

TEST(every_format_gives_back_what_was_packed)
{
	cleanup(buf_deinit) struct buf plain = BUF_NULL;

	sample(&plain);
	for (int f = 0; f < FIXTURE_FORMATS; f++) {
		cleanup(buf_deinit) struct buf packed = BUF_NULL, out = BUF_NULL;

		fixture_compress(f, plain.data, plain.len, &packed);
		assert_string_equal(compression_name(packed.data, packed.len), names[f]);
		assert_int_equal(decompress(packed.data, packed.len, plain.len, "x", &out), 0);
		assert_int_equal(out.len, plain.len);
		assert_memory_equal(out.data, plain.data, plain.len);
	}
}

TEST(one_byte_over_the_limit_is_refused)
{
	cleanup(buf_deinit) struct buf plain = BUF_NULL;

	sample(&plain);
	for (int f = 0; f < FIXTURE_FORMATS; f++) {
		cleanup(buf_deinit) struct buf packed = BUF_NULL, out = BUF_NULL;

		fixture_compress(f, plain.data, plain.len, &packed);
		assert_int_equal(decompress(packed.data, packed.len, plain.len - 1, "x", &out),
				 -EFBIG);
		assert_true(out.len < plain.len);
	}
}

TEST(data_cut_at_any_place_is_called_truncated_or_damaged)
{
	cleanup(buf_deinit) struct buf plain = BUF_NULL;

	sample(&plain);
	for (int f = 0; f < FIXTURE_FORMATS; f++) {
		cleanup(buf_deinit) struct buf packed = BUF_NULL;

		fixture_compress(f, plain.data, plain.len, &packed);
		for (size_t cut = 8; cut < packed.len; cut += packed.len / 37) {
			cleanup(buf_deinit) struct buf out = BUF_NULL;

			assert_int_equal(decompress(packed.data, cut, plain.len, "my.ko", &out),
					 -EBADMSG);
			assert_non_null(strstr(err_text(), "my.ko"));
		}
	}
}

TEST(flipped_bits_never_give_wrong_data_where_the_format_has_a_check)
{
	cleanup(buf_deinit) struct buf plain = BUF_NULL;

	sample(&plain);
	for (int f = FIXTURE_GZIP; f <= FIXTURE_XZ; f++) {
		cleanup(buf_deinit) struct buf packed = BUF_NULL;

		fixture_compress(f, plain.data, plain.len, &packed);
		for (size_t at = 20; at < packed.len - 40; at += packed.len / 23) {
			cleanup(buf_deinit) struct buf out = BUF_NULL;

			packed.data[at] ^= 0x10;
			assert_true(decompress(packed.data, packed.len, plain.len, "x", &out) < 0);
			packed.data[at] ^= 0x10;
		}
	}
}

TEST(formats_that_are_not_supported_are_named)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(decompress("BZh91AY", 7, 100, "vmlinuz", &out), -ENOEXEC);
	assert_non_null(strstr(err_text(), "vmlinuz: compressed with bzip2"));
	assert_int_equal(decompress("\x5d\0\0\x80", 4, 100, "vmlinuz", &out), -ENOEXEC);
	assert_non_null(strstr(err_text(), "lzma"));
	assert_int_equal(decompress("hello", 5, 100, "vmlinuz", &out), -ENOEXEC);
	assert_int_equal(decompress("", 0, 100, "vmlinuz", &out), -ENOEXEC);
	assert_null(compression_name("hello", 5));
}

TEST(an_lz4_block_that_lies_about_its_size_is_refused)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	uint8_t data[16] = { 0x02, 0x21, 0x4c, 0x18 };

	le32_put(data + 4, UINT32_MAX);
	assert_int_equal(decompress(data, sizeof(data), 100, "x", &out), -EBADMSG);
	le32_put(data + 4, 9);
	assert_int_equal(decompress(data, sizeof(data), 100, "x", &out), -EBADMSG);
}

TESTS(T(every_format_gives_back_what_was_packed), T(one_byte_over_the_limit_is_refused),
      T(data_cut_at_any_place_is_called_truncated_or_damaged),
      T(flipped_bits_never_give_wrong_data_where_the_format_has_a_check),
      T(formats_that_are_not_supported_are_named),
      T(an_lz4_block_that_lies_about_its_size_is_refused))
