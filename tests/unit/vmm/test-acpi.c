// SPDX-License-Identifier: GPL-2.0-only
#include "base/child.h"
#include "test.h"
#include "vmm/acpi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_BYTES = 36 };

static void build(const char *label, uint64_t ram_bytes, unsigned virtio_count, struct buf *ret)
{
	struct topology t;

	assert_int_equal(topology_parse(label, &t), 0);
	assert_int_equal(acpi_build(&(struct acpi_desc){ .topology = &t,
							 .ram_bytes = ram_bytes,
							 .virtio_count = virtio_count,
							 .base = X86_ACPI },
				    ret),
			 0);
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s = (uint8_t)(s + *p++);
	return s;
}

/* Follow the pointers as a kernel does: RSDP, XSDT, tables; the DSDT through the FADT. NULL if
 * there is none. */
static const uint8_t *table(const struct buf *b, const char *signature)
{
	const uint8_t *data = (const uint8_t *)b->data;
	const uint8_t *xsdt = data + le64_get(data + 24) - X86_ACPI;

	if (!strcmp(signature, "DSDT"))
		return data + le64_get(table(b, "FACP") + 140) - X86_ACPI;
	for (uint32_t at = HEADER_BYTES; at < le32_get(xsdt + 4); at += 8) {
		const uint8_t *t = data + le64_get(xsdt + at) - X86_ACPI;

		if (!memcmp(t, signature, 4))
			return t;
	}
	return NULL;
}

TEST(every_table_is_reached_from_the_rsdp_and_sums_to_zero)
{
	static const char *const names[] = { "FACP", "DSDT", "APIC", "SRAT", "SLIT" };
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	build("2n4l2c1t", GIB, 4, &b);
	assert_memory_equal(b.data, "RSD PTR ", 8);
	assert_int_equal(sum((uint8_t *)b.data, 20), 0);
	assert_int_equal(sum((uint8_t *)b.data, 36), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const uint8_t *t = table(&b, names[i]);

		assert_non_null(t);
		assert_memory_equal(t, names[i], 4);
		assert_int_equal(sum(t, le32_get(t + 4)), 0);
	}
}

/* Entries of a table from byte @first on, each {type, length}. */
static unsigned count_entries(const uint8_t *t, uint32_t first, uint8_t type)
{
	unsigned count = 0;

	for (uint32_t at = first; at < le32_get(t + 4); at += t[at + 1])
		count += t[at] == type;
	return count;
}

TEST(madt_and_srat_use_x2apic_entries_from_id_255_on)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	build("1n14l18c1t", GIB, 1, &b);
	const uint8_t *madt = table(&b, "APIC"), *srat = table(&b, "SRAT");

	/* 32 ids for each LLC, 18 used: LLCs 0-7 are below 255 */
	assert_int_equal(count_entries(madt, 44, 0), 8 * 18);
	assert_int_equal(count_entries(madt, 44, 9), 6 * 18);
	assert_int_equal(count_entries(madt, 44, 1), 1);
	assert_int_equal(count_entries(srat, 48, 0), 8 * 18);
	assert_int_equal(count_entries(srat, 48, 2), 6 * 18);
	assert_int_equal(count_entries(srat, 48, 1), 1);
}

TEST(the_largest_machine_fits_below_1_mib)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	build("64n64l8c1t", 64 * GIB, X86_VIRTIO_MAX, &b);
	assert_true(b.len < X86_HIGH_RAM - X86_ACPI);
}

