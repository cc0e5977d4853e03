// SPDX-License-Identifier: GPL-2.0-only
/* The register file of virtio-mmio, version 2: a table with a row for each register, and the few
 * rules that connect them (status order, when a queue may be set up, what a reset undoes).
 * Source: virtio 1.2, 4.2.2, 4.2.3, 3.1.1, 2.1, 2.6.1. */
#include "virtio/mmio.h"

#include <errno.h>
#include <stddef.h>

/* 2.1, what a driver may set; NEEDS_RESET is ours alone. */
enum {
	STATUS_DRIVER_BITS = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			     VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK |
			     VIRTIO_CONFIG_S_FAILED,
};

#define BIT64(n) (UINT64_C(1) << (n))

static const char *const refusal_names[] = {
#define X(id, name) name,
	VIRTIO_MMIO_REFUSALS(X)
#undef X
};

const char *virtio_mmio_refusal_name(enum virtio_mmio_refusal reason)
{
	return refusal_names[reason];
}

static void refuse(struct virtio_mmio *mmio, enum virtio_mmio_refusal reason)
{
	counter_add(&mmio->refusals[reason], 1);
}

static uint32_t status(const struct virtio_mmio *mmio)
{
	return atomic_load_explicit(&mmio->state.status, memory_order_acquire);
}

static void status_or(struct virtio_mmio *mmio, uint32_t bits)
{
	atomic_fetch_or_explicit(&mmio->state.status, bits, memory_order_acq_rel);
}

static uint64_t offered(const struct virtio_mmio *mmio)
{
	return mmio->dev->features | VQ_FEATURES | BIT64(VIRTIO_F_VERSION_1) |
	       BIT64(VIRTIO_F_RING_RESET);
}

/* The device's side: any thread, never under the lock. */

static void raise_interrupt(struct virtio_mmio *mmio, uint32_t event)
{
	/* An or, because the driver acknowledges other bits meanwhile. Release: used.idx is visible
	 * to whoever sees the bit. */
	atomic_fetch_or_explicit(&mmio->state.interrupt_status, event, memory_order_acq_rel);
	counter_add(&mmio->interrupts, 1);
	irq_line_raise(&mmio->irq);
}

static void used_interrupt(void *ctx, unsigned q)
{
	raise_interrupt(ctx, VIRTIO_MMIO_INT_VRING);
}

static void config_interrupt(void *ctx)
{
	struct virtio_mmio *mmio = ctx;

	/* Configuration is changed by threads that no queue_stop() holds up; without the lock an
	 * event could come after the reset that it overlapped (2.4.1). */
	pthread_mutex_lock(&mmio->event_lock);
	if (status(mmio) & VIRTIO_CONFIG_S_DRIVER_OK)
		raise_interrupt(mmio, VIRTIO_MMIO_INT_CONFIG);
	pthread_mutex_unlock(&mmio->event_lock);
}

static void broken(void *ctx, unsigned q, enum vq_breakage reason)
{
	struct virtio_mmio *mmio = ctx;
	uint32_t before = atomic_fetch_or_explicit(&mmio->state.status, VIRTIO_CONFIG_S_NEEDS_RESET,
						   memory_order_acq_rel);

	if (!(before & VIRTIO_CONFIG_S_NEEDS_RESET))
		config_interrupt(mmio);
}

static const struct virtio_transport_ops mmio_transport = {
	.used_interrupt = used_interrupt,
	.config_interrupt = config_interrupt,
	.broken = broken,
};

/* Registers. A row without read is write-only, and the other way round. */

struct mmio_register {
	uint32_t (*read)(struct virtio_mmio *mmio, const struct mmio_register *row);
	void (*write)(struct virtio_mmio *mmio, const struct mmio_register *row, uint32_t value);
	uint32_t constant; /* for read_constant */
	size_t field;	   /* for write_address: of struct vq_setup, */
	unsigned shift;	   /* and which half of it */
	bool is_read_lockless;
	bool is_write_lockless;
};

static uint32_t read_constant(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	return row->constant;
}

static uint32_t read_device_id(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	return mmio->dev->ops->device_id;
}

static uint32_t read_device_features(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	uint32_t word = mmio->state.device_features_sel;

	return word < 2 ? (uint32_t)(offered(mmio) >> (word * 32)) : 0;
}

