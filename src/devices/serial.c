// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a 16550A. Interrupt causes are kept as conditions and the line is raised when one
 * becomes true, because the machine's line is edge-triggered. In loopback the transmitter feeds the
 * receiver and the modem outputs the modem inputs, nothing leaves. */
#include "devices/serial.h"
#include "base/util.h"

#include <linux/serial_reg.h>

enum {
	IIR_FIFOS = 0xc0, /* "FIFOs enabled": what tells a 16550A from its ancestors */
	MSR_QUIET = UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS, /* a peer that is always ready */
};

static bool is_loopback(const struct serial_state *st)
{
	return st->mcr & UART_MCR_LOOP;
}

static bool has_divisor_access(const struct serial_state *st)
{
	return st->lcr & UART_LCR_DLAB;
}

static bool is_receive_pending(const struct serial_state *st)
{
	return st->ier & UART_IER_RDI && st->queue_len;
}

static bool is_transmit_pending(const struct serial_state *st)
{
	return st->ier & UART_IER_THRI && st->is_thr_pending;
}

static void signal_pending(struct serial *s)
{
	if (is_receive_pending(&s->state) || is_transmit_pending(&s->state))
		irq_line_raise(&s->irq);
}

static bool queue_put(struct serial_state *st, uint8_t byte)
{
	if (st->queue_len == SERIAL_QUEUE_BYTES)
		return false;
	st->queue[(st->queue_start + st->queue_len++) % SERIAL_QUEUE_BYTES] = byte;
	return true;
}

static uint8_t queue_take(struct serial_state *st)
{
	if (!st->queue_len)
		return 0;
	uint8_t byte = st->queue[st->queue_start];

	st->queue_start = (st->queue_start + 1) % SERIAL_QUEUE_BYTES;
	st->queue_len--;
	return byte;
}

static void transmit(struct serial *s, uint8_t byte)
{
	struct serial_state *st = &s->state;
	const char c = (char)byte;

	if (is_loopback(st))
		queue_put(st, byte);
	else
		s->out(s->out_ctx, &c, 1);
	st->is_thr_pending = true;
	signal_pending(s);
}

static void write_ier(struct serial *s, uint8_t value)
{
	struct serial_state *st = &s->state;
	uint8_t risen = value & (uint8_t)~st->ier;

	st->ier = value & 0x0f;
	/* Switching the interrupt on with an empty transmitter is a cause of its own. */
	if (risen & UART_IER_THRI)
		st->is_thr_pending = true;
	if (risen)
		signal_pending(s);
}

static uint8_t read_iir(struct serial_state *st)
{
	uint8_t fifos = st->fcr & UART_FCR_ENABLE_FIFO ? IIR_FIFOS : 0;

	if (is_receive_pending(st))
		return fifos | UART_IIR_RDI;
	if (!is_transmit_pending(st))
		return fifos | UART_IIR_NO_INT;
	st->is_thr_pending = false;
	return fifos | UART_IIR_THRI;
}

static uint8_t read_msr(const struct serial_state *st)
{
	if (!is_loopback(st))
		return MSR_QUIET;
	return (uint8_t)((st->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
			 (st->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
			 (st->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
			 (st->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0));
}

static uint8_t read_register(struct serial_state *st, uint64_t port)
{
	switch (port) {
	case UART_RX:
		return has_divisor_access(st) ? st->divisor_low : queue_take(st);
	case UART_IER:
		return has_divisor_access(st) ? st->divisor_high : st->ier;
	case UART_IIR:
		return read_iir(st);
	case UART_LCR:
		return st->lcr;
	case UART_MCR:
		return st->mcr;
	case UART_LSR:
		return UART_LSR_THRE | UART_LSR_TEMT | (st->queue_len ? UART_LSR_DR : 0);
	case UART_MSR:
		return read_msr(st);
	default:
		return st->scr;
	}
}

static void write_fcr(struct serial_state *st, uint8_t value)
{
	if (value & UART_FCR_CLEAR_RCVR)
		st->queue_len = 0;
	st->fcr = value;
}

static void write_register(struct serial *s, uint64_t port, uint8_t value)
{
	struct serial_state *st = &s->state;

	switch (port) {
	case UART_TX:
		if (has_divisor_access(st))
			st->divisor_low = value;
		else
			transmit(s, value);
		break;
	case UART_IER:
		if (has_divisor_access(st))
			st->divisor_high = value;
		else
			write_ier(s, value);
		break;
	case UART_FCR:
		write_fcr(st, value);
		break;
	case UART_LCR:
		st->lcr = value;
		break;
	case UART_MCR:
		st->mcr = value & 0x1f;
		break;
	case UART_SCR:
		st->scr = value;
		break;
	default: /* LSR and MSR are not the driver's to write */
		break;
	}
}

void serial_init(struct serial *s, struct irq_line irq,
		 void (*out)(void *ctx, const char *bytes, size_t n), void *out_ctx)
{
	*s = (struct serial){ .irq = irq, .out = out, .out_ctx = out_ctx };
	/* 115200 baud, until the driver says otherwise. */
	s->state.divisor_low = 1;
	pthread_mutex_init(&s->lock, NULL);
}

void serial_deinit(struct serial *s)
{
	pthread_mutex_destroy(&s->lock);
}

enum bus_result serial_access(void *ctx, struct bus_access *a)
{
	struct serial *s = ctx;

	if (a->size != 1)
		return BUS_UNHANDLED;
	pthread_mutex_lock(&s->lock);
	if (a->is_write)
		write_register(s, a->addr, (uint8_t)a->value);
	else
		a->value = read_register(&s->state, a->addr);
	pthread_mutex_unlock(&s->lock);
	return BUS_HANDLED;
}

size_t serial_input(struct serial *s, const char *bytes, size_t n)
{
	size_t taken = 0;

	pthread_mutex_lock(&s->lock);
	while (taken < n && queue_put(&s->state, (uint8_t)bytes[taken]))
		taken++;
	if (taken)
		signal_pending(s);
	pthread_mutex_unlock(&s->lock);
	return taken;
}
