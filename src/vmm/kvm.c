// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/kvm.h"

#include "base/cleanup.h"
#include "vmm/x86_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

/* What a KVM must have. To add one: its row. */
struct need {
	int cap;
	const char *name;
	bool is_split_only;
};

static const struct need needs[] = {
	{ KVM_CAP_USER_MEMORY, "user memory", false },
	{ KVM_CAP_IRQCHIP, "in-kernel interrupt chips", false },
	{ KVM_CAP_IRQFD, "irqfd", false },
	{ KVM_CAP_IOEVENTFD, "ioeventfd", false },
	{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit", false },
	{ KVM_CAP_EXT_CPUID, "CPUID of its own", false },
	{ KVM_CAP_SIGNAL_MSI, "interrupts sent as messages", false },
	{ KVM_CAP_MP_STATE, "CPU start by the guest", false },
	{ KVM_CAP_SPLIT_IRQCHIP, "split interrupt chips", true },
	{ KVM_CAP_X2APIC_API, "32-bit APIC ids", true },
};

int kvm_ioctl(int fd, unsigned long request, void *arg, const char *name)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? err_new(-errno, "KVM: %s: %s", name, strerror(errno)) : r;
}

static int has_cap(const struct kvm *kvm, int cap)
{
	int r = ioctl(kvm->fd, KVM_CHECK_EXTENSION, cap);

	return MAX(r, 0);
}

static int open_kvm(const char *path, int *ret)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		*ret = fd;
		return 0;
	}
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return err_new(-ENOENT,
			       "%s: this host offers no KVM; use the carrier (--accel carrier)",
			       path);
	case EACCES:
	case EPERM:
		return err_new(-EACCES, "%s: no permission; join the group kvm or run as root",
			       path);
	default:
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	}
}

static int check_kvm(const struct kvm *kvm, const struct kvm_desc *d)
{
	int version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION)
		return err_new(-ENODEV, "%s: not a KVM (API version %d, %d is needed)", d->path,
			       version, KVM_API_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if ((d->is_split || !needs[i].is_split_only) && !has_cap(kvm, needs[i].cap))
			return err_new(-ENOTSUP, "%s: this KVM has no %s", d->path, needs[i].name);
	if ((unsigned)has_cap(kvm, KVM_CAP_MAX_VCPUS) < d->cpus)
		return err_new(-ENOTSUP, "%s: %u CPUs wanted, this KVM has at most %d", d->path,
			       d->cpus, has_cap(kvm, KVM_CAP_MAX_VCPUS));
	if ((unsigned)has_cap(kvm, KVM_CAP_MAX_VCPU_ID) <= d->max_apic_id)
		return err_new(-ENOTSUP, "%s: APIC id %u wanted, this KVM ends at %d", d->path,
			       d->max_apic_id, has_cap(kvm, KVM_CAP_MAX_VCPU_ID) - 1);
	return 0;
}

static int create_vm(struct kvm *kvm)
{
	int fd;

	/* A signal that is pending makes this fail with EINTR on kernels of today. */
	do
		fd = ioctl(kvm->fd, KVM_CREATE_VM, 0);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return err_new(-errno, "KVM: create a virtual machine: %s", strerror(errno));
	kvm->vm_fd = fd;

	int bytes = kvm_ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, NULL, "size of a vCPU's page");

	if (bytes < 0)
		return err_trace(bytes);
	kvm->run_bytes = (size_t)bytes;
	return 0;
}

static int enable_split(const struct kvm *kvm)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { X86_GSI_COUNT } };
	struct kvm_enable_cap wide = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};
	int r = kvm_ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &split, "split interrupt chips");

	if (r < 0)
		return err_trace(r);
	r = kvm_ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &wide, "32-bit APIC ids");
	return r < 0 ? err_trace(r) : 0;
}

/* Addresses that Intel's KVM needs for real mode come first, then the interrupt chips, before any
 * vCPU. There is no PIT: the guest has the TSC deadline timer and kvmclock. */
