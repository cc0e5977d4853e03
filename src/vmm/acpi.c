// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/acpi.h"

#include "devices/serial.h"
#include "vmm/aml.h"

#include <stddef.h>

#define packed __attribute__((packed))

/* 5.2.6 */
struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} packed;
_Static_assert(sizeof(struct header) == 36, "ACPI table header");

/* 5.2.5.3 */
struct rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} packed;
_Static_assert(sizeof(struct rsdp) == 36, "RSDP");

/* 5.2.3.2 */
struct address {
	uint8_t space;
	uint8_t bits;
	uint8_t bit_offset;
	uint8_t access;
	uint64_t address;
} packed;
_Static_assert(sizeof(struct address) == 12, "generic address");

/* 5.2.9; fields that a hardware-reduced machine leaves 0 are skipped over. */
struct fadt {
	uint32_t firmware_ctrl;
	uint32_t dsdt;
	uint8_t skipped1[65];
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_firmware_ctrl;
	uint64_t x_dsdt;
	uint8_t skipped2[96];
	struct address sleep_control;
	struct address sleep_status;
	uint64_t hypervisor_vendor;
} packed;
_Static_assert(sizeof(struct header) + sizeof(struct fadt) == 276, "FADT revision 6");
_Static_assert(sizeof(struct header) + offsetof(struct fadt, boot_arch) == 109, "FADT");
_Static_assert(sizeof(struct header) + offsetof(struct fadt, sleep_control) == 244, "FADT");

enum {
	SPACE_IO = 1,
	ACCESS_BYTE = 1,
	BOOT_ARCH_NO_VGA = 1 << 2,
	BOOT_ARCH_NO_RTC = 1 << 5,
	FADT_NO_POWER_BUTTON = 1 << 4,
	FADT_NO_SLEEP_BUTTON = 1 << 5,
	FADT_RESET_REGISTER = 1 << 10,
	FADT_HW_REDUCED = 1 << 20,
};

#define PORT(number)                                                                               \
	{                                                                                          \
		.space = SPACE_IO, .bits = 8, .access = ACCESS_BYTE, .address = (number)           \
	}

static const struct fadt fadt_template = {
	.boot_arch = BOOT_ARCH_NO_VGA | BOOT_ARCH_NO_RTC,
	.flags =
		FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON | FADT_RESET_REGISTER | FADT_HW_REDUCED,
	.reset = PORT(X86_PORT_I8042),
	.reset_value = X86_I8042_RESET,
	.minor_version = 4,
	.sleep_control = PORT(X86_PORT_SLEEP_CONTROL),
	.sleep_status = PORT(X86_PORT_SLEEP_CONTROL + 1),
};

/* 5.2.12 and 5.2.16: the entries of MADT and SRAT. */
struct madt {
	uint32_t local_apic;
	uint32_t flags;
} packed;

struct madt_lapic {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} packed;

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} packed;

struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, uid;
} packed;

struct srat {
	uint32_t reserved1;
	uint64_t reserved2;
} packed;

struct srat_lapic {
	uint8_t type, length, domain, apic_id;
	uint32_t flags;
	uint8_t sapic_eid, domain_high[3];
	uint32_t clock_domain;
} packed;

struct srat_memory {
	uint8_t type, length;
	uint32_t domain;
	uint16_t reserved1;
	uint64_t base, bytes;
	uint32_t reserved2, flags;
	uint64_t reserved3;
} packed;

struct srat_x2apic {
	uint8_t type, length;
	uint16_t reserved1;
	uint32_t domain, apic_id, flags, clock_domain, reserved2;
} packed;
_Static_assert(sizeof(struct madt_lapic) == 8 && sizeof(struct madt_ioapic) == 12 &&
		       sizeof(struct madt_x2apic) == 16,
	       "MADT entries");
_Static_assert(sizeof(struct srat_lapic) == 16 && sizeof(struct srat_memory) == 40 &&
		       sizeof(struct srat_x2apic) == 24,
	       "SRAT entries");

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_X2APIC = 9,
	SRAT_LAPIC = 0,
	SRAT_MEMORY = 1,
	SRAT_X2APIC = 2,
	ENABLED = 1,
};

