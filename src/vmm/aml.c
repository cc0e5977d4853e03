// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/aml.h"

#include "base/util.h"

enum {
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_DWORD = 0x0c,
	AML_STRING = 0x0d,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12,
	AML_EXT = 0x5b,
	AML_EXT_DEVICE = 0x82,

	/* A package length is written in its 3-byte form always, so that it can be filled in when
	 * the end is known. */
	LENGTH_BYTES = 3,
};

static void add_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, 1);
}

static void add_u16(struct buf *b, uint16_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void add_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static size_t begin(struct buf *b)
{
	size_t mark = b->len;

	buf_zeros(b, LENGTH_BYTES);
	return mark;
}

/* 20.2.4: two bits say how many bytes follow, four low bits of the length, then the rest. */
void aml_end(struct buf *b, size_t mark)
{
	if (b->is_failed)
		return;
	size_t len = b->len - mark;
	uint8_t *p = (uint8_t *)b->data + mark;

	p[0] = (uint8_t)((LENGTH_BYTES - 1) << 6 | (len & 0xf));
	p[1] = (uint8_t)(len >> 4);
	p[2] = (uint8_t)(len >> 12);
}

size_t aml_scope(struct buf *b, const char *path)
{
	add_u8(b, AML_SCOPE);
	size_t mark = begin(b);

	buf_str(b, path);
	return mark;
}

size_t aml_device(struct buf *b, const char *name)
{
	add_u8(b, AML_EXT);
	add_u8(b, AML_EXT_DEVICE);
	size_t mark = begin(b);

	buf_str(b, name);
	return mark;
}

static void add_name(struct buf *b, const char *name)
{
	add_u8(b, AML_NAME);
	buf_str(b, name);
}

void aml_name_string(struct buf *b, const char *name, const char *value)
{
	add_name(b, name);
	add_u8(b, AML_STRING);
	buf_add(b, value, strlen(value) + 1);
}

static void add_integer(struct buf *b, uint32_t value)
{
	add_u8(b, AML_DWORD);
	add_u32(b, value);
}

void aml_name_integer(struct buf *b, const char *name, uint32_t value)
{
	add_name(b, name);
	add_integer(b, value);
}

void aml_name_package(struct buf *b, const char *name, const uint8_t *values, uint8_t count)
{
	add_name(b, name);
	add_u8(b, AML_PACKAGE);
	size_t mark = begin(b);

	add_u8(b, count);
	for (unsigned i = 0; i < count; i++) {
		add_u8(b, AML_BYTE);
		add_u8(b, values[i]);
	}
	aml_end(b, mark);
}

static uint32_t hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* 19.3.4: three letters of five bits, four hexadecimal digits, the whole in big-endian order. */
void aml_name_eisa_id(struct buf *b, const char *name, const char *id)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 3; i++)
		v = v << 5 | (uint32_t)(id[i] - 'A' + 1);
	for (unsigned i = 3; i < 7; i++)
		v = v << 4 | hex_digit(id[i]);
	aml_name_integer(b, name, __builtin_bswap32(v));
}

/* A buffer is PkgLength, its size as an integer, its bytes; the size is filled in at the end. */
size_t aml_crs(struct buf *b)
{
	add_name(b, "_CRS");
	add_u8(b, AML_BUFFER);
	size_t mark = begin(b);

	add_integer(b, 0);
	return mark;
}

void aml_crs_end(struct buf *b, size_t mark)
{
	size_t size_at = mark + LENGTH_BYTES + 1;

	add_u8(b, 0x79); /* end tag; a checksum of 0 means "none" */
	add_u8(b, 0);
	if (!b->is_failed)
		le32_put(b->data + size_at, (uint32_t)(b->len - size_at - sizeof(uint32_t)));
	aml_end(b, mark);
}

void aml_memory32(struct buf *b, uint32_t base, uint32_t bytes)
{
	add_u8(b, 0x86); /* 6.4.3.4: 32-bit fixed memory range */
	add_u16(b, 9);
	add_u8(b, 1); /* read and write */
	add_u32(b, base);
	add_u32(b, bytes);
}

void aml_io(struct buf *b, uint16_t base, uint8_t count)
{
	add_u8(b, 0x47); /* 6.4.2.5: I/O port descriptor */
	add_u8(b, 1);	 /* decodes 16 bits */
	add_u16(b, base);
	add_u16(b, base);
	add_u8(b, 1);
	add_u8(b, count);
}

void aml_interrupt(struct buf *b, uint32_t gsi)
{
	enum { CONSUMER = 1, EDGE = 2 };

	add_u8(b, 0x89); /* 6.4.3.6: extended interrupt descriptor */
	add_u16(b, 6);
	add_u8(b, CONSUMER | EDGE);
	add_u8(b, 1);
	add_u32(b, gsi);
}
