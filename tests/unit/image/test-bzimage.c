// SPDX-License-Identifier: GPL-2.0-only
#include "image/bzimage.h"

#include "base/util.h"
#include "fixture.h"
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

static const char release[] = "6.12.9-test-amd64";

TEST(the_vmlinux_comes_out_of_every_format)
{
	cleanup(buf_deinit) struct buf want = BUF_NULL;

	fixture_vmlinux(release, &want);
	for (int f = 0; f < FIXTURE_FORMATS; f++) {
		cleanup(buf_deinit) struct buf image = BUF_NULL, out = BUF_NULL;

		fixture_bzimage(release, f, &image);
		assert_int_equal(bzimage_unpack(image.data, image.len, "k", &out), 0);
		assert_int_equal(out.len, want.len);
		assert_memory_equal(out.data, want.data, want.len);
	}
}

TEST(the_release_is_read_from_the_header)
{
	cleanup(buf_deinit) struct buf image = BUF_NULL;
	struct bzimage b;

	fixture_bzimage(release, FIXTURE_XZ, &image);
	assert_int_equal(bzimage_parse(image.data, image.len, image.len, "k", &b), 0);
	assert_string_equal(b.release, release);
	assert_int_equal(b.payload_offset + b.payload_bytes, image.len);
}

TEST(other_files_are_not_called_kernels)
{
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	struct bzimage b;
	char text[1000] = "#!/bin/sh\n";

	fixture_vmlinux(release, &elf);
	assert_int_equal(bzimage_parse(text, sizeof(text), sizeof(text), "k", &b), BZIMAGE_OTHER);
	assert_int_equal(bzimage_parse(text, 0, 0, "k", &b), BZIMAGE_OTHER);
	assert_int_equal(bzimage_parse(elf.data, elf.len, elf.len, "k", &b), BZIMAGE_OTHER);
	assert_int_equal(vmlinux_check(text, sizeof(text), sizeof(text), "k"), BZIMAGE_OTHER);
}

TEST(a_kernel_cut_at_any_place_is_called_truncated)
{
	cleanup(buf_deinit) struct buf image = BUF_NULL, out = BUF_NULL;
	struct bzimage b;

	fixture_bzimage(release, FIXTURE_ZSTD, &image);
	for (size_t cut = 0x268; cut < image.len; cut += 97) {
		assert_int_equal(bzimage_parse(image.data, cut, cut, "k", &b), -EBADMSG);
		assert_non_null(strstr(err_text(), "k: truncated"));
	}
	assert_int_equal(bzimage_unpack(image.data, image.len - 1, "k", &out), -EBADMSG);
}

struct header_case {
	const char *what;
	size_t at;
	uint32_t value;
	unsigned bytes;
	int result;
};

TEST(headers_that_cannot_be_are_refused)
{
	static const struct header_case cases[] = {
		{ "32-bit kernel", 0x236, 0, 2, -ENOEXEC },
		{ "protocol too old", 0x206, 0x20b, 2, -ENOEXEC },
		{ "no boot flag", 0x1fe, 0, 2, BZIMAGE_OTHER },
		{ "no magic", 0x202, 0, 4, BZIMAGE_OTHER },
		{ "payload far behind", 0x248, UINT32_MAX, 4, -EBADMSG },
		{ "payload too long", 0x24c, UINT32_MAX, 4, -EBADMSG },
		{ "setup behind the end", 0x1f1, 0xff, 1, -EBADMSG },
		{ "release behind the setup", 0x20e, 0xffff, 2, -EBADMSG },
		{ "release is no text", 0x20e, 0x1fc, 2, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_deinit) struct buf image = BUF_NULL;
		struct bzimage b;

		fixture_bzimage(release, FIXTURE_GZIP, &image);
		memcpy(image.data + cases[i].at, &cases[i].value, cases[i].bytes);
		if (bzimage_parse(image.data, image.len, image.len, "k", &b) != cases[i].result)
			fail_msg("%s", cases[i].what);
	}
}

