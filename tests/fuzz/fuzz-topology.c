// SPDX-License-Identifier: GPL-2.0-only
/* Any text as a topology label. What is accepted has a label that says the same again, and places for
 * all of its CPUs. */
#include "base/util.h"
#include "vmm/topology.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
	if (!claim)
		abort();
}

static void check_cpus(const struct topology *t)
{
	uint32_t last_id = 0;

	for (unsigned cpu = 0; cpu < topology_cpu_count(t); cpu++) {
		struct topology_cpu place = topology_cpu(t, cpu);

		require(place.node < t->nodes && place.llc < t->llcs);
		require(place.core < t->cores_per_llc && place.thread < t->threads_per_core);
		require(cpu == 0 || place.apic_id > last_id);
		last_id = place.apic_id;
	}
	require(last_id == topology_max_apic_id(t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256], label[TOPOLOGY_LABEL_BYTES];
	struct topology t, again;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (topology_parse(text, &t) < 0)
		return 0;
	require(topology_cpu_count(&t) <= TOPOLOGY_CPUS_MAX);
	require(topology_parse(topology_label(&t, label), &again) == 0);
	require(!memcmp(&t, &again, sizeof(t)));
	check_cpus(&t);
	return 0;
}
