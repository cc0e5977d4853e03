/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames on the channel between host and guest, a byte stream over the virtio-console port
 * WIRE_PORT_NAME. A frame is a 16-byte header and a payload of at most FRAME_PAYLOAD_MAX bytes; the
 * sequence number counts a direction's frames from 0, so that a lost or torn frame is noticed.
 *
 * Every struct of this room is little-endian with naturally aligned fixed-width fields; base/util.h
 * asserts that the host is little-endian, so a decoder is a copy followed by checks. Nothing points
 * into the stream after decoding. Both sides treat the other's bytes as hostile.
 *
 * A conversation:
 *   guest: READY, once, when init has finished its mounts and modules
 *   host:  CLOCK(host ns), guest: CLOCK(host ns, guest ns); at any time, any number of times
 *   host:  PLAN; guest: EVENT, CPUSTAT, TASKSTAT, CGROUPSTAT, REPORT, PAYLOAD_*, FAILED in their
 *          order of happening, then exactly one DONE with the plan's id. Between PLAN and DONE the
 *          host may send STOP (ends the plan early, still with reports).
 *   host:  EXEC, then STDIN (empty payload: end of input), SIGNAL, WINSIZE; guest: STDOUT, STDERR,
 *          then one EXIT. One EXEC or PLAN at a time; a second one is answered by FAILED.
 *   host:  SHUTDOWN; guest: cleans up, resets the machine.
 * To add a frame type: append to the enum (never renumber), describe its payload in report.h or
 * exec.h with a static_assert and a decoder, add a row to the name table in frame.c. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define WIRE_PORT_NAME "ktstr.ctl"
/* Kernel argument, which is no argument of the kernel's and so becomes init's environment: bring up the
 * CPUs that the kernel was told (maxcpus=1) to leave down. */
#define WIRE_ONLINE_NAME "KTSTR_ONLINE"
#define WIRE_ONLINE_ARG WIRE_ONLINE_NAME "=1"

enum {
	WIRE_VERSION = 1,
	FRAME_MAGIC = 0x3152534b, /* "KSR1" */
	FRAME_HEADER_BYTES = 16,
	FRAME_PAYLOAD_MAX = 1 << 20,
};

enum frame_type {
	/* guest to host */
	FRAME_READY = 1,	 /* struct wire_ready */
	FRAME_EVENT = 2,	 /* struct wire_event */
	FRAME_REPORT = 3,	 /* struct wire_report + buckets, one for each worker and window */
	FRAME_CPUSTAT = 4,	 /* struct wire_sample + struct wire_cpustat[] */
	FRAME_TASKSTAT = 5,	 /* struct wire_sample + struct wire_taskstat[] */
	FRAME_CGROUPSTAT = 6,	 /* struct wire_sample + struct wire_cgroupstat[] */
	FRAME_STDOUT = 7,	 /* bytes */
	FRAME_STDERR = 8,	 /* bytes */
	FRAME_EXIT = 9,		 /* struct wire_exit */
	FRAME_DONE = 10,	 /* struct wire_done */
	FRAME_FAILED = 11,	 /* struct wire_failed + text */
	FRAME_PAYLOAD_OUT = 12,	 /* struct wire_payload_out + bytes */
	FRAME_PAYLOAD_EXIT = 13, /* struct wire_payload_exit */
	/* both ways */
	FRAME_CLOCK = 32, /* struct wire_clock */
	/* host to guest */
	FRAME_PLAN = 64,     /* wire/plan.h */
	FRAME_EXEC = 65,     /* wire/exec.h */
	FRAME_STDIN = 66,    /* bytes; none: end of input */
	FRAME_WINSIZE = 67,  /* struct wire_winsize */
	FRAME_SIGNAL = 68,   /* struct wire_signal */
	FRAME_STOP = 69,     /* nothing */
	FRAME_SHUTDOWN = 70, /* nothing */
};

struct frame_header {
	uint32_t magic;
	uint16_t type;
	uint16_t flags; /* 0; a receiver refuses others */
	uint32_t len;
	uint32_t seq;
};

_Static_assert(sizeof(struct frame_header) == FRAME_HEADER_BYTES, "wire layout");

/* One received frame. @payload borrows the receiving buffer until frame_consume(). It is aligned
 * for nothing: decoders copy. */
struct frame {
	uint16_t type;
	uint32_t len;
	uint32_t seq;
	const void *payload;
};

enum frame_outcome { FRAME_MORE = 1 };

/* Look at the first frame in @in (bytes as they came from the stream). @seq is the number it must
 * carry. Returns 0; FRAME_MORE if it is not complete yet; -EPROTO with words if the stream is no
 * stream of frames (wrong magic, flags, length or sequence, unknown type): the channel is lost. */
int frame_peek(const struct buf *in, uint32_t seq, struct frame *ret) must_check;

/* Drop the frame that frame_peek() showed. */
void frame_consume(struct buf *in, const struct frame *f);

/* Append a frame to @out and count @seq up. @len is at most FRAME_PAYLOAD_MAX (else -EMSGSIZE with
 * words). An out-of-memory is remembered by @out (buf_ok()). */
int frame_put(struct buf *out, uint32_t *seq, enum frame_type type, const void *payload,
	      size_t len) must_check;

/* The name of a type for messages: "PLAN"; "unknown" for others. */
const char *frame_name(unsigned type);
