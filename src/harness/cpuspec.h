/* SPDX-License-Identifier: GPL-2.0-only */
/* Cpuset specifications ("llc 1", "cpu 0-3,7", "part 1/3"; the grammar is in ktstr/scenario.h) as
 * sets of CPUs of one machine.
 *
 * To add a way to name CPUs by number: a row in the table of cpuspec.c. */
#pragma once

#include "base/err.h"
#include "vmm/topology.h"
#include "wire/mask.h"

/* Resolve @text against @t. Returns 0 and a set that is not empty, or -EINVAL with words that hold
 * the value and what the machine has ("\"llc 7\": machine 1n2l4c1t has LLCs 0-1"). Any thread. */
int cpuspec_resolve(const char *text, const struct topology *t, struct cpu_mask *ret) must_check;

/* The nodes of the CPUs that @text names, one bit each. The same errors. */
int cpuspec_nodes(const char *text, const struct topology *t, uint64_t *ret) must_check;
