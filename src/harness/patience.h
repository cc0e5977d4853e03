/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine may have more vCPUs than this host has CPUs, and its host may be an emulated one. How long
 * to wait for it then, and how to boot it. */
#pragma once

#include "vmm/topology.h"

#include <stdbool.h>
#include <stdint.h>

/* vCPUs for each CPU that this process may use, rounded up. */
unsigned patience_crowding(const struct topology *t);

/* From start to READY: a guess that no working boot reaches. */
uint64_t patience_boot_ns(const struct topology *t);

/* What a scenario may take longer than on a machine whose vCPUs have a CPU each; and the same for the
 * reports of its workers at the end. */
uint64_t patience_run_ns(const struct topology *t);
uint64_t patience_report_ns(const struct topology *t);

/* Is it better to boot with one CPU, and let init bring the others up? A booting kernel interrupts all
 * its CPUs and waits for them, hundreds of times; on a crowded host each of them has to get its turn
 * for that. 64 vCPUs in a carrier: under two minutes this way, not within seven the other way. */
bool patience_boots_alone(const struct topology *t);
