// SPDX-License-Identifier: GPL-2.0-only
/* The parts of a machine in the order in which they are made, from top to bottom of this file; the
 * table at its end is walked forwards by machine_new() and backwards by machine_free(). */
#include "vmm/machine.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "devices/blk/blk.h"
#include "devices/console.h"
#include "devices/serial.h"
#include "gmem/gmem.h"
#include "vmm/irq.h"
#include "vmm/machine_check.h"
#include "vmm/nudge.h"
#include "vmm/vcpu.h"
#include "vmm/vcpu_place.h"
#include "vmm/window.h"
#include "vmm/x86_boot.h"
#include "vmm/x86_layout.h"
#include "vmm/x86_ports.h"
#include "vmm/x86_vcpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

struct machine {
	struct machine_desc desc; /* pointers in it are valid during machine_new() only */
	unsigned parts;		  /* that are made */
	char *cmdline;
	struct x86_kernel kernel;
	struct kvm kvm;
	struct gmem_backing ram;
	struct gmem memory;
	struct bus mmio;
	struct bus pio;
	struct irq_chip irq;
	struct x86_ports ports;
	struct serial serial;
	bool has_serial;
	struct blk *disks[MACHINE_DISKS_MAX];
	struct console *console;
	struct windows windows;
	struct vcpu_gate gate;
	struct vcpu_env env;
	struct vcpu *vcpus;
	unsigned cpu_count;
	struct nudge nudge;
	bool is_started;
	bool is_stopped;
	bool is_paused;

	pthread_mutex_t end_lock;
	struct machine_end end;
	int end_fd;
};

/* -- the description -- */

static int make_desc(struct machine *m)
{
	int r = machine_check(&m->desc);

	m->cpu_count = topology_cpu_count(&m->desc.topology);
	return r < 0 ? err_trace(r) : 0;
}

/* -- the end, as an event -- */

static int make_end(struct machine *m)
{
	m->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->end_fd < 0)
		return err_new(-errno, "eventfd: %s", strerror(errno));
	return 0;
}

static void undo_end(struct machine *m)
{
	m->end_fd = fd_close(m->end_fd);
}

/* The first reason counts. */
static void set_end(struct machine *m, int cpu, enum machine_why why, const char *text)
{
	pthread_mutex_lock(&m->end_lock);
	if (m->end.why == MACHINE_RUNNING) {
		m->end.why = why;
		m->end.cpu = cpu;
		snprintf(m->end.text, sizeof(m->end.text), "%s", text);
		(void)eventfd_write(m->end_fd, 1);
	}
	pthread_mutex_unlock(&m->end_lock);
}

static void vcpu_ended(void *ctx, int cpu, enum machine_why why, const char *text)
{
	struct machine *m = ctx;

	set_end(m, cpu, why, text);
	vcpu_stop_all(m->vcpus, m->cpu_count);
}

static void ports_ended(void *ctx, enum machine_why why, const char *text)
{
	vcpu_ended(ctx, -1, why, text);
}

/* -- the kernel's file and its command line -- */

/* What every guest gets. No timer, PCI or keyboard is there to be looked for; time is KVM's. */
static const char base_cmdline[] = "console=ttyS0 8250.nr_uarts=1 panic=-1 reboot=k tsc=reliable "
				   "no_timer_check pci=off random.trust_cpu=on";

static int make_kernel(struct machine *m)
{
	const struct machine_desc *d = &m->desc;
	int r = str_printf(&m->cmdline, "%s%s%s%s%s", base_cmdline, d->is_verbose ? "" : " quiet",
			   d->has_kaslr ? "" : " nokaslr", d->cmdline_extra ? " " : "",
			   d->cmdline_extra ? d->cmdline_extra : "");

	if (r >= 0)
		r = x86_kernel_open(d->kernel_path, &m->kernel);
	if (r < 0)
		return err_trace(r);
	if (d->has_kaslr && !m->kernel.plan.is_bzimage)
		return err_new(-EINVAL, "kernel %s: only a bzImage can place itself (KASLR)",
			       d->kernel_path);
	return 0;
}

static void undo_kernel(struct machine *m)
{
	m->kernel.fd = fd_close(m->kernel.fd);
	free(m->cmdline);
	m->cmdline = NULL;
}

/* -- the virtual machine and its memory -- */

static int make_kvm(struct machine *m)
{
	uint32_t max_apic_id = topology_max_apic_id(&m->desc.topology);
	struct kvm_desc d = {
		.path = m->desc.kvm_path ? m->desc.kvm_path : "/dev/kvm",
		.cpus = m->cpu_count,
		.max_apic_id = max_apic_id,
		.is_split = m->desc.is_split_irqchip || max_apic_id >= TOPOLOGY_XAPIC_IDS,
	};
	int r = kvm_init(&m->kvm, &d);

	return r < 0 ? err_trace(r) : 0;
}

