// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/window.h"

#include <errno.h>

/* Doorbells of queues that have a thread of their own. */
static int bind_kicks(const struct window_env *env, const struct virtio_mmio *mmio, uint64_t base)
{
	for (unsigned q = 0; q < mmio->dev->queue_count; q++) {
		int fd = virtio_mmio_notify_fd(mmio, q);

		if (fd < 0)
			continue;
		int r = kvm_bind_kick(env->kvm, fd, gpa(base + VIRTIO_MMIO_QUEUE_NOTIFY), q);

		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int windows_add(struct windows *w, const struct window_env *env, struct virtio_device *dev)
{
	unsigned index = w->count;
	uint64_t base = x86_virtio_base(index);
	struct irq_line line;

	if (index == X86_VIRTIO_MAX)
		return err_new(-E2BIG, "more than %d virtio devices", X86_VIRTIO_MAX);
	struct virtio_mmio *mmio = &w->mmio[index];
	int r = irq_chip_open(env->irq, X86_GSI_VIRTIO + index, &line);

	if (r >= 0)
		r = virtio_mmio_init(mmio, dev, env->memory, line);
	if (r < 0)
		return err_trace(r);
	w->count++;
	r = bus_add(env->mmio, &(struct bus_region){ base, X86_VIRTIO_MMIO_BYTES,
						     virtio_mmio_access, mmio, dev->ops->name });
	if (r >= 0)
		r = bind_kicks(env, mmio, base);
	return r < 0 ? err_trace(r) : 0;
}

void windows_deinit(struct windows *w)
{
	while (w->count > 0)
		virtio_mmio_deinit(&w->mmio[--w->count]);
}
