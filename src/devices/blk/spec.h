/* SPDX-License-Identifier: GPL-2.0-only */
/* What the words of a disk mean: `--disk SPEC`, the scenario API and `ktstr blk --disk` share this.
 *
 *	SPEC    = BACKING [,OPTION]...
 *	BACKING = PATH | ram:SIZE | null:SIZE		(a comma in PATH is written twice)
 *	OPTION  = ro | overlay | engine=inline|worker|uring | queues=1..16
 *		| block=512|1024|2048|4096 | serial=TEXT (at most 20 bytes)
 *		| buffers=auto|registered|plain (engine=uring: see enum blk_buffers)
 *		| record=PATH (without commas; a log, record.h, that must not exist yet)
 *		| control=PATH (without commas; a socket, control.h)
 *		| throttle=LIST | latency=MODEL[,seed=S] | fault=LIST	(fault may be given again)
 *
 * LIST is itself KEY=VALUE,KEY=VALUE, in the very grammar of throttle.h and fault.h: a list goes on
 * as long as keys of its own follow. No key means two things, so nothing has to be quoted:
 *
 *	disk.img,throttle=iops=100,iops-burst=10,fault=op=read,nth=2,action=errno:EIO,queues=4
 *	         `------------ throttle -------' `------------ fault ---------------' `-- disk
 *
 * The backing is not touched here: blk_new() opens it. */
#pragma once

#include "base/err.h"
#include "devices/blk/fault.h"
#include "devices/blk/latency.h"
#include "devices/blk/throttle.h"

#include <stdbool.h>
#include <stdint.h>

enum blk_backing_kind {
	BLK_BACKING_FILE, /* path: a file or a block device */
	BLK_BACKING_RAM,  /* bytes of zeros, gone with the disk */
	BLK_BACKING_NULL, /* bytes that read as zeros and forget what is written */
};

enum blk_engine {
	BLK_ENGINE_WORKER, /* a thread for each queue, preadv and pwritev */
	BLK_ENGINE_URING,  /* a thread for each queue, io_uring */
	BLK_ENGINE_INLINE, /* in the thread that kicks; deterministic */
};

/* May engine=uring register guest memory with the host? It then stays pinned while the queue is
 * live, and must not be given back behind our back. */
enum blk_buffers {
	BLK_BUFFERS_AUTO,	/* where nobody but us can exchange its pages */
	BLK_BUFFERS_REGISTERED, /* also a vhost-user front end's, if its file cannot shrink */
	BLK_BUFFERS_PLAIN,	/* never */
};

enum {
	BLK_QUEUES_MAX = 16,
	BLK_SERIAL_BYTES = 20,
	BLK_PATH_MAX = 4096,
};

/* Plain data: copy it freely, nothing to free. */
struct blk_spec {
	enum blk_backing_kind backing;
	char path[BLK_PATH_MAX];
	uint64_t bytes; /* of ram and null */
	bool is_read_only;
	bool has_overlay; /* writes go to memory, the file is opened read-only and never changes */
	enum blk_engine engine;
	enum blk_buffers buffers;
	unsigned queues;
	uint32_t block_bytes;
	char serial[BLK_SERIAL_BYTES + 1];
	char record[BLK_PATH_MAX];  /* "": nothing is recorded */
	char control[BLK_PATH_MAX]; /* "": no socket (control.h) */
	struct blk_throttle_spec throttle;
	struct blk_latency_spec latency;
	unsigned fault_count;
	struct blk_fault_rule faults[BLK_FAULT_RULES_MAX];
};

/* A read-write file disk without a path: worker engine, one queue, 512-byte blocks. */
void blk_spec_init(struct blk_spec *spec);

/* Read a SPEC. 0; -EINVAL or -ERANGE with words that name the option and what it takes. @ret is
 * written on success only. Any thread. */
int blk_spec_parse(const char *text, struct blk_spec *ret) must_check;

const char *blk_engine_name(enum blk_engine engine);
