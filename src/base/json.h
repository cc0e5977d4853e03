/* SPDX-License-Identifier: GPL-2.0-only */
/* A JSON writer for things we print: it appends to a buffer, places commas itself and escapes
 * strings, so that the output is valid whatever a path or a kernel message holds. Bytes that are
 * not UTF-8 are written as U+FFFD. Reading JSON is jansson's, in the rooms that may use it. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json {
	struct buf *out;
	bool needs_comma;
};

static inline struct json json_to(struct buf *out)
{
	return (struct json){ .out = out };
}

/* libjansson has functions of two of these names, so in object files ours have others. No file may
 * include both headers.
 *
 * In all of these @key is the member's name, or NULL inside an array and for the outermost value.
 */
void json_object(struct json *j, const char *key) __asm__("ktstr_json_object");
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key) __asm__("ktstr_json_array");
void json_array_end(struct json *j);
void json_str(struct json *j, const char *key, const char *value); /* NULL value: null */
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_double(struct json *j, const char *key, double value); /* not finite: null */
void json_bool(struct json *j, const char *key, bool value);
/* @text is one JSON value already, written by this writer. */
void json_raw(struct json *j, const char *key, const char *text);
