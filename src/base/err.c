// SPDX-License-Identifier: GPL-2.0-only
/* The thread's error trail: one line of words and a bounded list of places, in thread-local
 * storage, so that recording an error never allocates and never fails. Places are kept as pointers
 * to __FILE__ literals and joined only when somebody asks. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERR_TEXT_BYTES = 1024, ERR_PLACES = 16 };

struct err_trail {
	char text[ERR_TEXT_BYTES];
	char joined[ERR_TEXT_BYTES];
	struct {
		const char *file;
		int line;
	} places[ERR_PLACES];
	unsigned place_count;
};

static _Thread_local struct err_trail trail;

static void add_place(const char *file, int line)
{
	if (trail.place_count == ERR_PLACES)
		return;
	trail.places[trail.place_count].file = file;
	trail.places[trail.place_count].line = line;
	trail.place_count++;
}

int err_record(int r, const char *file, int line, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(trail.text, sizeof(trail.text), fmt, ap);
	va_end(ap);
	trail.place_count = 0;
	add_place(file, line);
	errno = saved;
	return r;
}

int err_pass(int r, const char *file, int line)
{
	add_place(file, line);
	return r;
}

int err_prefix(int r, const char *fmt, ...)
{
	char words[ERR_TEXT_BYTES];
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	used = strlen(words);
	snprintf(words + used, sizeof(words) - used, "%s", trail.text);
	memcpy(trail.text, words, sizeof(words));
	return r;
}

const char *err_text(void)
{
	return trail.text;
}

const char *err_places(void)
{
	size_t used = 0;

	trail.joined[0] = '\0';
	for (unsigned i = 0; i < trail.place_count && used < sizeof(trail.joined); i++)
		used += (size_t)snprintf(trail.joined + used, sizeof(trail.joined) - used,
					 "%s%s:%d", i ? " <- " : "", trail.places[i].file,
					 trail.places[i].line);
	return trail.joined;
}

void err_clear(void)
{
	trail.text[0] = '\0';
	trail.place_count = 0;
}

int err_adopt(int r, const char *text)
{
	err_clear();
	snprintf(trail.text, sizeof(trail.text), "%s", text);
	return r;
}
