/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be said of a machine's description before anything is opened. */
#pragma once

#include "vmm/machine.h"

/* Returns 0, or a negative errno with words: -EINVAL, -ENOMEM (more memory than there is). */
int machine_check(const struct machine_desc *d) must_check;

/* The least memory of a machine of that topology; what it has is whole MiB. */
uint64_t machine_least_memory_bytes(const struct topology *t);
