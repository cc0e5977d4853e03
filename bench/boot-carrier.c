// SPDX-License-Identifier: GPL-2.0-only
/* bench-boot in a carrier, with a clock that other processes of this host cannot disturb: a carrier
 * has one CPU, emulated by one thread, so the CPU time of its QEMU between two marks of bench-boot
 * is what the boot cost, however busy the host was.
 *
 *   bench-boot-carrier BENCH_BOOT ROUNDS [KERNEL] */
#include "base/buf.h"
#include "base/util.h"
#include "harness/carrier_image.h"
#include "host/carrier_init.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 101, CONTENDERS = 2 };
static const double ratio_limit = 0.6;

struct contender {
	char name[32];
	double start_s; /* CPU time at the last start mark */
	double cpu_s[ROUNDS_MAX];
	unsigned count;
};

struct watch {
	FILE *from; /* what bench-boot prints */
	clockid_t clock;
	struct contender contenders[CONTENDERS];
};

static double cpu_s(const struct watch *w)
{
	struct timespec t = { 0 };

	clock_gettime(w->clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct contender *find(struct watch *w, const char *name)
{
	for (size_t i = 0; i < CONTENDERS; i++) {
		struct contender *c = &w->contenders[i];

		if (!*c->name)
			snprintf(c->name, sizeof(c->name), "%s", name);
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

static void take_mark(struct watch *w, const char *what, const char *name)
{
	double now_s = cpu_s(w);
	struct contender *c = find(w, name);

	if (!c)
		return;
	if (!strcmp(what, "start"))
		c->start_s = now_s;
	else if (c->count < ROUNDS_MAX)
		c->cpu_s[c->count++] = now_s - c->start_s;
}

static void *watch(void *arg)
{
	struct watch *w = arg;
	char line[512], what[8], name[32];

	while (fgets(line, sizeof(line), w->from)) {
		if (sscanf(line, "MARK %7s %31[^\n]", what, name) == 2)
			take_mark(w, what, name);
		else
			fputs(line, stdout);
		fflush(stdout);
	}
	return NULL;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The first round warmed up and does not count. */
static double median(struct contender *c)
{
	double *values = c->cpu_s + 1;
	unsigned count = c->count - 1;

	qsort(values, count, sizeof(*values), compare_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int report(struct watch *w)
{
	struct contender *c = w->contenders;

	if (c[0].count < 2 || c[1].count < 2)
		return err_new(-EIO, "no complete round");
	double ours = median(&c[0]), reference = median(&c[1]);
	printf("  CPU time of the carrier from the VMM's start to init: %s %.3f s, %s %.3f s\n",
	       c[0].name, ours, c[1].name, reference);
	printf("  ratio by CPU time %.2f; at most %.2f wanted: %s\n", ours / reference, ratio_limit,
	       ours <= ratio_limit * reference ? "held" : "MISSED");
	return 0;
}

static int run_command(struct carrier *c, char **argv, int out_fd)
{
	struct carrier_command command = {
		.argv = (const char *const *)(uintptr_t)argv,
		.stdin_fd = -1,
		.stdout_fd = out_fd,
		.stderr_fd = 2,
	};
	struct carrier_result result;
	int r = carrier_exec(c, &command, &result);

	if (r < 0)
		return err_trace(r);
	int status = carrier_exit_status(&result);
	return status ? err_new(-EIO, "bench-boot ended with status %d", status) : 0;
}

static int watch_command(struct carrier *c, char **argv)
{
	struct watch w = { 0 };
	pthread_t thread;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || clock_getcpuclockid(carrier_pid(c), &w.clock))
		return err_new(-errno, "pipe or clock: %s", strerror(errno));
	w.from = fdopen(pipe_fds[0], "r");
	if (!w.from || pthread_create(&thread, NULL, watch, &w))
		return err_new(-ENOMEM, "no thread to watch with");
	int r = run_command(c, argv, pipe_fds[1]);
	close(pipe_fds[1]);
	pthread_join(thread, NULL);
	fclose(w.from);
	return r < 0 ? err_trace(r) : report(&w);
}

int main(int argc, char **argv)
{
	cleanup(carrier_image_deinit) struct carrier_image image = CARRIER_IMAGE_NULL;
	cleanup(carrier_freep) struct carrier *c = NULL;

	if (carrier_init_is_wanted())
		carrier_init_main();
	if (argc < 3) {
		fprintf(stderr, "usage: bench-boot-carrier BENCH_BOOT ROUNDS [KERNEL]\n");
		return 2;
	}
	int r = carrier_image_make(NULL, NULL, &image);
	if (r >= 0) {
		struct carrier_desc desc = carrier_image_desc(&image);

		r = carrier_start(&desc, &c);
	}
	if (r >= 0)
		r = watch_command(c, argv + 1);
	if (r < 0)
		fprintf(stderr, "bench-boot-carrier: %s\n", err_text());
	return r < 0;
}
