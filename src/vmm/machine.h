/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine from description to end:
 *
 *   machine_new   checks, opens and assembles everything; the guest does not run yet
 *   machine_start runs it: one thread for each vCPU, plus those of the devices
 *   machine_end_fd / machine_end    an event and its reason
 *   machine_stop  ends it now; machine_free undoes machine_new
 *
 * A machine never ends the process, whatever the guest does: it has an end with a reason. Several
 * machines may live in one process. Unless said otherwise the functions of one machine are called
 * from one thread (any), the callback comes from the machine's own threads. */
#pragma once

#include "base/err.h"
#include "vmm/topology.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blk;
struct blk_spec;
struct gmem;
struct machine;

enum {
	MACHINE_DISKS_MAX = 16,
	MACHINE_END_TEXT_BYTES = 256,
};

struct machine_desc {
	struct topology topology;
	uint64_t memory_bytes;	 /* a multiple of 1 MiB; at least 64 MiB and 32 MiB for each node */
	const char *kernel_path; /* vmlinux (ELF) or bzImage */
	const void *initrd;	 /* NULL: none; copied by machine_new() */
	size_t initrd_bytes;
	const char *cmdline_extra;    /* after our own words; NULL: none */
	const struct blk_spec *disks; /* array; borrowed during machine_new() */
	unsigned disk_count;
	/* Host ends of the virtio-console ports (stream sockets); -1: no such port. Borrowed until
	 * machine_free(). */
	int ctl_fd;
	int tty_fd;
	/* What the guest writes to its serial port. NULL: dropped. Called from vCPU threads, one at
	 * a time; must not call the machine. */
	void (*console)(void *ctx, const char *bytes, size_t n);
	void *console_ctx;
	bool is_verbose;       /* kernel log on the serial port without "quiet" */
	bool has_kaslr;	       /* bzImage only: let the kernel place itself */
	bool is_split_irqchip; /* I/O APIC in user space even where APIC ids do not ask for it */
	bool is_kvm_emulated; /* a carrier's: wake-ups get lost there and are made up for (nudge.h) */
	const char *kvm_path; /* NULL: /dev/kvm */
};

#define MACHINE_DESC_NULL ((struct machine_desc){ .ctl_fd = -1, .tty_fd = -1 })

/* Why a machine ended. */
enum machine_why {
	MACHINE_RUNNING = 0,
	MACHINE_SHUTDOWN, /* the guest powered itself off (ACPI S5) */
	MACHINE_RESET,	  /* keyboard controller or ACPI reset: reboot, panic=-1 */
	MACHINE_TRIPLE_FAULT,
	MACHINE_VCPU_ERROR, /* KVM gave up on a vCPU or its thread died: infrastructure */
	MACHINE_KILLED,	    /* machine_stop() while it ran */
};

struct machine_end {
	enum machine_why why;
	int cpu; /* that it happened on; -1: none in particular */
	char text[MACHINE_END_TEXT_BYTES];
};

/* What the host did to one vCPU; counters grow from machine_start() on. */
struct vcpu_noise {
	int tid;
	uint64_t run_delay_ns; /* runnable on the host without a CPU */
	uint64_t cpu_ns;       /* on a host CPU */
};

/* What one vCPU did; for reports and for finding needless exits. */
struct vcpu_counters {
	uint64_t exits; /* that reached user space */
	uint64_t pio;
	uint64_t mmio;
	uint64_t unhandled; /* accesses that no device answered */
	uint64_t kicks;	    /* by signal: pause, stop */
};

/* Where one vCPU stood when it was called out of the guest. */
struct vcpu_place {
	uint64_t rip;
	bool is_started; /* by the guest; the rest means nothing without */
	bool is_halted;	 /* waits for an interrupt */
	bool has_interrupts_on;
	unsigned requested;  /* highest vector in its local APIC's IRR; 0: none */
	unsigned in_service; /* the same, of ISR */
};

/* The word for @why in reports: "shutdown", "reset", "triple_fault", "vcpu_error", "killed". */
const char *machine_why_name(enum machine_why why);

/* Check @desc and build the machine; nothing of the guest runs. Returns 0, or a negative errno with
 * words: -ENOENT or -EACCES (no KVM, no permission on it), -ENOEXEC (no kernel, truncated), -E2BIG
 * (command line, initramfs), -ENOMEM (more memory than there is), -EINVAL (topology, memory), or a
 * disk's own error. @ret is freed by machine_free(). */
int machine_new(const struct machine_desc *desc, struct machine **ret) must_check;

/* Run. Returns 0 or a negative errno with words (no thread could be made). Once only. */
int machine_start(struct machine *m) must_check;

/* Readable from the machine's end on (an eventfd; do not read or close it). Any thread. */
int machine_end_fd(const struct machine *m);

/* The end and its reason; MACHINE_RUNNING before it. Any thread. */
void machine_end(struct machine *m, struct machine_end *ret);

/* End the guest at once and join all vCPU and device threads. Fine before machine_start(), after
 * the end, and twice. */
void machine_stop(struct machine *m);

/* Stop and free. NULL is fine. Returns NULL. */
struct machine *machine_free(struct machine *m);

/* Park all vCPUs and device workers. Returns 0 once all are parked: guest memory then stands still;
 * -ETIMEDOUT with words after @timeout_ns (nothing stays parked); -ESHUTDOWN if the machine has
 * ended. Pausing a paused machine is fine. */
int machine_pause(struct machine *m, uint64_t timeout_ns) must_check;
/* The guest goes on where it stood; its soft-lockup watchdog is told (KVM_KVMCLOCK_CTRL). */
void machine_resume(struct machine *m);

/* Guest memory, for readers outside the vCPUs (the monitor); valid until machine_free(). Any
 * thread. */
const struct gmem *machine_memory(const struct machine *m);

unsigned machine_cpu_count(const struct machine *m);

/* Host noise of @cpu, from /proc. Returns 0, -ESHUTDOWN if its thread does not run, or the error of
 * /proc with words. Any thread. */
int machine_vcpu_noise(struct machine *m, unsigned cpu, struct vcpu_noise *ret) must_check;

/* Counters of @cpu, readable while it runs. Any thread. */
void machine_vcpu_counters(struct machine *m, unsigned cpu, struct vcpu_counters *ret);

/* Where each vCPU stands, for words about a guest that hangs: the vCPUs are parked for a moment, the
 * devices go on. @ret has machine_cpu_count() elements. Returns 0; -ETIMEDOUT with words after
 * @timeout_ns, -ESHUTDOWN if the machine does not run, or KVM's error. */
int machine_places(struct machine *m, uint64_t timeout_ns, struct vcpu_place *ret) must_check;

/* Disk @index of the description, for its counters; NULL if there is none. Any thread. */
struct blk *machine_disk(struct machine *m, unsigned index);

/* The terminal behind tty_fd has another size now. Any thread. */
void machine_resize_tty(struct machine *m, uint16_t cols, uint16_t rows);

/* The whole kernel command line, for "how to run it again" and for tests. */
const char *machine_cmdline(const struct machine *m);
