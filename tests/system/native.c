// SPDX-License-Identifier: GPL-2.0-only
#include "native.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void __attribute__((noreturn))
become_shell(const char *command, const char *const *envp, int log_fd, pid_t parent)
{
	const char *const argv[] = { "sh", "-c", command, NULL };
	int null_fd = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || null_fd < 0)
		_exit(127);
	dup2(null_fd, 0);
	dup2(log_fd, 1);
	dup2(log_fd, 2);
	execve("/bin/sh", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
	_exit(127);
}

int native_run(const char *command, const char *const *envp, int log_fd, uint64_t timeout_ns,
	       int *exit_status_ret)
{
	uint64_t deadline_ns = now_ns() + timeout_ns;
	pid_t parent = getpid();
	pid_t pid = fork();
	int status = 0, n;

	if (pid == 0)
		become_shell(command, envp, log_fd, parent);
	if (pid < 0)
		return err_new(-errno, "fork: %s", strerror(errno));
	cleanup(fd_closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { pidfd, POLLIN, 0 };
	do
		n = poll(&p, 1, timeout_ms_until(deadline_ns));
	while (n < 0 && errno == EINTR);
	/* Also after its own end: what it left running ends with it. */
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n == 0)
		return NATIVE_TIMED_OUT;
	*exit_status_ret = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}
