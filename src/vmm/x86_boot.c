// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86_boot.h"

#include "base/cleanup.h"
#include "vmm/acpi.h"
#include "vmm/x86_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	LOADER_UNKNOWN = 0xff,
	PROTOCOL = 0x020f,
	E820_RAM = 1,
	E820_RESERVED = 2,
	PAGE_PRESENT_WRITABLE = 3,
	PAGE_LARGE = 0x80,
	ENTRIES = 512,
};

static int read_head(int fd, unsigned char *head, size_t *len_ret)
{
	size_t len = 0;

	while (len < KERNEL_HEAD_BYTES) {
		ssize_t n = pread(fd, head + len, KERNEL_HEAD_BYTES - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(-errno, "read: %s", strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*len_ret = len;
	return 0;
}

int x86_kernel_open(const char *path, struct x86_kernel *ret)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char head[KERNEL_HEAD_BYTES];
	struct kernel_file plan;
	struct stat st;
	size_t len = 0;

	if (fd < 0)
		return err_new(-errno, "kernel %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(-ENOEXEC, "kernel %s: not a regular file", path);
	int r = read_head(fd, head, &len);

	if (r >= 0)
		r = kernel_file_parse(head, len, (uint64_t)st.st_size, &plan);
	if (r < 0)
		return err_prefix(r, "kernel %s: ", path);
	*ret = (struct x86_kernel){ .fd = steal_fd(&fd), .path = path, .plan = plan };
	return 0;
}

static uint64_t low_ram_end(const struct x86_boot_desc *d)
{
	return MIN(d->ram_bytes, X86_MMIO_GAP);
}

/* Straight from the file into guest memory. */
static int load_segment(const struct x86_boot_desc *d, const struct kernel_segment *s)
{
	unsigned char *to = gmem_ptr(d->memory, gpa(s->gpa), s->memory_bytes);
	uint64_t done = 0;

	if (!to)
		return err_new(
			-E2BIG, "kernel %s: needs memory up to %llu MiB, the machine has %llu",
			d->kernel->path, (unsigned long long)((s->gpa + s->memory_bytes) / MIB + 1),
			(unsigned long long)(d->ram_bytes / MIB));
	while (done < s->file_bytes) {
		ssize_t n = pread(d->kernel->fd, to + done, s->file_bytes - done,
				  (off_t)(s->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_new(-EIO, "kernel %s: read: %s", d->kernel->path,
				       n ? strerror(errno) : "it became shorter");
		done += (uint64_t)n;
	}
	return 0;
}

static uint64_t kernel_end(const struct kernel_file *k)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < k->segment_count; i++)
		end = MAX(end, k->segments[i].gpa + k->segments[i].memory_bytes);
	return end;
}

/* As high as the kernel can reach, so that it is out of the way of everything. */
static int load_initrd(const struct x86_boot_desc *d, struct boot_params *params)
{
	const struct kernel_file *k = &d->kernel->plan;
	uint64_t top = low_ram_end(d);
	uint64_t floor = kernel_end(k);

	if (!d->initrd_bytes)
		return 0;
	if (k->is_bzimage)
		top = MIN(top, (uint64_t)k->header.initrd_addr_max + 1);
	if (top < floor || d->initrd_bytes > top - floor ||
	    align_up(d->initrd_bytes, PAGE) > top - floor)
		return err_new(
			-E2BIG,
			"initramfs of %zu MiB does not fit beside the kernel: the machine has "
			"%llu MiB, of which %llu are free below 3 GiB",
			d->initrd_bytes >> 20, (unsigned long long)(d->ram_bytes / MIB),
			(unsigned long long)((top > floor ? top - floor : 0) / MIB));
	uint64_t at = (top - d->initrd_bytes) & ~(uint64_t)(PAGE - 1);

	if (gmem_write(d->memory, gpa(at), d->initrd, d->initrd_bytes))
		return err_new(-E2BIG, "initramfs lies outside of memory");
	params->hdr.ramdisk_image = (uint32_t)at;
	params->hdr.ramdisk_size = (uint32_t)d->initrd_bytes;
	return 0;
}

static int put(const struct x86_boot_desc *d, uint64_t address, const void *data, size_t len)
{
	if (gmem_write(d->memory, gpa(address), data, len))
		return err_new(-E2BIG, "%zu bytes at %#llx are outside of memory", len,
			       (unsigned long long)address);
	return 0;
}

static int load_cmdline(const struct x86_boot_desc *d, struct boot_params *params)
{
	size_t bytes = strlen(d->cmdline) + 1;

	if (bytes > X86_CMDLINE_BYTES)
		return err_new(-E2BIG, "kernel command line of %zu bytes, at most %d are possible",
			       bytes - 1, X86_CMDLINE_BYTES - 1);
	params->hdr.cmd_line_ptr = X86_CMDLINE;
	params->hdr.cmdline_size = (uint32_t)bytes;
	return put(d, X86_CMDLINE, d->cmdline, bytes);
}

static int load_acpi(const struct x86_boot_desc *d, struct boot_params *params)
{
	cleanup(buf_deinit) struct buf tables = BUF_NULL;
	int r = acpi_build(&(struct acpi_desc){ .topology = d->topology,
						.ram_bytes = d->ram_bytes,
						.virtio_count = d->virtio_count,
						.base = X86_ACPI },
			   &tables);

	if (r < 0)
		return err_trace(r);
	params->acpi_rsdp_addr = X86_ACPI;
	return put(d, X86_ACPI, tables.data, tables.len);
}

static void add_e820(struct boot_params *params, uint64_t base, uint64_t end, uint32_t type)
{
	if (end > base)
		params->e820_table[params->e820_entries++] =
			(struct boot_e820_entry){ .addr = base, .size = end - base, .type = type };
}

static void fill_e820(const struct x86_boot_desc *d, struct boot_params *params)
{
	add_e820(params, 0, X86_LOW_RAM_END, E820_RAM);
	add_e820(params, X86_LOW_RAM_END, X86_HIGH_RAM, E820_RESERVED);
	add_e820(params, X86_HIGH_RAM, low_ram_end(d), E820_RAM);
	if (d->ram_bytes > X86_MMIO_GAP)
		add_e820(params, X86_MMIO_GAP_END, x86_ram_address(d->ram_bytes), E820_RAM);
}

/* What a bzImage's header says of itself is kept; for a vmlinux, which has none, the fields that
 * the kernel looks at are ours to write. */
static void fill_header(const struct x86_boot_desc *d, struct boot_params *params)
{
	params->hdr = d->kernel->plan.header;
	if (!d->kernel->plan.is_bzimage) {
		params->hdr.boot_flag = 0xAA55;
		memcpy(&params->hdr.header, "HdrS", sizeof(params->hdr.header));
		params->hdr.version = PROTOCOL;
		params->hdr.loadflags = LOADED_HIGH;
		params->hdr.kernel_alignment = X86_KERNEL_PREFERRED;
	}
	params->hdr.type_of_loader = LOADER_UNKNOWN;
	params->hdr.code32_start = (uint32_t)d->kernel->plan.segments[0].gpa;
}

/* The first 4 GiB, address for address, in 2 MiB pages: one top, one middle, four lower tables. */
static int load_page_tables(const struct x86_boot_desc *d)
{
	uint64_t table[6][ENTRIES] = { 0 };

	table[0][0] = (X86_PAGE_TABLES + PAGE) | PAGE_PRESENT_WRITABLE;
	for (uint64_t i = 0; i < 4; i++)
		table[1][i] = (X86_PAGE_TABLES + (2 + i) * PAGE) | PAGE_PRESENT_WRITABLE;
	for (uint64_t i = 0; i < 4 * ENTRIES; i++)
		table[2 + i / ENTRIES][i % ENTRIES] = i << 21 | PAGE_LARGE | PAGE_PRESENT_WRITABLE;
	return put(d, X86_PAGE_TABLES, table, sizeof(table));
}

/* Selectors 0x10 and 0x18, as the boot protocol wants them: flat 64-bit code, flat data. */
static int load_gdt(const struct x86_boot_desc *d)
{
	static const uint64_t gdt[] = { 0, 0, UINT64_C(0x00af9b000000ffff),
					UINT64_C(0x00cf93000000ffff) };

	return put(d, X86_GDT, gdt, sizeof(gdt));
}

static int load_kernel(const struct x86_boot_desc *d)
{
	int r = 0;

	for (unsigned i = 0; i < d->kernel->plan.segment_count && r >= 0; i++)
		r = load_segment(d, &d->kernel->plan.segments[i]);
	return r < 0 ? err_trace(r) : 0;
}

int x86_boot_load(const struct x86_boot_desc *d, struct x86_entry *ret)
{
	struct boot_params params = { 0 };
	int r = load_kernel(d);

	fill_header(d, &params);
	fill_e820(d, &params);
	if (r >= 0)
		r = load_initrd(d, &params);
	if (r >= 0)
		r = load_cmdline(d, &params);
	if (r >= 0)
		r = load_acpi(d, &params);
	if (r >= 0)
		r = load_page_tables(d);
	if (r >= 0)
		r = load_gdt(d);
	if (r >= 0)
		r = put(d, X86_BOOT_PARAMS, &params, sizeof(params));
	if (r < 0)
		return err_trace(r);
	*ret = (struct x86_entry){ d->kernel->plan.entry, X86_BOOT_PARAMS, X86_PAGE_TABLES };
	return 0;
}
