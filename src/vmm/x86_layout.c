// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86_layout.h"

enum { BIG_BORDER = 128 << 20, SMALL_BORDER = 2 << 20 };

/* Offset in RAM where @node starts. */
static uint64_t node_start(const struct topology *t, uint64_t bytes, unsigned node)
{
	uint64_t share = bytes / t->nodes;
	uint64_t border = share >= BIG_BORDER ? BIG_BORDER : SMALL_BORDER;

	if (node == t->nodes)
		return bytes;
	return bytes * node / t->nodes / border * border;
}

unsigned x86_ram_split(const struct topology *t, uint64_t bytes, struct x86_ram *ret)
{
	unsigned count = 0;

	for (unsigned node = 0; node < t->nodes; node++) {
		uint64_t start = node_start(t, bytes, node);
		uint64_t end = node_start(t, bytes, node + 1);
		uint64_t cut = start < X86_MMIO_GAP ? MIN(end, X86_MMIO_GAP) : start;

		if (cut > start)
			ret[count++] = (struct x86_ram){ start, cut - start, node };
		if (end > cut)
			ret[count++] = (struct x86_ram){ x86_ram_address(cut), end - cut, node };
	}
	return count;
}