static void undo_kvm(struct machine *m)
{
	kvm_deinit(&m->kvm);
}

/* Show the part of RAM from byte @from to byte @to, which lies on one side of the gap. */
static int show_ram(struct machine *m, uint64_t from, uint64_t to)
{
	gpa_t base = gpa(x86_ram_address(from));
	int r = gmem_add(&m->memory, base, to - from, m->ram.host + from);

	if (r >= 0)
		r = kvm_add_memory(&m->kvm, base, to - from, m->ram.host + from);
	return r < 0 ? err_trace(r) : 0;
}

static int make_memory(struct machine *m)
{
	uint64_t bytes = m->desc.memory_bytes;
	uint64_t cut = MIN(bytes, X86_MMIO_GAP);

	m->memory.pages = GMEM_PAGES_OWN;
	int r = gmem_backing_init(&m->ram, "ktstr-guest", bytes);

	if (r < 0)
		return err_trace(r);
	/* Fewer faults where the host allows it (shmem_enabled); else nothing changes. */
	(void)madvise(m->ram.host, bytes, MADV_HUGEPAGE);
	r = show_ram(m, 0, cut);
	if (r >= 0 && cut < bytes)
		r = show_ram(m, cut, bytes);
	return r < 0 ? err_trace(r) : 0;
}

static void undo_memory(struct machine *m)
{
	gmem_backing_deinit(&m->ram);
}

/* -- interrupts and ports -- */

static int make_irq(struct machine *m)
{
	int r = irq_chip_init(&m->irq, &m->kvm, &m->mmio);

	return r < 0 ? err_trace(r) : 0;
}

static void undo_irq(struct machine *m)
{
	irq_chip_deinit(&m->irq);
}

static int make_ports(struct machine *m)
{
	m->ports = (struct x86_ports){ ports_ended, m };
	int r = x86_ports_add(&m->pio, &m->ports);

	return r < 0 ? err_trace(r) : 0;
}

static void drop_output(void *ctx, const char *bytes, size_t n)
{
}

static int make_serial(struct machine *m)
{
	struct irq_line line;
	int r = irq_chip_open(&m->irq, SERIAL_COM1_IRQ, &line);

	if (r < 0)
		return err_trace(r);
	serial_init(&m->serial, line, m->desc.console ? m->desc.console : drop_output,
		    m->desc.console_ctx);
	m->has_serial = true;
	r = bus_add(&m->pio, &(struct bus_region){ SERIAL_COM1, SERIAL_PORTS, serial_access,
						   &m->serial, "serial" });
	return r < 0 ? err_trace(r) : 0;
}

static void undo_serial(struct machine *m)
{
	if (m->has_serial)
		serial_deinit(&m->serial);
	m->has_serial = false;
}

/* -- virtio devices and their windows -- */

