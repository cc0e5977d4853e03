// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr exec` and `ktstr shell`: a command of the host in the machine, with its streams and its exit
 * status as if it ran here. */
#include "cli/command.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/util.h"
#include "cli/machine_options.h"
#include "cli/reexec.h"
#include "harness/guest.h"
#include "harness/remote.h"
#include "harness/runner.h"
#include "host/carrier.h"
#include "host/probe.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A panic's registers and call trace are some 60 lines; what led to it stands before them. */
enum {
	INCLUDES_MAX = 64,
	MODULES_MAX = 64,
	ENV_MAX = 64,
	DEATH_LINES = 100,
	EXIT_TIMEOUT = 124,
	EXIT_DIED = 255
};

struct exec_command {
	const struct command *self;
	struct machine_options machine;
	const char *includes[INCLUDES_MAX + 1]; /* and the program */
	size_t include_count;
	const char *modules[MODULES_MAX];
	size_t module_count;
	bool has_counters;
	char *env[ENV_MAX + 8];
	size_t env_count;
	char *cwd;
	bool is_shell;
	char **args; /* NULL-terminated */
	int argc;
	char **argv;
	char *program; /* where the command is on this host */
};

enum { OPT_MODULE = 256, OPT_COUNTERS };

static const struct argp_option exec_options[] = {
	{ "include", 'i', "FILE|DIR", 0,
	  "Bring it along, at its own path; programs with the libraries that they need (may be "
	  "given "
	  "again)",
	  0 },
	{ "module", OPT_MODULE, "NAME", 0,
	  "Load this module of the kernel, after those that it needs (may be given again)", 0 },
	{ "counters", OPT_COUNTERS, NULL, 0,
	  "Print each disk's counters and fault firings at the end, as one JSON object a line on "
	  "stderr",
	  0 },
	{ "env", 'e', "NAME=VALUE", 0, "Set a variable for the command (may be given again)", 0 },
	{ "cwd", 'C', "DIR", 0, "Directory of the guest to start in (default /)", 0 },
	{ 0 },
};

static void add_include(struct exec_command *e, const char *arg, struct argp_state *state)
{
	if (e->include_count == INCLUDES_MAX)
		argp_error(state, "--include %s: more than %d", arg, INCLUDES_MAX);
	e->includes[e->include_count++] = arg;
}

static void add_module(struct exec_command *e, const char *arg, struct argp_state *state)
{
	if (e->module_count == MODULES_MAX)
		argp_error(state, "--module %s: more than %d", arg, MODULES_MAX);
	e->modules[e->module_count++] = arg;
}

static void add_env(struct exec_command *e, char *arg, struct argp_state *state)
{
	if (!strchr(arg, '=') || arg[0] == '=')
		argp_error(state, "--env %s: expected NAME=VALUE", arg);
	if (e->env_count == ENV_MAX)
		argp_error(state, "--env %s: more than %d", arg, ENV_MAX);
	e->env[e->env_count++] = arg;
}

