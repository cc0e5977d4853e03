/* SPDX-License-Identifier: GPL-2.0-only */
/* Host-to-guest messages around one command (`ktstr exec`, `ktstr shell`) and the fixed parts that
 * answer them: EXEC, WINSIZE, SIGNAL, EXIT. Standard streams are bare bytes in their frames. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EXEC_ARGS_MAX = 4096,
	EXEC_TTY = 1 << 0,  /* run on a pseudo terminal, all output is STDOUT */
	EXEC_ROOT = 1 << 1, /* chroot to /ktstr/root where files were included; cwd is inside it */
	EXEC_FLAGS_ALL = EXEC_TTY | EXEC_ROOT,
};

/* Payload of EXEC: this, then argc + envc + 1 NUL-terminated strings: arguments, environment
 * ("NAME=value", the whole environment), working directory ("" for "/"). */
struct wire_exec {
	uint32_t argc;
	uint32_t envc;
	uint32_t flags;
	uint16_t rows;
	uint16_t cols;
};

struct wire_winsize {
	uint16_t rows;
	uint16_t cols;
	uint32_t zero;
};

struct wire_signal {
	uint32_t number; /* Linux signal number, 1..64; sent to the command's process group */
	uint32_t zero;
};

/* The end of the command, as the shell's convention has it: status is the exit status or, when
 * signal is not 0, 128 + signal. 127: not found, 126: not executable. */
struct wire_exit {
	uint32_t status;
	uint32_t signal;
};

_Static_assert(sizeof(struct wire_exec) == 16, "wire layout");
_Static_assert(sizeof(struct wire_winsize) == 8, "wire layout");
_Static_assert(sizeof(struct wire_signal) == 8, "wire layout");
_Static_assert(sizeof(struct wire_exit) == 8, "wire layout");

/* A decoded EXEC. argv and envp are NULL-terminated arrays into one allocation of their own. */
struct exec_request {
	char **argv;
	char **envp;
	const char *cwd;
	uint32_t flags;
	uint16_t rows;
	uint16_t cols;
	char *storage;
};

#define EXEC_REQUEST_NULL ((struct exec_request){ 0 })

/* Append the payload of an EXEC to @out. @argv and @envp are NULL-terminated; @envp and @cwd may
 * be NULL. 0, or -E2BIG with words over EXEC_ARGS_MAX strings. */
int exec_encode(struct buf *out, char *const argv[], char *const envp[], const char *cwd,
		uint32_t flags, uint16_t rows, uint16_t cols) must_check;

/* Decode an EXEC payload. 0; -EPROTO with words (no argument, counts that do not match the
 * strings, unknown flags); -ENOMEM. The caller deinits @ret. */
int exec_decode(const void *payload, size_t len, struct exec_request *ret) must_check;
void exec_request_deinit(struct exec_request *e);

/* Decode the fixed messages: 0, or -EPROTO with words (wrong length or a value out of range). */
int winsize_decode(const void *payload, size_t len, struct wire_winsize *ret) must_check;
int signal_decode(const void *payload, size_t len, struct wire_signal *ret) must_check;
int exit_decode(const void *payload, size_t len, struct wire_exit *ret) must_check;
