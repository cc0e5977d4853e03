/* SPDX-License-Identifier: GPL-2.0-only */
/* Just enough of the ACPI Machine Language to write a DSDT: scopes, devices, names, resources.
 * Everything appends to a buf, whose failure is checked at its end. Names are four characters; a
 * leading backslash is root. Source: ACPI 6.4, 20.2 and 6.4. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* Open a scope or device; the returned mark goes to aml_end(). */
size_t aml_scope(struct buf *b, const char *path);
size_t aml_device(struct buf *b, const char *name);
void aml_end(struct buf *b, size_t mark);

void aml_name_string(struct buf *b, const char *name, const char *value);
void aml_name_integer(struct buf *b, const char *name, uint32_t value);
/* Package of @count small integers, as _S5 is. */
void aml_name_package(struct buf *b, const char *name, const uint8_t *values, uint8_t count);
/* An EISA id such as "PNP0501", as the integer that ACPI packs it into. */
void aml_name_eisa_id(struct buf *b, const char *name, const char *id);

/* _CRS of one device: begin, resources, end. */
size_t aml_crs(struct buf *b);
void aml_crs_end(struct buf *b, size_t mark);
void aml_memory32(struct buf *b, uint32_t base, uint32_t bytes);
void aml_io(struct buf *b, uint16_t base, uint8_t count);
/* Interrupt @gsi: edge, active high, not shared. */
void aml_interrupt(struct buf *b, uint32_t gsi);
