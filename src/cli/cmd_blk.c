// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr blk`: the block device as a vhost-user backend, for any VMM that speaks it. */
#include "cli/command.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "devices/blk/blk.h"
#include "vhost/server.h"

#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct blk_options {
	const char *socket;
	const char *disk;
	bool has_counters;
	bool is_verbose;
};

static const struct argp_option blk_options[] = {
	{ "socket", 's', "PATH", 0, "Listen on this unix socket (required)", 0 },
	{ "socket-path", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "disk", 'd', "SPEC", 0,
	  "What to serve (required): PATH, ram:SIZE or null:SIZE, then options: ,ro ,overlay "
	  ",engine=worker|uring|inline ,buffers=auto|registered|plain ,queues=N ,block=BYTES "
	  ",serial=TEXT "
	  ",record=PATH ,control=PATH "
	  ",throttle=LIST "
	  ",latency=MODEL ,fault=LIST",
	  0 },
	{ "counters", 'c', NULL, 0, "Print the disk's counters as JSON when it ends", 0 },
	{ "verbose", 'v', NULL, 0, "Say what happens to connections", 0 },
	{ 0 },
};

static error_t blk_option(int key, char *arg, struct argp_state *state)
{
	struct blk_options *options = state->input;

	switch (key) {
	case 's':
		options->socket = arg;
		return 0;
	case 'd':
		options->disk = arg;
		return 0;
	case 'c':
		options->has_counters = true;
		return 0;
	case 'v':
		options->is_verbose = true;
		return 0;
	case ARGP_KEY_END:
		if (!options->socket || !options->disk)
			argp_error(state, "--socket and --disk are required");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp blk_argp = {
	.options = blk_options,
	.parser = blk_option,
	.doc = "Serve a disk to one vhost-user-blk front end after another. SIGTERM or SIGINT "
	       "finishes what was started, removes the socket and ends with 0.",
};

/* SIGTERM and SIGINT as a descriptor; blocked before any thread is made, so that all have it so. */
static int open_signals(int *ret)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "signalfd: %s", strerror(errno));
	*ret = fd;
	return 0;
}

static void report_refusal(void *ctx, const char *words)
{
	fprintf(stderr, "ktstr blk: refused: %s\n", words);
}

static void report_end(void *ctx, const char *words)
{
	fprintf(stderr, "ktstr blk: connection ended: %s\n", words);
}

static void print_counters(struct blk *blk)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	blk_counters_json(blk, &out);
	puts(buf_text(&out));
}

/* Everything that can fail before the first connection has failed when this listens. */
static int serve(const struct blk_options *options, const struct blk_spec *spec)
{
	cleanup(fd_closep) int stop_fd = -1;
	cleanup(blk_freep) struct blk *blk = NULL;
	int r = open_signals(&stop_fd);

	if (r >= 0)
		r = blk_new(spec, NULL, &blk);
	if (r >= 0)
		r = blk_start(blk);
	if (r < 0)
		return err_trace(r);
	struct vhost_server_desc desc = {
		.path = options->socket,
		.dev = blk_virtio(blk),
		.stop_fd = stop_fd,
	};
	if (options->is_verbose)
		desc.report = (struct vhost_report){ report_refusal, report_end, NULL };
	cleanup(vhost_server_closep) struct vhost_server *server = NULL;

	r = vhost_server_open(&desc, &server);
	if (r < 0)
		return err_trace(r);
	if (options->is_verbose)
		fprintf(stderr, "ktstr blk: %s on %s\n", options->disk, options->socket);
	r = vhost_server_run(server);
	if (options->has_counters)
		print_counters(blk);
	return r < 0 ? err_trace(r) : 0;
}

static int blk_run(const struct command *self, int argc, char **argv)
{
	struct blk_options options = { 0 };
	cleanup(freep) struct blk_spec *spec = malloc(sizeof(*spec));

	command_parse(self, argc, argv, &options);
	if (!spec)
		return EXIT_INFRA;
	if (blk_spec_parse(options.disk, spec) < 0)
		return command_fail(self, options.is_verbose, EXIT_USAGE);
	if (serve(&options, spec) < 0)
		return command_fail(self, options.is_verbose, EXIT_INFRA);
	return 0;
}

const struct command cmd_blk = {
	.name = "blk",
	.summary = "serve a disk to another VMM over vhost-user",
	.argp = &blk_argp,
	.run = blk_run,
};
