/* SPDX-License-Identifier: GPL-2.0-only */
/* Where things are in an x86 guest's physical memory and ports, in one place:
 *
 *   0x0000_0500  GDT                                0xC000_0000  virtio-mmio windows, 4 KiB each
 *   0x0000_7000  boot_params                        0xFEC0_0000  I/O APIC
 *   0x0000_9000  page tables of the entry           0xFEE0_0000  local APICs
 *   0x0002_0000  command line                       0xFFFB_D000  TSS of real mode (VMX)
 *   0x000E_0000  ACPI: RSDP, then the tables        0x1_0000_0000 rest of RAM
 *   0x0010_0000  RAM; the kernel where it asks to be, the initramfs at the upper end
 *
 * RAM is one run of bytes (one memfd) that the gap from 3 GiB to 4 GiB cuts in two. */
#pragma once

#include "base/util.h"
#include "vmm/topology.h"

#define X86_MMIO_GAP UINT64_C(0xC0000000)
#define X86_MMIO_GAP_END UINT64_C(0x100000000)

enum {
	X86_GDT = 0x500,
	X86_BOOT_PARAMS = 0x7000,
	X86_PAGE_TABLES = 0x9000,
	X86_CMDLINE = 0x20000,
	X86_CMDLINE_BYTES = 2048, /* with its NUL: what every x86 kernel takes */
	X86_LOW_RAM_END = 0x9fc00,
	X86_ACPI = 0xE0000,
	X86_HIGH_RAM = 0x100000,
	X86_KERNEL_PREFERRED = 0x1000000,

	X86_VIRTIO_MMIO_BYTES = 0x1000,

	X86_PORT_I8042_DATA = 0x60,
	X86_PORT_I8042 = 0x64,
	X86_I8042_RESET = 0xFE,
	X86_PORT_SLEEP_CONTROL = 0x600, /* ACPI 6.4, 4.8.3.7: then the status register */
	X86_SLEEP_ENABLE = 0x20,
	X86_SLEEP_TYPE_S5 = 5,

	X86_GSI_VIRTIO = 5,
	X86_GSI_COUNT = 24, /* pins of the I/O APIC */
	X86_VIRTIO_MAX = X86_GSI_COUNT - X86_GSI_VIRTIO,
};

static const uint64_t X86_IOAPIC = 0xFEC00000;
static const uint64_t X86_LOCAL_APIC = 0xFEE00000;
static const uint64_t X86_IDENTITY_MAP = 0xFFFBC000;
static const uint64_t X86_TSS = 0xFFFBD000;

_Static_assert(X86_ACPI < X86_HIGH_RAM, "ACPI is in the hole under 1 MiB");

/* A run of guest RAM on one node. */
struct x86_ram {
	uint64_t base;
	uint64_t bytes;
	unsigned node;
};

enum { X86_RAM_MAX = TOPOLOGY_NODES_MAX + 1 };

/* Guest-physical address of byte @offset of RAM. */
static inline uint64_t x86_ram_address(uint64_t offset)
{
	return offset < X86_MMIO_GAP ? offset : offset - X86_MMIO_GAP + X86_MMIO_GAP_END;
}

/* Split @bytes of RAM over the nodes of @t, in rising address order, borders at 128 MiB where the
 * nodes are large enough (Linux's memory sections), else at 2 MiB. Returns the number of runs
 * written to @ret (X86_RAM_MAX entries). */
unsigned x86_ram_split(const struct topology *t, uint64_t bytes, struct x86_ram *ret);

static inline uint64_t x86_virtio_base(unsigned index)
{
	return X86_MMIO_GAP + (uint64_t)index * X86_VIRTIO_MMIO_BYTES;
}
