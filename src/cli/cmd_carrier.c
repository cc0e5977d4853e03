// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr carrier`: run any command where KVM is real. */
#include "cli/command.h"

#include "base/parse.h"
#include "base/util.h"
#include "harness/carrier_image.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY_RW_DISK = 256, KEY_RESULTS };

struct carrier_options {
	struct carrier_command command;
	uint64_t timeout_s;
	uint64_t memory_mib;
	const char *kernel;
	const char *disks[CARRIER_RW_DISKS_MAX];
	unsigned disk_count;
	bool is_verbose;
};

static const struct argp_option carrier_options[] = {
	{ "timeout", 't', "S", 0, "End the command after S seconds, status 124", 0 },
	{ "memory", 'm', "MIB", 0, "Memory of the carrier (default 3072)", 0 },
	{ "kernel", 'k', "KERNEL", 0, "Its kernel, generic flavour (default: newest 6.12)", 0 },
	{ "rw-disk", KEY_RW_DISK, "FILE", 0,
	  "FILE is writable in the carrier, as a block device under its own path", 0 },
	{ "results", KEY_RESULTS, "DIR", 0,
	  "DIR is empty and writable in the carrier; files below it arrive in DIR at the end", 0 },
	{ "verbose", 'v', NULL, 0, "Say where an error came from", 0 },
	{ 0 },
};

/* The carrier knows files by absolute path only. */
static char *absolute(const char *path, struct argp_state *state)
{
	char *full = realpath(path, NULL);

	if (!full)
		argp_error(state, "%s: %s", path, strerror(errno));
	return full;
}

static void add_disk(struct carrier_options *o, const char *path, struct argp_state *state)
{
	if (o->disk_count == CARRIER_RW_DISKS_MAX)
		argp_error(state, "at most %d disks", CARRIER_RW_DISKS_MAX);
	o->disks[o->disk_count++] = absolute(path, state);
}

static void set_number(const char *arg, uint64_t min, uint64_t max, uint64_t *ret,
		       struct argp_state *state)
{
	if (parse_u64_in(arg, min, max, ret) < 0)
		argp_error(state, "%s is no number in %llu..%llu", arg, (unsigned long long)min,
			   (unsigned long long)max);
}

static error_t carrier_option(int key, char *arg, struct argp_state *state)
{
	struct carrier_options *o = state->input;

	switch (key) {
	case 't':
		set_number(arg, 1, 1000000, &o->timeout_s, state);
		return 0;
	case 'm':
		set_number(arg, 512, 1 << 20, &o->memory_mib, state);
		return 0;
	case 'k':
		o->kernel = arg;
		return 0;
	case KEY_RW_DISK:
		add_disk(o, arg, state);
		return 0;
	case KEY_RESULTS:
		o->command.results_dir = absolute(arg, state);
		return 0;
	case 'v':
		o->is_verbose = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->command.argv = (const char *const *)(uintptr_t)(state->argv + state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which command?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp carrier_argp = {
	.options = carrier_options,
	.parser = carrier_option,
	.args_doc = "CMD [ARG...]",
	.doc = "Run a command where KVM is real, on a host that has none: in a QEMU machine that "
	       "emulates hardware virtualisation, over this host's files. They are read-only "
	       "there, "
	       "but for /tmp, /var/tmp and the state directory, where what is written is lost at "
	       "the end. The exit status is the command's.",
};

static void print_line(void *ctx, const char *line)
{
	fprintf(stderr, "ktstr: %s\n", line);
}

static int run_in_carrier(const struct carrier_options *o, int *status_ret)
{
	cleanup(carrier_image_deinit) struct carrier_image image = CARRIER_IMAGE_NULL;
	struct kernel_progress progress = { print_line, NULL };
	int r = carrier_image_make(o->kernel, &progress, &image);

	if (r < 0)
		return err_trace(r);
	struct carrier_desc desc = carrier_image_desc(&image);
	desc.memory_bytes = o->memory_mib * MIB;
	desc.rw_disks = o->disks;
	desc.rw_disk_count = o->disk_count;
	return carrier_run(&desc, &o->command, status_ret);
}

static int carrier_command_run(const struct command *self, int argc, char **argv)
{
	struct carrier_options o = { .command = { .stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2 } };
	int status = EXIT_INFRA;

	command_parse(self, argc, argv, &o);
	o.command.is_tty = isatty(0) && isatty(1);
	o.command.timeout_ns = o.timeout_s * NSEC_PER_SEC;
	if (run_in_carrier(&o, &status) < 0)
		status = command_fail(self, o.is_verbose, EXIT_INFRA);
	for (unsigned i = 0; i < o.disk_count; i++)
		free((char *)(uintptr_t)o.disks[i]);
	free((char *)(uintptr_t)o.command.results_dir);
	return status;
}

const struct command cmd_carrier = {
	.name = "carrier",
	.summary = "a command where KVM is real, on a host that has none",
	.argp = &carrier_argp,
	.is_in_order = true,
	.run = carrier_command_run,
};