static int unpack_around(const void *payload, size_t len)
{
	cleanup(buf_deinit) struct buf image = BUF_NULL, out = BUF_NULL;

	fixture_bzimage_around(release, payload, len, &image);
	return bzimage_unpack(image.data, image.len, "k", &out);
}

TEST(a_payload_must_unpack_to_exactly_what_it_says)
{
	for (int lie = -1; lie <= 1; lie++) {
		cleanup(buf_deinit) struct buf vmlinux = BUF_NULL, payload = BUF_NULL;
		uint8_t size[4];

		fixture_vmlinux(release, &vmlinux);
		fixture_compress(FIXTURE_XZ, vmlinux.data, vmlinux.len, &payload);
		le32_put(size, (uint32_t)((int)vmlinux.len + lie));
		buf_add(&payload, size, sizeof(size));
		assert_int_equal(unpack_around(payload.data, payload.len), lie < 0 ? -EFBIG
									   : lie   ? -EBADMSG
										   : 0);
	}
}

TEST(payloads_that_are_no_kernel_are_refused)
{
	cleanup(buf_deinit) struct buf payload = BUF_NULL;
	static const char text[] = "this is not an ELF file";

	assert_int_equal(unpack_around("", 0), -EBADMSG);
	assert_int_equal(unpack_around("BZh9____\1\0\0\0", 12), -ENOEXEC);
	assert_non_null(strstr(err_text(), "bzip2"));
	assert_int_equal(unpack_around("BZh9____\0\0\0\xff", 12), -EBADMSG);
	fixture_compress(FIXTURE_GZIP, text, sizeof(text), &payload);
	assert_int_equal(unpack_around(payload.data, payload.len), -ENOEXEC);
}

TEST(an_elf_file_is_a_kernel_only_if_it_is_linked_like_one_and_whole)
{
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	Elf64_Phdr *segment;

	fixture_vmlinux(release, &elf);
	assert_int_equal(vmlinux_check(elf.data, elf.len, elf.len, "k"), 0);
	assert_int_equal(vmlinux_check(elf.data, 4096, elf.len, "k"), 0);
	assert_int_equal(vmlinux_check(elf.data, 4096, elf.len - 1, "k"), -EBADMSG);
	assert_int_equal(vmlinux_check(elf.data, 70, 70, "k"), -EBADMSG);
	segment = (Elf64_Phdr *)(elf.data + sizeof(Elf64_Ehdr));
	segment->p_offset = UINT64_MAX;
	assert_int_equal(vmlinux_check(elf.data, elf.len, elf.len, "k"), -EBADMSG);
	segment->p_offset = 4096;
	segment->p_vaddr = 0x400000;
	assert_int_equal(vmlinux_check(elf.data, elf.len, elf.len, "k"), -ENOEXEC);
	elf.data[EI_CLASS] = ELFCLASS32;
	assert_int_equal(vmlinux_check(elf.data, elf.len, elf.len, "k"), -ENOEXEC);
}

TEST(the_banner_is_found_behind_its_format_string)
{
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	char found[KERNEL_RELEASE_BYTES];

	fixture_vmlinux(release, &elf);
	assert_true(kernel_banner_release(elf.data, elf.len, found));
	assert_string_equal(found, release);
	assert_false(kernel_banner_release(elf.data, 4096, found));
	assert_false(kernel_banner_release("Linux version 6.1", 17, found));
	assert_false(kernel_banner_release("Linux version ../../x y", 23, found));
}

TESTS(T(the_vmlinux_comes_out_of_every_format), T(the_release_is_read_from_the_header),
      T(other_files_are_not_called_kernels), T(a_kernel_cut_at_any_place_is_called_truncated),
      T(headers_that_cannot_be_are_refused), T(a_payload_must_unpack_to_exactly_what_it_says),
      T(payloads_that_are_no_kernel_are_refused),
      T(an_elf_file_is_a_kernel_only_if_it_is_linked_like_one_and_whole),
      T(the_banner_is_found_behind_its_format_string))
