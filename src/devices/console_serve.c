// SPDX-License-Identifier: GPL-2.0-only
/* One pass over the console's rings and sockets. Each step takes what is there without waiting, at
 * most one ring's worth; whatever could not go on is continued by the next event: a kick (buffers or
 * data from the guest) or the socket (data or room). Chains that make no sense are given back empty.
 * Source: virtio 1.2, 5.3.6. */
#include "devices/console_internal.h"

#include <errno.h>
#include <sys/socket.h>

static bool is_malformed(const struct vq_chain *chain)
{
	return chain->has_bad_address || chain->is_over_cap || chain->is_over_4gib ||
	       chain->is_readable_after_writable;
}

/* Pop from queue @q. True with a chain in @ret that makes sense; the others are given back. */
static bool take(struct console *c, unsigned q, struct vq_chain *ret, unsigned *budget)
{
	struct vq *vq = &c->dev.queues[q];

	while (*budget) {
		if (vq_pop(vq, ret))
			return false;
		--*budget;
		if (!is_malformed(ret))
			return true;
		counter_bump(&c->counters.malformed, 1);
		vq_stage(vq, ret->token, 0);
	}
	return false;
}

/* Run @step on a live queue until it has nothing more to do. Kicks are asked for each time it says
 * so, because only the last asking names the entry that comes next; what a step leaves on the ring
 * waits for its socket, not for a kick. Returns whether the budget ran out. */
static bool run_queue(struct console *c, unsigned q, unsigned port,
		      void (*step)(struct console *c, unsigned q, unsigned port, unsigned *budget))
{
	struct vq *vq = &c->dev.queues[q];
	unsigned budget = vq->size_max;
	uint16_t before;

	if (!virtio_queue_is_live(&c->dev, q))
		return false;
	do {
		before = vq->avail_next;
		step(c, q, port, &budget);
	} while (vq_enable_kicks(vq) && budget && vq->avail_next != before);
	if (vq->breakage)
		virtio_device_broken(&c->dev, q);
	virtio_queue_publish(&c->dev, q);
	return !budget;
}

/* From the guest: control messages. */

static void port_ready(struct console_port_state *port)
{
	port->is_ready = true;
	port->to_tell &= ~(unsigned)CONSOLE_TELL_ADD;
	port->to_tell |= CONSOLE_TELL_OPEN;
	if (port->is_console)
		port->to_tell |= CONSOLE_TELL_CONSOLE | CONSOLE_TELL_RESIZE;
	if (port->name)
		port->to_tell |= CONSOLE_TELL_NAME;
}

static bool handle_device_ready(struct console *c, uint16_t value)
{
	if (value != 1)
		return value == 0; /* the driver failed, and said so */
	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		struct console_port_state *port = &c->ports[p];

		/* 5.3.6.2.1: a port that exists is not added again, however often they ask. */
		if (port->fd >= 0 && !port->is_added)
			port->to_tell |= CONSOLE_TELL_ADD;
		port->is_added = port->fd >= 0;
	}
	return true;
}

/* Returns whether the message makes sense. */
static bool handle_control(struct console *c, const struct virtio_console_control *message)
{
	if (message->event == VIRTIO_CONSOLE_DEVICE_READY)
		return handle_device_ready(c, message->value);
	if (message->id >= CONSOLE_PORT_COUNT || c->ports[message->id].fd < 0)
		return false;
	struct console_port_state *port = &c->ports[message->id];

	switch (message->event) {
	case VIRTIO_CONSOLE_PORT_READY:
		if (message->value == 1)
			port_ready(port);
		return message->value <= 1;
	case VIRTIO_CONSOLE_PORT_OPEN:
		port->is_guest_open = message->value == 1;
		return message->value <= 1;
	default:
		return false;
	}
}

static void control_from_guest(struct console *c, unsigned q, unsigned unused, unsigned *budget)
{
	struct vq_chain *chain = &c->scratch;

	while (take(c, q, chain, budget)) {
		struct virtio_console_control message;
		bool is_whole = iov_load(chain->iov, chain->readable_count, 0, &message,
					 sizeof(message)) == sizeof(message);

		if (!is_whole || !handle_control(c, &message))
			counter_bump(&c->counters.malformed, 1);
		vq_stage(&c->dev.queues[q], chain->token, 0);
	}
}

/* To the guest: control messages. */

struct packet {
	struct virtio_console_control control;
	char payload[32];
};

/* Put the first thing to tell about port @p into @ret; its length, or 0 if there is nothing. */
static size_t next_packet(const struct console *c, unsigned p, struct packet *ret,
			  unsigned *message_ret)
{
	const struct console_port_state *port = &c->ports[p];
	size_t payload_bytes = 0;

	*message_ret = port->to_tell & -port->to_tell; /* lowest bit */
	*ret = (struct packet){ .control = { .id = p, .value = 1 } };
	switch (*message_ret) {
	case CONSOLE_TELL_ADD:
		ret->control.event = VIRTIO_CONSOLE_PORT_ADD;
		break;
	case CONSOLE_TELL_CONSOLE:
		ret->control.event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case CONSOLE_TELL_NAME:
		ret->control.event = VIRTIO_CONSOLE_PORT_NAME;
		payload_bytes = strlen(port->name);
		memcpy(ret->payload, port->name, payload_bytes);
		break;
	case CONSOLE_TELL_RESIZE:
		/* Rows first: what Linux reads, though 5.3.6.2 has them the other way round. */
		ret->control.event = VIRTIO_CONSOLE_RESIZE;
		le16_put(ret->payload, c->config.rows);
		le16_put(ret->payload + 2, c->config.cols);
		payload_bytes = 4;
		break;
	case CONSOLE_TELL_OPEN:
		ret->control.event = VIRTIO_CONSOLE_PORT_OPEN;
		ret->control.value = port->is_host_open;
		break;
	default:
		return 0;
	}
	return sizeof(ret->control) + payload_bytes;
}

