// SPDX-License-Identifier: GPL-2.0-only
/* Workloads that make processes and cgroups. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "guest/cgroup.h"
#include "guest/setup.h"
#include "guest/work.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t fork_child(struct worker *w, uint64_t units)
{
	pid_t pid = fork();

	if (pid < 0)
		worker_fail(w, "fork: %s", strerror(errno));
	if (!pid) {
		worker_compute(w, units);
		_exit(0);
	}
	return pid;
}

static void wait_child(struct worker *w, pid_t pid)
{
	worker_block(w, DUE_UNKNOWN);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	worker_unblock(w);
}

void work_fork_exit(struct worker *w, const uint64_t *p)
{
	for (;;) {
		wait_child(w, fork_child(w, p[0]));
		worker_iterate(w);
	}
}

/* The directory of the cgroup it is in. */
static void own_cgroup(struct worker *w, char dir[PATH_MAX])
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	const char *path;

	if (buf_read_file(&text, "/proc/self/cgroup", 65536))
		worker_fail(w, "%s", err_text());
	path = strstr(buf_text(&text), "0::/");
	if (!path)
		worker_fail(w, "it is in no cgroup of the unified hierarchy");
	snprintf(dir, PATH_MAX, CGROUP_ROOT "%s", path + strlen("0::"));
	dir[strcspn(dir, "\n")] = '\0';
}

/* The path of child cgroup @k of this worker, or of a file in it. */
static void child_path(const struct worker *w, char out[PATH_MAX], const char *dir, uint64_t k,
		       const char *file)
{
	int n = snprintf(out, PATH_MAX, "%.3000s/w%u-%" PRIu64 "%s%s", dir, w->index, k,
			 file ? "/" : "", file ? file : "");

	(void)n;
}

static void make_child(struct worker *w, const char *dir, uint64_t k)
{
	char path[PATH_MAX];

	child_path(w, path, dir, k, NULL);
	if (mkdir(path, 0755) && errno != EEXIST)
		worker_fail(w, "mkdir %s: %s", path, strerror(errno));
}

static void move_to_child(struct worker *w, const char *dir, uint64_t k, pid_t pid)
{
	char path[PATH_MAX], text[32];

	child_path(w, path, dir, k, "cgroup.procs");
	snprintf(text, sizeof(text), "%d", pid);
	if (write_file(path, text) && errno != ESRCH)
		worker_fail(w, "%s", err_text());
}

void work_cgroup_churn(struct worker *w, const uint64_t *p)
{
	char dir[PATH_MAX], control[PATH_MAX];

	own_cgroup(w, dir);
	for (uint64_t k = 0; k < p[0]; k++)
		make_child(w, dir, k);
	move_to_child(w, dir, 0, getpid());
	/* Where it was alone, its children get run queues of their own; else they are bare names. */
	snprintf(control, sizeof(control), "%.3000s/cgroup.subtree_control", dir);
	if (write_file(control, "+cpu"))
		err_clear();
	for (uint64_t k = 1;; k = (k + 1) % p[0]) {
		worker_burn(w, p[1]);
		worker_iterate(w);
		move_to_child(w, dir, k, getpid());
	}
}

void work_cgroup_attach_storm(struct worker *w, const uint64_t *p)
{
	char dir[PATH_MAX], path[PATH_MAX];
	pid_t pids[64];

	own_cgroup(w, dir);
	child_path(w, path, dir, 0, NULL);
	for (;;) {
		make_child(w, dir, 0);
		for (uint64_t i = 0; i < p[0]; i++) {
			pids[i] = fork_child(w, 20000);
			move_to_child(w, dir, 0, pids[i]);
		}
		for (uint64_t i = 0; i < p[0]; i++)
			wait_child(w, pids[i]);
		rmdir(path);
		worker_iterate(w);
	}
}
