/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmarks share that compare our machine with QEMU's microvm: our side as a VMM and nothing
 * else, QEMU's command line, the start of either, medians. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "vmm/machine.h"

#include <sys/types.h>

enum { VMM_MEMORY_MIB = 512, VMM_WORDS_MAX = 48 };

/* Our machine: 2 vCPUs, VMM_MEMORY_MIB, its console on our stdout; @disk NULL: none. */
int vmm_machine(const char *kernel, const struct buf *initramfs, const struct blk_spec *disk,
		struct machine **ret) must_check;

/* Run @m until it ends or we are killed; frees it. Returns an exit status. */
int vmm_run(struct machine *m);

/* The same machine in QEMU, @more (NULL: nothing) behind it. @words has VMM_WORDS_MAX. */
void vmm_qemu_words(const char **words, const char *kernel, const char *initramfs,
		    const char *cmdline, const char *const *more);

/* Start a VMM, with its console in a pipe; it is killed after @timeout_s. */
int vmm_spawn(const char *const *words, unsigned timeout_s, pid_t *pid_ret,
	      int *console_ret) must_check;
void vmm_kill(pid_t pid);

/* Sorts @values. */
double vmm_median(double *values, unsigned count);
