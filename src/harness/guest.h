/* SPDX-License-Identifier: GPL-2.0-only */
/* A booted guest: the machine, the session with its init, and its console. From guest_boot() to
 * guest_free() it is one thing to its users; any number of scenarios or commands may run in it. */
#pragma once

#include "base/err.h"
#include "harness/boot_image.h"
#include "harness/console_log.h"
#include "harness/session.h"
#include "harness/verdict.h"
#include "vmm/machine.h"
#include "wire/report.h"

#include <stdbool.h>
#include <stdint.h>

struct blk;
struct json;

struct guest_desc {
	const struct boot_image *image;
	struct topology topology;
	uint64_t memory_bytes;
	const char *const *disks; /* specifications */
	unsigned disk_count;
	const char *kernel_args; /* more of the kernel's command line; NULL: none */
	int signal_fd;
	bool has_kaslr;
	bool is_verbose; /* the kernel's log to stderr as it comes */
};

struct guest {
	struct machine *machine;
	struct session session;
	struct console_log console;
	struct wire_ready ready;
	int channel[2];	   /* ours, the machine's */
	uint64_t start_ns; /* of machine_start() */
	uint64_t boot_ns;  /* from machine_start() to READY */
	struct clock_relation clock;
};

enum guest_outcome {
	GUEST_NOT_BOOTED = 1, /* see @why_ret */
	GUEST_INTERRUPTED,
};

/* Why a guest is not there. */
struct guest_failure {
	enum verdict verdict; /* BOOT or INFRA */
	struct buf text;      /* one line */
	struct buf console;   /* its last lines */
};

/* Build the machine, start it, wait for READY. Returns 0; GUEST_NOT_BOOTED, then @why_ret says why
 * and the caller frees it; GUEST_INTERRUPTED; or a negative errno with words if the machine could not
 * be made at all: bad input or host. */
int guest_boot(const struct guest_desc *desc, struct guest **ret,
	       struct guest_failure *why_ret) must_check;
/* Add where each vCPU of a guest that does not answer stands: "; CPU 0 halted at 0xffffffff81c3a5bf,
 * CPU 1 was not started". Addresses are the kernel's own (/proc/kallsyms) unless it placed itself. */
void guest_where(struct guest *g, struct buf *text);
void guest_failure_deinit(struct guest_failure *f);

/* End it at once. NULL is fine. Returns NULL. */
struct guest *guest_free(struct guest *g);
static inline void guest_freep(struct guest **g)
{
	*g = guest_free(*g);
}

/* Append one JSON object about @blk, a disk that was made from @spec: "disk", every counter since
 * the machine's boot under its name (devices/blk/counters.h), and "faults", the firings logged since
 * then. Any thread, while the disk exists. */
void guest_disk_json(struct blk *blk, const char *spec, struct json *j);

/* The verdict about a guest whose machine has ended while it ran something, and one line of words:
 * a dead kernel is FAIL, a dead vCPU thread or init INFRA. */
enum verdict guest_death(struct guest *g, struct buf *text);
