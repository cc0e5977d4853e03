/* SPDX-License-Identifier: GPL-2.0-only */
/* What to do with each reason for which KVM gives a vCPU back to us. */
#pragma once

#include "vmm/vcpu.h"

/* Answer the exit in v->run. Returns false if the thread is to end; the machine was told why.
 * Called from the vCPU's thread. */
bool vcpu_exit(struct vcpu *v);