#define ADD(b, ...) buf_add(b, &(__VA_ARGS__), sizeof(__VA_ARGS__))

static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	return (uint8_t)-sum;
}

static void add_com1(struct buf *b)
{
	size_t device = aml_device(b, "COM1");

	aml_name_eisa_id(b, "_HID", "PNP0501");
	aml_name_integer(b, "_UID", 0);
	size_t crs = aml_crs(b);

	aml_io(b, SERIAL_COM1, SERIAL_PORTS);
	aml_interrupt(b, SERIAL_COM1_IRQ);
	aml_crs_end(b, crs);
	aml_end(b, device);
}

static void add_virtio(struct buf *b, unsigned index)
{
	char name[5] = { 'V', 'R', (char)('A' + index / 10), (char)('0' + index % 10) };
	size_t device = aml_device(b, name);

	aml_name_string(b, "_HID", "LNRO0005");
	aml_name_integer(b, "_UID", index);
	size_t crs = aml_crs(b);

	aml_memory32(b, (uint32_t)x86_virtio_base(index), X86_VIRTIO_MMIO_BYTES);
	aml_interrupt(b, X86_GSI_VIRTIO + index);
	aml_crs_end(b, crs);
	aml_end(b, device);
}

static void add_dsdt(const struct acpi_desc *d, struct buf *b)
{
	static const uint8_t s5[] = { X86_SLEEP_TYPE_S5, 0, 0, 0 };
	size_t scope = aml_scope(b, "\\_SB_");

	add_com1(b);
	for (unsigned i = 0; i < d->virtio_count; i++)
		add_virtio(b, i);
	aml_end(b, scope);
	aml_name_package(b, "_S5_", s5, ARRAY_SIZE(s5));
}

/* Linux numbers CPUs in the order of these entries, hence in ours. The entry that carries 8-bit ids
 * must be used where it can be (5.2.12.12). */
static void add_madt(const struct acpi_desc *d, struct buf *b)
{
	ADD(b, (struct madt){ .local_apic = (uint32_t)X86_LOCAL_APIC });
	for (unsigned i = 0; i < topology_cpu_count(d->topology); i++) {
		uint32_t id = topology_cpu(d->topology, i).apic_id;

		if (id < TOPOLOGY_XAPIC_IDS)
			ADD(b, (struct madt_lapic){ .type = MADT_LAPIC,
						    .length = sizeof(struct madt_lapic),
						    .uid = (uint8_t)i,
						    .apic_id = (uint8_t)id,
						    .flags = ENABLED });
		else
			ADD(b, (struct madt_x2apic){ .type = MADT_X2APIC,
						     .length = sizeof(struct madt_x2apic),
						     .apic_id = id,
						     .flags = ENABLED,
						     .uid = i });
	}
	ADD(b, (struct madt_ioapic){ .type = MADT_IOAPIC,
				     .length = sizeof(struct madt_ioapic),
				     .address = (uint32_t)X86_IOAPIC });
}

static void add_srat_cpu(const struct acpi_desc *d, struct buf *b, unsigned cpu)
{
	struct topology_cpu place = topology_cpu(d->topology, cpu);

	if (place.apic_id < TOPOLOGY_XAPIC_IDS)
		ADD(b, (struct srat_lapic){ .type = SRAT_LAPIC,
					    .length = sizeof(struct srat_lapic),
					    .domain = (uint8_t)place.node,
					    .apic_id = (uint8_t)place.apic_id,
					    .flags = ENABLED });
	else
		ADD(b, (struct srat_x2apic){ .type = SRAT_X2APIC,
					     .length = sizeof(struct srat_x2apic),
					     .domain = place.node,
					     .apic_id = place.apic_id,
					     .flags = ENABLED });
}

static void add_srat(const struct acpi_desc *d, struct buf *b)
{
	struct x86_ram ram[X86_RAM_MAX];
	unsigned count = x86_ram_split(d->topology, d->ram_bytes, ram);

	ADD(b, (struct srat){ .reserved1 = 1 });
	for (unsigned i = 0; i < topology_cpu_count(d->topology); i++)
		add_srat_cpu(d, b, i);
	for (unsigned i = 0; i < count; i++)
		ADD(b, (struct srat_memory){ .type = SRAT_MEMORY,
					     .length = sizeof(struct srat_memory),
					     .domain = ram[i].node,
					     .base = ram[i].base,
					     .bytes = ram[i].bytes,
					     .flags = ENABLED });
}