static void write_device_features_sel(struct virtio_mmio *mmio, const struct mmio_register *row,
				      uint32_t value)
{
	mmio->state.device_features_sel = value;
}

static void write_driver_features(struct virtio_mmio *mmio, const struct mmio_register *row,
				  uint32_t value)
{
	struct virtio_mmio_state *s = &mmio->state;

	if (status(mmio) & VIRTIO_CONFIG_S_FEATURES_OK)
		refuse(mmio, MMIO_BAD_TIME);
	else if (s->driver_features_sel < VIRTIO_MMIO_FEATURE_WORDS)
		s->driver_features[s->driver_features_sel] = value;
	else if (value)
		s->has_features_beyond = true;
}

static void write_driver_features_sel(struct virtio_mmio *mmio, const struct mmio_register *row,
				      uint32_t value)
{
	mmio->state.driver_features_sel = value;
}

/* The selected queue, or NULL if there is none of that number. */
static struct virtio_mmio_queue *selected(struct virtio_mmio *mmio)
{
	uint32_t q = mmio->state.queue_sel;

	return q < mmio->dev->queue_count ? &mmio->state.queues[q] : NULL;
}

/* The selected queue, if this is the time to set it up: not ready yet, and before DRIVER_OK or
 * after a reset of its own. NULL, and counted, if not. */
static struct virtio_mmio_queue *selected_for_setup(struct virtio_mmio *mmio)
{
	struct virtio_mmio_queue *queue = selected(mmio);
	bool is_late = status(mmio) & VIRTIO_CONFIG_S_DRIVER_OK;

	if (!queue) {
		refuse(mmio, MMIO_BAD_QUEUE);
		return NULL;
	}
	if (queue->is_ready || (is_late && !queue->was_reset)) {
		refuse(mmio, MMIO_BAD_TIME);
		return NULL;
	}
	return queue;
}

static void write_queue_sel(struct virtio_mmio *mmio, const struct mmio_register *row,
			    uint32_t value)
{
	mmio->state.queue_sel = value;
}

static uint32_t read_queue_size_max(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	return selected(mmio) ? mmio->dev->queues[mmio->state.queue_sel].size_max : 0;
}

static void write_queue_size(struct virtio_mmio *mmio, const struct mmio_register *row,
			     uint32_t value)
{
	struct virtio_mmio_queue *queue = selected_for_setup(mmio);

	if (queue)
		queue->setup.size = value;
}

static void write_address(struct virtio_mmio *mmio, const struct mmio_register *row, uint32_t value)
{
	struct virtio_mmio_queue *queue = selected_for_setup(mmio);

	if (!queue)
		return;
	gpa_t *address = (gpa_t *)(void *)((char *)&queue->setup + row->field);
	uint64_t kept = address->v & ~((uint64_t)UINT32_MAX << row->shift);

	*address = gpa(kept | (uint64_t)value << row->shift);
}

static uint32_t read_queue_ready(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	struct virtio_mmio_queue *queue = selected(mmio);

	return queue && queue->is_ready;
}

