// SPDX-License-Identifier: GPL-2.0-only
#include "cli/machine_options.h"

#include "base/parse.h"
#include "base/util.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_ACCEL = 512, KEY_KASLR, KEY_APPEND };

static const struct argp_option options[] = {
	{ "kernel", 'k', "KERNEL", 0,
	  "Boot this one: VERSION of `ktstr kernel list`, PATH of a bzImage, vmlinux or kernel "
	  "tree, "
	  "or \"host\" (default: the newest cached 6.12)",
	  0 },
	{ "topology", 't', "TOPOLOGY", 0,
	  "NnLlCcTt: nodes, LLCs in all, cores of an LLC, threads of a core, as 2n4l4c2t", 0 },
	{ "memory", 'm', "MIB", 0, "Guest memory in MiB, or with a unit (2G)", 0 },
	{ "disk", 'd', "SPEC", 0,
	  "Add a virtio disk: FILE[,ro], ram:64M, null:1G, with more options (may be given again)",
	  0 },
	{ "timeout", 'T', "SECONDS", 0, "Give up after so long (without the boot)", 0 },
	{ "accel", KEY_ACCEL, "auto|kvm|carrier", 0,
	  "Where to run: KVM of this host, or a carrier (emulated, slow, needs QEMU); auto takes "
	  "the "
	  "carrier where KVM cannot boot a kernel",
	  0 },
	{ "kaslr", KEY_KASLR, NULL, 0, "Boot the bzImage and let the kernel place itself", 0 },
	{ "append", KEY_APPEND, "ARGS", 0, "More words for the kernel's command line", 0 },
	{ "verbose", 'v', NULL, 0, "Show the guest's console; say where errors come from", 0 },
	{ 0 },
};

static void set_memory(struct machine_options *o, const char *arg, struct argp_state *state)
{
	uint64_t mib;

	if (parse_u64_in(arg, 1, UINT64_MAX / MIB, &mib) == 0)
		o->memory_bytes = mib * MIB;
	else if (parse_bytes(arg, &o->memory_bytes) < 0 || !o->memory_bytes)
		argp_error(state, "--memory %s: expected MiB, or a size such as 2G", arg);
}

static void set_timeout(struct machine_options *o, const char *arg, struct argp_state *state)
{
	uint64_t seconds;

	if (parse_u64_in(arg, 1, 1000000, &seconds) == 0)
		o->timeout_ns = seconds * NSEC_PER_SEC;
	else if (parse_duration_ns(arg, &o->timeout_ns) < 0 || !o->timeout_ns)
		argp_error(state, "--timeout %s: expected seconds, or a duration such as 90s", arg);
}

static void set_accel(struct machine_options *o, const char *arg, struct argp_state *state)
{
	static const char *const words[] = { "auto", "kvm", "carrier" };

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(arg, words[i]) == 0) {
			o->accel = (enum accel)i;
			return;
		}
	}
	argp_error(state, "--accel %s: expected auto, kvm or carrier", arg);
}

static void add_disk(struct machine_options *o, const char *arg, struct argp_state *state)
{
	if (o->disk_count == MACHINE_OPTIONS_DISKS)
		argp_error(state, "--disk %s: more than %d disks", arg, MACHINE_OPTIONS_DISKS);
	o->disks[o->disk_count++] = arg;
}

static void set_topology(struct machine_options *o, const char *arg, struct argp_state *state)
{
	if (topology_parse(arg, &o->topology) < 0)
		argp_error(state, "--%s", err_text());
	o->has_topology = true;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct machine_options *o = state->input;

	switch (key) {
	case 'k':
		o->kernel = arg;
		return 0;
	case 't':
		set_topology(o, arg, state);
		return 0;
	case 'm':
		set_memory(o, arg, state);
		return 0;
	case 'd':
		add_disk(o, arg, state);
		return 0;
	case 'T':
		set_timeout(o, arg, state);
		return 0;
	case KEY_ACCEL:
		set_accel(o, arg, state);
		return 0;
	case KEY_KASLR:
		o->has_kaslr = true;
		return 0;
	case KEY_APPEND:
		o->kernel_args = arg;
		return 0;
	case 'v':
		o->is_verbose = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp machine_argp = { .options = options, .parser = option };

void machine_options_say(void *ctx, const char *line)
{
	fprintf(stderr, "ktstr: %s\n", line);
}
