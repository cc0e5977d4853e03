// SPDX-License-Identifier: GPL-2.0-only
/* Runs the system tests: system-run SOURCE BUILD RESULTS [GLOB...].
 *
 * Where KVM boots kernels the tests run on the host, one after another. Elsewhere one or two
 * carriers are started for the whole suite, each with a thread that takes test after test: a
 * carrier has one CPU, so two of them use two cores. A carrier that dies costs nothing but time:
 * its test runs once more in a new one. RESULTS gets one "ok|FAIL|skip NAME ..." line for each
 * test, BUILD/system-logs its output. Exit status 0 if nothing failed. */
#include "native.h"
#include "suite.h"

#include "base/path.h"
#include "base/str.h"
#include "base/util.h"
#include "harness/carrier_image.h"
#include "host/carrier_init.h"
#include "host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { WORKERS_MAX = 2, OWN_ENV = 4, LOG_MAX_BYTES = 64 << 20, TAIL_LINES = 15 };

struct run {
	struct suite suite;
	char *source, *build; /* absolute */
	char *log_dir;
	char *own_env[OWN_ENV]; /* at the front of envp */
	const char **envp;
	struct carrier_image image;
	bool has_kvm;
	atomic_size_t next;
	pthread_mutex_t lock; /* of the fields below, and of stdout */
	int results_fd;
	unsigned counts[3];
};

/* ---- one test ---- */

/* Take a carrier for the next test, a new one if there is none. */
static int exec_in_carrier(struct run *run, struct carrier **c, const struct suite_test *t,
			   int log_fd, struct carrier_result *ret)
{
	const char *const argv[] = { "sh", "-c", t->command, NULL };
	struct carrier_command command = {
		.argv = argv,
		.envp = run->envp,
		.cwd = run->source,
		.stdin_fd = -1,
		.stdout_fd = log_fd,
		.stderr_fd = log_fd,
		.timeout_ns = t->timeout_ns,
	};
	struct carrier_desc desc = carrier_image_desc(&run->image);
	int r = 0;

	if (!*c)
		r = carrier_start(&desc, c);
	if (r == 0)
		r = carrier_exec(*c, &command, ret);
	if (r < 0) {
		dprintf(log_fd, "\nsystem-run: %s\n", err_text());
		*c = carrier_free(*c);
	}
	return r;
}

static struct suite_outcome run_in_carrier(struct run *run, struct carrier **c,
					   const struct suite_test *t, int log_fd)
{
	struct carrier_result result;
	int r = exec_in_carrier(run, c, t, log_fd, &result);

	if (r < 0)
		r = exec_in_carrier(run, c, t, log_fd, &result);
	if (r < 0)
		return (struct suite_outcome){ .cause = "two carriers died" };
	if (result.end == CARRIER_TIMED_OUT)
		return (struct suite_outcome){ .cause = "timeout" };
	return (struct suite_outcome){ .exit_status = carrier_exit_status(&result) };
}

static struct suite_outcome run_here(struct run *run, const struct suite_test *t, int log_fd)
{
	struct suite_outcome outcome = { 0 };
	int r = native_run(t->command, run->envp, log_fd, t->timeout_ns, &outcome.exit_status);

	if (r == NATIVE_TIMED_OUT)
		outcome.cause = "timeout";
	else if (r < 0)
		outcome.cause = "could not be started";
	return outcome;
}

static void print_tail(const char *log)
{
	const char *from = log + strlen(log);

	for (unsigned lines = 0; from > log && lines <= TAIL_LINES; from--)
		lines += from[-1] == '\n';
	for (const char *line = from; *line;) {
		size_t length = strcspn(line, "\n");

		if (length)
			printf("     | %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static void report(struct run *run, const struct suite_test *t, const struct suite_outcome *outcome,
		   const char *log, uint64_t took_ns)
{
	cleanup(buf_deinit) struct buf lines = BUF_NULL;
	enum suite_verdict verdict = suite_judge(t, outcome, log, (double)took_ns / 1e9, &lines);

	pthread_mutex_lock(&run->lock);
	run->counts[verdict]++;
	fputs(buf_text(&lines), stdout);
	if (verdict == SUITE_FAIL)
		print_tail(log);
	fflush(stdout);
	if (write_all(run->results_fd, buf_text(&lines), lines.len) < 0)
		run->counts[SUITE_FAIL]++;
	pthread_mutex_unlock(&run->lock);
}

static void run_test(struct run *run, const struct suite_test *t, struct carrier **c)
{
	cleanup(buf_deinit) struct buf log = BUF_NULL;
	struct suite_outcome outcome = { .cause = "no log file" };
	uint64_t start_ns = now_ns();
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.log", run->log_dir, t->name);
	cleanup(fd_closep) int log_fd =
		open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (log_fd >= 0 && (t->where == WHERE_HOST || run->has_kvm))
		outcome = run_here(run, t, log_fd);
	else if (log_fd >= 0)
		outcome = run_in_carrier(run, c, t, log_fd);
	if (buf_read_file(&log, path, LOG_MAX_BYTES) < 0 && !outcome.cause)
		outcome.cause = err_text();
	report(run, t, &outcome, buf_text(&log), now_ns() - start_ns);
}

static void *work(void *arg)
{
	cleanup(carrier_freep) struct carrier *c = NULL;
	struct run *run = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&run->next, 1);

		if (i >= run->suite.count)
			return NULL;
		run_test(run, &run->suite.tests[i], &c);
	}
}

/* ---- the suite ---- */