/* Tell about port @p as long as there is something to tell and a buffer for it. */
static void tell(struct console *c, unsigned q, unsigned p, unsigned *budget)
{
	struct vq_chain *chain = &c->scratch;
	struct packet packet;
	unsigned message;
	size_t bytes;

	while ((bytes = next_packet(c, p, &packet, &message)) && take(c, q, chain, budget)) {
		uint32_t written = 0;

		/* A buffer that is too small goes back empty, the message waits for a better one. */
		if (chain->writable_bytes >= bytes) {
			written = (uint32_t)iov_store(chain->iov + chain->readable_count,
						      chain->writable_count, 0, &packet, bytes);
			c->ports[p].to_tell &= ~message;
		} else {
			counter_bump(&c->counters.malformed, 1);
		}
		vq_stage(&c->dev.queues[q], chain->token, written);
	}
}

static void control_to_guest(struct console *c, unsigned q, unsigned unused, unsigned *budget)
{
	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++)
		tell(c, q, p, budget);
}

/* From the guest: bytes. */

static void stage_sent(struct console *c, unsigned q, struct console_port_state *port)
{
	vq_stage(&c->dev.queues[q], port->chain.token, 0);
	port->has_chain = false;
}

/* @bytes more of the port's chain are in the socket; its iovecs are our copy and shrink. */
static void advance(struct console_port_state *port, uint64_t bytes)
{
	port->chain_left_bytes -= bytes;
	while (bytes) {
		struct iovec *iov = &port->chain.iov[port->chain_next];
		size_t part = MIN(bytes, iov->iov_len);

		iov->iov_base = (char *)iov->iov_base + part;
		iov->iov_len -= part;
		bytes -= part;
		port->chain_next += !iov->iov_len;
	}
}

/* Send on from where the port's chain stands. True when there is no more to be done for it. */
static bool send_chain(struct console *c, unsigned p)
{
	struct console_port_state *port = &c->ports[p];

	while (port->chain_left_bytes && !port->is_broken) {
		struct msghdr message = {
			.msg_iov = &port->chain.iov[port->chain_next],
			.msg_iovlen = port->chain.readable_count - port->chain_next,
		};
		ssize_t n = sendmsg(port->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			advance(port, (uint64_t)n);
			counter_bump(&c->counters.from_guest_bytes[p], (uint64_t)n);
		} else if (errno == EAGAIN) {
			return false;
		} else if (errno != EINTR) {
			port->is_broken = true;
		}
	}
	counter_bump(&c->counters.discarded_bytes, port->chain_left_bytes);
	return true;
}

static void bytes_from_guest(struct console *c, unsigned q, unsigned p, unsigned *budget)
{
	struct console_port_state *port = &c->ports[p];

	for (;;) {
		if (!port->has_chain) {
			port->has_chain = take(c, q, &port->chain, budget);
			port->chain_next = 0;
			port->chain_left_bytes = port->chain.readable_bytes;
		}
		if (!port->has_chain || !send_chain(c, p))
			return;
		stage_sent(c, q, port);
	}
}

/* To the guest: bytes. */

/* Fill @chain from the socket. Returns the bytes, 0 if there are none now or ever again. */
static uint32_t receive(struct console *c, unsigned p, struct vq_chain *chain)
{
	struct console_port_state *port = &c->ports[p];
	struct msghdr message = { .msg_iov = chain->iov + chain->readable_count,
				  .msg_iovlen = chain->writable_count };
	ssize_t n;

	do {
		n = recvmsg(port->fd, &message, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		counter_bump(&c->counters.to_guest_bytes[p], (uint64_t)n);
		return (uint32_t)n;
	}
	if (n == 0 || errno != EAGAIN) {
		port->is_host_open = false;
		port->to_tell |= CONSOLE_TELL_OPEN;
	}
	return 0;
}

static void bytes_to_guest(struct console *c, unsigned q, unsigned p, unsigned *budget)
{
	struct console_port_state *port = &c->ports[p];
	struct vq_chain *chain = &c->scratch;
	struct vq *vq = &c->dev.queues[q];

	while (port->is_guest_open && port->is_host_open && take(c, q, chain, budget)) {
		uint32_t bytes = 0;

		/* Without room recvmsg() would say 0, which is how a socket's end looks. */
		if (!chain->writable_bytes)
			counter_bump(&c->counters.malformed, 1);
		else if (!(bytes = receive(c, p, chain))) {
			vq_unpop(vq, chain);
			++*budget;
			return;
		}
		vq_stage(vq, chain->token, bytes);
	}
}

bool console_pass(struct console *c)
{
	bool is_left = run_queue(c, CONSOLE_CONTROL_TX, 0, control_from_guest);

	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		is_left |= run_queue(c, console_tx_queue(p), p, bytes_from_guest);
		is_left |= run_queue(c, console_rx_queue(p), p, bytes_to_guest);
	}
	/* Last, because the others find things to tell. */
	is_left |= run_queue(c, CONSOLE_CONTROL_RX, 0, control_to_guest);
	return is_left;
}
