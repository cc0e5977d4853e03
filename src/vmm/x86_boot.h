/* SPDX-License-Identifier: GPL-2.0-only */
/* Lay everything that a starting kernel needs into guest memory: the kernel itself, initramfs,
 * command line, boot_params with the memory map, ACPI tables, page tables and GDT of the 64-bit
 * entry. x86_layout.h has the picture. Source: Linux Documentation/arch/x86/boot.rst, "64-bit boot
 * protocol". */
#pragma once

#include "gmem/gmem.h"
#include "vmm/kernel_file.h"
#include "vmm/topology.h"

/* A kernel file, opened and parsed. */
struct x86_kernel {
	int fd;
	const char *path; /* borrowed */
	struct kernel_file plan;
};

#define X86_KERNEL_NULL ((struct x86_kernel){ .fd = -1 })

/* Open and parse @path. Returns 0, or open()'s error, or -ENOEXEC with words naming the file. The
 * caller closes ret->fd. */
int x86_kernel_open(const char *path, struct x86_kernel *ret) must_check;

struct x86_boot_desc {
	const struct topology *topology;
	const struct gmem *memory; /* all zero */
	uint64_t ram_bytes;
	const struct x86_kernel *kernel;
	const void *initrd; /* NULL: none */
	size_t initrd_bytes;
	const char *cmdline;
	unsigned virtio_count;
};

/* How the first CPU enters: 64-bit mode, paging on, interrupts off. */
struct x86_entry {
	uint64_t rip;
	uint64_t rsi; /* boot_params */
	uint64_t cr3;
};

/* Returns 0; -E2BIG with words if kernel, initramfs or command line do not fit; -EIO if the kernel
 * file could not be read in full; -ENOMEM. */
int x86_boot_load(const struct x86_boot_desc *d, struct x86_entry *ret) must_check;