static int make_disks(struct machine *m)
{
	for (unsigned i = 0; i < m->desc.disk_count; i++) {
		int r = blk_new(&m->desc.disks[i], NULL, &m->disks[i]);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static void undo_disks(struct machine *m)
{
	for (unsigned i = 0; i < MACHINE_DISKS_MAX; i++)
		m->disks[i] = blk_free(m->disks[i]);
}

static bool has_console(const struct machine *m)
{
	return m->desc.ctl_fd >= 0 || m->desc.tty_fd >= 0;
}

static int make_console(struct machine *m)
{
	int r = 0;

	if (has_console(m))
		r = console_new(&(struct console_desc){ .ctl_fd = m->desc.ctl_fd,
							.tty_fd = m->desc.tty_fd },
				&m->console);
	return r < 0 ? err_trace(r) : 0;
}

static void undo_console(struct machine *m)
{
	console_free(m->console);
	m->console = NULL;
}

static int make_windows(struct machine *m)
{
	const struct window_env env = { &m->kvm, &m->memory, &m->irq, &m->mmio };
	int r = 0;

	for (unsigned i = 0; i < m->desc.disk_count && r >= 0; i++)
		r = windows_add(&m->windows, &env, blk_virtio(m->disks[i]));
	if (r >= 0 && m->console)
		r = windows_add(&m->windows, &env, console_virtio(m->console));
	return r < 0 ? err_trace(r) : 0;
}

static void undo_windows(struct machine *m)
{
	windows_deinit(&m->windows);
}

/* -- CPUs, and what they start with -- */

static int make_vcpus(struct machine *m)
{
	int r = 0;

	vcpu_gate_init(&m->gate);
	m->env = (struct vcpu_env){ &m->mmio, &m->pio, &m->gate, vcpu_ended, m };
	m->vcpus = calloc(m->cpu_count, sizeof(*m->vcpus));
	if (!m->vcpus)
		return err_new(-ENOMEM, "%u vCPUs", m->cpu_count);
	for (unsigned i = 0; i < m->cpu_count; i++)
		m->vcpus[i] = VCPU_NULL;
	for (unsigned i = 0; i < m->cpu_count && r >= 0; i++)
		r = vcpu_init(&m->vcpus[i], &m->kvm, &m->env, i,
			      topology_cpu(&m->desc.topology, i).apic_id);
	return r < 0 ? err_trace(r) : 0;
}

static void undo_vcpus(struct machine *m)
{
	for (unsigned i = 0; m->vcpus && i < m->cpu_count; i++)
		vcpu_deinit(&m->vcpus[i]);
	free(m->vcpus);
	m->vcpus = NULL;
	vcpu_gate_deinit(&m->gate);
}

static int load_boot(struct machine *m, struct x86_entry *ret)
{
	const struct x86_boot_desc d = { .topology = &m->desc.topology,
					 .memory = &m->memory,
					 .ram_bytes = m->desc.memory_bytes,
					 .kernel = &m->kernel,
					 .initrd = m->desc.initrd,
					 .initrd_bytes = m->desc.initrd_bytes,
					 .cmdline = m->cmdline,
					 .virtio_count = m->windows.count };
	int r = x86_boot_load(&d, ret);

	return r < 0 ? err_trace(r) : 0;
}

static int setup_vcpu(struct machine *m, unsigned cpu, const struct kvm_cpuid2 *supported,
		      const struct x86_entry *entry)
{
	const struct x86_cpuid_desc d = { .topology = &m->desc.topology,
					  .cpu = cpu,
					  .has_tsc_deadline = m->kvm.has_tsc_deadline,
					  .has_msi_ext_dest = m->kvm.is_split };
	const struct x86_vcpu_start start = {
		.entry = cpu == 0 ? entry : NULL,
		.is_x2apic = topology_max_apic_id(&m->desc.topology) >= TOPOLOGY_XAPIC_IDS,
	};
	struct x86_cpuid cpuid;
	int r = x86_cpuid_build(supported, &d, &cpuid);

	if (r >= 0)
		r = x86_vcpu_setup(m->vcpus[cpu].fd, &cpuid, &start);
	return r < 0 ? err_trace(r) : 0;
}

static int make_boot(struct machine *m)
{
	struct x86_cpuid supported = { .kvm.nent = 0 };
	struct x86_entry entry;
	int r = load_boot(m, &entry);

	if (r >= 0)
		r = kvm_supported_cpuid(&m->kvm, &supported.kvm);
	for (unsigned i = 0; i < m->cpu_count && r >= 0; i++)
		r = setup_vcpu(m, i, &supported.kvm, &entry);
	return r < 0 ? err_trace(r) : 0;
}

/* Made from top to bottom, undone from bottom to top. A make() that fails is undone too, so undo()
 * works on what is half made. To add one: its row, its functions above. */
static const struct {
	const char *name;
	int (*make)(struct machine *m);
	void (*undo)(struct machine *m);
} parts[] = {
	{ "description", make_desc, NULL },
	{ "end event", make_end, undo_end },
	{ "kernel", make_kernel, undo_kernel },
	{ "disks", make_disks, undo_disks },
	{ "console", make_console, undo_console },
	{ "KVM", make_kvm, undo_kvm },
	{ "memory", make_memory, undo_memory },
	{ "interrupts", make_irq, undo_irq },
	{ "ports", make_ports, NULL },
	{ "serial port", make_serial, undo_serial },
	{ "virtio windows", make_windows, undo_windows },
	{ "vCPUs", make_vcpus, undo_vcpus },
	{ "boot", make_boot, NULL },
};

static void undo_parts(struct machine *m)
{
	while (m->parts > 0) {
		m->parts--;
		if (parts[m->parts].undo)
			parts[m->parts].undo(m);
	}
}

int machine_new(const struct machine_desc *desc, struct machine **ret)
{
	struct machine *m = malloc(sizeof(*m));
	int r = 0;

	if (!m)
		return err_new(-ENOMEM, "machine");
	*m = (struct machine){ .desc = *desc,
			       .kernel = X86_KERNEL_NULL,
			       .kvm = KVM_NULL,
			       .ram = GMEM_BACKING_NULL,
			       .nudge = NUDGE_NULL,
			       .end_lock = PTHREAD_MUTEX_INITIALIZER,
			       .end_fd = -1 };
	while (m->parts < ARRAY_SIZE(parts) && r >= 0)
		r = parts[m->parts++].make(m);
	if (r < 0) {
		machine_free(m);
		return err_trace(r);
	}
	*ret = m;
	return 0;
}

struct machine *machine_free(struct machine *m)
{
	if (!m)
		return NULL;
	machine_stop(m);
	undo_parts(m);
	free(m);
	return NULL;
}

/* -- life -- */

static int start_devices(struct machine *m)
{
	int r = 0;

	for (unsigned i = 0; i < m->desc.disk_count && r >= 0; i++)
		r = blk_start(m->disks[i]);
	if (r >= 0 && m->console)
		r = console_start(m->console);
	return r < 0 ? err_trace(r) : 0;
}

static void pause_devices(struct machine *m)
{
	for (unsigned i = 0; i < m->desc.disk_count; i++)
		blk_pause(m->disks[i]);
	if (m->console)
		console_pause(m->console);
}

static void resume_devices(struct machine *m)
{
	if (m->console)
		console_resume(m->console);
	for (unsigned i = m->desc.disk_count; i > 0; i--)
		blk_resume(m->disks[i - 1]);
}

int machine_start(struct machine *m)
{
	int r = start_devices(m);

	m->is_started = true;
	if (r >= 0)
		r = vcpu_start_all(m->vcpus, m->cpu_count);
	if (r >= 0 && m->desc.is_kvm_emulated)
		r = nudge_start(&m->nudge, &m->kvm, m->vcpus, m->cpu_count);
	return r < 0 ? err_trace(r) : 0;
}

static void stop_devices(struct machine *m)
{
	if (m->is_paused)
		resume_devices(m);
	m->is_paused = false;
	if (m->console)
		console_stop(m->console);
	for (unsigned i = m->desc.disk_count; i > 0; i--)
		blk_stop(m->disks[i - 1]);
}

/* vCPUs first: nobody then kicks a device that has no thread any more. */
void machine_stop(struct machine *m)
{
	if (!m->is_started || m->is_stopped)
		return;
	m->is_stopped = true;
	nudge_stop(&m->nudge);
	set_end(m, -1, MACHINE_KILLED, "stopped by us");
	vcpu_stop_all(m->vcpus, m->cpu_count);
	vcpu_join_all(m->vcpus, m->cpu_count);
	stop_devices(m);
}

int machine_end_fd(const struct machine *m)
{
	return m->end_fd;
}

void machine_end(struct machine *m, struct machine_end *ret)
{
	pthread_mutex_lock(&m->end_lock);
	*ret = m->end;
	pthread_mutex_unlock(&m->end_lock);
}

/* -- freeze -- */

int machine_pause(struct machine *m, uint64_t timeout_ns)
{
	if (!m->is_started || m->is_stopped)
		return err_new(-ESHUTDOWN, "the machine does not run");
	if (m->is_paused)
		return 0;
	int r = vcpu_park_all(m->vcpus, m->cpu_count, now_ns() + timeout_ns);

	if (r < 0)
		return err_trace(r);
	pause_devices(m);
	m->is_paused = true;
	return 0;
}

void machine_resume(struct machine *m)
{
	if (!m->is_paused)
		return;
	m->is_paused = false;
	resume_devices(m);
	for (unsigned i = 0; i < m->cpu_count; i++)
		vcpu_tell_pause(&m->vcpus[i]);
	vcpu_unpark_all(m->vcpus, m->cpu_count);
}

/* -- what others may see -- */

const struct gmem *machine_memory(const struct machine *m)
{
	return &m->memory;
}

unsigned machine_cpu_count(const struct machine *m)
{
	return m->cpu_count;
}

int machine_vcpu_noise(struct machine *m, unsigned cpu, struct vcpu_noise *ret)
{
	int r = vcpu_noise(&m->vcpus[cpu], ret);

	return r < 0 ? err_trace(r) : 0;
}

void machine_vcpu_counters(struct machine *m, unsigned cpu, struct vcpu_counters *ret)
{
	vcpu_counters(&m->vcpus[cpu], ret);
}

int machine_places(struct machine *m, uint64_t timeout_ns, struct vcpu_place *ret)
{
	int r = m->is_paused ? vcpu_places(m->vcpus, m->cpu_count, ret)
			     : vcpu_places_live(m->vcpus, m->cpu_count, timeout_ns, ret);

	return r < 0 ? err_trace(r) : 0;
}

struct blk *machine_disk(struct machine *m, unsigned index)
{
	return index < m->desc.disk_count ? m->disks[index] : NULL;
}

void machine_resize_tty(struct machine *m, uint16_t cols, uint16_t rows)
{
	if (m->console)
		console_resize(m->console, cols, rows);
}

const char *machine_cmdline(const struct machine *m)
{
	return m->cmdline;
}
