/* SPDX-License-Identifier: GPL-2.0-only */
/* What `ktstr doctor` says: the facts about this host, and for each one that is missing what to do.
 * The facts about kernels come from the caller, because this room does not know where kernels are. */
#pragma once

#include "base/buf.h"
#include "host/probe.h"

#include <stdbool.h>
#include <stddef.h>

struct doctor_kernel {
	const char *name;
	const char *release; /* NULL: not known before it is unpacked */
	bool is_default;
};

struct doctor_report {
	struct host_info host;
	struct kvm_probe kvm;
	const char *qemu;	    /* path, or NULL */
	const char *carrier_kernel; /* release of the cached kernel a carrier would boot,
				     * or NULL: it is fetched when needed */
	const struct doctor_kernel *kernels;
	size_t kernel_count;
};

enum doctor_way { DOCTOR_KVM, DOCTOR_CARRIER, DOCTOR_NO_WAY };

/* How tests would run on this host now. */
enum doctor_way doctor_way(const struct doctor_report *r);

void doctor_text(const struct doctor_report *r, struct buf *out);
void doctor_json(const struct doctor_report *r, struct buf *out);