static bool needs_machine(const struct suite *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->tests[i].where == WHERE_MACHINE)
			return true;
	}
	return false;
}

static void print_line(void *ctx, const char *line)
{
	printf("system-run: %s\n", line);
	fflush(stdout);
}

/* Carriers have no network and a read-only cache: what the tests boot must be there before. */
static int fetch_kernels(const struct kernel_progress *progress)
{
	static const char *const wanted[] = { NULL, "6.1" };

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
		int r = kernel_fetch(wanted[i], KERNEL_CLOUD, 0, progress, &k);

		if (r < 0 && !wanted[i])
			return err_trace(r);
		if (r < 0)
			printf("system-run: no kernel %s, tests of it will skip: %s\n", wanted[i],
			       err_text());
	}
	return 0;
}

/* Two, if there are the cores and the memory. */
static unsigned worker_count(const struct run *run)
{
	struct host_info h;

	if (run->has_kvm || host_info_read("", &h) < 0)
		return 1;
	bool has_room = h.memory_available_bytes >
			WORKERS_MAX * (CARRIER_MEMORY_DEFAULT + CARRIER_MEMORY_DEFAULT / 4);
	return has_room && h.cpus_allowed > 1 ? WORKERS_MAX : 1;
}

static int prepare(struct run *run)
{
	struct kernel_progress progress = { print_line, NULL };
	struct kvm_probe kvm;

	if (!needs_machine(&run->suite))
		return 0;
	int r = fetch_kernels(&progress);
	if (r < 0)
		return err_trace(r);
	kvm_probe(&kvm);
	run->has_kvm = kvm_probe_can_boot(&kvm);
	if (run->has_kvm)
		return 0;
	print_line(NULL, "no hardware KVM here: the machines run in carriers");
	return carrier_image_make(NULL, &progress, &run->image);
}

static int build_environment(struct run *run)
{
	size_t count = 0, used = 0;
	char **own = run->own_env;
	int r = str_printf(&own[0], "KTSTR_BUILD=%s", run->build);

	if (r == 0)
		r = str_printf(&own[1], "KTSTR=%s/ktstr", run->build);
	if (r == 0)
		r = str_printf(&own[2], "KTSTR_SOURCE=%s", run->source);
	if (r == 0)
		r = str_printf(&own[3], "TMPDIR=/tmp");
	if (r < 0)
		return err_trace(r);
	while (environ[count])
		count++;
	run->envp = calloc(count + OWN_ENV + 1, sizeof(*run->envp));
	if (!run->envp)
		return err_new(-ENOMEM, "no memory for an environment");
	for (size_t i = 0; i < OWN_ENV; i++)
		run->envp[used++] = own[i];
	for (size_t i = 0; i < count; i++) {
		if (!str_starts_with(environ[i], "KTSTR") &&
		    !str_starts_with(environ[i], "TMPDIR="))
			run->envp[used++] = environ[i];
	}
	return 0;
}

static int set_up(struct run *run, char **argv, int glob_count)
{
	char list[PATH_MAX];
	int r;

	run->source = realpath(argv[1], NULL);
	run->build = realpath(argv[2], NULL);
	if (!run->source || !run->build)
		return err_new(-errno, "%s or %s: %s", argv[1], argv[2], strerror(errno));
	snprintf(list, sizeof(list), "%s/tests/system/list.txt", run->source);
	r = suite_load(&run->suite, list, argv + 4, (size_t)glob_count);
	if (r == 0)
		r = str_printf(&run->log_dir, "%s/system-logs", run->build);
	if (r == 0)
		r = make_dirs(run->log_dir);
	if (r == 0)
		r = build_environment(run);
	if (r == 0)
		r = chdir(run->source) < 0 ? err_new(-errno, "chdir: %s", strerror(errno)) : 0;
	if (r == 0)
		r = prepare(run);
	return r < 0 ? err_trace(r) : 0;
}

static void tear_down(struct run *run)
{
	suite_deinit(&run->suite);
	carrier_image_deinit(&run->image);
	for (size_t i = 0; i < OWN_ENV; i++)
		free(run->own_env[i]);
	free(run->envp);
	free(run->log_dir);
	free(run->build);
	free(run->source);
	fd_close(run->results_fd);
	pthread_mutex_destroy(&run->lock);
}

static void run_all(struct run *run)
{
	unsigned workers = worker_count(run);
	pthread_t threads[WORKERS_MAX];
	unsigned started = 0;

	for (; started + 1 < workers; started++) {
		if (pthread_create(&threads[started], NULL, work, run))
			break;
	}
	work(run);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	struct run run = { .results_fd = -1 };
	int status = 2;

	if (carrier_init_is_wanted())
		carrier_init_main();
	pthread_mutex_init(&run.lock, NULL);
	if (argc < 4) {
		fprintf(stderr, "usage: system-run SOURCE BUILD RESULTS [GLOB...]\n");
		return 2;
	}
	run.results_fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (run.results_fd < 0) {
		fprintf(stderr, "system-run: %s: %s\n", argv[3], strerror(errno));
		return 2;
	}
	if (set_up(&run, argv, argc - 4) < 0) {
		fprintf(stderr, "system-run: %s\n", err_text());
	} else {
		run_all(&run);
		printf("system tests: %u ok, %u failed, %u skipped; logs in %s\n",
		       run.counts[SUITE_OK], run.counts[SUITE_FAIL], run.counts[SUITE_SKIP],
		       run.log_dir);
		status = run.counts[SUITE_FAIL] ? 1 : 0;
	}
	tear_down(&run);
	return status;
}
