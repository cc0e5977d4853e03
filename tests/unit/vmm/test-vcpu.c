// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU loop on real exits: tiny real-mode programs, run by whatever /dev/kvm is here (a
 * para-virtual one that can run nothing else is enough). */
#include "base/cleanup.h"
#include "base/util.h"
#include "gmem/gmem.h"
#include "test.h"
#include "vmm/nudge.h"
#include "vmm/vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	RAM_BYTES = 1 << 20,
	CODE = 0x1000,
	PORT = 0x10,
	BAD_PORT = 0x70, /* not the interrupt controllers of old, which KVM answers */
	SLOW_PORT = 0x78,
	CPUS_MAX = 2,
	WAIT_MS = 10000,
};

struct guest {
	struct kvm kvm;
	struct gmem_backing ram;
	struct bus mmio, pio;
	struct vcpu_gate gate;
	struct vcpu_env env;
	struct vcpu vcpus[CPUS_MAX];
	unsigned cpus;
	int end_fd;
	enum machine_why why;
	int end_cpu;
	char text[MACHINE_END_TEXT_BYTES];
	uint64_t written[4]; /* to PORT, in order */
	unsigned writes;
	sem_t is_slow, may_go_on;
};

static enum bus_result port_access(void *ctx, struct bus_access *a)
{
	struct guest *g = ctx;

	if (!a->is_write)
		a->value = 0x5a;
	else if (g->writes < ARRAY_SIZE(g->written))
		g->written[g->writes++] = a->value;
	return BUS_HANDLED;
}

/* Holds the vCPU in its device until the test lets go. */
static enum bus_result slow_port_access(void *ctx, struct bus_access *a)
{
	struct guest *g = ctx;

	sem_post(&g->is_slow);
	sem_wait(&g->may_go_on);
	return BUS_HANDLED;
}

static enum bus_result bad_port_access(void *ctx, struct bus_access *a)
{
	(void)err_new(-EIO, "the device broke");
	return BUS_ERROR;
}

static void ended(void *ctx, int cpu, enum machine_why why, const char *text)
{
	struct guest *g = ctx;

	if (g->why == MACHINE_RUNNING) {
		g->why = why;
		g->end_cpu = cpu;
		snprintf(g->text, sizeof(g->text), "%s", text);
		assert_int_equal(eventfd_write(g->end_fd, 1), 0);
	}
	vcpu_stop_all(g->vcpus, g->cpus);
}

static void set_real_mode(int fd)
{
	struct kvm_sregs s;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };

	assert_int_equal(ioctl(fd, KVM_GET_SREGS, &s), 0);
	s.cs.base = 0;
	s.cs.selector = 0;
	assert_int_equal(ioctl(fd, KVM_SET_SREGS, &s), 0);
	assert_int_equal(ioctl(fd, KVM_SET_REGS, &regs), 0);
}

/* A guest with @code ready to run on its first CPU; skips the test where there is no KVM. */
static void guest_init(struct guest *g, unsigned cpus, const void *code, size_t len)
{
	*g = (struct guest){ .cpus = cpus, .end_fd = eventfd(0, 0) };
	const struct bus_region port = { PORT, 4, port_access, g, "port" };
	const struct bus_region slow = { SLOW_PORT, 1, slow_port_access, g, "slow" };
	const struct bus_region bad = { BAD_PORT, 1, bad_port_access, g, "bad" };
	const struct kvm_desc d = { .path = "/dev/kvm", .cpus = cpus, .max_apic_id = cpus - 1 };

	if (kvm_init(&g->kvm, &d) < 0) {
		print_message("skipped: %s\n", err_text());
		err_clear();
		close(g->end_fd);
		skip();
	}
	assert_int_equal(gmem_backing_init(&g->ram, "test", RAM_BYTES), 0);
	assert_int_equal(kvm_add_memory(&g->kvm, gpa(0), RAM_BYTES, g->ram.host), 0);
	memcpy(g->ram.host + CODE, code, len);
	assert_int_equal(bus_add(&g->pio, &port), 0);
	assert_int_equal(bus_add(&g->pio, &bad), 0);
	assert_int_equal(bus_add(&g->pio, &slow), 0);
	sem_init(&g->is_slow, 0, 0);
	sem_init(&g->may_go_on, 0, 0);
	vcpu_gate_init(&g->gate);
	g->env = (struct vcpu_env){ &g->mmio, &g->pio, &g->gate, ended, g };
	for (unsigned i = 0; i < cpus; i++)
		assert_int_equal(vcpu_init(&g->vcpus[i], &g->kvm, &g->env, i, i), 0);
	set_real_mode(g->vcpus[0].fd);
}

