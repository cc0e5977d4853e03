/* SPDX-License-Identifier: GPL-2.0-only */
/* Run a shell line on this host, with a deadline, its output in a file. */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum { NATIVE_TIMED_OUT = 1 };

/* Returns 0 with the exit status as a shell gives it; NATIVE_TIMED_OUT after the whole process
 * group was killed; or a negative errno. @envp as in execve(). */
int native_run(const char *command, const char *const *envp, int log_fd, uint64_t timeout_ns,
	       int *exit_status_ret) must_check;
