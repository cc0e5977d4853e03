// SPDX-License-Identifier: GPL-2.0-only
/* Whole machines with a kernel of a few instructions, entered as a real one is: 64-bit mode, flat
 * mapping, boot_params in rsi. Runs on any /dev/kvm, a para-virtual one too. */
#include "base/cleanup.h"
#include "base/util.h"
#include "devices/blk/blk.h"
#include "gmem/gmem.h"
#include "test.h"
#include "vmm/machine.h"
#include "vmm/x86_layout.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum { KERNEL = 0x1000000, WAIT_MS = 10000 };

struct tiny_kernel {
	Elf64_Ehdr e;
	Elf64_Phdr p;
	uint8_t code[256];
};

/* A name of this process's own: several checkouts may run this test at once. */
static const char *own_kernel_path(char *buf, size_t len)
{
	snprintf(buf, len, "/tmp/ktstr-test-machine-%d", getpid());
	return buf;
}

static void write_kernel(const char *path, const void *code, size_t len)
{
	struct tiny_kernel k = {
		.e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
		       .e_type = ET_EXEC,
		       .e_machine = EM_X86_64,
		       .e_entry = KERNEL,
		       .e_phoff = offsetof(struct tiny_kernel, p),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 1 },
		.p = { .p_type = PT_LOAD,
		       .p_offset = offsetof(struct tiny_kernel, code),
		       .p_paddr = KERNEL,
		       .p_filesz = sizeof(k.code),
		       .p_memsz = MIB },
	};
	FILE *f = fopen(path, "w");

	memcpy(k.code, code, len);
	assert_non_null(f);
	assert_int_equal(fwrite(&k, sizeof(k), 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

static struct machine_desc small_desc(void)
{
	static char path[64];
	struct machine_desc d = MACHINE_DESC_NULL;

	d.topology = (struct topology){ 1, 1, 1, 1 };
	d.memory_bytes = 64 * MIB;
	d.kernel_path = own_kernel_path(path, sizeof(path));
	return d;
}

/* Build @d with a kernel of @code; skips where there is no KVM. */
static struct machine *new_machine(const struct machine_desc *d, const void *code, size_t len)
{
	struct machine *m;

	write_kernel(d->kernel_path, code, len);
	int r = machine_new(d, &m);

	unlink(d->kernel_path);
	if (r == -ENOENT || r == -EACCES || r == -ENOTSUP) {
		print_message("skipped: %s\n", err_text());
		err_clear();
		skip();
	}
	if (r < 0)
		fail_msg("%s", err_text());
	return m;
}

static void machine_freep(struct machine **m)
{
	*m = machine_free(*m);
}

#define MACHINE(m, d, ...)                                                                         \
	static const uint8_t m##_code[] = { __VA_ARGS__ };                                         \
	cleanup(machine_freep) struct machine *m = new_machine(d, m##_code, sizeof(m##_code))

static struct machine_end run_to_end(struct machine *m)
{
	struct pollfd p = { .fd = machine_end_fd(m), .events = POLLIN };
	struct machine_end end;

	machine_end(m, &end);
	assert_int_equal(end.why, MACHINE_RUNNING);
	assert_int_equal(machine_start(m), 0);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	machine_end(m, &end);
	return end;
}

/* mov al, 0xfe; out 0x64, al; hlt */
#define CODE_RESET 0xb0, 0xfe, 0xe6, 0x64, 0xf4
/* cli; 1: hlt; jmp 1b */
#define CODE_HALT 0xfa, 0xf4, 0xeb, 0xfd

TEST(keyboard_controller_reset_ends_the_machine)
{
	struct machine_desc d = small_desc();
	MACHINE(m, &d, CODE_RESET);
	struct machine_end end = run_to_end(m);

	assert_int_equal(end.why, MACHINE_RESET);
	assert_string_equal(machine_why_name(end.why), "reset");
	machine_stop(m);
	machine_end(m, &end);
	assert_int_equal(end.why, MACHINE_RESET); /* the first reason stays */
}

TEST(machine_on_an_emulated_kvm_ends_as_any_other)
{
	struct machine_desc d = small_desc();

	d.is_kvm_emulated = true;
	MACHINE(m, &d, CODE_RESET);
	MACHINE(unstarted, &d, CODE_HALT);
	struct machine_end end = run_to_end(m);

	assert_int_equal(end.why, MACHINE_RESET);
	machine_stop(m);
	machine_stop(unstarted);
}

TEST(acpi_power_off_ends_the_machine)
{
	struct machine_desc d = small_desc();
	/* mov dx, 0x600; mov al, 0x34; out dx, al; hlt */
	MACHINE(m, &d, 0x66, 0xba, 0x00, 0x06, 0xb0, 0x34, 0xee, 0xf4);

	assert_int_equal(run_to_end(m).why, MACHINE_SHUTDOWN);
}

struct text {
	char bytes[64];
	size_t len;
};

static void keep_text(void *ctx, const char *bytes, size_t n)
{
	struct text *t = ctx;

	for (size_t i = 0; i < n && t->len < sizeof(t->bytes) - 1; i++)
		t->bytes[t->len++] = bytes[i];
}

TEST(serial_output_reaches_the_callback)
{
	struct machine_desc d = small_desc();
	struct text text = { .len = 0 };

	d.console = keep_text;
	d.console_ctx = &text;
	/* mov dx, 0x3f8; mov al, 'h'; out dx, al; mov al, 'i'; out dx, al */
	MACHINE(m, &d, 0x66, 0xba, 0xf8, 0x03, 0xb0, 'h', 0xee, 0xb0, 'i', 0xee, CODE_RESET);
	run_to_end(m);
	assert_string_equal(text.bytes, "hi");
}

TEST(kernel_finds_its_boot_parameters)
{
	struct machine_desc d = small_desc();
	struct text text = { .len = 0 };
	static const char initrd[] = "initrd bytes";

	d.console = keep_text;
	d.console_ctx = &text;
	d.initrd = initrd;
	d.initrd_bytes = sizeof(initrd);
	d.cmdline_extra = "extra=1";
	/* mov dx, 0x3f8; mov eax, [rsi+0x202]; out dx, al; mov ebx, [rsi+0x218] (initrd);
	 * mov al, [rbx]; out dx, al; mov ebx, [rsi+0x70] (RSDP); mov al, [rbx]; out dx, al */
	MACHINE(m, &d, 0x66, 0xba, 0xf8, 0x03, 0x8b, 0x86, 0x02, 0x02, 0x00, 0x00, 0xee, 0x8b, 0x9e,
		0x18, 0x02, 0x00, 0x00, 0x8a, 0x03, 0xee, 0x8b, 0x5e, 0x70, 0x8a, 0x03, 0xee,
		CODE_RESET);
	run_to_end(m);
	assert_int_equal(text.bytes[0], 'H');
	assert_int_equal(text.bytes[1], 'i');
	assert_int_equal(text.bytes[2], 'R');
	assert_non_null(strstr(machine_cmdline(m), " extra=1"));
	assert_non_null(strstr(machine_cmdline(m), " quiet"));
	char cmdline[X86_CMDLINE_BYTES];

	assert_int_equal(gmem_read(machine_memory(m), gpa(X86_CMDLINE), cmdline,
				   strlen(machine_cmdline(m)) + 1),
			 0);
	assert_string_equal(cmdline, machine_cmdline(m));
}

TEST(stopping_a_running_machine_says_killed)
{
	struct machine_desc d = small_desc();
	struct machine_end end;
	struct vcpu_noise noise;

	d.topology = (struct topology){ 1, 2, 1, 2 };
	MACHINE(m, &d, CODE_HALT);
	machine_stop(m); /* before the start: nothing */
	assert_int_equal(machine_vcpu_noise(m, 0, &noise), -ESHUTDOWN);
	assert_int_equal(machine_start(m), 0);
	assert_int_equal(machine_cpu_count(m), 4);
	assert_int_equal(machine_vcpu_noise(m, 3, &noise), 0);
	machine_stop(m);
	machine_stop(m);
	machine_end(m, &end);
	assert_int_equal(end.why, MACHINE_KILLED);
	assert_int_equal(machine_pause(m, NSEC_PER_SEC), -ESHUTDOWN);
	err_clear();
}

TEST(places_say_who_was_started)
{
	struct machine_desc d = small_desc();
	struct vcpu_place places[2];

	d.topology = (struct topology){ 1, 1, 2, 1 };
	MACHINE(m, &d, CODE_HALT);
	assert_int_equal(machine_places(m, NSEC_PER_SEC, places), -ESHUTDOWN);
	assert_int_equal(machine_start(m), 0);
	assert_int_equal(machine_places(m, 10 * NSEC_PER_SEC, places), 0);
	assert_true(places[0].is_started);
	assert_false(places[0].has_interrupts_on);
	assert_in_range(places[0].rip, KERNEL, KERNEL + KIB);
	assert_false(places[1].is_started);
	assert_int_equal(machine_pause(m, 10 * NSEC_PER_SEC), 0);
	assert_int_equal(machine_places(m, 0, places), 0);
	machine_resume(m);
	machine_stop(m);
	err_clear();
}

TEST(paused_machine_with_disk_and_console_resumes_and_stops)
{
	struct machine_desc d = small_desc();
	struct blk_spec disk;
	int pair[2];

	assert_int_equal(blk_spec_parse("ram:1M", &disk), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	d.disks = &disk;
	d.disk_count = 1;
	d.ctl_fd = pair[0];
	{
		MACHINE(m, &d, CODE_HALT);
		assert_non_null(machine_disk(m, 0));
		assert_null(machine_disk(m, 1));
		assert_int_equal(machine_start(m), 0);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(machine_pause(m, WAIT_MS * NSEC_PER_MSEC), 0);
			assert_int_equal(machine_pause(m, 0), 0);
			machine_resume(m);
			machine_resume(m);
		}
		assert_int_equal(machine_pause(m, WAIT_MS * NSEC_PER_MSEC), 0);
	} /* freed while paused */
	close(pair[0]);
	close(pair[1]);
}

TEST(machine_with_apic_ids_above_254_starts)
{
	struct machine_desc d = small_desc();

	d.topology = (struct topology){ 1, 14, 18, 1 };
	MACHINE(m, &d, CODE_RESET);
	assert_int_equal(machine_cpu_count(m), 252);
	assert_int_equal(run_to_end(m).why, MACHINE_RESET);
}

TEST(two_machines_run_in_one_process)
{
	struct machine_desc d = small_desc();
	MACHINE(a, &d, CODE_HALT);
	MACHINE(b, &d, CODE_RESET);

	assert_int_equal(machine_start(a), 0);
	assert_int_equal(run_to_end(b).why, MACHINE_RESET);
	struct machine_end end;

	machine_end(a, &end);
	assert_int_equal(end.why, MACHINE_RUNNING);
}

static void spoil_topology(struct machine_desc *d)
{
	d->topology.llcs = 0;
}

static void spoil_memory_small(struct machine_desc *d)
{
	d->memory_bytes = 63 * MIB;
}

static void spoil_memory_nodes(struct machine_desc *d)
{
	d->topology = (struct topology){ 4, 4, 1, 1 };
}

static void spoil_memory_huge(struct machine_desc *d)
{
	d->memory_bytes = UINT64_C(1) << 50;
}

static void spoil_memory_odd(struct machine_desc *d)
{
	d->memory_bytes += 1;
}

static void spoil_kernel_path(struct machine_desc *d)
{
	d->kernel_path = "/nonexistent/vmlinux";
}

static void spoil_kernel_kind(struct machine_desc *d)
{
	d->kernel_path = "/proc/self/exe";
}

static void spoil_kernel_directory(struct machine_desc *d)
{
	d->kernel_path = "/";
}

static void spoil_kaslr(struct machine_desc *d)
{
	d->has_kaslr = true;
}

static void spoil_kvm(struct machine_desc *d)
{
	d->kvm_path = "/nonexistent/kvm";
}

static void spoil_cmdline(struct machine_desc *d)
{
	static char words[X86_CMDLINE_BYTES];

	memset(words, 'x', sizeof(words) - 1);
	d->cmdline_extra = words;
}

static void spoil_initrd(struct machine_desc *d)
{
	static char one;

	d->initrd = &one;
	d->initrd_bytes = 60 * MIB;
}

TEST(bad_descriptions_are_refused_with_the_reason)
{
	static const struct {
		void (*spoil)(struct machine_desc *d);
		int r;
		const char *words;
	} cases[] = {
		{ spoil_topology, -EINVAL, "0 LLCs" },
		{ spoil_memory_small, -EINVAL, "at least 64" },
		{ spoil_memory_nodes, -EINVAL, "at least 128 with 4 nodes" },
		{ spoil_memory_odd, -EINVAL, "whole MiB" },
		{ spoil_memory_huge, -ENOMEM, "MiB available" },
		{ spoil_kernel_path, -ENOENT, "/nonexistent/vmlinux" },
		{ spoil_kernel_kind, -ENOEXEC, "kernel /proc/self/exe: " },
		{ spoil_kernel_directory, -ENOEXEC, "not a regular file" },
		{ spoil_kaslr, -EINVAL, "only a bzImage" },
		{ spoil_kvm, -ENOENT, "no KVM" },
		{ spoil_cmdline, -E2BIG, "command line" },
		{ spoil_initrd, -E2BIG, "does not fit beside the kernel" },
	};
	static const uint8_t code[] = { CODE_RESET };

	if (access("/dev/kvm", R_OK | W_OK))
		skip(); /* the later cases need it */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine_desc d = small_desc();
		struct machine *m = NULL;

		const char *path = d.kernel_path;

		write_kernel(path, code, sizeof(code));
		cases[i].spoil(&d);
		assert_int_equal(machine_new(&d, &m), cases[i].r);
		if (!strstr(err_text(), cases[i].words))
			fail_msg("case %zu: %s", i, err_text());
		assert_null(m);
		err_clear();
		unlink(path);
	}
}

TESTS(T(keyboard_controller_reset_ends_the_machine),
      T(machine_on_an_emulated_kvm_ends_as_any_other), T(acpi_power_off_ends_the_machine),
      T(serial_output_reaches_the_callback), T(kernel_finds_its_boot_parameters),
      T(stopping_a_running_machine_says_killed), T(places_say_who_was_started),
      T(paused_machine_with_disk_and_console_resumes_and_stops),
      T(machine_with_apic_ids_above_254_starts), T(two_machines_run_in_one_process),
      T(bad_descriptions_are_refused_with_the_reason))
