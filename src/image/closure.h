/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that a program needs beside itself to run somewhere else: its interpreter (ELF or #!),
 * and the shared libraries of DT_NEEDED, found as ld.so(8) finds them: DT_RPATH, DT_RUNPATH,
 * $ORIGIN, ld.so.conf, default directories. Nothing is executed to find out. What a program opens
 * by name (dlopen, NSS, locales) cannot be seen here and is the user's to include. LD_LIBRARY_PATH
 * is not looked at, because the program will not have it. */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct closure {
	char **paths; /* absolute, sorted, without the program itself */
	size_t count;
};

#define CLOSURE_NULL ((struct closure){ 0 })

void closure_deinit(struct closure *c);

/* Find what @program (an absolute path) needs. @root is put before every path that is looked up, ""
 * for this host; results are without it. A file that is neither ELF nor a script needs nothing.
 * Returns 0; -ENOENT if a library is missing, with the name of the one that needs it; -ENOEXEC if
 * an ELF file is not for x86-64; -EBADMSG if it is damaged. The caller owns @ret. Any thread. */
int closure_find(const char *root, const char *program, struct closure *ret) must_check;
