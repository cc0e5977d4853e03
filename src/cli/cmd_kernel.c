// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr kernel list` and `ktstr kernel fetch`: what is in the cache, and how it gets there. */
#include "cli/command.h"

#include "base/json.h"
#include "base/util.h"
#include "image/kernel.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY_GENERIC = 256, KEY_NEWER };

struct kernel_options {
	bool is_json;
	bool is_verbose;
	enum kernel_flavour flavour;
	unsigned fetch_flags;
	const char *verb;
	const char *spec;
};

static const struct argp_option kernel_options[] = {
	{ "json", 'j', NULL, 0, "list: print JSON", 0 },
	{ "generic", KEY_GENERIC, NULL, 0,
	  "fetch: the generic flavour, which the carrier boots, instead of cloud", 0 },
	{ "newer", KEY_NEWER, NULL, 0,
	  "fetch: ask the archive for a newer one even if the cache has a match", 0 },
	{ "verbose", 'v', NULL, 0, "Say where an error came from", 0 },
	{ 0 },
};

static error_t kernel_arg(struct kernel_options *options, const char *arg, struct argp_state *state)
{
	if (!options->verb)
		options->verb = arg;
	else if (!options->spec && !strcmp(options->verb, "fetch"))
		options->spec = arg;
	else
		argp_error(state, "one argument too many: %s", arg);
	return 0;
}

static error_t kernel_option(int key, char *arg, struct argp_state *state)
{
	struct kernel_options *options = state->input;

	switch (key) {
	case 'j':
		options->is_json = true;
		return 0;
	case 'v':
		options->is_verbose = true;
		return 0;
	case KEY_GENERIC:
		options->flavour = KERNEL_GENERIC;
		return 0;
	case KEY_NEWER:
		options->fetch_flags |= KERNEL_FETCH_NEWER;
		return 0;
	case ARGP_KEY_ARG:
		return kernel_arg(options, arg, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp kernel_argp = {
	.options = kernel_options,
	.parser = kernel_option,
	.args_doc = "list\nfetch [VERSION|FILE.deb]",
	.doc = "The kernels that machines can boot. `list` shows what is at hand; the one with a "
	       "star "
	       "is booted when --kernel is not given. `fetch` takes a Debian package (newest 6.12 "
	       "if no "
	       "VERSION is given) into the cache, without installing it, and unpacks it; it prints "
	       "the kernel's release. A VERSION is the beginning of a release or of a package "
	       "version: 6.1, 6.12.117, 6.12.117-1~deb12u1. If the cache holds a match, nothing is "
	       "downloaded.",
};

static void print_line(void *ctx, const char *line)
{
	fprintf(stderr, "ktstr: %s\n", line);
}

static int kernel_list_run(const struct command *self, const struct kernel_options *options)
{
	cleanup(kernel_images_deinit) struct kernel_images images = KERNEL_IMAGES_NULL;
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);

	if (kernel_list(&images) < 0)
		return command_fail(self, options->is_verbose, EXIT_INFRA);
	if (options->is_json) {
		kernel_list_json(&images, &j);
		puts(buf_text(&out));
		return 0;
	}
	for (size_t i = 0; i < images.count; i++) {
		const struct kernel_image *k = &images.all[i];

		printf("%c %-34s %s\n", k->is_default ? '*' : ' ', k->name,
		       k->bzimage ? k->bzimage : k->vmlinux);
	}
	if (!images.count)
		fprintf(stderr, "ktstr: no kernels; get one: ktstr kernel fetch\n");
	return 0;
}

static int kernel_fetch_run(const struct command *self, const struct kernel_options *options)
{
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	struct kernel_progress progress = { print_line, NULL };

	int r = kernel_fetch(options->spec, options->flavour, options->fetch_flags, &progress, &k);

	if (r < 0)
		return command_fail(self, options->is_verbose,
				    r == -ENOENT ? EXIT_USAGE : EXIT_INFRA);
	puts(k.release);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct command *self, const struct kernel_options *options);
} verbs[] = {
	{ "list", kernel_list_run },
	{ "fetch", kernel_fetch_run },
};

static int kernel_run(const struct command *self, int argc, char **argv)
{
	struct kernel_options options = { .flavour = KERNEL_CLOUD };

	command_parse(self, argc, argv, &options);
	for (size_t i = 0; options.verb && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(options.verb, verbs[i].name))
			return verbs[i].run(self, &options);
	fprintf(stderr, "ktstr kernel: %s%s (list or fetch; see ktstr kernel --help)\n",
		options.verb ? "unknown: " : "what to do is missing",
		options.verb ? options.verb : "");
	return EXIT_USAGE;
}

const struct command cmd_kernel = {
	.name = "kernel",
	.summary = "the kernels at hand: list them, fetch one",
	.argp = &kernel_argp,
	.run = kernel_run,
};
