/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors with a trail. A function that fails returns a negative errno; whoever notices the failure
 * first says it in words with err_new(), every caller that passes it on adds its place with
 * err_trace(). The words are kept in the thread's own trail until somebody prints, copies or clears
 * them. Success costs nothing: no function here is called on it.
 *
 * Positive return values are outcomes, never errors, and never come near this file. */
#pragma once

#include <stddef.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

/* Start a new trail: @r is the negative errno that the caller will return, the words name the
 * thing, the value and the way out. Returns @r. Any thread; the trail is the thread's own. */
#define err_new(r, ...)                                                                            \
	({                                                                                         \
		int err_r_ =                                                                       \
			(r); /* known to the compiler: paths after an error are seen as such */    \
		err_record(err_r_, __FILE__, __LINE__, __VA_ARGS__);                               \
		err_r_;                                                                            \
	})

/* Add this place to the trail and return @r unchanged. Only for r < 0. */
#define err_trace(r)                                                                               \
	({                                                                                         \
		int err_r_ = (r);                                                                  \
		err_pass(err_r_, __FILE__, __LINE__);                                              \
		err_r_;                                                                            \
	})

int err_record(int r, const char *file, int line, const char *fmt, ...) printf_like(4, 5);
int err_pass(int r, const char *file, int line);

/* Put words before those of the current trail ("scenario x: " + "cpuset ..."), for callers that
 * know what the thing belongs to. Returns @r. */
int err_prefix(int r, const char *fmt, ...) printf_like(2, 3);

/* The words of the thread's last err_new(); "" if there are none. Valid until the next err_new() or
 * err_clear() of this thread. */
const char *err_text(void);

/* The places the error passed through, "file:line <- file:line"; "" if none. Same lifetime as
 * err_text(). */
const char *err_places(void);

/* Forget the trail: the error was handled. */
void err_clear(void);

/* Replace this thread's trail by one that another thread recorded (copied with err_text()). Returns
 * @r. */
int err_adopt(int r, const char *text);
