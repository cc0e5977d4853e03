// SPDX-License-Identifier: GPL-2.0-only
#include "harness/patience.h"

#include "base/util.h"
#include "host/carrier.h"

#include <sched.h>

enum { CROWDED = 4 };

unsigned patience_crowding(const struct topology *t)
{
	unsigned cpus = topology_cpu_count(t);
	cpu_set_t allowed;
	unsigned have = cpus;

	/* It fails on a host of more CPUs than the set can hold: enough of them. */
	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		have = (unsigned)CPU_COUNT(&allowed);
	return MAX((cpus + have - 1) / have, 1u);
}

uint64_t patience_boot_ns(const struct topology *t)
{
	bool is_emulated = carrier_is_inside();
	uint64_t base_s = is_emulated ? 180 : 60, one_cpu_s = is_emulated ? 10 : 1;

	return (base_s + one_cpu_s * topology_cpu_count(t)) * NSEC_PER_SEC;
}

uint64_t patience_run_ns(const struct topology *t)
{
	return (patience_crowding(t) - 1) * 10 * NSEC_PER_SEC;
}

uint64_t patience_report_ns(const struct topology *t)
{
	return (patience_crowding(t) - 1) * NSEC_PER_SEC;
}

bool patience_boots_alone(const struct topology *t)
{
	return patience_crowding(t) >= CROWDED;
}
