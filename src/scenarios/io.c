// SPDX-License-Identifier: GPL-2.0-only
/* I/O: do tasks that wait for a disk get the CPU back beside tasks that never leave it? */
#include <ktstr/scenario.h>

SCENARIO(disk_reader) = {
	.summary = "readers in D state on a virtio disk go on beside hogs on every CPU",
	.topology = "1n1l2c1t",
	.disks = DISKS("ram:64M"),
	.cgroups = CGROUPS(
		{ .name = "readers", .workers = WORKERS({ .work = "io_rand_read", .count = "2" }) },
		{ .name = "hogs", .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "2s",
	.checks = CHECKS("starvation gap=500ms", "isolation"),
};