static void guest_deinit(struct guest *g)
{
	vcpu_stop_all(g->vcpus, g->cpus);
	vcpu_join_all(g->vcpus, g->cpus);
	for (unsigned i = 0; i < g->cpus; i++)
		vcpu_deinit(&g->vcpus[i]);
	vcpu_gate_deinit(&g->gate);
	gmem_backing_deinit(&g->ram);
	kvm_deinit(&g->kvm);
	close(g->end_fd);
}

static void wait_end(const struct guest *g)
{
	struct pollfd p = { .fd = g->end_fd, .events = POLLIN };

	eventfd_t count_of_ends;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(eventfd_read(g->end_fd, &count_of_ends), 0);
}

#define GUEST(g, cpus, ...)                                                                        \
	static const uint8_t g##_code[] = { __VA_ARGS__ };                                         \
	cleanup(guest_deinit) struct guest g;                                                      \
	guest_init(&g, cpus, g##_code, sizeof(g##_code))

/* out BAD_PORT, al: the end of a program */
#define OUT_BAD 0xe6, BAD_PORT

TEST(port_writes_reach_the_device_and_reads_its_answer)
{
	/* mov al, 0x42; out PORT, al; in al, PORT; out PORT, al; in ax, PORT+2; out PORT, ax */
	GUEST(g, 1, 0xb0, 0x42, 0xe6, PORT, 0xe4, PORT, 0xe6, PORT, 0xe5, PORT + 2, 0xe7, PORT,
	      OUT_BAD);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.writes, 3);
	assert_int_equal(g.written[0], 0x42);
	assert_int_equal(g.written[1], 0x5a);
	assert_int_equal(g.written[2], 0x5a);
	assert_int_equal(counter_get(&g.vcpus[0].pio), 6);
}

TEST(device_failure_ends_the_machine_with_its_words)
{
	GUEST(g, 1, OUT_BAD);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.why, MACHINE_VCPU_ERROR);
	assert_string_equal(g.text, "the device broke");
}

TEST(nobodys_ports_and_memory_read_as_ones_and_drop_writes)
{
	/* in al, 0x99; out PORT, al; out 0x99, al; mov bx, 0xffff; mov ds, bx;
	 * mov al, [0x8000] (past RAM, at 0x107ff0); out PORT, al; mov [0x8000], al */
	GUEST(g, 1, 0xe4, 0x99, 0xe6, PORT, 0xe6, 0x99, 0xbb, 0xff, 0xff, 0x8e, 0xdb, 0xa0, 0x00,
	      0x80, 0xe6, PORT, 0xa2, 0x00, 0x80, OUT_BAD);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.writes, 2);
	assert_int_equal(g.written[0], 0xff);
	assert_int_equal(g.written[1], 0xff);
	assert_int_equal(counter_get(&g.vcpus[0].unhandled), 4);
	assert_int_equal(counter_get(&g.vcpus[0].mmio), 2);
}

TEST(string_output_gives_every_element)
{
	/* mov si, CODE; mov cx, 3; mov dx, PORT; cld; rep outsb */
	GUEST(g, 1, 0xbe, 0x00, 0x10, 0xb9, 0x03, 0x00, 0xba, PORT, 0x00, 0xfc, 0xf3, 0x6e,
	      OUT_BAD);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.writes, 3);
	assert_int_equal(g.written[0], 0xbe);
	assert_int_equal(g.written[2], 0x10);
}

