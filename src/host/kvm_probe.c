// SPDX-License-Identifier: GPL-2.0-only
/* The KVM probe: a guest of one vCPU and 20 KiB that counts in 64-bit mode and says so on a port.
 *
 *   0x0000  PML4 -> 0x1000 PDPT -> 0x2000 PD -> one 2 MiB page, identity
 *   0x4000  the code
 *
 * 64-bit with paging, because that is what a kernel runs in: real mode is emulated on some hardware
 * too. Measured: para-virtual KVM 1.4 M instructions/s, kvm-amd inside QEMU/TCG 140 M, hardware
 * thousands of M. */
#include "host/probe.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <linux/kvm.h>

enum {
	PROBE_MEMORY_BYTES = 0x5000,
	PROBE_PDPT = 0x1000,
	PROBE_PD = 0x2000,
	PROBE_CODE = 0x4000,
	PROBE_LOOPS = 4000,
	PROBE_PORT = 0x10,
	PROBE_TRIES = 3,
	PROBE_TRIES_WITH_FLAG = 30,
};

static const uint64_t native_instructions_per_s = 8 * 1000 * 1000;

/* mov ecx, PROBE_LOOPS; 1: dec ecx; jnz 1b; out PROBE_PORT, al; jmp to the start */
static const uint8_t probe_code[] = {
	0xb9,
	PROBE_LOOPS & 0xff,
	PROBE_LOOPS >> 8,
	0,
	0,
	0xff,
	0xc9,
	0x75,
	0xfc,
	0xe6,
	PROBE_PORT,
	0xeb,
	0xf3,
};

struct probe_guest {
	int kvm_fd, vm_fd, vcpu_fd;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_bytes;
};

static void probe_guest_deinit(struct probe_guest *g)
{
	if (g->run)
		munmap(g->run, g->run_bytes);
	fd_close(g->vcpu_fd);
	fd_close(g->vm_fd);
	fd_close(g->kvm_fd);
	if (g->memory)
		munmap(g->memory, PROBE_MEMORY_BYTES);
}

