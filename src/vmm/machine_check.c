// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/machine_check.h"

#include "base/buf.h"
#include "base/util.h"

#include <errno.h>
#include <stdio.h>

enum {
	MEMORY_MIN_MIB = 64,
	MEMORY_MIN_MIB_FOR_NODE = 32,
};

/* What the host can still give without taking it from others. */
static int available_bytes(uint64_t *ret)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	int r = buf_read_file(&text, "/proc/meminfo", MIB);

	if (r < 0)
		return err_trace(r);
	const char *line = strstr(buf_text(&text), "MemAvailable:");
	unsigned long long kib;

	if (!line || sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
		return err_new(-EIO, "/proc/meminfo says no MemAvailable");
	*ret = kib * KIB;
	return 0;
}

uint64_t machine_least_memory_bytes(const struct topology *t)
{
	return MIB * MAX((uint64_t)MEMORY_MIN_MIB, (uint64_t)MEMORY_MIN_MIB_FOR_NODE * t->nodes);
}

static int check_memory(const struct machine_desc *d)
{
	uint64_t least = machine_least_memory_bytes(&d->topology);
	uint64_t available = 0;

	if (!is_aligned(d->memory_bytes, MIB) || d->memory_bytes < least)
		return err_new(-EINVAL,
			       "memory of %llu bytes: must be whole MiB, at least %llu with %u "
			       "nodes",
			       (unsigned long long)d->memory_bytes,
			       (unsigned long long)(least / MIB), d->topology.nodes);
	int r = available_bytes(&available);

	if (r < 0)
		return err_trace(r);
	if (d->memory_bytes > available)
		return err_new(-ENOMEM, "memory of %llu MiB: this host has %llu MiB available",
			       (unsigned long long)(d->memory_bytes / MIB),
			       (unsigned long long)(available / MIB));
	return 0;
}

int machine_check(const struct machine_desc *d)
{
	int r = topology_check(&d->topology);

	if (r >= 0)
		r = check_memory(d);
	if (r < 0)
		return err_trace(r);
	if (d->disk_count > MACHINE_DISKS_MAX)
		return err_new(-EINVAL, "%u disks, at most %d are possible", d->disk_count,
			       MACHINE_DISKS_MAX);
	return 0;
}