TEST(triple_fault_ends_the_machine)
{
	/* lidt and lgdt [cs:0x2000] of zeros; mov eax, cr0; or al, 1; mov cr0, eax;
	 * mov ax, 0x50; mov ds, ax: #GP, which has no handler, twice over */
	GUEST(g, 1, 0x2e, 0x0f, 0x01, 0x1e, 0x00, 0x20, 0x2e, 0x0f, 0x01, 0x16, 0x00, 0x20, 0x0f,
	      0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xb8, 0x50, 0x00, 0x8e, 0xd8);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.why, MACHINE_TRIPLE_FAULT);
	assert_int_equal(g.end_cpu, 0);
}

/* 1: inc word [0x3000]; jmp 1b */
#define COUNT_FOREVER 0xff, 0x06, 0x00, 0x30, 0xeb, 0xfa

static uint16_t count(const struct guest *g)
{
	return *(volatile uint16_t *)(g->ram.host + 0x3000);
}

static void wait_for_progress(const struct guest *g)
{
	uint64_t deadline = now_ns() + WAIT_MS * NSEC_PER_MSEC;
	uint16_t before = count(g);

	while (count(g) == before)
		assert_true(now_ns() < deadline);
}

TEST(parked_guest_stands_still_and_goes_on)
{
	GUEST(g, 2, COUNT_FOREVER);
	assert_int_equal(vcpu_start_all(g.vcpus, 2), 0);
	wait_for_progress(&g);
	for (int round = 0; round < 20; round++) {
		assert_int_equal(vcpu_park_all(g.vcpus, 2, now_ns() + WAIT_MS * NSEC_PER_MSEC), 0);
		assert_int_equal(g.gate.parked, 2);
		uint16_t still = count(&g);

		assert_int_equal(vcpu_park_all(g.vcpus, 2, 0), 0); /* parked already */
		vcpu_tell_pause(&g.vcpus[0]);
		assert_int_equal(count(&g), still);
		vcpu_unpark_all(g.vcpus, 2);
		assert_int_equal(g.gate.parked, 0);
		wait_for_progress(&g);
	}
	assert_int_equal(g.why, MACHINE_RUNNING);
}

TEST(parking_that_is_late_is_called_off)
{
	/* out SLOW_PORT, al, then count */
	GUEST(g, 1, 0xe6, SLOW_PORT, COUNT_FOREVER);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	sem_wait(&g.is_slow);
	assert_int_equal(vcpu_park_all(g.vcpus, 1, now_ns() + NSEC_PER_MSEC), -ETIMEDOUT);
	assert_non_null(strstr(err_text(), "1 of 1 vCPUs did not park"));
	err_clear();
	sem_post(&g.may_go_on);
	wait_for_progress(&g);
	assert_int_equal(g.gate.parked, 0);
}

TEST(halted_and_unstarted_cpus_can_be_parked_and_stopped)
{
	GUEST(g, 2, 0xfa, 0xf4); /* cli; hlt */
	assert_int_equal(vcpu_start_all(g.vcpus, 2), 0);
	assert_int_equal(vcpu_park_all(g.vcpus, 2, now_ns() + WAIT_MS * NSEC_PER_MSEC), 0);
	vcpu_stop_all(g.vcpus, 2);
	vcpu_join_all(g.vcpus, 2);
	assert_int_equal(g.gate.live, 0);
	assert_int_equal(vcpu_park_all(g.vcpus, 2, UINT64_MAX / 2), -ESHUTDOWN);
	err_clear();
}

TEST(thread_told_to_die_is_an_error_of_its_cpu)
{
	GUEST(g, 2, COUNT_FOREVER);
	assert_int_equal(vcpu_start_all(g.vcpus, 2), 0);
	assert_int_equal(syscall(SYS_tgkill, getpid(), g.vcpus[1].tid, vcpu_die_signal()), 0);
	wait_end(&g);
	assert_int_equal(g.why, MACHINE_VCPU_ERROR);
	assert_int_equal(g.end_cpu, 1);
}

TEST(lost_vcpu_is_an_error_of_its_cpu)
{
	GUEST(g, 1, COUNT_FOREVER);
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, g.vcpus[0].fd), g.vcpus[0].fd);
	close(fd);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.why, MACHINE_VCPU_ERROR);
	assert_non_null(strstr(g.text, "KVM_RUN"));
}

