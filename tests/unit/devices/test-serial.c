// SPDX-License-Identifier: GPL-2.0-only
#include "base/buf.h"
#include "base/util.h"
#include "devices/serial.h"

#include "test.h"

#include <linux/serial_reg.h>

struct line {
	struct serial serial;
	struct buf out;
	unsigned raised;
};

static void raise_line(void *ctx)
{
	((struct line *)ctx)->raised++;
}

static void take_out(void *ctx, const char *bytes, size_t n)
{
	buf_add(&((struct line *)ctx)->out, bytes, n);
}

static void line_init(struct line *l)
{
	*l = (struct line){ .out = BUF_NULL };
	serial_init(&l->serial, (struct irq_line){ raise_line, l }, take_out, l);
}

static void line_deinit(struct line *l)
{
	serial_deinit(&l->serial);
	buf_deinit(&l->out);
}

static uint8_t in(struct line *l, unsigned port)
{
	struct bus_access a = { .addr = port, .size = 1 };

	assert_int_equal(serial_access(&l->serial, &a), BUS_HANDLED);
	return (uint8_t)a.value;
}

static void out(struct line *l, unsigned port, uint8_t value)
{
	struct bus_access a = { .addr = port, .value = value, .size = 1, .is_write = true };

	assert_int_equal(serial_access(&l->serial, &a), BUS_HANDLED);
}

TEST(written_bytes_are_out_at_once)
{
	struct line l;

	line_init(&l);
	for (const char *s = "Linux\n"; *s; s++) {
		assert_int_equal(in(&l, UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
		out(&l, UART_TX, (uint8_t)*s);
	}
	assert_string_equal(buf_text(&l.out), "Linux\n");
	assert_int_equal(l.raised, 0);
	line_deinit(&l);
}

/* What drivers/tty/serial/8250/8250_port.c, autoconfig() and startup, look at. */
TEST(the_linux_driver_finds_a_16550a)
{
	struct line l;

	line_init(&l);
	out(&l, UART_IER, 0);
	assert_int_equal(in(&l, UART_IER) & 0x0f, 0);
	out(&l, UART_IER, 0x0f);
	assert_int_equal(in(&l, UART_IER) & 0x0f, 0x0f);
	out(&l, UART_IER, 0);
	out(&l, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(in(&l, UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS);
	out(&l, UART_MCR, 0);
	out(&l, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(in(&l, UART_IIR) >> 6, 3);
	out(&l, UART_SCR, 0x5a);
	assert_int_equal(in(&l, UART_SCR), 0x5a);
	/* The divisor is behind DLAB and keeps apart from data and IER. */
	out(&l, UART_LCR, UART_LCR_DLAB);
	out(&l, UART_DLL, 0x12);
	out(&l, UART_DLM, 0x34);
	assert_int_equal(in(&l, UART_DLL), 0x12);
	assert_int_equal(in(&l, UART_DLM), 0x34);
	out(&l, UART_LCR, UART_LCR_WLEN8);
	assert_int_equal(in(&l, UART_IER), 0);
	assert_int_equal(l.out.len, 0);
	line_deinit(&l);
}

TEST(an_empty_transmitter_interrupts_once_until_it_is_seen)
{
	struct line l;

	line_init(&l);
	out(&l, UART_IER, UART_IER_THRI);
	assert_int_equal(l.raised, 1);
	assert_int_equal(in(&l, UART_IIR) & 0x0f, UART_IIR_THRI);
	assert_int_equal(in(&l, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	out(&l, UART_TX, 'x');
	assert_int_equal(l.raised, 2);
	assert_int_equal(in(&l, UART_IIR) & 0x0f, UART_IIR_THRI);
	/* Linux's test for the THRE bug: off and on again is a new cause. */
	out(&l, UART_IER, 0);
	out(&l, UART_IER, UART_IER_THRI);
	assert_int_equal(in(&l, UART_IIR) & 0x0f, UART_IIR_THRI);
	line_deinit(&l);
}

TEST(input_waits_in_a_bounded_queue_and_interrupts)
{
	struct line l;
	char many[2 * SERIAL_QUEUE_BYTES] = "ab";

	line_init(&l);
	out(&l, UART_IER, UART_IER_RDI);
	assert_int_equal(serial_input(&l.serial, many, sizeof(many)), SERIAL_QUEUE_BYTES);
	assert_int_equal(serial_input(&l.serial, many, 1), 0);
	assert_int_equal(l.raised, 1);
	assert_int_equal(in(&l, UART_IIR) & 0x0f, UART_IIR_RDI);
	assert_int_equal(in(&l, UART_LSR) & UART_LSR_DR, UART_LSR_DR);
	assert_int_equal(in(&l, UART_RX), 'a');
	assert_int_equal(in(&l, UART_RX), 'b');
	out(&l, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(in(&l, UART_LSR) & UART_LSR_DR, 0);
	assert_int_equal(in(&l, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	assert_int_equal(in(&l, UART_RX), 0);
	line_deinit(&l);
}

TEST(loopback_sends_nothing_out)
{
	struct line l;

	line_init(&l);
	out(&l, UART_MCR, UART_MCR_LOOP);
	out(&l, UART_TX, 'z');
	assert_int_equal(l.out.len, 0);
	assert_int_equal(in(&l, UART_RX), 'z');
	line_deinit(&l);
}

TEST(wide_accesses_are_nobodys)
{
	struct line l;

	line_init(&l);
	for (uint8_t size = 2; size <= 8; size *= 2) {
		struct bus_access a = { .addr = 0, .size = size, .is_write = true };

		assert_int_equal(serial_access(&l.serial, &a), BUS_UNHANDLED);
	}
	line_deinit(&l);
}

TESTS(T(written_bytes_are_out_at_once), T(the_linux_driver_finds_a_16550a),
      T(an_empty_transmitter_interrupts_once_until_it_is_seen),
      T(input_waits_in_a_bounded_queue_and_interrupts), T(loopback_sends_nothing_out),
      T(wide_accesses_are_nobodys))
