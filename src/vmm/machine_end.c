// SPDX-License-Identifier: GPL-2.0-only
/* The words for why a machine ended. */
#include "vmm/machine.h"

const char *machine_why_name(enum machine_why why)
{
	static const char *const names[] = {
		[MACHINE_RUNNING] = "running",	     [MACHINE_SHUTDOWN] = "shutdown",
		[MACHINE_RESET] = "reset",	     [MACHINE_TRIPLE_FAULT] = "triple_fault",
		[MACHINE_VCPU_ERROR] = "vcpu_error", [MACHINE_KILLED] = "killed",
	};

	return names[why];
}