TEST(threads_have_names_and_their_noise_is_read)
{
	GUEST(g, 1, COUNT_FOREVER);
	struct vcpu_noise noise;
	char path[64], name[32] = "";

	assert_int_equal(vcpu_noise(&g.vcpus[0], &noise), -ESHUTDOWN);
	err_clear();
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	wait_for_progress(&g);
	assert_int_equal(vcpu_noise(&g.vcpus[0], &noise), 0);
	assert_int_equal(noise.tid, g.vcpus[0].tid);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", noise.tid);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(fgets(name, sizeof(name), f));
	fclose(f);
	assert_string_equal(name, "vcpu-0\n");
}

/* Real mode that reaches the local APIC: the limit of DS is all of memory. */
static void set_far_data(int fd)
{
	struct kvm_sregs s;

	assert_int_equal(ioctl(fd, KVM_GET_SREGS, &s), 0);
	s.ds.limit = UINT32_MAX;
	s.ds.g = 1;
	assert_int_equal(ioctl(fd, KVM_SET_SREGS, &s), 0);
}

TEST(cpu_that_nothing_wakes_is_nudged)
{
	/* mov eax, 0x1ff; mov esi, 0xfee000f0 (spurious vector: APIC on); mov [esi], eax; sti;
	 * 1: hlt; inc bl; mov al, bl; out PORT, al; cmp bl, 3; jne 1b; out BAD_PORT, al;
	 * the handler: mov esi, 0xfee000b0 (end of interrupt); mov [esi], eax; iret */
	GUEST(g, 1, 0x66, 0xb8, 0xff, 0x01, 0, 0, 0x66, 0xbe, 0xf0, 0x00, 0xe0, 0xfe, 0x67, 0x66,
	      0x89, 0x06, 0xfb, 0xf4, 0xfe, 0xc3, 0x88, 0xd8, 0xe6, PORT, 0x80, 0xfb, 0x03, 0x75,
	      0xf4, OUT_BAD, 0x66, 0xbe, 0xb0, 0x00, 0xe0, 0xfe, 0x67, 0x66, 0x89, 0x06, 0xcf);
	static const uint16_t reschedule[] = { CODE + 31, 0 };
	cleanup(nudge_stop) struct nudge nudge = NUDGE_NULL;

	memcpy(g.ram.host + 4 * 0xfd, reschedule, sizeof(reschedule));
	set_far_data(g.vcpus[0].fd);
	assert_int_equal(vcpu_start_all(g.vcpus, 1), 0);
	assert_int_equal(nudge_start(&nudge, &g.kvm, g.vcpus, 1), 0);
	wait_end(&g);
	assert_int_equal(g.writes, 3);
	assert_int_equal(g.written[2], 3);
	assert_true(counter_get(&nudge.sent) >= 3);
}

TEST(missing_kvm_is_said_with_the_way_out)
{
	struct kvm kvm;
	const struct kvm_desc none = { .path = "/nonexistent/kvm", .cpus = 1 };
	const struct kvm_desc other = { .path = "/dev/null", .cpus = 1 };

	assert_int_equal(kvm_init(&kvm, &none), -ENOENT);
	assert_non_null(strstr(err_text(), "--accel carrier"));
	assert_int_equal(kvm_init(&kvm, &other), -ENODEV);
	assert_non_null(strstr(err_text(), "not a KVM"));
	err_clear();
}

TESTS(T(port_writes_reach_the_device_and_reads_its_answer),
      T(device_failure_ends_the_machine_with_its_words),
      T(nobodys_ports_and_memory_read_as_ones_and_drop_writes),
      T(string_output_gives_every_element), T(triple_fault_ends_the_machine),
      T(parked_guest_stands_still_and_goes_on), T(parking_that_is_late_is_called_off),
      T(halted_and_unstarted_cpus_can_be_parked_and_stopped),
      T(thread_told_to_die_is_an_error_of_its_cpu), T(lost_vcpu_is_an_error_of_its_cpu),
      T(threads_have_names_and_their_noise_is_read), T(cpu_that_nothing_wakes_is_nudged),
      T(missing_kvm_is_said_with_the_way_out))