static void make_ready(struct virtio_mmio *mmio)
{
	struct virtio_mmio_queue *queue = selected_for_setup(mmio);
	unsigned q = mmio->state.queue_sel;

	if (!queue)
		return;
	if (vq_start(&mmio->dev->queues[q], mmio->dev->mem, &queue->setup)) {
		refuse(mmio, MMIO_BAD_RING);
		return;
	}
	queue->is_ready = true;
	if (status(mmio) & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_queue_go_live(mmio->dev, q);
}

static void make_unready(struct virtio_mmio *mmio)
{
	struct virtio_mmio_queue *queue = selected(mmio);

	if (!queue) {
		refuse(mmio, MMIO_BAD_QUEUE);
		return;
	}
	virtio_queue_end(mmio->dev, mmio->state.queue_sel, VIRTIO_STOP_DRAIN);
	queue->is_ready = false;
}

static void write_queue_ready(struct virtio_mmio *mmio, const struct mmio_register *row,
			      uint32_t value)
{
	if (value == 1)
		make_ready(mmio);
	else if (value == 0)
		make_unready(mmio);
	else
		refuse(mmio, MMIO_BAD_RING);
}

/* 2.6.1: the write returns when the reset is complete, so that the register always reads 0. */
static void write_queue_reset(struct virtio_mmio *mmio, const struct mmio_register *row,
			      uint32_t value)
{
	struct virtio_mmio_queue *queue = selected(mmio);

	if (!queue) {
		refuse(mmio, MMIO_BAD_QUEUE);
		return;
	}
	if (value != 1 || !virtio_has_feature(mmio->dev, VIRTIO_F_RING_RESET)) {
		refuse(mmio, MMIO_BAD_TIME);
		return;
	}
	virtio_queue_end(mmio->dev, mmio->state.queue_sel, VIRTIO_STOP_DISCARD);
	*queue = (struct virtio_mmio_queue){ .was_reset = true };
}

static void write_queue_notify(struct virtio_mmio *mmio, const struct mmio_register *row,
			       uint32_t value)
{
	if (value >= mmio->dev->queue_count)
		refuse(mmio, MMIO_BAD_QUEUE);
	else
		virtio_queue_kick(mmio->dev, value);
}

static uint32_t read_interrupt_status(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	return atomic_load_explicit(&mmio->state.interrupt_status, memory_order_acquire);
}

static void write_interrupt_ack(struct virtio_mmio *mmio, const struct mmio_register *row,
				uint32_t value)
{
	atomic_fetch_and_explicit(&mmio->state.interrupt_status, ~value, memory_order_acq_rel);
}

static uint32_t read_status(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	return status(mmio);
}

/* 2.1.2, 4.2.2.1: status becomes 0 last, when nothing of the old life is left. */
static void reset(struct virtio_mmio *mmio)
{
	struct virtio_mmio_state *s = &mmio->state;

	for (unsigned q = 0; q < mmio->dev->queue_count; q++)
		virtio_queue_end(mmio->dev, q, VIRTIO_STOP_DISCARD);
	mmio->dev->negotiated = 0;
	mmio->dev->ops->reset(mmio->dev);
	s->device_features_sel = 0;
	s->driver_features_sel = 0;
	memset(s->driver_features, 0, sizeof(s->driver_features));
	s->has_features_beyond = false;
	s->queue_sel = 0;
	memset(s->queues, 0, sizeof(s->queues));
	pthread_mutex_lock(&mmio->event_lock);
	atomic_store_explicit(&s->interrupt_status, 0, memory_order_relaxed);
	atomic_store_explicit(&s->status, 0, memory_order_release);
	pthread_mutex_unlock(&mmio->event_lock);
}

static bool accept_features(struct virtio_mmio *mmio)
{
	const struct virtio_mmio_state *s = &mmio->state;
	uint64_t wanted = (uint64_t)s->driver_features[1] << 32 | s->driver_features[0];
	bool is_beyond = s->has_features_beyond;

	for (unsigned word = 2; word < VIRTIO_MMIO_FEATURE_WORDS; word++)
		is_beyond = is_beyond || s->driver_features[word];
	if (is_beyond || wanted & ~offered(mmio) || !(wanted & BIT64(VIRTIO_F_VERSION_1)))
		return false;
	mmio->dev->negotiated = wanted;
	if (!mmio->dev->ops->features_ok || mmio->dev->ops->features_ok(mmio->dev))
		return true;
	mmio->dev->negotiated = 0;
	return false;
}

static void go_live(struct virtio_mmio *mmio)
{
	struct virtio_device *dev = mmio->dev;

	if (dev->ops->driver_ok)
		dev->ops->driver_ok(dev);
	for (unsigned q = 0; q < dev->queue_count; q++) {
		if (mmio->state.queues[q].is_ready)
			virtio_queue_go_live(dev, q);
	}
}

/* Take one step of 3.1.1, of which @bit is the sign and @steps_before those that must be taken. */
static void take_step(struct virtio_mmio *mmio, uint32_t bit, uint32_t steps_before)
{
	if ((status(mmio) & steps_before) != steps_before) {
		refuse(mmio, MMIO_BAD_STATUS);
		return;
	}
	if (bit == VIRTIO_CONFIG_S_FEATURES_OK && !accept_features(mmio)) {
		refuse(mmio, MMIO_BAD_FEATURES);
		return;
	}
	status_or(mmio, bit);
	if (bit == VIRTIO_CONFIG_S_DRIVER_OK)
		go_live(mmio);
}

static void write_status(struct virtio_mmio *mmio, const struct mmio_register *row, uint32_t value)
{
	static const uint32_t steps[] = { VIRTIO_CONFIG_S_ACKNOWLEDGE, VIRTIO_CONFIG_S_DRIVER,
					  VIRTIO_CONFIG_S_FEATURES_OK, VIRTIO_CONFIG_S_DRIVER_OK };
	const uint32_t before = status(mmio);
	uint32_t steps_before = 0;

	if (!value) {
		reset(mmio);
		return;
	}
	/* Bits that are not the driver's to set, or not its to clear; one read and written back is
	 * neither. */
	if ((value & ~before & ~(uint32_t)STATUS_DRIVER_BITS) ||
	    (before & ~value & STATUS_DRIVER_BITS))
		refuse(mmio, MMIO_BAD_STATUS);
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		if (value & ~before & steps[i])
			take_step(mmio, steps[i], steps_before);
		steps_before |= steps[i];
	}
	status_or(mmio, value & VIRTIO_CONFIG_S_FAILED);
}