static error_t exec_option(int key, char *arg, struct argp_state *state)
{
	struct exec_command *e = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->machine;
		return 0;
	case 'i':
		add_include(e, arg, state);
		return 0;
	case OPT_MODULE:
		add_module(e, arg, state);
		return 0;
	case OPT_COUNTERS:
		e->has_counters = true;
		return 0;
	case 'e':
		add_env(e, arg, state);
		return 0;
	case 'C':
		e->cwd = arg;
		return 0;
	case ARGP_KEY_ARGS:
		if (e->is_shell)
			argp_error(state, "a shell takes no command; ktstr exec does");
		e->args = state->argv + state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (!e->is_shell)
			argp_error(state, "a command is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child exec_children[] = { { &machine_argp, 0, "The machine:", 1 }, { 0 } };

static const struct argp exec_argp = {
	.options = exec_options,
	.parser = exec_option,
	.args_doc = "[--] CMD [ARG...]",
	.doc = "Run a command of this host in a machine, its output on stdout and stderr, its exit "
	       "status as ours.\vExit status: the command's; 128 + N if signal N killed it; 124 on "
	       "timeout; 255 when the guest died; 2 bad usage; 3 no machine can be had here.",
	.children = exec_children,
};

static const struct argp shell_argp = {
	.options = exec_options,
	.parser = exec_option,
	.doc = "A shell (busybox of this host) in a machine.",
	.children = exec_children,
};

/* ---- before boot ---- */

/* The program by its path on this host, brought along. A shell's is busybox. */
static int find_program(struct exec_command *e)
{
	static char *shell[] = { (char *)"/bin/sh", NULL };
	const char *name;
	int r;

	if (e->is_shell) {
		e->args = shell;
		return 0;
	}
	name = e->args[0];
	if (strchr(name, '/')) {
		e->program = realpath(name, NULL);
		r = e->program ? 0 : -errno;
	} else {
		r = host_find_program(name, &e->program);
	}
	if (r < 0)
		return err_new(r, "%s: %s", name, strerror(-r));
	e->includes[e->include_count++] = e->program;
	e->args[0] = e->program;
	return 0;
}

static void complete_env(struct exec_command *e)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/";
	static char term[64] = "TERM=dumb";
	const char *our_term = getenv("TERM");

	if (our_term)
		snprintf(term, sizeof(term), "TERM=%s", our_term);
	e->env[e->env_count++] = path;
	e->env[e->env_count++] = home;
	e->env[e->env_count++] = term;
	e->env[e->env_count] = NULL;
}

static int check_includes(const struct exec_command *e)
{
	for (size_t i = 0; i < e->include_count; i++)
		if (access(e->includes[i], R_OK) < 0)
			return err_new(-errno, "include %s: %s", e->includes[i], strerror(errno));
	return 0;
}

static int check_disks(const struct exec_command *e)
{
	int r = 0;

	for (unsigned i = 0; i < e->machine.disk_count && r == 0; i++)
		r = runner_check_disk(e->machine.disks[i]);
	return r;
}

/* ---- here ---- */

static struct guest_desc describe(const struct exec_command *e, const struct boot_image *image)
{
	static const struct topology one = { 1, 1, 1, 1 };
	const struct machine_options *m = &e->machine;
	struct topology t = m->has_topology ? m->topology : one;

	return (struct guest_desc){
		.image = image,
		.topology = t,
		.memory_bytes = m->memory_bytes ? m->memory_bytes
						: 512 * MIB + 8 * MIB * topology_cpu_count(&t),
		.disks = m->disks,
		.disk_count = m->disk_count,
		.kernel_args = m->kernel_args,
		.has_kaslr = m->has_kaslr,
		.is_verbose = m->is_verbose,
		.signal_fd = -1,
	};
}

static void print_console(const struct exec_command *e, const struct buf *tail)
{
	if (tail->len && !e->machine.is_verbose)
		fprintf(stderr, "%s", buf_text(tail));
}

static int report_death(const struct exec_command *e, struct guest *guest)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL, tail = BUF_NULL;

	guest_death(guest, &text);
	console_log_tail(&guest->console, DEATH_LINES, &tail);
	print_console(e, &tail);
	fprintf(stderr, "ktstr %s: %s\n", e->self->name, buf_text(&text));
	return EXIT_DIED;
}

static int run_in(struct exec_command *e, struct guest *guest, int *status_ret)
{
	struct remote_desc desc = {
		.argv = e->args,
		.envp = e->env,
		.cwd = e->cwd,
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
		.is_tty = e->is_shell && isatty(STDIN_FILENO),
		.deadline_ns =
			e->machine.timeout_ns ? now_ns() + e->machine.timeout_ns : UINT64_MAX,
	};
	struct termios cooked, raw;
	bool is_raw = desc.is_tty && tcgetattr(STDIN_FILENO, &cooked) == 0;
	int r;

	if (is_raw) {
		raw = cooked;
		cfmakeraw(&raw);
		is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	}
	r = remote_run(&guest->session, &desc, status_ret);
	if (is_raw && tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked) < 0)
		fprintf(stderr, "ktstr: the terminal could not be restored; type `reset`\n");
	return r;
}

static int status_of_remote(struct exec_command *e, struct guest *guest, int outcome, int status)
{
	switch (outcome) {
	case 0:
		return status;
	case REMOTE_TIMEOUT:
		fprintf(stderr, "ktstr %s: the command did not end in time\n", e->self->name);
		return EXIT_TIMEOUT;
	case REMOTE_KILLED:
		return 128 + guest->session.signal;
	case REMOTE_GUEST_DIED:
		return report_death(e, guest);
	default:
		return command_fail(e->self, e->machine.is_verbose, EXIT_INFRA);
	}
}