static int create_chips(const struct kvm *kvm)
{
	uint64_t identity = X86_IDENTITY_MAP;
	int r = kvm_ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity, "identity map");

	if (r < 0)
		return err_trace(r);
	r = ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)X86_TSS);
	if (r < 0)
		return err_new(-errno, "KVM: address of the TSS: %s", strerror(errno));
	r = kvm->is_split ? enable_split(kvm)
			  : kvm_ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, NULL, "interrupt chips");
	return r < 0 ? err_trace(r) : 0;
}

int kvm_init(struct kvm *ret, const struct kvm_desc *d)
{
	struct kvm kvm = KVM_NULL;
	int r = open_kvm(d->path, &kvm.fd);

	if (r < 0)
		return err_trace(r);
	kvm.is_split = d->is_split;
	r = check_kvm(&kvm, d);
	if (r >= 0)
		r = create_vm(&kvm);
	if (r >= 0)
		r = create_chips(&kvm);
	if (r < 0) {
		kvm_deinit(&kvm);
		return err_trace(r);
	}
	kvm.has_tsc_deadline = has_cap(&kvm, KVM_CAP_TSC_DEADLINE_TIMER);
	*ret = kvm;
	return 0;
}

void kvm_deinit(struct kvm *kvm)
{
	kvm->vm_fd = fd_close(kvm->vm_fd);
	kvm->fd = fd_close(kvm->fd);
}

int kvm_add_memory(struct kvm *kvm, gpa_t base, uint64_t bytes, void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = kvm->memory_slots,
		.guest_phys_addr = base.v,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)host,
	};
	int r = kvm_ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region, "guest memory");

	if (r < 0)
		return err_trace(r);
	kvm->memory_slots++;
	return 0;
}

int kvm_bind_irq(const struct kvm *kvm, int event_fd, uint32_t gsi, bool is_on)
{
	struct kvm_irqfd irqfd = {
		.fd = (uint32_t)event_fd,
		.gsi = gsi,
		.flags = is_on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};
	int r = kvm_ioctl(kvm->vm_fd, KVM_IRQFD, &irqfd, "bind an interrupt");

	return r < 0 ? err_trace(r) : 0;
}

void kvm_pulse_irq(const struct kvm *kvm, uint32_t gsi)
{
	struct kvm_irq_level line = { .irq = gsi, .level = 1 };

	(void)ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line);
	line.level = 0;
	(void)ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line);
}

/* Destination bits from 8 on count where APIC ids have 32 bits (KVM_X2APIC_API_USE_32BIT_IDS). */
void kvm_send_fixed(const struct kvm *kvm, uint32_t apic_id, uint8_t vector)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)X86_LOCAL_APIC | (apic_id & 0xff) << 12,
		.address_hi = apic_id & ~UINT32_C(0xff),
		.data = vector,
	};

	(void)ioctl(kvm->vm_fd, KVM_SIGNAL_MSI, &msi);
}

int kvm_bind_kick(const struct kvm *kvm, int event_fd, gpa_t address, uint32_t value)
{
	struct kvm_ioeventfd kick = {
		.datamatch = value,
		.addr = address.v,
		.len = sizeof(value),
		.fd = event_fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};
	int r = kvm_ioctl(kvm->vm_fd, KVM_IOEVENTFD, &kick, "bind a queue's doorbell");

	return r < 0 ? err_trace(r) : 0;
}

int kvm_set_routes(const struct kvm *kvm, struct kvm_irq_routing *routes)
{
	int r = kvm_ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, routes, "route interrupts");

	return r < 0 ? err_trace(r) : 0;
}

int kvm_supported_cpuid(const struct kvm *kvm, struct kvm_cpuid2 *ret)
{
	ret->nent = KVM_CPUID_ENTRIES;
	int r = kvm_ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, ret, "CPUID that it supports");

	return r < 0 ? err_trace(r) : 0;
}
