/* SPDX-License-Identifier: GPL-2.0-only */
/* The byte stream between the carrier's two ends: one virtio-serial port (carrier_port.h)
 * inside, a socket outside. Frames of a 12-byte header {le32 magic, le32 type, le32 length} and a
 * payload of at most CARRIER_PAYLOAD_MAX bytes. (Room wire has a protocol of its own, for ktstr's
 * guests; rooms do not share it because this one carries a process, not a plan.)
 *
 *   outer: RUN, then any of STDIN, STDIN_END, WINSIZE, SIGNAL, NUDGE;   inner: READY once, then for each
 *   RUN any of STDOUT, STDERR, RECORD, STDIN_TAKEN, then FILE and FILE_DATA for each result, EXIT last.
 *
 * STDIN has credit: at most CARRIER_STDIN_WINDOW bytes are on their way that STDIN_TAKEN has not
 * given back, so a command that does not read never blocks the stream. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CARRIER_FRAME_MAGIC = 0x3143544b, /* "KTC1" */
	CARRIER_HEADER_BYTES = 12,
	CARRIER_PAYLOAD_MAX = 1 << 20,
	CARRIER_CHUNK_BYTES = 1 << 16, /* of STDOUT, STDERR, RECORD, FILE_DATA */
	CARRIER_STDIN_WINDOW = 1 << 16,
	CARRIER_VERSION = 3,
	CARRIER_RECORD_FD = 3, /* of the command, see struct carrier_command */
};

enum carrier_frame_type {
	CARRIER_RUN = 1,     /* see struct carrier_run_request */
	CARRIER_STDIN,	     /* bytes */
	CARRIER_STDIN_END,   /* none */
	CARRIER_WINSIZE,     /* le32 rows, le32 columns */
	CARRIER_SIGNAL,	     /* le32 signal, for the command's process group */
	CARRIER_NUDGE,	     /* none: what matters is that it comes, see carrier.c */
	CARRIER_READY = 32,  /* le32 CARRIER_VERSION */
	CARRIER_STDOUT,	     /* bytes */
	CARRIER_STDERR,	     /* bytes */
	CARRIER_STDIN_TAKEN, /* le32 bytes */
	CARRIER_FILE,	     /* le32 permission bits, path below results_dir, NUL */
	CARRIER_FILE_DATA,   /* bytes, appended to the last FILE */
	CARRIER_EXIT,	     /* le32 is_signal, le32 status or signal */
	CARRIER_FAILED,	     /* text: the carrier cannot go on */
	CARRIER_RECORD,	     /* bytes */
};

struct carrier_frame {
	enum carrier_frame_type type;
	const char *payload; /* into the reader's buffer, until its next use */
	uint32_t length;
};

/* Take frames out of the bytes that arrived: append to @in, call next until it says MORE. */
struct carrier_reader {
	struct buf in;
	size_t used; /* bytes of the frame last given out */
};
enum { CARRIER_FRAME_MORE = 1 };

/* 0 with the next frame in @ret; CARRIER_FRAME_MORE; -EPROTO if the bytes are no frame. */
int carrier_reader_next(struct carrier_reader *r, struct carrier_frame *ret) must_check;
void carrier_reader_deinit(struct carrier_reader *r);

/* Append one frame to @out. */
void carrier_frame_add(struct buf *out, enum carrier_frame_type type, const void *payload,
		       size_t length);
void carrier_frame_add_u32(struct buf *out, enum carrier_frame_type type, uint32_t a);
void carrier_frame_add_u32x2(struct buf *out, enum carrier_frame_type type, uint32_t a, uint32_t b);

/* The payload of RUN: le32 of CARRIER_RUN_ bits, then the numbers of arguments, variables and disks, then
 * NUL-terminated cwd, results_dir ("" for none), arguments, environment, disks. */
enum { CARRIER_RUN_TTY = 1 << 0, CARRIER_RUN_RECORDS = 1 << 1 };

struct carrier_run_request {
	const char *cwd;
	const char *results_dir; /* NULL: none */
	const char *const *argv;
	const char *const *envp;
	const char *const *disks; /* path of writable disk N, whose drive has the serial ktstrN */
	bool is_tty;
	bool has_records;
};

/* Append a RUN frame. -E2BIG if it does not fit into one. */
int carrier_run_request_add(struct buf *out, const struct carrier_run_request *q) must_check;

/* The other way; the strings point into @payload, the arrays (malloc'ed) are freed by
 * carrier_run_request_deinit(). -EPROTO if @payload is not well-formed, or argv is empty. */
int carrier_run_request_read(const char *payload, uint32_t length,
			     struct carrier_run_request *ret) must_check;
void carrier_run_request_deinit(struct carrier_run_request *q);