static int give_memory(struct probe_guest *g)
{
	static const uint64_t present_writable = 3, large_page = 0x80;
	void *memory = mmap(NULL, PROBE_MEMORY_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	g->memory = memory;
	le64_put(g->memory, PROBE_PDPT | present_writable);
	le64_put(g->memory + PROBE_PDPT, PROBE_PD | present_writable);
	le64_put(g->memory + PROBE_PD, present_writable | large_page);
	memcpy(g->memory + PROBE_CODE, probe_code, sizeof(probe_code));
	struct kvm_userspace_memory_region region = {
		.memory_size = PROBE_MEMORY_BYTES,
		.userspace_addr = (uintptr_t)memory,
	};
	return ioctl(g->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

static int set_long_mode(const struct probe_guest *g)
{
	struct kvm_segment flat = { .limit = 0xffffffff, .present = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = PROBE_CODE, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(g->vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	flat.type = 11; /* code, read, accessed */
	flat.l = 1;
	flat.selector = 8;
	sregs.cs = flat;
	flat.type = 3; /* data, write, accessed */
	flat.l = 0;
	flat.db = 1;
	flat.selector = 16;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	sregs.cr0 = 0x80000011; /* PG, ET, PE */
	sregs.cr3 = 0;
	sregs.cr4 = 0x20;   /* PAE */
	sregs.efer = 0x500; /* LME, LMA */
	if (ioctl(g->vcpu_fd, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(g->vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return -errno;
	return 0;
}

/* KVM refuses 64-bit mode to a vCPU whose CPUID does not offer it. */
static int offer_host_cpuid(const struct probe_guest *g)
{
	enum { ENTRIES = 128 };
	cleanup(freep) struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + ENTRIES * sizeof(cpuid->entries[0]));

	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = ENTRIES;
	if (ioctl(g->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0 ||
	    ioctl(g->vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
		return -errno;
	return 0;
}

static int make_vcpu(struct probe_guest *g)
{
	int run_bytes = ioctl(g->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	g->vcpu_fd = ioctl(g->vm_fd, KVM_CREATE_VCPU, 0);
	if (run_bytes < 0 || g->vcpu_fd < 0)
		return -errno;
	void *run =
		mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	g->run = run;
	g->run_bytes = (size_t)run_bytes;
	int r = offer_host_cpuid(g);
	return r < 0 ? r : set_long_mode(g);
}

/* CPU time of this thread, its guest's included: what other processes take does not count. */
static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* One round of the loop; the instructions it ran per second. -EIO if the guest did anything else
 * than write to its port. */
static int time_round(struct probe_guest *g, uint64_t *ret)
{
	uint64_t start_ns = thread_cpu_ns();
	int r;

	do
		r = ioctl(g->vcpu_fd, KVM_RUN, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (g->run->exit_reason != KVM_EXIT_IO || g->run->io.port != PROBE_PORT)
		return -EIO;
	uint64_t took_ns = thread_cpu_ns() - start_ns;
	*ret = 2 * PROBE_LOOPS * NSEC_PER_SEC / MAX(took_ns, UINT64_C(1));
	return 0;
}

/* The best of a few rounds: the first one pays for faults, and a busy host may stop any of them for
 * longer than it lasts. A CPU that claims to virtualise gets more chances to show it. */
static int measure(struct probe_guest *g, unsigned tries, uint64_t *ret)
{
	uint64_t best = 0;

	for (unsigned i = 0; i < tries && best < native_instructions_per_s; i++) {
		uint64_t speed = 0;
		int r = time_round(g, &speed);

		if (r < 0)
			return r;
		best = MAX(best, speed);
	}
	*ret = best;
	return 0;
}

static void probe_failed(struct kvm_probe *p, enum kvm_kind kind, int error, const char *step)
{
	p->kind = kind;
	p->error = error;
	p->step = step;
}

static void run_probe_guest(struct probe_guest *g, struct kvm_probe *p)
{
	g->vm_fd = ioctl(g->kvm_fd, KVM_CREATE_VM, 0);
	if (g->vm_fd < 0)
		return probe_failed(p, KVM_BROKEN, errno, "create a VM");
	int vcpus = ioctl(g->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	p->max_vcpus = vcpus > 0 ? (unsigned)vcpus : 0;
	int r = give_memory(g);
	if (r < 0)
		return probe_failed(p, KVM_BROKEN, -r, "give it memory");
	r = make_vcpu(g);
	if (r < 0)
		return probe_failed(p, KVM_BROKEN, -r, "create a vCPU");
	r = measure(g, p->has_svm || p->has_vmx ? PROBE_TRIES_WITH_FLAG : PROBE_TRIES,
		    &p->guest_instructions_per_s);
	if (r < 0)
		return probe_failed(p, KVM_BROKEN, -r, "run a guest in 64-bit mode");
	p->kind = p->guest_instructions_per_s >= native_instructions_per_s ? KVM_HARDWARE
									   : KVM_PARAVIRTUAL;
}

/* Is @flag a word of the first flags line? */
static bool has_cpu_flag(const char *cpuinfo, const char *flag)
{
	const char *line = strstr(cpuinfo, "\nflags");
	size_t length = strlen(flag);

	if (!line)
		return false;
	const char *end = line + 1 + strcspn(line + 1, "\n");
	for (const char *at = line; (at = strstr(at, flag)) && at < end; at += length) {
		if (at[-1] == ' ' && strchr(" \n", at[length]))
			return true;
	}
	return false;
}

static void read_cpu_flags(struct kvm_probe *p)
{
	cleanup(buf_deinit) struct buf cpuinfo = BUF_NULL;

	if (buf_read_file(&cpuinfo, "/proc/cpuinfo", 16 * MIB) < 0) {
		err_clear();
		return;
	}
	p->has_svm = has_cpu_flag(buf_text(&cpuinfo), "svm");
	p->has_vmx = has_cpu_flag(buf_text(&cpuinfo), "vmx");
}

static const char *find_module(void)
{
	static const char *const modules[] = { "kvm_intel", "kvm_amd", "kvm_pvm" };

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		if (access(path, F_OK) == 0)
			return modules[i];
	}
	return "";
}

void kvm_probe(struct kvm_probe *ret)
{
	cleanup(probe_guest_deinit) struct probe_guest g = { .vm_fd = -1, .vcpu_fd = -1 };
	struct kvm_probe p = { .step = "", .module = find_module() };

	read_cpu_flags(&p);
	g.kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g.kvm_fd >= 0)
		run_probe_guest(&g, &p);
	else
		probe_failed(&p, errno == EACCES || errno == EPERM ? KVM_NO_PERMISSION : KVM_NONE,
			     errno, "open /dev/kvm");
	*ret = p;
}

static const struct {
	const char *name, *finding, *advice;
} kinds[] = {
	[KVM_HARDWARE] = { "hardware", "hardware KVM: guests run natively", "" },
	[KVM_PARAVIRTUAL] = { "paravirtual",
			      "para-virtual KVM: it opens, but guests run in an instruction "
			      "emulator; "
			      "it cannot boot a stock kernel",
			      "use the carrier (--accel auto takes it); for hardware KVM, run on a "
			      "host or VM type with nested virtualisation" },
	[KVM_BROKEN] = { "broken", "KVM that opens and does not work",
			 "look at `dmesg | grep -i kvm`; meanwhile the carrier works (--accel "
			 "auto takes it)" },
	[KVM_NO_PERMISSION] = { "no-permission", "/dev/kvm exists, and this user may not open it",
				"sudo usermod -aG kvm $USER, then log in again" },
	[KVM_NONE] = { "none", "no KVM",
		       "switch virtualisation on in the firmware and load kvm-intel or kvm-amd; "
		       "without it the carrier works (--accel auto takes it)" },
};

const char *kvm_kind_name(enum kvm_kind kind)
{
	return kinds[kind].name;
}

void kvm_probe_text(const struct kvm_probe *p, char *text, size_t text_bytes, char *advice,
		    size_t advice_bytes)
{
	const char *flag = p->has_svm ? "svm" : p->has_vmx ? "vmx" : "neither svm nor vmx";
	const char *module = p->module && *p->module ? p->module : "unknown";
	char measured[64];

	if (p->error)
		snprintf(measured, sizeof(measured), "%s: %s", p->step, strerror(p->error));
	else
		snprintf(measured, sizeof(measured), "probe guest: %.1f M instructions/s",
			 (double)p->guest_instructions_per_s / 1e6);
	snprintf(text, text_bytes, "%s (%s; CPU flags: %s; module: %s)", kinds[p->kind].finding,
		 measured, flag, module);
	snprintf(advice, advice_bytes, "%s", kinds[p->kind].advice);
}