TEST(ram_is_split_over_nodes_and_around_the_gap)
{
	static const struct {
		const char *label;
		uint64_t bytes;
		unsigned count;
		struct x86_ram ram[4];
	} cases[] = {
		{ "1n1l1c1t", GIB, 1, { { 0, GIB, 0 } } },
		{ "1n1l1c1t", 4 * GIB, 2, { { 0, 3 * GIB, 0 }, { 4 * GIB, GIB, 0 } } },
		{ "2n2l1c1t", 513 * MIB, 2, { { 0, 256 * MIB, 0 }, { 256 * MIB, 257 * MIB, 1 } } },
		{ "3n3l1c1t",
		  101 * MIB,
		  3,
		  { { 0, 32 * MIB, 0 }, { 32 * MIB, 34 * MIB, 1 }, { 66 * MIB, 35 * MIB, 2 } } },
		{ "2n2l1c1t",
		  8 * GIB,
		  3,
		  { { 0, 3 * GIB, 0 }, { 4 * GIB, GIB, 0 }, { 5 * GIB, 4 * GIB, 1 } } },
		{ "2n2l1c1t", 6 * GIB, 2, { { 0, 3 * GIB, 0 }, { 4 * GIB, 3 * GIB, 1 } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct topology t;
		struct x86_ram ram[X86_RAM_MAX];

		assert_int_equal(topology_parse(cases[i].label, &t), 0);
		assert_int_equal(x86_ram_split(&t, cases[i].bytes, ram), cases[i].count);
		for (unsigned k = 0; k < cases[i].count; k++) {
			assert_int_equal(ram[k].base, cases[i].ram[k].base);
			assert_int_equal(ram[k].bytes, cases[i].ram[k].bytes);
			assert_int_equal(ram[k].node, cases[i].ram[k].node);
		}
	}
}

/* Write table @name to a file in @dir, let iasl take it apart and return its text. */
static void disassemble(const struct buf *b, const char *name, const char *dir, struct buf *ret)
{
	const uint8_t *t = table(b, name);
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(t, 1, le32_get(t + 4), f), le32_get(t + 4));
	assert_int_equal(fclose(f), 0);
	const char *const argv[] = { "iasl", "-d", path, NULL };
	struct buf said = BUF_NULL;
	int r = child_run(argv, dir, &said);

	assert_int_equal(r, 0);
	buf_deinit(&said);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s.dsl", dir, name);
	assert_int_equal(buf_read_file(ret, path, MIB), 0);
	unlink(path);
}

TEST(iasl_reads_every_table_as_it_was_meant)
{
	static const struct {
		const char *table, *words;
	} cases[] = {
		{ "FACP", "Hardware Reduced (V5) : 1" },
		{ "FACP", "Reset Register Supported (V2) : 1" },
		{ "FACP", "CMOS RTC Not Present (V5) : 1" },
		{ "FACP", "Value to cause reset : FE" },
		{ "FACP", "Legacy Devices Supported (V2) : 0" },
		{ "FACP", "Sleep Control Register : [Generic Address Structure]" },
		{ "APIC", "I/O Apic ID" },
		{ "APIC", "Processor x2Apic ID : 000001B1" },
		{ "SRAT", "Base Address : 0000000000000000" },
		{ "SLIT", "Localities : 0000000000000002" },
		{ "DSDT", "Name (_HID, \"LNRO0005\")" },
		{ "DSDT", "0xC0001000,         // Address Base" },
		{ "DSDT", "Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive, ,, )" },
		{ "DSDT", "EisaId (\"PNP0501\")" },
		{ "DSDT", "Name (_S5, Package (0x04)" },
	};
	char dir[] = "/tmp/ktstr-acpi-XXXXXX";
	cleanup(buf_deinit) struct buf b = BUF_NULL;

	if (system("iasl -v >/dev/null 2>&1"))
		skip(); /* package acpica-tools is not installed */
	assert_non_null(mkdtemp(dir));
	build("2n14l18c1t", GIB, 2, &b);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_deinit) struct buf text = BUF_NULL;

		disassemble(&b, cases[i].table, dir, &text);
		if (!strstr(buf_text(&text), cases[i].words))
			fail_msg("%s lacks \"%s\":\n%s", cases[i].table, cases[i].words,
				 buf_text(&text));
		assert_null(strstr(buf_text(&text), "Warning"));
		assert_null(strstr(buf_text(&text), "Invalid"));
	}
	rmdir(dir);
}

TESTS(T(every_table_is_reached_from_the_rsdp_and_sums_to_zero),
      T(madt_and_srat_use_x2apic_entries_from_id_255_on), T(the_largest_machine_fits_below_1_mib),
      T(ram_is_split_over_nodes_and_around_the_gap), T(iasl_reads_every_table_as_it_was_meant))
