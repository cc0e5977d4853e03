// SPDX-License-Identifier: GPL-2.0-only
/* Messages around one command. */
#include "wire/exec.h"

#include "base/util.h"

#include <errno.h>

static uint32_t count_of(char *const list[])
{
	uint32_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

int exec_encode(struct buf *out, char *const argv[], char *const envp[], const char *cwd,
		uint32_t flags, uint16_t rows, uint16_t cols)
{
	struct wire_exec head = {
		.argc = count_of(argv),
		.envc = count_of(envp),
		.flags = flags,
		.rows = rows,
		.cols = cols,
	};

	if (head.argc > EXEC_ARGS_MAX || head.envc > EXEC_ARGS_MAX)
		return err_new(-E2BIG, "command: more than %u arguments or variables",
			       (unsigned)EXEC_ARGS_MAX);
	buf_add(out, &head, sizeof(head));
	for (uint32_t i = 0; i < head.argc; i++)
		buf_add(out, argv[i], strlen(argv[i]) + 1);
	for (uint32_t i = 0; i < head.envc; i++)
		buf_add(out, envp[i], strlen(envp[i]) + 1);
	buf_add(out, cwd ? cwd : "", cwd ? strlen(cwd) + 1 : 1);
	return 0;
}

/* Point each of @list's @count entries at the next string of @at; NULL when they run out. */
static char *take_strings(char *at, const char *end, char **list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (at >= end)
			return NULL;
		list[i] = at;
		at += strlen(at) + 1;
	}
	return at;
}

static int split_strings(struct exec_request *e, const struct wire_exec *head, size_t bytes)
{
	char *end = e->storage + bytes;
	char *at = take_strings(e->storage, end, e->argv, head->argc);
	char *cwd;

	if (at)
		at = take_strings(at, end, e->envp, head->envc);
	if (!at || !take_strings(at, end, &cwd, 1) || cwd + strlen(cwd) + 1 != end)
		return err_new(-EPROTO, "EXEC: the strings do not match %u arguments, %u variables",
			       head->argc, head->envc);
	e->cwd = *cwd ? cwd : "/";
	return 0;
}

int exec_decode(const void *payload, size_t len, struct exec_request *ret)
{
	cleanup(exec_request_deinit) struct exec_request e = EXEC_REQUEST_NULL;
	struct wire_exec head;
	const char *strings = payload;
	size_t bytes;
	int r;

	if (len <= sizeof(head))
		return err_new(-EPROTO, "EXEC: %zu bytes are too few", len);
	memcpy(&head, payload, sizeof(head));
	strings += sizeof(head);
	bytes = len - sizeof(head);
	if (!head.argc || head.argc > EXEC_ARGS_MAX || head.envc > EXEC_ARGS_MAX ||
	    (head.flags & ~(uint32_t)EXEC_FLAGS_ALL) || strings[bytes - 1])
		return err_new(-EPROTO, "EXEC: %u arguments, %u variables, flags 0x%x", head.argc,
			       head.envc, head.flags);
	e.storage = malloc(bytes);
	e.argv = calloc(head.argc + 1, sizeof(*e.argv));
	e.envp = calloc(head.envc + 1, sizeof(*e.envp));
	if (!e.storage || !e.argv || !e.envp)
		return err_new(-ENOMEM, "EXEC: out of memory");
	memcpy(e.storage, strings, bytes);
	r = split_strings(&e, &head, bytes);
	if (r)
		return err_trace(r);
	e.flags = head.flags;
	e.rows = head.rows;
	e.cols = head.cols;
	*ret = e;
	e = EXEC_REQUEST_NULL;
	return 0;
}

void exec_request_deinit(struct exec_request *e)
{
	free(e->argv);
	free(e->envp);
	free(e->storage);
	*e = EXEC_REQUEST_NULL;
}

int winsize_decode(const void *payload, size_t len, struct wire_winsize *ret)
{
	if (len != sizeof(*ret))
		return err_new(-EPROTO, "WINSIZE: %zu bytes, expected %zu", len, sizeof(*ret));
	memcpy(ret, payload, sizeof(*ret));
	return 0;
}

int signal_decode(const void *payload, size_t len, struct wire_signal *ret)
{
	struct wire_signal s;

	if (len != sizeof(s))
		return err_new(-EPROTO, "SIGNAL: %zu bytes, expected %zu", len, sizeof(s));
	memcpy(&s, payload, sizeof(s));
	if (s.number < 1 || s.number > 64)
		return err_new(-EPROTO, "SIGNAL: %u is no signal", s.number);
	*ret = s;
	return 0;
}

int exit_decode(const void *payload, size_t len, struct wire_exit *ret)
{
	struct wire_exit e;

	if (len != sizeof(e))
		return err_new(-EPROTO, "EXIT: %zu bytes, expected %zu", len, sizeof(e));
	memcpy(&e, payload, sizeof(e));
	if (e.status > 255 || e.signal > 64)
		return err_new(-EPROTO, "EXIT: status %u, signal %u", e.status, e.signal);
	*ret = e;
	return 0;
}
