/* SPDX-License-Identifier: GPL-2.0-only */
/* What an executable file says about the files it needs to start: the dynamic section of an ELF
 * file, or the first line of a script. Works on hostile bytes in memory; looking the names up is
 * image/closure.h's. */
#pragma once

#include "base/err.h"
#include "image/elf_file.h"

#include <stddef.h>

enum { DYNAMIC_NEEDED_MAX = 1024 };

/* All strings are borrowed from the open file; NULL if there is none. */
struct dynamic {
	const char *interpreter; /* PT_INTERP */
	const char *rpath;
	const char *runpath;
	const char *needed[DYNAMIC_NEEDED_MAX];
	unsigned needed_count;
};

/* Returns 0; -EBADMSG if it is damaged or needs more than DYNAMIC_NEEDED_MAX libraries. A statically
 * linked program needs nothing. */
int dynamic_parse(const struct elf *e, struct dynamic *ret) must_check;

enum { SCRIPT_LINE_BYTES = 256 /* what the kernel reads: BINPRM_BUF_SIZE */, SCRIPT_OTHER = 1 };

struct script {
	char interpreter[SCRIPT_LINE_BYTES];
	char env_program[SCRIPT_LINE_BYTES]; /* NAME of "#!/usr/bin/env NAME", else "" */
};

/* @bytes are the first of a file, SCRIPT_LINE_BYTES or all. Returns 0, or SCRIPT_OTHER if it does not start with "#!" and an absolute path. */
int script_parse(const void *bytes, size_t len, struct script *ret) must_check;