static void add_slit(const struct acpi_desc *d, struct buf *b)
{
	uint64_t nodes = d->topology->nodes;

	ADD(b, nodes);
	for (unsigned from = 0; from < nodes; from++)
		for (unsigned to = 0; to < nodes; to++) {
			uint8_t distance = (uint8_t)topology_distance(d->topology, from, to);

			ADD(b, distance);
		}
}

/* The tables behind the XSDT, which only lists them. To add one: its row here, its bytes in an
 * add_...() above. FADT is not here because it must know where the DSDT is. */
struct table {
	char signature[5];
	uint8_t revision;
	void (*add)(const struct acpi_desc *d, struct buf *b);
	bool is_listed;
};

static const struct table tables[] = {
	{ "DSDT", 2, add_dsdt, false },
	{ "APIC", 5, add_madt, true },
	{ "SRAT", 3, add_srat, true },
	{ "SLIT", 1, add_slit, true },
};

enum { FADT_REVISION = 6, XSDT_ENTRIES_MAX = 1 + ARRAY_SIZE(tables) };

static size_t table_begin(struct buf *b, const char *signature, uint8_t revision)
{
	struct header h = { .revision = revision,
			    .oem_id = "KTSTR ",
			    .oem_table_id = "KTSTRVMM",
			    .oem_revision = 1,
			    .creator_id = "KTST",
			    .creator_revision = 1 };

	buf_zeros(b, align_up(b->len, 8) - b->len);
	size_t at = b->len;

	memcpy(h.signature, signature, sizeof(h.signature));
	ADD(b, h);
	return at;
}

static void table_end(struct buf *b, size_t at)
{
	if (b->is_failed)
		return;
	uint8_t *p = (uint8_t *)b->data + at;
	uint32_t len = (uint32_t)(b->len - at);

	le32_put(p + offsetof(struct header, length), len);
	p[offsetof(struct header, checksum)] = checksum(p, len);
}

static void put_rsdp(const struct acpi_desc *d, struct buf *b, size_t xsdt)
{
	struct rsdp rsdp = { .signature = "RSD PTR ",
			     .oem_id = "KTSTR ",
			     .revision = 2,
			     .length = sizeof(rsdp),
			     .xsdt = d->base + xsdt };

	rsdp.checksum = checksum(&rsdp, offsetof(struct rsdp, length));
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	if (!b->is_failed)
		memcpy(b->data, &rsdp, sizeof(rsdp));
}

static size_t add_fadt(const struct acpi_desc *d, struct buf *b, size_t dsdt)
{
	struct fadt fadt = fadt_template;
	size_t at = table_begin(b, "FACP", FADT_REVISION);

	fadt.dsdt = (uint32_t)(d->base + dsdt);
	fadt.x_dsdt = d->base + dsdt;
	ADD(b, fadt);
	table_end(b, at);
	return at;
}

static size_t add_xsdt(const struct acpi_desc *d, struct buf *b, const size_t *at, size_t count)
{
	size_t xsdt = table_begin(b, "XSDT", 1);

	for (size_t i = 0; i < count; i++) {
		uint64_t address = d->base + at[i];

		ADD(b, address);
	}
	table_end(b, xsdt);
	return xsdt;
}

int acpi_build(const struct acpi_desc *d, struct buf *ret)
{
	size_t listed[XSDT_ENTRIES_MAX], count = 0, dsdt = 0;

	buf_zeros(ret, sizeof(struct rsdp));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		size_t at = table_begin(ret, tables[i].signature, tables[i].revision);

		tables[i].add(d, ret);
		table_end(ret, at);
		if (tables[i].is_listed)
			listed[count++] = at;
		else
			dsdt = at;
	}
	listed[count++] = add_fadt(d, ret, dsdt);
	put_rsdp(d, ret, add_xsdt(d, ret, listed, count));

	int r = buf_ok(ret);

	return r < 0 ? err_trace(r) : 0;
}
