// SPDX-License-Identifier: GPL-2.0-only
/* The setup header's fields by offset, and the checks that make their sum make sense:
 *
 *   0        setup sectors        (setup_sects + 1) * 512          payload_offset   +
 * payload_length
 *   |--------|--------------------|-----------------------|--------[compressed][u32 size]---| file
 * end
 */
#include "image/bzimage.h"

#include "base/util.h"
#include "image/decompress.h"
#include "image/elf_file.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum {
	SETUP_SECTS = 0x1f1,
	BOOT_FLAG = 0x1fe,
	HEADER_MAGIC = 0x202,
	PROTOCOL = 0x206,
	KERNEL_VERSION = 0x20e,
	XLOADFLAGS = 0x236,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x268,

	SECTOR_BYTES = 512,
	PROTOCOL_XLOADFLAGS = 0x20c,
	XLF_KERNEL_64 = 1,
	SIZE_FIELD_BYTES = 4,
};
static const uint64_t unpacked_max = GIB;
/* Linux, Documentation/arch/x86/x86_64/mm.rst: kernel text mapping */
static const uint64_t kernel_text_start = UINT64_C(0xffffffff80000000);

/* The first word of "6.12.1-amd64 (builder@host) #1 SMP ...". */
static bool release_word(const uint8_t *text, size_t len, char ret[KERNEL_RELEASE_BYTES])
{
	size_t n = 0;

	while (n < len && n < KERNEL_RELEASE_BYTES && isgraph(text[n]))
		n++;
	if (!n || n >= len || n >= KERNEL_RELEASE_BYTES || !isdigit(text[0]) ||
	    (text[n] != ' ' && text[n] != '\0') || memchr(text, '/', n))
		return false;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return true;
}

/* Protocol 2.00+: the field points at a string in the setup sectors, minus 0x200. */
static bool release_of(const uint8_t *head, size_t setup_bytes, char ret[KERNEL_RELEASE_BYTES])
{
	size_t at = (size_t)le16_get(head + KERNEL_VERSION) + SECTOR_BYTES;

	return at < setup_bytes && release_word(head + at, setup_bytes - at, ret);
}

int bzimage_parse(const void *head_bytes_at, size_t head_bytes, uint64_t file_bytes,
		  const char *name, struct bzimage *ret)
{
	const uint8_t *head = head_bytes_at;
	struct bzimage image = { 0 };
	size_t setup_bytes;

	if (head_bytes < HEADER_END || le16_get(head + BOOT_FLAG) != 0xaa55 ||
	    memcmp(head + HEADER_MAGIC, "HdrS", 4))
		return BZIMAGE_OTHER;
	if (le16_get(head + PROTOCOL) < PROTOCOL_XLOADFLAGS ||
	    !(le16_get(head + XLOADFLAGS) & XLF_KERNEL_64))
		return err_new(-ENOEXEC, "%s: a kernel, but not a 64-bit one", name);
	setup_bytes = ((size_t)(head[SETUP_SECTS] ? head[SETUP_SECTS] : 4) + 1) * SECTOR_BYTES;
	image.payload_offset = setup_bytes + le32_get(head + PAYLOAD_OFFSET);
	image.payload_bytes = le32_get(head + PAYLOAD_LENGTH);
	if (image.payload_offset + image.payload_bytes > file_bytes || setup_bytes > head_bytes)
		return err_new(
			-EBADMSG,
			"%s: truncated: the kernel in it ends at byte %llu, the file at %llu", name,
			(unsigned long long)(image.payload_offset + image.payload_bytes),
			(unsigned long long)file_bytes);
	if (!release_of(head, setup_bytes, image.release))
		return err_new(-EBADMSG, "%s: damaged: its header holds no kernel release", name);
	*ret = image;
	return 0;
}

/* Every format but gzip has the unpacked size appended by the kernel's build; gzip ends with it. */
static int announced_bytes(const uint8_t *payload, size_t len, const char *name, uint64_t *ret)
{
	if (len <= SIZE_FIELD_BYTES)
		return err_new(-EBADMSG, "%s: damaged: no compressed kernel in it", name);
	*ret = le32_get(payload + len - SIZE_FIELD_BYTES);
	if (!*ret || *ret > unpacked_max)
		return err_new(-EBADMSG, "%s: damaged: it says that it unpacks to %llu bytes", name,
			       (unsigned long long)*ret);
	return 0;
}

int bzimage_unpack(const void *data, size_t len, const char *name, struct buf *ret)
{
	const uint8_t *payload;
	size_t payload_bytes, start = ret->len;
	uint64_t want = 0;
	struct bzimage image;
	const char *format;
	int r = bzimage_parse(data, len, len, name, &image);

	if (r)
		return r < 0 ? r : err_new(-ENOEXEC, "%s: not a kernel", name);
	payload = (const uint8_t *)data + image.payload_offset;
	payload_bytes = (size_t)image.payload_bytes;
	r = announced_bytes(payload, payload_bytes, name, &want);
	if (r < 0)
		return r;
	format = compression_name(payload, payload_bytes);
	if (!format || strcmp(format, "gzip"))
		payload_bytes -= SIZE_FIELD_BYTES;
	r = decompress(payload, payload_bytes, (size_t)want, name, ret);
	if (r < 0)
		return err_trace(r);
	if (ret->len - start != want)
		return err_new(-EBADMSG, "%s: damaged: unpacks to %zu bytes instead of %llu", name,
			       ret->len - start, (unsigned long long)want);
	r = vmlinux_check(ret->data + start, ret->len - start, want, name);
	return r > 0 ? err_new(-ENOEXEC, "%s: what is packed in it is no kernel", name) : r;
}

int vmlinux_check(const void *head, size_t head_bytes, uint64_t file_bytes, const char *name)
{
	bool has_kernel_text = false;
	Elf64_Phdr segment;
	struct elf e;
	int r = elf_open(head, head_bytes, name, &e);

	if (r)
		return r < 0 ? err_trace(r) : BZIMAGE_OTHER;
	for (unsigned i = 0; elf_segment(&e, i, &segment); i++) {
		uint64_t end;

		if (segment.p_type != PT_LOAD)
			continue;
		has_kernel_text |= segment.p_vaddr >= kernel_text_start;
		if (__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end) ||
		    end > file_bytes)
			return err_new(-EBADMSG, "%s: truncated: a segment ends behind the file",
				       name);
	}
	if (!has_kernel_text)
		return err_new(-ENOEXEC, "%s: an ELF file, but not a kernel (vmlinux)", name);
	return 0;
}

bool kernel_banner_release(const void *data, size_t len, char ret[KERNEL_RELEASE_BYTES])
{
	static const char banner[] = "Linux version ";
	const size_t banner_len = sizeof(banner) - 1;
	const uint8_t *p = data, *end = p + len;

	while ((p = memmem(p, (size_t)(end - p), banner, banner_len))) {
		p += banner_len;
		if (release_word(p, (size_t)(end - p), ret))
			return true;
	}
	return false;
}
