/* SPDX-License-Identifier: GPL-2.0-only */
/* The carrier's QEMU process: its command line, its start, its certain end. */
#pragma once

#include "base/buf.h"
#include "host/carrier.h"

#include <sys/types.h>

struct carrier_qemu {
	pid_t pid;	/* 0: none */
	int stream_fd;	/* our end of the byte stream, non-blocking */
	int delay_fd;	/* our end of the delay port (carrier_port.h), non-blocking */
	int console_fd; /* what the carrier's serial console and QEMU itself say, non-blocking */
};
#define CARRIER_QEMU_NULL                                                                          \
	((struct carrier_qemu){ .stream_fd = -1, .delay_fd = -1, .console_fd = -1 })

/* Start QEMU for @desc. It is in a process group of its own, so that a Ctrl-C of the terminal
 * reaches only us, and it is killed when the calling thread ends, however that happens. -ENOENT if
 * there is no QEMU, -EINVAL for a kernel or disk that cannot be read. */
int carrier_qemu_start(const struct carrier_desc *desc, struct carrier_qemu *ret) must_check;

/* Kill it, wait for its end, close what was open. Fine on CARRIER_QEMU_NULL and twice. */
void carrier_qemu_stop(struct carrier_qemu *q);

/* Descriptors that QEMU's words name. */
struct carrier_qemu_fds {
	int stream, delay, initramfs;
};

/* The words of its command line, each with a NUL behind, appended to @out; argv[0] is @qemu. For
 * carrier_qemu_start() and tests. */
void carrier_qemu_words(const struct carrier_desc *desc, const char *qemu,
			const struct carrier_qemu_fds *fds, struct buf *out);
