/* SPDX-License-Identifier: GPL-2.0-only */
/* Run a helper program to its end and keep what it said. For tools such as dpkg-deb and apt-get,
 * whose output is small and is wanted as a whole; not for programs that talk with us while they
 * run. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Run @argv (NULL-terminated; argv[0] is looked up in PATH) with LC_ALL=C, no input, the current
 * directory set to @cwd (NULL: unchanged), its stdout appended to @out (NULL: dropped). Dies with
 * us: if this process ends, the child is killed. Returns 0 if it exited with status 0; -ENOENT if
 * there is no such program; -EIO if it failed, with words that end in the first line of its stderr.
 * Any thread; the thread must live as long as the call. */
int child_run(const char *const *argv, const char *cwd, struct buf *out) must_check;