static uint32_t read_config_generation(struct virtio_mmio *mmio, const struct mmio_register *row)
{
	return atomic_load_explicit(&mmio->dev->config_generation, memory_order_acquire);
}

/* There are no shared memory regions, whichever is selected. */
static void write_nothing(struct virtio_mmio *mmio, const struct mmio_register *row, uint32_t value)
{
}

#define ADDRESS(member, half)                                                                      \
	{                                                                                          \
		.write = write_address, .field = offsetof(struct vq_setup, member), .shift = half  \
	}
#define CONSTANT(value)                                                                            \
	{                                                                                          \
		.read = read_constant, .constant = value, .is_read_lockless = true                 \
	}
#define AT(offset) [(offset) / 4]

static const struct mmio_register registers[VIRTIO_MMIO_CONFIG / 4] = {
	AT(VIRTIO_MMIO_MAGIC_VALUE) = CONSTANT(0x74726976), /* "virt" */
	AT(VIRTIO_MMIO_VERSION) = CONSTANT(2),
	AT(VIRTIO_MMIO_DEVICE_ID) = { .read = read_device_id, .is_read_lockless = true },
	AT(VIRTIO_MMIO_VENDOR_ID) = CONSTANT(VIRTIO_MMIO_VENDOR),
	AT(VIRTIO_MMIO_DEVICE_FEATURES) = { .read = read_device_features },
	AT(VIRTIO_MMIO_DEVICE_FEATURES_SEL) = { .write = write_device_features_sel },
	AT(VIRTIO_MMIO_DRIVER_FEATURES) = { .write = write_driver_features },
	AT(VIRTIO_MMIO_DRIVER_FEATURES_SEL) = { .write = write_driver_features_sel },
	AT(VIRTIO_MMIO_QUEUE_SEL) = { .write = write_queue_sel },
	AT(VIRTIO_MMIO_QUEUE_NUM_MAX) = { .read = read_queue_size_max },
	AT(VIRTIO_MMIO_QUEUE_NUM) = { .write = write_queue_size },
	AT(VIRTIO_MMIO_QUEUE_READY) = { .read = read_queue_ready, .write = write_queue_ready },
	AT(VIRTIO_MMIO_QUEUE_NOTIFY) = { .write = write_queue_notify },
	AT(VIRTIO_MMIO_INTERRUPT_STATUS) = { .read = read_interrupt_status,
					     .is_read_lockless = true },
	AT(VIRTIO_MMIO_INTERRUPT_ACK) = { .write = write_interrupt_ack, .is_write_lockless = true },
	AT(VIRTIO_MMIO_STATUS) = { .read = read_status,
				   .write = write_status,
				   .is_read_lockless = true },
	AT(VIRTIO_MMIO_QUEUE_DESC_LOW) = ADDRESS(desc, 0),
	AT(VIRTIO_MMIO_QUEUE_DESC_HIGH) = ADDRESS(desc, 32),
	AT(VIRTIO_MMIO_QUEUE_AVAIL_LOW) = ADDRESS(avail, 0),
	AT(VIRTIO_MMIO_QUEUE_AVAIL_HIGH) = ADDRESS(avail, 32),
	AT(VIRTIO_MMIO_QUEUE_USED_LOW) = ADDRESS(used, 0),
	AT(VIRTIO_MMIO_QUEUE_USED_HIGH) = ADDRESS(used, 32),
	AT(VIRTIO_MMIO_SHM_SEL) = { .write = write_nothing },
	AT(VIRTIO_MMIO_SHM_LEN_LOW) = CONSTANT(UINT32_MAX),
	AT(VIRTIO_MMIO_SHM_LEN_HIGH) = CONSTANT(UINT32_MAX),
	AT(VIRTIO_MMIO_SHM_BASE_LOW) = CONSTANT(UINT32_MAX),
	AT(VIRTIO_MMIO_SHM_BASE_HIGH) = CONSTANT(UINT32_MAX),
	AT(VIRTIO_MMIO_REG_QUEUE_RESET) = { .read = read_constant, .write = write_queue_reset },
	AT(VIRTIO_MMIO_CONFIG_GENERATION) = { .read = read_config_generation,
					      .is_read_lockless = true },
};