static void print_counters(const struct exec_command *e, struct guest *guest)
{
	for (unsigned i = 0; i < e->machine.disk_count; i++) {
		cleanup(buf_deinit) struct buf line = BUF_NULL;
		struct json j = json_to(&line);

		guest_disk_json(machine_disk(guest->machine, i), e->machine.disks[i], &j);
		fprintf(stderr, "%s\n", buf_text(&line));
	}
}

static int boot_and_run(struct exec_command *e, const struct boot_image *image, int *status_ret)
{
	cleanup(guest_freep) struct guest *guest = NULL;
	struct guest_desc desc = describe(e, image);
	struct guest_failure why = { 0 };
	sigset_t old;
	int r = carrier_signals_take(&desc.signal_fd, &old);

	if (r == 0)
		r = guest_boot(&desc, &guest, &why);
	if (r == 0) {
		int status = 0, outcome = run_in(e, guest, &status);

		*status_ret = status_of_remote(e, guest, outcome, status);
		if (e->has_counters)
			print_counters(e, guest);
	}
	if (r == GUEST_INTERRUPTED)
		*status_ret = EXIT_INTERRUPTED;
	if (r == GUEST_NOT_BOOTED) {
		print_console(e, &why.console);
		fprintf(stderr, "ktstr %s: %s\n", e->self->name, buf_text(&why.text));
		*status_ret = EXIT_DIED;
	}
	guest_failure_deinit(&why);
	carrier_signals_give_back(&desc.signal_fd, &old);
	return r < 0 ? r : 0;
}

static int exec_here(struct exec_command *e, int *status_ret)
{
	const struct kernel_progress progress = { .say = machine_options_say };
	const struct boot_image_desc desc = { .kernel = e->machine.kernel,
					      .includes = e->includes,
					      .include_count = e->include_count,
					      .modules = e->modules,
					      .module_count = e->module_count,
					      .has_shell = e->is_shell,
					      .progress = &progress };
	cleanup(boot_image_deinit) struct boot_image image = BOOT_IMAGE_NULL;
	int r = boot_image_make(&desc, &image);

	return r < 0 ? err_trace(r) : boot_and_run(e, &image, status_ret);
}

/* ---- in the carrier ---- */

static int exec_elsewhere(struct exec_command *e, char **argv, int *status_ret)
{
	cleanup(freep) const char **all = NULL;
	cleanup(freep) char *program = NULL;
	struct accel_job job = { .options = &e->machine,
				 .is_tty = e->is_shell && isatty(STDIN_FILENO),
				 .has_stdin = true };
	int r = reexec_argv(e->argc, argv, NULL, &all, &program);

	job.argv = all;
	return r < 0 ? err_trace(r) : accel_run(&job, status_ret);
}

static int exec_both(struct exec_command *e, int argc, char **argv)
{
	char **original = calloc((size_t)argc + 1, sizeof(*original));
	int status = 0, r;

	if (!original)
		return EXIT_INFRA;
	/* The parser permutes what it is given; the carrier gets the words as they were. */
	memcpy(original, argv, (size_t)argc * sizeof(*argv));
	e->argc = argc;
	command_parse(e->self, argc, argv, e);
	complete_env(e);
	r = find_program(e);
	if (r == 0)
		r = check_includes(e);
	if (r == 0)
		r = check_disks(e);
	if (r == 0)
		r = accel_choose(&e->machine);
	if (r == ACCEL_ELSEWHERE)
		r = exec_elsewhere(e, original, &status);
	else if (r == 0)
		r = exec_here(e, &status);
	free(original);
	free(e->program);
	if (r < 0)
		return command_fail(e->self, e->machine.is_verbose, command_status_of_error(r));
	return status;
}

static int exec_run(const struct command *self, int argc, char **argv)
{
	struct exec_command e = { .self = self };

	return exec_both(&e, argc, argv);
}

static int shell_run(const struct command *self, int argc, char **argv)
{
	struct exec_command e = { .self = self, .is_shell = true };

	return exec_both(&e, argc, argv);
}

const struct command cmd_exec = {
	.name = "exec",
	.summary = "run a command of this host in the machine",
	.argp = &exec_argp,
	.is_in_order = true,
	.run = exec_run,
};

const struct command cmd_shell = {
	.name = "shell",
	.summary = "a shell in the machine",
	.argp = &shell_argp,
	.run = shell_run,
};
