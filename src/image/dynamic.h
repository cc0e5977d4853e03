/* SPDX-License-Identifier: GPL-2.0-only */
/* What an executable file says about the files it needs to start: the dynamic section of an ELF
 * file, or the first line of a script. Works on hostile bytes in memory; looking the names up is
 * image/closure.h's. */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum { DYNAMIC_NEEDED_MAX = 1024, DYNAMIC_OTHER = 1 };

/* All strings are borrowed from the file's bytes; NULL if there is none. */
struct dynamic {
	const char *interpreter; /* PT_INTERP */
	const char *rpath;
	const char *runpath;
	const char *needed[DYNAMIC_NEEDED_MAX];
	unsigned needed_count;
};

/* Returns 0; DYNAMIC_OTHER if @bytes is no ELF file; -ENOEXEC if it is not for x86-64; -EBADMSG if
 * it is damaged or needs more than DYNAMIC_NEEDED_MAX libraries. A statically linked program needs
 * nothing. */
int dynamic_parse(const void *bytes, size_t len, const char *name, struct dynamic *ret) must_check;

enum { SCRIPT_LINE_BYTES = 256 }; /* what the kernel reads: BINPRM_BUF_SIZE */

struct script {
	char interpreter[SCRIPT_LINE_BYTES];
	char env_program[SCRIPT_LINE_BYTES]; /* NAME of "#!/usr/bin/env NAME", else "" */
};

/* Returns 0, or DYNAMIC_OTHER if @bytes does not start with "#!" and an absolute path. */
int script_parse(const void *bytes, size_t len, struct script *ret) must_check;
