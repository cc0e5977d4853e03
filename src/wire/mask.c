// SPDX-License-Identifier: GPL-2.0-only
/* CPU sets as text. */
#include "wire/mask.h"

#include <stdio.h>

/* The CPU behind the run of set CPUs that begins at @from. */
static unsigned run_end(const struct cpu_mask *m, unsigned from)
{
	while (mask_has(m, from))
		from++;
	return from;
}

char *mask_format(const struct cpu_mask *m, char text[MASK_TEXT_BYTES])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned cpu = mask_next(m, 0); cpu < WIRE_CPUS && used < MASK_TEXT_BYTES;) {
		unsigned end = run_end(m, cpu);
		const char *comma = used ? "," : "";
		int n;

		if (end - cpu == 1)
			n = snprintf(text + used, MASK_TEXT_BYTES - used, "%s%u", comma, cpu);
		else
			n = snprintf(text + used, MASK_TEXT_BYTES - used, "%s%u-%u", comma, cpu,
				     end - 1);
		used += (size_t)n;
		cpu = mask_next(m, end);
	}
	return text;
}
