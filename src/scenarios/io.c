// SPDX-License-Identifier: GPL-2.0-only
/* I/O: do tasks that wait for a disk get the CPU back beside tasks that never leave it?
 *
 * The disk's own work is the host's: on a host with one CPU it takes 120 to 180 permille of the window from
 * the vCPU. The claims about one CPU take 250: a wait that so much of the window explains is undecided all
 * the same, and it cannot make ten requests of a hundred. */
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

SCENARIO(disk_reader_one_cpu) = {
	.summary = "a reader is woken by its completion beside two hogs on the only CPU",
	.topology = "1n1l1c1t",
	.disks = DISKS("ram:64M"),
	.cgroups = CGROUPS({ .name = "reader", .workers = WORKERS({ .work = "io_rand_read" }) },
			   { .name = "hogs",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=20 of=reader noise=250permille",
			 "starvation gap=300ms of=hogs noise=250permille"),
};

SCENARIO(disk_writer_one_cpu) = {
	.summary = "a writer that flushes each block goes on beside two hogs on the only CPU",
	.topology = "1n1l1c1t",
	.disks = DISKS("ram:64M"),
	.cgroups = CGROUPS({ .name = "writer", .workers = WORKERS({ .work = "io_sync_write" }) },
			   { .name = "hogs",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=10 of=writer noise=250permille",
			 "starvation gap=300ms of=hogs noise=250permille"),
};

SCENARIO(disk_convoy) = {
	.summary = "readers behind one lock: its holder, asleep in the kernel, is not forgotten",
	.topology = "1n1l1c1t",
	.disks = DISKS("ram:64M"),
	.cgroups = CGROUPS({ .name = "convoy",
			     .workers = WORKERS({ .work = "io_convoy contenders=4",
						  .count = "4" }) },
			   { .name = "hog", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=10 of=convoy noise=250permille",
			 "starvation gap=300ms of=hog noise=250permille"),
};
