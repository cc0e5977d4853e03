// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr doctor`: what this host offers, and what to do about what is missing. */
#include "cli/command.h"

#include "host/doctor.h"
#include "image/kernel.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct doctor_options {
	bool is_json;
};

static const struct argp_option doctor_options[] = {
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{ 0 },
};

static error_t doctor_option(int key, char *arg, struct argp_state *state)
{
	struct doctor_options *options = state->input;

	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	options->is_json = true;
	return 0;
}

static const struct argp doctor_argp = {
	.options = doctor_options,
	.parser = doctor_option,
	.doc = "Say what this host offers for running tests: KVM, CPUs, caches, memory, a carrier, "
	       "kernels; and what to do about what is missing. The exit status is 0 if tests can "
	       "run here, 3 if they cannot.",
};

/* The kernel a carrier would boot, if the cache has one. Only the list is looked at: finding it
 * would unpack it. */
static const char *carrier_kernel(const struct kernel_images *images)
{
	for (size_t i = 0; i < images->count; i++) {
		const struct kernel_image *k = &images->all[i];

		if (k->package && k->release && !strncmp(k->release, "6.12.", 5) &&
		    !strstr(k->release, "cloud"))
			return k->release;
	}
	return NULL;
}

static struct doctor_kernel *describe(const struct kernel_images *images)
{
	struct doctor_kernel *kernels = calloc(images->count + 1, sizeof(*kernels));

	for (size_t i = 0; kernels && i < images->count; i++)
		kernels[i] = (struct doctor_kernel){ images->all[i].name, images->all[i].release,
						     images->all[i].is_default };
	return kernels;
}

static int doctor_run(const struct command *self, int argc, char **argv)
{
	cleanup(kernel_images_deinit) struct kernel_images images = KERNEL_IMAGES_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(freep) char *qemu = NULL;
	cleanup(freep) struct doctor_kernel *kernels = NULL;
	struct doctor_options options = { 0 };
	struct doctor_report report = { 0 };

	command_parse(self, argc, argv, &options);
	if (host_info_read("", &report.host) < 0 || kernel_list(&images) < 0)
		return command_fail(self, false, EXIT_INFRA);
	kvm_probe(&report.kvm);
	if (host_find_program("qemu-system-x86_64", &qemu) == 0)
		report.qemu = qemu;
	kernels = describe(&images);
	report.carrier_kernel = carrier_kernel(&images);
	report.kernels = kernels;
	report.kernel_count = kernels ? images.count : 0;
	(options.is_json ? doctor_json : doctor_text)(&report, &out);
	if (buf_ok(&out) < 0)
		return command_fail(self, false, EXIT_INFRA);
	fputs(buf_text(&out), stdout);
	return doctor_way(&report) == DOCTOR_NO_WAY ? EXIT_INFRA : 0;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "what this host offers, and what to do about what is missing",
	.argp = &doctor_argp,
	.run = doctor_run,
};
