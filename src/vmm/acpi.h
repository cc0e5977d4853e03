/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACPI tables of a machine, as one block of bytes: RSDP first, then XSDT, FADT, DSDT, MADT,
 * SRAT, SLIT. Hardware-reduced: no SCI, no PM timer, no legacy devices; what is left is how Linux
 * learns of CPUs, nodes, the serial port, the virtio-mmio windows (_HID LNRO0005), reset and
 * power-off. Pure: it only writes a buffer. Source: ACPI 6.4. */
#pragma once

#include "base/buf.h"
#include "vmm/x86_layout.h"

#include <stdint.h>

struct acpi_desc {
	const struct topology *topology;
	uint64_t ram_bytes;
	unsigned virtio_count; /* windows at x86_virtio_base(i), interrupts X86_GSI_VIRTIO + i */
	uint64_t base;	       /* guest-physical address of the block's first byte */
};

/* Append the block to @ret (empty before), its RSDP at offset 0. Returns 0 or -ENOMEM with words.
 * Any thread. */
int acpi_build(const struct acpi_desc *d, struct buf *ret) must_check;
