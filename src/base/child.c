// SPDX-License-Identifier: GPL-2.0-only
/* fork, exec, and two pipes drained together, so that a child that fills one of them never stalls.
 */
#include "base/child.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_NO_PROGRAM = 127, CHILD_CHUNK = 4096 };
static const size_t child_output_max = 64 << 20;

struct child_pipe {
	int read_fd;
	int write_fd;
};

static void pipe_closep(struct child_pipe *p)
{
	p->read_fd = fd_close(p->read_fd);
	p->write_fd = fd_close(p->write_fd);
}

static int pipe_open(struct child_pipe *ret)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_new(-errno, "pipe: %s", strerror(errno));
	*ret = (struct child_pipe){ fds[0], fds[1] };
	return 0;
}

/* In the child: only async-signal-safe calls, because other threads may have held locks at fork().
 */
static void become(const char *const *argv, char *const *env, const char *cwd, pid_t parent,
		   int out_fd, int err_fd)
{
	sigset_t none;
	int null_fd;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	null_fd = open("/dev/null", O_RDWR);
	if (getppid() != parent || null_fd < 0 || (cwd && chdir(cwd) < 0))
		_exit(1);
	dup2(null_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
	_exit(errno == ENOENT ? CHILD_NO_PROGRAM : CHILD_NO_PROGRAM - 1);
}

/* The environment with LC_ALL=C, so that messages can be read by us; entries are borrowed. */
static char **environment_new(void)
{
	size_t n = 0, used = 0;
	char **env;

	while (environ && environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LC_ALL=", 7))
			env[used++] = environ[i];
	env[used] = (char *)(uintptr_t) "LC_ALL=C";
	return env;
}

/* Move what @p has into @b; closes it at its end or when it says too much. */
static void drain(struct child_pipe *p, struct buf *b)
{
	char chunk[CHILD_CHUNK];
	ssize_t n = read(p->read_fd, chunk, sizeof(chunk));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0 || b->len > child_output_max)
		p->read_fd = fd_close(p->read_fd);
	else
		buf_add(b, chunk, (size_t)n);
}

static void drain_both(struct child_pipe *out, struct buf *out_buf, struct child_pipe *err,
		       struct buf *err_buf)
{
	while (out->read_fd >= 0 || err->read_fd >= 0) {
		struct pollfd fds[] = { { out->read_fd, POLLIN, 0 }, { err->read_fd, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			drain(out, out_buf);
		if (fds[1].revents)
			drain(err, err_buf);
	}
}

/* The first line of @b, cut out of it: the cause; what follows are consequences. */
static const char *first_line(struct buf *b)
{
	char *line = b->data ? b->data + strspn(b->data, " \n") : NULL;

	if (!line || !*line)
		return "it said nothing";
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static int judge(int status, const char *name, struct buf *err_buf)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NO_PROGRAM && !err_buf->len)
		return err_new(-ENOENT, "%s: no such program in PATH", name);
	if (WIFEXITED(status))
		return err_new(-EIO, "%s: exit status %d: %s", name, WEXITSTATUS(status),
			       first_line(err_buf));
	return err_new(-EIO, "%s: killed by signal %d", name, WTERMSIG(status));
}

int child_run(const char *const *argv, const char *cwd, struct buf *out)
{
	cleanup(pipe_closep) struct child_pipe out_pipe = { -1, -1 }, err_pipe = { -1, -1 };
	cleanup(buf_deinit) struct buf err_buf = BUF_NULL, dropped = BUF_NULL;
	cleanup(freep) char **env = environment_new();
	pid_t parent = getpid(), pid;
	int r, status;

	if (!env)
		return err_new(-ENOMEM, "out of memory to start %s", argv[0]);
	r = pipe_open(&out_pipe);
	if (!r)
		r = pipe_open(&err_pipe);
	if (r < 0)
		return err_trace(r);
	pid = fork();
	if (pid < 0)
		return err_new(-errno, "fork for %s: %s", argv[0], strerror(errno));
	if (!pid)
		become(argv, env, cwd, parent, out_pipe.write_fd, err_pipe.write_fd);
	out_pipe.write_fd = fd_close(out_pipe.write_fd);
	err_pipe.write_fd = fd_close(err_pipe.write_fd);
	drain_both(&out_pipe, out ? out : &dropped, &err_pipe, &err_buf);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_new(-errno, "wait for %s: %s", argv[0], strerror(errno));
	r = judge(status, argv[0], &err_buf);
	return r < 0 ? r : out ? buf_ok(out) : 0;
}
