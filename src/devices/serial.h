/* SPDX-License-Identifier: GPL-2.0-only */
/* A 16550A serial port whose line is infinitely fast: what the guest writes is out at once, and what
 * comes in waits in a small queue until the guest takes it. For kernel logs: correct as far as
 * Linux's 8250 driver and early console look (scratch, FIFO and loopback tests included).
 * Source: National Semiconductor PC16550D data sheet, register tables. */
#pragma once

#include "bus/bus.h"

#include <pthread.h>
#include <stddef.h>

enum { SERIAL_PORTS = 8, SERIAL_COM1 = 0x3f8, SERIAL_COM1_IRQ = 4, SERIAL_QUEUE_BYTES = 64 };

/* Registers and input queue: all that a snapshot must keep. */
struct serial_state {
	uint8_t ier, lcr, mcr, scr, fcr;
	uint8_t divisor_low, divisor_high;
	bool is_thr_pending; /* transmitter-empty interrupt not yet seen by an IIR read */
	uint8_t queue[SERIAL_QUEUE_BYTES];
	unsigned queue_start, queue_len;
};

struct serial {
	struct serial_state state;
	struct irq_line irq;
	void (*out)(void *ctx, const char *bytes, size_t n);
	void *out_ctx;
	pthread_mutex_t lock; /* vCPUs against each other and against serial_input() */
};

/* A port after reset. @out is called by whichever vCPU writes, one call at a time. */
void serial_init(struct serial *s, struct irq_line irq,
		 void (*out)(void *ctx, const char *bytes, size_t n), void *out_ctx);
void serial_deinit(struct serial *s);

/* The function of a bus_region of SERIAL_PORTS port addresses. Accesses of one byte; wider ones are
 * nobody's. Any thread. */
enum bus_result serial_access(void *ctx, struct bus_access *a);

/* Give the guest input; returns how many of @n bytes found room in the queue. Any thread. */
size_t serial_input(struct serial *s, const char *bytes, size_t n);
