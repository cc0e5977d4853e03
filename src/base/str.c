// SPDX-License-Identifier: GPL-2.0-only
/* Heap strings. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int str_printf(char **ret, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_new(-ENOMEM, "out of memory for a string");
	*ret = text;
	return 0;
}

bool str_starts_with(const char *s, const char *start)
{
	return !strncmp(s, start, strlen(start));
}

bool str_ends_with(const char *s, const char *end)
{
	size_t s_len = strlen(s), end_len = strlen(end);

	return s_len >= end_len && !strcmp(s + s_len - end_len, end);
}