static void access_control(struct virtio_mmio *mmio, struct bus_access *a)
{
	if (a->size != 4 || a->addr % 4) {
		refuse(mmio, MMIO_BAD_WIDTH);
		return;
	}
	const struct mmio_register *row = &registers[a->addr / 4];

	if (!row->read && !row->write) {
		refuse(mmio, MMIO_BAD_REGISTER);
		return;
	}
	if (a->is_write ? !row->write : !row->read) {
		refuse(mmio, MMIO_BAD_DIRECTION);
		return;
	}
	bool is_locked = a->is_write ? !row->is_write_lockless : !row->is_read_lockless;

	if (is_locked)
		pthread_mutex_lock(&mmio->lock);
	if (a->is_write)
		row->write(mmio, row, (uint32_t)a->value);
	else
		a->value = row->read(mmio, row);
	if (is_locked)
		pthread_mutex_unlock(&mmio->lock);
}

static void access_config(struct virtio_mmio *mmio, struct bus_access *a)
{
	struct virtio_device *dev = mmio->dev;
	uint64_t offset = a->addr - VIRTIO_MMIO_CONFIG;
	unsigned bytes = 0;

	if (offset < dev->config_bytes)
		bytes = (unsigned)MIN((uint64_t)a->size, dev->config_bytes - offset);
	pthread_mutex_lock(&mmio->lock);
	if (!a->is_write && bytes)
		dev->ops->config_read(dev, (unsigned)offset, &a->value, bytes);
	if (a->is_write && (!bytes || !dev->ops->config_write ||
			    !dev->ops->config_write(dev, (unsigned)offset, &a->value, bytes)))
		refuse(mmio, MMIO_BAD_CONFIG);
	pthread_mutex_unlock(&mmio->lock);
}

enum bus_result virtio_mmio_access(void *ctx, struct bus_access *a)
{
	if (!a->is_write)
		a->value = 0;
	if (a->addr < VIRTIO_MMIO_CONFIG)
		access_control(ctx, a);
	else
		access_config(ctx, a);
	return BUS_HANDLED;
}

int virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_device *dev, const struct gmem *mem,
		     struct irq_line irq)
{
	if (dev->queue_count > VIRTIO_MMIO_MAX_QUEUES)
		return err_new(-EINVAL, "%s: %u queues, more than %u", dev->ops->name,
			       dev->queue_count, VIRTIO_MMIO_MAX_QUEUES);
	*mmio = (struct virtio_mmio){ .dev = dev, .irq = irq };
	pthread_mutex_init(&mmio->lock, NULL);
	pthread_mutex_init(&mmio->event_lock, NULL);
	virtio_device_attach(dev, mem, &mmio_transport, mmio);
	return 0;
}

void virtio_mmio_deinit(struct virtio_mmio *mmio)
{
	reset(mmio);
	pthread_mutex_destroy(&mmio->event_lock);
	pthread_mutex_destroy(&mmio->lock);
}

int virtio_mmio_notify_fd(const struct virtio_mmio *mmio, unsigned q)
{
	return mmio->dev->queues[q].kick_fd;
}
