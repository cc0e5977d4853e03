// SPDX-License-Identifier: GPL-2.0-only
/* KVM of this host, or the same command line again inside the carrier. */
#include "cli/machine_options.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "devices/blk/spec.h"
#include "harness/carrier_image.h"
#include "host/probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a carrier needs beside the guest's own memory: its kernel, our process, page tables. */
static const uint64_t carrier_own_bytes = GIB;

/* The machine knows best what fits, but a carrier's boot is too long a way to find it out. */
static int check_memory(const struct machine_options *options)
{
	struct host_info host;
	int r = options->memory_bytes ? host_info_read("", &host) : 0;

	if (r < 0)
		return err_trace(r);
	if (options->memory_bytes && options->memory_bytes > host.memory_available_bytes)
		return err_new(-ENOMEM, "memory of %llu MiB: this host has %llu MiB available",
			       (unsigned long long)(options->memory_bytes / MIB),
			       (unsigned long long)(host.memory_available_bytes / MIB));
	return 0;
}

int accel_choose(const struct machine_options *options)
{
	struct kvm_probe probe;
	char found[256], advice[256];
	int r = check_memory(options);

	if (r < 0)
		return err_trace(r);
	if (carrier_is_inside())
		return 0;
	if (options->accel == ACCEL_CARRIER) {
		fprintf(stderr, "ktstr: running in the carrier (emulated by QEMU, slow)\n");
		return ACCEL_ELSEWHERE;
	}
	kvm_probe(&probe);
	if (kvm_probe_can_boot(&probe))
		return 0;
	kvm_probe_text(&probe, found, sizeof(found), advice, sizeof(advice));
	if (options->accel == ACCEL_KVM)
		return err_new(-ENODEV, "%s%s%s", found, advice[0] ? "; " : "", advice);
	fprintf(stderr, "ktstr: %s: running in the carrier (emulated by QEMU, slow)\n", found);
	return ACCEL_ELSEWHERE;
}

/* The files that a machine inside may write: the carrier's own host files are read-only. */
struct writable {
	char *paths[MACHINE_OPTIONS_DISKS];
	unsigned count;
};

static void writable_deinit(struct writable *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free(w->paths[i]);
}

static int find_writable(const struct machine_options *o, struct writable *w)
{
	for (unsigned i = 0; i < o->disk_count; i++) {
		struct blk_spec spec;
		char *path;
		int r = blk_spec_parse(o->disks[i], &spec);

		if (r < 0)
			return err_trace(r);
		if (spec.record[0])
			return err_new(
				-EOPNOTSUPP,
				"disk %s: record=%s would be lost with the carrier; it needs "
				"/dev/kvm, or `ktstr blk`",
				spec.path, spec.record);
		if (spec.control[0])
			return err_new(
				-EOPNOTSUPP,
				"disk %s: control=%s would be out of reach in the carrier; it "
				"needs /dev/kvm, or `ktstr blk`",
				spec.path, spec.control);
		if (spec.backing != BLK_BACKING_FILE || spec.is_read_only || spec.has_overlay)
			continue;
		path = realpath(spec.path, NULL);
		if (!path)
			return err_new(-errno, "disk %s: %s", spec.path, strerror(errno));
		w->paths[w->count++] = path;
	}
	return 0;
}

int accel_run(const struct accel_job *job, int *status_ret)
{
	const struct kernel_progress progress = { .say = machine_options_say };
	cleanup(carrier_image_deinit) struct carrier_image image = CARRIER_IMAGE_NULL;
	cleanup(writable_deinit) struct writable disks = { 0 };
	struct carrier_desc desc;
	struct carrier_command command = {
		.argv = job->argv,
		.record = job->record,
		.record_ctx = job->record_ctx,
		.stdin_fd = job->has_stdin ? STDIN_FILENO : -1,
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.is_tty = job->is_tty,
	};
	int r = find_writable(job->options, &disks);

	if (r == 0)
		r = carrier_image_make(NULL, &progress, &image);
	if (r < 0)
		return err_trace(r);
	desc = carrier_image_desc(&image);
	desc.signal_fd = -1;
	desc.memory_bytes =
		MAX(CARRIER_MEMORY_DEFAULT, job->options->memory_bytes + carrier_own_bytes);
	desc.rw_disks = (const char *const *)disks.paths;
	desc.rw_disk_count = disks.count;
	return carrier_run(&desc, &command, status_ret);
}
