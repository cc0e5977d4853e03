/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine without a CPU: guest RAM at 0, our virtio-mmio block device at QEMU's address for it, and
 * time that moves only when told. Commands are those of QEMU's qtest protocol, so that one script
 * drives this device or QEMU's; two more tell what only we can: `counters` and `irq`.
 *
 *	readb|readw|readl|readq ADDR		OK 0x%016x
 *	writeb|writew|writel|writeq ADDR VALUE	OK
 *	read ADDR SIZE				OK 0x<hex>
 *	write ADDR SIZE 0xHEX			OK	(short data is padded with zeros)
 *	memset ADDR SIZE VALUE			OK
 *	clock_step [NS]				OK <clock in ns>	(to the next event without NS)
 *	clock_set NS				OK <clock in ns>
 *	endianness				OK little
 *	counters				OK {...}	(device, rings, and refused register accesses)
 *	faults					OK [...]	(the log of firings)
 *	irq					OK <interrupts raised so far>
 *	throttle LIST|none			OK	(the limits change now, without a windfall)
 * Anything else: FAIL Unknown command '...'. What lies in neither RAM nor the device reads as zero.
 * Used by virtio-qtest, by the fuzz targets and by the tests of the block device. */
#pragma once

#include "base/buf.h"
#include "bus/bus.h"
#include "devices/blk/blk.h"
#include "gmem/gmem.h"
#include "virtio/mmio.h"

enum { QTEST_REGISTERS = 0xfeb02e00u, QTEST_WINDOW = 0x200 };

struct qtest {
	struct gmem_backing ram;
	struct gmem mem;
	struct bus bus;
	struct blk *blk;
	struct virtio_mmio mmio;
	bool has_mmio;
	uint64_t clock_ns;
	uint64_t irqs;
};

/* Build the machine around the disk that @spec describes; @q must stay where it is. 0, or a
 * negative errno with words. The caller ends it with qtest_deinit(), also after a failure. */
int qtest_init(struct qtest *q, const struct blk_spec *spec, uint64_t ram_bytes) must_check;
void qtest_deinit(struct qtest *q);

/* Run one command line (changed in place) and append its answer, newline included. */
void qtest_command(struct qtest *q, char *line, struct buf *answer);

/* The commands as functions. */
uint64_t qtest_load(struct qtest *q, uint64_t addr, unsigned size);
void qtest_store(struct qtest *q, uint64_t addr, unsigned size, uint64_t value);
/* Advance the clock to @target_ns, stopping at every event on the way. */
void qtest_clock_to(struct qtest *q, uint64_t target_ns);
